"""A .net file as raw layers: opened with distrust, every dataset read once, nothing interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.errors import InputError
from ranvier.files.hdf5 import checked_datasets, has_signature, open_hdf5

from ..diagnostics import NET_LAYOUT, NET_MISSING, NET_SHAPE, NET_VALUE
from ..targets import limits_of

DECAY_UNIT = 4096
MANTISSA_UNIT = 64
"""Weights, thresholds and biases: 64 is 1.0 in the graph."""
_LIMITS = limits_of("loihi2")
READOUT_THRESHOLD = _LIMITS.threshold_max
"""A threshold that never fires."""
DELAY_MAX = _LIMITS.delay_max
WEIGHT_RANGE = (_LIMITS.weight_min, _LIMITS.weight_max)
FORM = "a network of netx (.net)"
LAYERS = "layer"
_MAX_TEXT = 256
Value = NDArray[Any] | str


def checked_path(path: Any, verb: str) -> Path:
    """Return a path; raises `InputError` for anything else."""
    try:
        return Path(path)
    except TypeError as error:
        raise InputError(f"{verb}: expected a path, got {type(path).__name__}") from error


class BrokenLayerError(Exception):
    """A layer cannot be read on; what is wrong with it is already among the findings."""


@dataclass(frozen=True)
class RawLayer:
    """One layer group.

    Parameters
    ----------
    number : int
        Position in the file.
    fields : mapping of str to array or str
        Datasets by name within the group, ``"neuron/iDecay"``.
    findings : Findings
        Where problems go.
    """

    number: int
    fields: Mapping[str, Value]
    findings: Findings

    @property
    def name(self) -> str:
        """Name of the layer in messages and in the graph, its number."""
        return str(self.number)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    @property
    def type(self) -> str:
        """Type of the layer in lower case, ``""`` if there is none."""
        return self.text("type").lower()

    @property
    def has_neuron(self) -> bool:
        """Whether there is a neuron group."""
        return any(name.startswith("neuron/") for name in self.fields)

    def text(self, name: str, default: str = "") -> str:
        """Return a text field, scalar or of one element, bytes or str."""
        value = self.fields.get(name, default)
        if not isinstance(value, str):
            raise self.broken(NET_VALUE, f"{name} is a {value.dtype} array, expected text")
        return value

    def numbers(self, name: str) -> NDArray[Any]:
        """Return a numeric field that must be there, finite."""
        if name not in self.fields:
            raise self.broken(NET_MISSING, f"has no dataset {name!r}")
        value = self.fields[name]
        if isinstance(value, str):
            raise self.broken(NET_VALUE, f"{name} is the text {value!r}, expected numbers")
        if not value.size:
            raise self.broken(NET_SHAPE, f"{name} is empty")
        bad = int(np.sum(~np.isfinite(value))) if value.dtype.kind in "fc" else 0
        if bad:
            raise self.broken(NET_VALUE, f"{name} has {bad} value(s) that are NaN or infinite")
        return value

    def integers(self, name: str, default: Any = None) -> NDArray[np.int64]:
        """Return a field of whole numbers, ``default`` where it is missing and one is given."""
        if name not in self.fields and default is not None:
            return np.asarray(default, dtype=np.int64)
        values = self.numbers(name)
        if values.dtype.kind == "c" or np.any(values != np.trunc(values)):
            raise self.broken(NET_VALUE, f"{name} must be whole numbers")
        if np.max(np.abs(values.astype(np.float64))) > 2**62:
            raise self.broken(NET_VALUE, f"{name} has values beyond 62 bits")
        return values.astype(np.int64)

    def integer(self, name: str, default: int | None = None) -> int:
        """Return one whole number, scalar or an array of one element."""
        values = self.integers(name, default)
        if values.size != 1:
            raise self.broken(NET_SHAPE, f"{name} has shape {values.shape}, expected one number")
        return int(values.reshape(-1)[0])

    def broken(self, code: Any, message: str, **numbers: Any) -> BrokenLayerError:
        """Note an error of this layer and return the exception that leaves it."""
        self.report(code, message, **numbers)
        return BrokenLayerError()

    def report(self, code: Any, message: str, **numbers: Any) -> None:
        """Note a finding about this layer."""
        self.findings.add(code.at(self.name, message, **numbers))


def read_layers(path: Path, findings: Findings, *, max_bytes: int) -> list[RawLayer]:
    """Return all layers of a file in order; gaps in the numbers are found, not raised.

    Parameters
    ----------
    path : Path
        A .net file.
    findings : Findings
        Gets the problems of the layout.
    max_bytes : int
        Limit of the sizes that the arrays declare together.

    Raises
    ------
    FileError
        Truncated, damaged, hostile or no HDF5.
    """
    groups: dict[str, dict[str, Value]] = {}
    with open_hdf5(path, form=FORM) as file:
        found = checked_datasets(file, path, max_bytes=max_bytes, text=True)
        for full, item in found.items():
            parts = full.split("/", 2)
            if parts[0] == LAYERS and len(parts) == 3:
                groups.setdefault(parts[1], {})[parts[2]] = _value(item[()])
        names = list(file[LAYERS]) if LAYERS in file else []
    for name in names:
        groups.setdefault(name, {})
    return _ordered(groups, findings)


def _ordered(groups: Mapping[str, dict[str, Value]], findings: Findings) -> list[RawLayer]:
    if not groups:
        findings.add(NET_LAYOUT.at(None, "the file has no layers under 'layer'", value=0))
        return []
    wanted = [str(n) for n in range(len(groups))]
    strange = sorted(set(groups) - set(wanted))
    missing = [n for n in wanted if n not in groups]
    if strange:
        findings.add(
            NET_LAYOUT.at(
                None,
                f"{len(groups)} layers should be numbered 0..{len(groups) - 1}; missing: "
                f"{', '.join(missing)}; beyond them: {', '.join(strange)}",
                value=strange[0],
            )
        )
    numbers = sorted(int(n) for n in groups if n.isascii() and n.isdigit() and len(n) < 10)
    return [RawLayer(n, groups[str(n)], findings) for n in numbers if str(n) in groups]


def _value(value: Any) -> Value:
    """Return numbers as an array and text as str."""
    array = np.asarray(value)
    if array.dtype.kind not in "SUO":
        return array
    text = array.reshape(-1)[0] if array.size else ""
    decoded = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    return decoded.strip("\0 ")[:_MAX_TEXT]


def looks_like_net(path: Path) -> bool:
    """Say whether a file is HDF5 with layers as a .net file has them."""
    if not has_signature(path):
        return False
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(path, "r", locking=False) as file:
            layers = _own_group(file, LAYERS)
            first = None if layers is None else _own_group(layers, "0")
            return first is not None and "type" in first
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return False


def _own_group(group: Any, name: str) -> Any:
    """Return a group that the file itself holds, None for links to other places."""
    import h5py

    link = group.get(name, getlink=True) if name in group else None
    found = group[name] if isinstance(link, h5py.HardLink) else None
    return found if isinstance(found, h5py.Group) else None
