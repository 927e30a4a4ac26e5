"""Calibration results as ``.rv`` files: HDF5 without any code in it, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic
from ranvier.errors import FileError, InputError
from ranvier.events.atomic import replacing
from ranvier.files.hdf5 import build_image, checked_datasets, open_hdf5
from ranvier.graph import payload_hash

from ..chip import Variability
from ..targets import limits_of
from .result import QUANTITIES, CalibrationResult
from .silicon import CIRCUIT_CODES, DIGITAL_MAX, DIGITAL_MIN, QUADRANTS, CodeModel
from .targets import DEFAULTS, CalibrationTargets

SUFFIX, FORM = ".rv", "a calibration of BrainScaleS-2 (.rv)"
FORMAT, KIND, VERSION = "ranvier-bss2", "bss2.calibration", 1
_MAX_BYTES = 64 * 2**20
_READER = "ranvier_bss2.calibration.load_calibration"
_HEADER = ("format", "kind", "version", "content_hash")
_DOCUMENT = "document"


def save_calibration(result: CalibrationResult, path: str | PathLike[str]) -> None:
    """Write a calibration; the file is complete or untouched.

    Parameters
    ----------
    result : CalibrationResult
        What to save.
    path : path
        Ends in ``.rv``; an existing file is replaced.

    Raises
    ------
    FileError
        The ending is another one, or the disk refuses.
    InputError
        ``path`` is no path.
    """
    target = _checked_path(path)
    if target.suffix.lower() != SUFFIX:
        raise FileError(
            f"{target}: calibrations are saved as {SUFFIX}; name it {target.stem}{SUFFIX}"
        )
    arrays, document = result.to_payload()
    header = {
        "format": FORMAT,
        "kind": KIND,
        "version": str(VERSION),
        "content_hash": payload_hash(arrays, document),
        "reader": _READER,  # what ranvier.load names to those who try it
    }

    def fill(file: Any) -> None:
        for name, value in header.items():
            file.attrs[name] = np.bytes_(value.encode("utf-8"))
        file[_DOCUMENT] = np.frombuffer(json.dumps(document).encode("utf-8"), dtype=np.uint8)
        for name, values in arrays.items():
            file[f"arrays/{name}"] = values

    image = build_image(fill, modern=True)
    with replacing(target) as temporary:
        temporary.write_bytes(image)


def load_calibration(path: str | PathLike[str]) -> CalibrationResult:
    """Read a calibration; no code is executed.

    Parameters
    ----------
    path : path
        What `save_calibration` wrote.

    Raises
    ------
    FileError
        Missing, foreign, truncated, altered, newer or hostile.
    InputError
        ``path`` is no path.
    """
    source = _checked_path(path)
    if not source.is_file():
        raise FileError(f"{source}: does not exist or is no regular file; check the path")
    with open_hdf5(source, form=FORM) as file:
        header = {name: _attribute(file, name, source) for name in _HEADER}
        if header["format"] != FORMAT or header["kind"] != KIND:
            raise FileError(
                f"{source}: holds {header['kind'][:40]!r}, expected {KIND!r}; check the path, or "
                "read it with ranvier.read()"
            )
        if not header["version"].isdecimal() or int(header["version"]) > VERSION:
            raise FileError(
                f"{source}: has version {header['version'][:20]!r}, this package reads up to "
                f"{VERSION}; run: pip install --upgrade ranvier-bss2"
            )
        found = checked_datasets(file, source, max_bytes=_MAX_BYTES)
        if _DOCUMENT not in found:
            raise FileError(f"{source}: its document is missing; the file was altered")
        document = json.loads(bytes(np.asarray(found.pop(_DOCUMENT)[()], np.uint8)).decode("utf-8"))
        arrays = {n.removeprefix("arrays/"): np.asarray(v[()]) for n, v in found.items()}
    return _checked_result(source, arrays, document, header["content_hash"])


def _checked_result(
    source: Path, arrays: Mapping[str, NDArray[Any]], document: Any, stated: str
) -> CalibrationResult:
    if not isinstance(document, dict) or payload_hash(dict(arrays), document) != stated:
        raise FileError(
            f"{source}: its content does not match its hash; it was altered or damaged, use the "
            "original"
        )
    try:
        return _built(arrays, document)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise FileError(f"{source}: holds no valid calibration: {error}") from error


def _built(arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> CalibrationResult:
    limits = limits_of()
    circuit = (limits.neuron_circuits,)
    most = limits.capmem_max
    codes = {n: _integers(arrays, f"codes/{n}", circuit, 0, most) for n in CIRCUIT_CODES}
    codes["cadc_offset"] = _integers(arrays, "codes/cadc_offset", circuit, DIGITAL_MIN, DIGITAL_MAX)
    codes["cadc_ramp"] = _integers(arrays, "codes/cadc_ramp", (QUADRANTS,), 0, most)
    parts: dict[str, dict[str, NDArray[Any]]] = {
        part: {n: _reals(arrays, f"{part}/{n}") for n in QUANTITIES} for part in ("before", "after")
    }
    success = {n: _integers(arrays, f"success/{n}", circuit, 0, 1) > 0 for n in QUANTITIES}
    seed = document["chip_seed"]
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"chip_seed is {seed!r}, expected a number >= 0")
    return CalibrationResult(
        chip_seed=seed,
        variability=Variability.model_validate(document["variability"]),
        code_model=CodeModel.model_validate(document["code_model"]),
        targets=CalibrationTargets.of(**{n: _reals(arrays, f"targets/{n}") for n in DEFAULTS}),
        codes=codes,
        before=parts["before"],
        after=parts["after"],
        success=success,
        diagnostics=tuple(Diagnostic.from_dict(d) for d in document["diagnostics"]),
    )


def _integers(
    arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...], low: int, high: int
) -> NDArray[np.int64]:
    values = arrays[name]
    if values.dtype.kind not in "biu" or values.shape != shape:
        raise ValueError(f"{name} is {values.dtype} {values.shape}, expected integers {shape}")
    if values.min() < low or values.max() > high:
        raise ValueError(f"{name} has {values.min()} to {values.max()}, expected {low} to {high}")
    return values.astype(np.int64)


def _reals(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float64]:
    values, shape = arrays[name], (limits_of().neuron_circuits,)
    if values.dtype.kind != "f" or values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"{name} is {values.dtype} {values.shape}, expected finite {shape}")
    return values.astype(np.float64)


def _attribute(file: Any, name: str, source: Path) -> str:
    if name not in file.attrs:
        raise FileError(f"{source}: is an HDF5 file but not {FORM}: it lacks {name!r}")
    value = file.attrs[name]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    raise FileError(f"{source}: attribute {name!r} is no text; the file was altered")


def _checked_path(path: Any) -> Path:
    try:
        return Path(path)
    except TypeError as error:
        raise InputError(f"bss2 calibration: expected a path, got {type(path).__name__}") from error
