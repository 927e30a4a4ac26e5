"""The ``.rv`` container: one HDF5 file for graph, mapped network, configuration and recording."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from ..errors import ChipNotFoundError, FileError, InputError, PluginError, RanvierError
from ..graph import payload_hash
from ._hdf5 import MAX_BYTES, build_image
from ._layout import Arrays, FileHeader, fill, read_layout, stamp

if TYPE_CHECKING:
    from os import PathLike

SUFFIX = ".rv"
_NONSENSE = (RanvierError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_KINDS = {
    "graph": ("ranvier.graph", "Graph"),
    "mapped": ("ranvier.artifacts", "MappedNetwork"),
    "config": ("ranvier.artifacts", "ChipConfig"),
    "recording": ("ranvier.artifacts", "Recording"),
    "checkpoint": ("ranvier.train._checkpoint", "Checkpoint"),
}
KINDS = tuple(_KINDS)
"""What a container can hold."""


class Noun(Protocol):
    """What can be saved: it turns itself into named arrays and a JSON-able document."""

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays by name and the document."""


def save(noun: Noun, path: str | PathLike[str]) -> None:
    """Write a graph, mapped network, configuration or recording to a ``.rv`` file.

    The file is complete or untouched: it is written beside the target and renamed at the end.

    Parameters
    ----------
    noun : Graph, MappedNetwork, ChipConfig or Recording
        What to save.
    path : path
        Ends in ``.rv``; an existing file is replaced.

    Raises
    ------
    FileError
        The ending is another one, the content cannot be represented (an array of objects, notes
        that are no JSON), or the disk refuses; a previous file is intact.
    InputError
        ``noun`` is something else.
    """
    from ..events.atomic import replacing

    target = checked_path(path, "save")
    kind = _kind_of(noun)
    if target.suffix.lower() != SUFFIX:
        raise FileError(f"{target}: artefacts are saved as {SUFFIX}; name it {target.stem}{SUFFIX}")
    arrays, document = noun.to_payload()
    try:
        text = json.dumps(document)
        digest = payload_hash(arrays, document)
    except (TypeError, ValueError, RecursionError) as error:
        raise FileError(
            f"{target}: the {kind} holds notes that are not JSON ({error}); keep metadata and "
            "settings to text, numbers, lists and dictionaries"
        ) from error
    header = stamp(noun, kind, document, digest)
    image = build_image(lambda file: fill(file, header, arrays, text, target), modern=True)
    with replacing(target) as temporary:
        temporary.write_bytes(image)


def load(path: str | PathLike[str], *, kind: str | None = None, max_bytes: int = MAX_BYTES) -> Any:
    """Read what `save` wrote; no code is executed and nothing outside the file is followed.

    Parameters
    ----------
    path : path
        A ``.rv`` file.
    kind : str or None
        What it must hold, one of `KINDS`; None accepts any.
    max_bytes : int
        Limit of the sizes that its arrays declare together.

    Returns
    -------
    Graph, MappedNetwork, ChipConfig or Recording

    Raises
    ------
    FileError
        Missing, foreign, truncated, altered, newer, hostile, or of another kind.
    ChipNotFoundError
        A configuration whose plugin is not installed; `describe` still shows it.
    """
    source = checked_path(path, "load")
    header, arrays = read_layout(source, max_bytes, with_arrays=True)
    if header.kind not in _KINDS:
        raise FileError(
            f"{source}: holds a {header.kind!r}, this ranvier knows {', '.join(KINDS)}; "
            "run: pip install --upgrade ranvier"
        )
    if kind is not None and header.kind != kind:
        raise FileError(
            f"{source}: holds a {header.kind}, expected a {kind}; check the path, or load it "
            f"with kind={header.kind!r}"
        )
    if payload_hash(arrays, header.document) != header.content_hash:
        raise FileError(
            f"{source}: its content does not match its hash {header.content_hash[:12]}; it was "
            "altered or damaged, use the original"
        )
    _import_node_plugins(header)
    try:
        return _built(header, arrays)
    except (ChipNotFoundError, FileError):
        raise
    except _NONSENSE as error:
        if isinstance(error, PluginError):
            raise
        raise FileError(f"{source}: holds no valid {header.kind}: {error}") from error


