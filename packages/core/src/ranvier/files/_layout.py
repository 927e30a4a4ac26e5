"""Layout of a ``.rv`` file: root attributes, one document, checksummed arrays."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ._hdf5 import checked_datasets, library, open_hdf5, text_attribute

FORMAT = "ranvier"
CONTAINER_VERSION = 1
_FORM = "a ranvier file (.rv)"
_DOCUMENT = "document"
_ARRAYS = "arrays/"
_COMPRESS_FROM = 4096
_SAMPLE = 8192
_NAMES = ("format", "container_version", "kind", "schema_version", "target", "writers")

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class FileHeader:
    """What a ``.rv`` file says about itself, readable without any plugin.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        One of `KINDS`.
    container_version, schema_version : int
        Version of the container and of the content (the plugin's, for configurations).
    target : str
        Target of a configuration or mapped network, else empty.
    writers : mapping of str to str
        Distributions that wrote it, with versions.
    content_hash : str
        SHA-256 of the content, as ``noun.content_hash``.
    document : mapping
        Everything that is not an array.
    arrays : mapping of str to (shape, dtype)
        The arrays, not read.
    """

    path: Path
    kind: str
    container_version: int
    schema_version: int
    target: str
    writers: Mapping[str, str]
    content_hash: str
    document: Mapping[str, Any] = field(repr=False)
    arrays: Mapping[str, tuple[tuple[int, ...], str]] = field(repr=False)

    def __str__(self) -> str:
        target = f" for {self.target}" if self.target else ""
        writers = ", ".join(f"{name} {number}" for name, number in self.writers.items())
        lines = [
            f"{self.path}: {self.kind}{target}, schema {self.schema_version}",
            f"  written by {writers}; content {self.content_hash[:12]}",
        ]
        lines += [f"  {n}: {shape} {dtype}" for n, (shape, dtype) in self.arrays.items()]
        return "\n".join(lines)


def stamp(noun: Any, kind: str, document: Mapping[str, Any], digest: str) -> dict[str, str]:
    """Return the root attributes, the last of which protects the others."""
    target = str(document.get("target", ""))
    writers = {"ranvier": version("ranvier")}
    owner = type(noun).__module__.split(".")[0].replace("_", "-")
    if owner not in writers:
        try:
            writers[owner] = version(owner)
        except PackageNotFoundError:
            writers[owner] = "unknown"
    header = {
        "format": FORMAT,
        "container_version": str(CONTAINER_VERSION),
        "kind": kind,
        "schema_version": str(getattr(type(noun), "schema_version", 1)),
        "target": target,
        "writers": json.dumps(writers),
        "content_hash": digest,
    }
    return {**header, "header_hash": header_hash(header)}


def header_hash(header: Mapping[str, str]) -> str:
    """Return the SHA-256 of the other root attributes."""
    return hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode()).hexdigest()


def fill(file: Any, header: Mapping[str, str], arrays: Arrays, text: str, target: Path) -> None:
    h5py = library()

    for name, value in header.items():
        data = value.encode("utf-8")
        file.attrs.create(name, data, dtype=h5py.string_dtype("utf-8", max(1, len(data))))
    data = text.encode("utf-8")
    file.create_dataset(_DOCUMENT, data=data, dtype=h5py.string_dtype("utf-8", len(data)))
    for name, values in arrays.items():
        _store(file, name, np.asarray(values), target)


def _store(file: Any, name: str, values: NDArray[Any], target: Path) -> None:
    parts = name.split("/")
    if any(p in ("", ".", "..") or not p.isprintable() for p in parts):
        raise FileError(f"{target}: array name {name!r} cannot be stored; use plain text")
    if values.dtype.kind not in "biufc":
        raise FileError(
            f"{target}: array {name!r} has the type {values.dtype}; only numbers are saved"
        )
    options: dict[str, Any] = {}
    if values.ndim and values.size:
        options["fletcher32"] = True
        if values.nbytes >= _COMPRESS_FROM and _compressible(values):
            options |= {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    try:
        file.create_dataset(f"{_ARRAYS}{name}", data=values, **options)
    except (ValueError, TypeError, OSError) as error:
        raise FileError(f"{target}: array {name!r} cannot be stored ({error})") from error


def _compressible(values: NDArray[Any]) -> bool:
    """Try a sample from the middle: the digits of measured floats only cost time."""
    sample = np.ascontiguousarray(values.reshape(-1)[values.size // 2 :][:_SAMPLE])
    planes = sample.view(np.uint8).reshape(sample.size, -1).T.tobytes()
    return len(zlib.compress(planes, 1)) < 0.8 * len(planes)


def read_layout(path: Path, max_bytes: int, *, with_arrays: bool) -> tuple[FileHeader, Arrays]:
    """Check and read a file; raises `FileError` for all but the hash of the arrays."""
    with open_hdf5(path, form=_FORM) as file:
        header = _checked_header(file, path)
        found = checked_datasets(file, path, max_bytes=max_bytes)
        stray = [n for n in found if n != _DOCUMENT and not n.startswith(_ARRAYS)]
        if _DOCUMENT not in found or found[_DOCUMENT].shape != () or stray:
            raise FileError(f"{path}: its layout was altered (document missing, or {stray[:5]})")
        document = json.loads(bytes(found.pop(_DOCUMENT)[()]).decode("utf-8"))
        if not isinstance(document, dict):
            raise FileError(f"{path}: its document is no JSON object; the file was altered")
        items = {name.removeprefix(_ARRAYS): item for name, item in found.items()}
        arrays = {n: item[()] for n, item in items.items()} if with_arrays else {}
        described = FileHeader(
            path=path,
            kind=header["kind"],
            container_version=int(header["container_version"]),
            schema_version=int(header["schema_version"]),
            target=header["target"],
            writers=json.loads(header["writers"]),
            content_hash=header["content_hash"],
            document=document,
            arrays={n: (tuple(i.shape), str(i.dtype)) for n, i in sorted(items.items())},
        )
    return described, {name: np.asarray(values) for name, values in arrays.items()}


def _refuse_of_plugin(file: Any, path: Path, values: Mapping[str, str | None]) -> None:
    """Raise `FileError` for a file that a plugin has a reader of its own for."""
    if not (values["format"] or "").startswith(f"{FORMAT}-"):
        return
    reader = text_attribute(file, "reader", path) or ""
    if reader.isascii() and reader.replace(".", "").isidentifier():
        kind = values["kind"] or values["format"]
        raise FileError(f"{path}: holds a {kind!r}, which its own package reads: {reader}(path)")


def _checked_header(file: Any, path: Path) -> dict[str, str]:
    values = {n: text_attribute(file, n, path) for n in (*_NAMES, "content_hash", "header_hash")}
    if values["format"] != FORMAT:
        _refuse_of_plugin(file, path, values)
        raise FileError(
            f"{path}: is an HDF5 file but not {_FORM}; read it with ranvier.read() if it is NIR"
        )
    number = values["container_version"] or ""
    if number.isdecimal() and int(number) > CONTAINER_VERSION:
        raise FileError(
            f"{path}: has container version {number}, this ranvier reads up to "
            f"{CONTAINER_VERSION}; run: pip install --upgrade ranvier"
        )
    header = {name: value for name, value in values.items() if value is not None}
    stated = header.pop("header_hash", "")
    if len(header) != len(_NAMES) + 1 or stated != header_hash(header):
        raise FileError(f"{path}: its header does not match its hash; it was altered or damaged")
    return header
