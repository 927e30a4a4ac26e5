"""Spikes into a run and recordings out of it, as files."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import FileError
from .inputs import check_exists, load_as, save_artifact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..artifacts import Recording

    Arrays: TypeAlias = NDArray[Any] | dict[str, NDArray[Any]]

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]

SUFFIXES = (".npy", ".npz", ".bs1", ".bs2", ".rv")
_EVENT_FORMATS = ("ranvier.events", "ranvier.continuous")


def read_spikes(
    path: Path, *, shapes: Shapes, dt: float
) -> tuple[Arrays, NDArray[np.int64] | None]:
    """Read the input of a run.

    Parameters
    ----------
    path : Path
        ``.npy``: counts ``([batch,] time, *shape)``, or structured events; ``.npz``: events of
        ranvier, or arrays by input name (a single array may have any name) and optionally
        ``lengths``; ``.bs1``, ``.bs2``: events; ``.rv``: a recording, whose signals of the input's
        name, or else whose only output, is taken.
    shapes : mapping of str to tuple of int
        Shape of every input of the network.
    dt : float
        Bin of events, in s.

    Returns
    -------
    array or mapping of str to array
        Counts ``([batch,] time, *shape)``.
    int64 array, (batch,), or None
        Valid steps of each sample.

    Raises
    ------
    FileError
        The file is missing, unreadable, or holds nothing that fits the network's inputs.
    """
    check_exists(path)
    suffix = _suffix(path)
    if suffix == ".rv":
        return _from_recording(path, shapes)
    if suffix in (".bs1", ".bs2") or _holds_events(path, suffix):
        return _from_events(path, shapes, dt), None
    arrays = _raw(path, suffix)
    if isinstance(arrays, dict):
        return _by_input(path, arrays, shapes)
    return arrays, None


def read_arrays(path: Path) -> Any:
    """Read the content of a data file for an option that takes arrays, events or a recording."""
    check_exists(path)
    suffix = _suffix(path)
    if suffix == ".rv":
        from ..artifacts import Recording

        return load_as(path, Recording)
    if suffix in (".bs1", ".bs2") or _holds_events(path, suffix):
        from ..events import read_events

        return read_events(path)
    return _raw(path, suffix)


def write_recording(recording: Recording, path: Path) -> None:
    """Write a recording to ``.rv``, or its arrays to ``.npz``, completely or not at all.

    ``.npz`` holds ``node.quantity`` per signal on the graph's grid, ``dt`` and, for ragged batches,
    ``lengths``.

    Raises
    ------
    FileError
        The ending is another one, or the file cannot be written.
    """
    if path.suffix.lower() != ".npz":
        if path.suffix.lower() != ".rv":
            raise FileError(f"{path}: recordings are written as .rv or .npz")
        save_artifact(recording, path)
        return
    import numpy as np

    from ..artifacts import SpikeTrain
    from ..events.atomic import replacing

    arrays: dict[str, Any] = {"dt": np.float64(recording.dt)}
    for (node, quantity), signal in recording.signals.items():
        spikes = isinstance(signal, SpikeTrain) and quantity == "spikes"
        values = recording.raster(node) if spikes else recording.trace(node, quantity)
        arrays[f"{node}.{quantity}"] = values
    if recording.lengths is not None:
        arrays["lengths"] = recording.lengths
    with replacing(path) as temporary, temporary.open("xb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(f"{path}: ending {suffix!r} holds no spikes; use {', '.join(SUFFIXES)}")
    return suffix


def _raw(path: Path, suffix: str) -> Arrays:
    """Return the arrays of a numpy file; pickles and declared sizes beyond the file are refused."""
    from ..events.arrays import read_npy, read_npz

    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    if suffix == ".npz":
        return read_npz(data, where=str(path))
    return read_npy(BytesIO(data), size=len(data), where=str(path))


def _holds_events(path: Path, suffix: str) -> bool:
    arrays = _raw(path, suffix)
    if isinstance(arrays, dict):
        return "format" in arrays and str(arrays["format"]) in _EVENT_FORMATS
    return arrays.dtype.names is not None


def _from_events(path: Path, shapes: Shapes, dt: float) -> Arrays:
    from ..events import EventSeries, read_events

    if len(shapes) != 1:
        raise FileError(
            f"{path}: one list of events for the inputs {list(shapes)}; give an .npz with one "
            "array per input name"
        )
    (shape,) = shapes.values()
    series = read_events(path, shape=shape)
    if not isinstance(series, EventSeries):
        raise FileError(f"{path}: holds sampled values, not spikes; encode them first")
    raster: NDArray[Any] = series.raster(dt)
    return raster


def _by_input(
    path: Path, arrays: dict[str, NDArray[Any]], shapes: Shapes
) -> tuple[Arrays, NDArray[np.int64] | None]:
    lengths = arrays.pop("lengths", None)
    arrays.pop("dt", None)
    if set(shapes) <= set(arrays):
        return {name: arrays[name] for name in shapes}, lengths
    if len(shapes) == len(arrays) == 1:
        return next(iter(arrays.values())), lengths
    raise FileError(
        f"{path}: holds arrays {sorted(arrays)[:8]}, the network's inputs are {sorted(shapes)}; "
        "name the arrays like the inputs"
    )


def _from_recording(path: Path, shapes: Shapes) -> tuple[Arrays, NDArray[np.int64] | None]:
    from ..artifacts import Recording

    recording = load_as(path, Recording)
    if all((name, "spikes") in recording for name in shapes):
        return {name: recording.raster(name) for name in shapes}, recording.lengths
    if len(shapes) == len(recording.outputs) == 1:
        return recording.output, recording.lengths
    raise FileError(
        f"{path}: the recording has outputs {list(recording.outputs)}, the network's inputs are "
        f"{list(shapes)}; record the signals under the inputs' names"
    )