def describe(path: str | PathLike[str], *, max_bytes: int = MAX_BYTES) -> FileHeader:
    """Return what a ``.rv`` file says about itself, without its plugin and without its arrays.

    Parameters
    ----------
    path : path
        A ``.rv`` file.
    max_bytes : int
        As in `load`.

    Raises
    ------
    FileError
        As in `load`, except that arrays are not compared with the hash.
    """
    return read_layout(checked_path(path, "describe"), max_bytes, with_arrays=False)[0]


def checked_path(path: Any, verb: str) -> Path:
    """Return a path; the noun in its place is the common slip and gets its own message."""
    try:
        return Path(path)
    except TypeError as error:
        raise InputError(f"{verb}: the path comes last, got {type(path).__name__}") from error


def _kind_of(noun: Any) -> str:
    own = [cls for cls in type(noun).__mro__ if cls.__module__.split(".")[0] == "ranvier"]
    names = {cls.__name__ for cls in own}
    for kind, (_, name) in _KINDS.items():
        if name in names and hasattr(noun, "to_payload"):
            return kind
    known = ", ".join(name for _, name in _KINDS.values())
    raise InputError(f"save: cannot save a {type(noun).__name__}; known: {known}")


def _built(header: FileHeader, arrays: Arrays) -> Any:
    if header.kind == "config":
        return _config(header, arrays)
    module, name = _KINDS[header.kind]
    cls = getattr(importlib.import_module(module), name)
    newest = getattr(cls, "schema_version", 1)
    if header.schema_version > newest:
        raise _too_new(header, newest, "ranvier")
    return cls.from_payload(arrays, header.document)


def _config(header: FileHeader, arrays: Arrays) -> Any:
    from ..artifacts import ChipConfig
    from ..plugins import manager

    try:
        target = manager().target(header.target)
    except ChipNotFoundError as error:
        raise ChipNotFoundError(
            f"{header.path}: {error} (`ranvier show` works without the plugin)"
        ) from error
    model = manager().call("ranvier_config_model", target, target=target)
    if not (isinstance(model, type) and issubclass(model, ChipConfig)):
        raise PluginError(f"plugin {target.chip!r} has no configuration class for {target.name!r}")
    document: Mapping[str, Any] = header.document
    if header.schema_version > model.schema_version:
        raise _too_new(header, model.schema_version, target.distribution)
    if header.schema_version < model.schema_version:
        lifted = manager().call(
            "ranvier_migrate",
            target,
            target=target,
            schema_version=header.schema_version,
            arrays=arrays,
            document=document,
        )
        if lifted is None:
            raise FileError(
                f"{header.path}: has schema version {header.schema_version}, "
                f"{target.distribution} has {model.schema_version} and cannot convert it; "
                "build the configuration again"
            )
        arrays, document = lifted
    return model.from_payload(arrays, document)


def _too_new(header: FileHeader, newest: int, distribution: str) -> FileError:
    return FileError(
        f"{header.path}: has schema version {header.schema_version}, {distribution} here reads up "
        f"to {newest}; run: pip install --upgrade {distribution}"
    )


def _import_node_plugins(header: FileHeader) -> None:
    """Import the installed plugins whose node kinds (``chip.kind``) a graph uses."""
    graph = header.document.get("graph") if header.kind == "mapped" else header.document
    nodes = graph.get("nodes") if isinstance(graph, Mapping) and header.kind != "config" else None
    kinds = [str(n.get("kind", "")) for n in nodes or () if isinstance(n, Mapping)]
    chips = {kind.split(".")[0] for kind in kinds if "." in kind}
    if chips:
        from ..plugins import manager

        for chip in sorted(chips & set(manager().catalogue.modules)):
            manager().load(chip)
