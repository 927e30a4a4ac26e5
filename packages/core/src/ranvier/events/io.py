"""Event files: ``.bs1``, ``.bs2``, ``.npy`` and ``.npz``, both ways.

============  ===================================================  ================================
ending        holds                                                loses
============  ===================================================  ================================
``.bs1``      5-byte records: neuron (16 bit), polarity, time      window, name; times to 1 µs
``.bs2``      5-byte records: column, row, polarity, time          window, name; times to 1 µs
``.npy``      float columns, or a structured array                 window, name
``.npz``      everything, also continuous series                   nothing
============  ===================================================  ================================
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ranvier.errors import FileError

from . import aer, dtype
from .arrays import read_npy, read_npz
from .atomic import replacing
from .binning import as_integers, check_step
from .continuous import ContinuousSeries
from .series import EventSeries

SUFFIXES = (".bs1", ".bs2", ".npy", ".npz")
_FORMATS = {"ranvier.events": EventSeries, "ranvier.continuous": ContinuousSeries}
_VERSION = 1
_FIELDS = {
    EventSeries: ("times", "channels", "payload", "t_start", "t_stop", "shape", "periodic", "name"),
    ContinuousSeries: (
        "times", "samples", "t_stop", "interpolation", "extrapolate", "periodic", "unit", "name"
    ),
}  # fmt: skip


def read_events(
    path: str | Path,
    *,
    shape: int | tuple[int, ...] | None = None,
    t_stop: float | None = None,
    time_unit: float = 1e-3,
) -> EventSeries | ContinuousSeries:
    """Read a series from a file.

    Parameters
    ----------
    path : str or path
        Ending in ``.bs1``, ``.bs2``, ``.npy`` or ``.npz``.
    shape : int or tuple of int, optional
        Channel axes, as in :class:`EventSeries`. Default: the smallest that fits. ``.npz`` files
        know theirs; a different one is an error.
    t_stop : float, optional
        End of the window, in s. Default: one microsecond after the last event, or the file's.
    time_unit : float
        Seconds per unit of the time column of a float ``.npy`` array, > 0. Milliseconds by
        default, as in the files that go with ``.bs1`` and ``.bs2``.

    Returns
    -------
    EventSeries or ContinuousSeries
        The latter only from ``.npz``.

    Raises
    ------
    FileError
        The file is missing, unreadable, truncated, altered or hostile, its ending is unknown, or
        its events do not fit the shape or window asked for.

    Notes
    -----
    ``.npy`` arrays are float ``(n_events, 3)``: x, p, t, or ``(n_events, 4)``: x, y, p, t; or
    structured with the fields of :data:`EVENT_DTYPE` or of tonic. Polarities are kept as they are,
    also when all are 1.
    """
    source = Path(path)
    suffix = _suffix(source)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise FileError(f"{source}: cannot be read ({error.strerror or error})") from error
    try:
        if suffix == ".npz":
            return _series_of_npz(read_npz(data, where=str(source)), source, shape, t_stop)
        if suffix == ".npy":
            return _series_of_npy(data, source, shape, t_stop, time_unit)
        times_us, x, y, p = aer.decode(data, suffix, where=str(source))
        return _series(times_us / 1e6, x, y if suffix == ".bs2" else None, p, shape, t_stop)
    except FileError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise FileError(f"{source}: {error}") from error


def write_events(
    series: EventSeries | ContinuousSeries,
    path: str | Path,
    *,
    time_unit: float = 1e-3,
    layout: Literal["columns", "structured"] = "columns",
) -> None:
    """Write a series to a file, completely or not at all.

    Parameters
    ----------
    series : EventSeries or ContinuousSeries
        The latter only to ``.npz``.
    path : str or path
        Ending in ``.bs1``, ``.bs2``, ``.npy`` or ``.npz``.
    time_unit : float
        Seconds per unit of the time column of ``.npy`` columns, > 0.
    layout : {"columns", "structured"}
        Of ``.npy``: float columns, or an array of :data:`EVENT_DTYPE` (times in s), which also
        holds payloads.

    Raises
    ------
    FileError
        The ending is unknown, the format cannot hold the series (a longer time or a larger number
        than it has bits, a payload), or the file cannot be written.
    """
    target = Path(path)
    suffix = _suffix(target)
    if not isinstance(series, (EventSeries, ContinuousSeries)):
        raise FileError(f"{target}: a {type(series).__name__} is no series of events or samples")
    if suffix == ".npz":
        arrays = _npz_of_series(series)
        with replacing(target) as temporary, temporary.open("xb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        return
    if isinstance(series, ContinuousSeries):
        raise FileError(f"{target}: {suffix} holds no continuous series; write .npz instead")
    if suffix == ".npy":
        array = _npy_of_series(series, target, time_unit, layout)
        with replacing(target) as temporary, temporary.open("xb") as stream:
            np.lib.format.write_array(stream, array, allow_pickle=False)
        return
    data = aer.encode(series, suffix, where=str(target))
    with replacing(target) as temporary:
        temporary.write_bytes(data)


def _suffix(path: Path) -> str:
    """Return the ending that names the format, or raise FileError."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(f"{path}: ending {suffix!r} is no event file; use {', '.join(SUFFIXES)}")
    return suffix


def _series(
    times: npt.NDArray[Any],
    x: npt.NDArray[Any],
    y: npt.NDArray[Any] | None,
    p: npt.NDArray[Any],
    shape: int | tuple[int, ...] | None,
    t_stop: float | None,
) -> EventSeries:
    """Return the series of coordinates."""
    names = ["x", "p"] if y is None else ["x", "y", "p"]
    events = np.empty(times.size, dtype=[("t", "f8"), *((name, "i8") for name in names)])
    events["t"], events["x"], events["p"] = times, x, p
    if y is not None:
        events["y"] = y
    start = min(0.0, float(times.min(initial=0.0)))
    return EventSeries.from_structured(events, shape=shape, t_start=start, t_stop=t_stop)


def _series_of_npy(
    data: bytes,
    source: Path,
    shape: int | tuple[int, ...] | None,
    t_stop: float | None,
    time_unit: float,
) -> EventSeries:
    """Return the series of a ``.npy`` file."""
    array = read_npy(BytesIO(data), size=len(data), where=str(source))
    if array.dtype.names is not None:
        start = min(0.0, float(array["t"].min(initial=0))) if "t" in array.dtype.names else 0.0
        start = start / 1e6 if start and array.dtype["t"].kind in "iu" else start
        return EventSeries.from_structured(array, shape=shape, t_start=start, t_stop=t_stop)
    if array.ndim != 2 or array.shape[1] not in (3, 4) or array.dtype.kind not in "iuf":
        raise FileError(
            f"{source}: an array of {array.dtype} in shape {array.shape} is no event list; it "
            "needs columns x, p, t or x, y, p, t, or named fields"
        )
    coordinates = as_integers(array[:, :-1], what="coordinates").reshape(-1, array.shape[1] - 1)
    times = array[:, -1].astype(np.float64) * check_step(time_unit, what="time_unit")
    y = coordinates[:, 1] if array.shape[1] == 4 else None
    return _series(times, coordinates[:, 0], y, coordinates[:, -1], shape, t_stop)


def _npy_of_series(
    series: EventSeries, target: Path, time_unit: float, layout: str
) -> npt.NDArray[Any]:
    """Return the array of a ``.npy`` file."""
    if layout == "structured":
        return series.to_structured()
    if layout != "columns":
        raise FileError(f"{target}: layout {layout!r}; use 'columns' or 'structured'")
    if series.payload is not None:
        raise FileError(
            f"{target}: columns hold no payload; use layout='structured', or write .npz"
        )
    p = np.zeros(len(series)) if series.p is None else series.p
    coordinates = [series.x, p] if series.y is None else [series.x, series.y, p]
    times = series.times / check_step(time_unit, what="time_unit")
    return np.stack([*(part.astype(np.float64) for part in coordinates), times], axis=1)


def _npz_of_series(series: EventSeries | ContinuousSeries) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a ``.npz`` file."""
    kind = type(series)
    names = {value: key for key, value in _FORMATS.items()}
    fields = {field: getattr(series, field) for field in _FIELDS[kind]}
    arrays = {key: np.asarray(value) for key, value in fields.items() if value is not None}
    return {"format": np.asarray(names[kind]), "version": np.asarray(_VERSION), **arrays}


def _series_of_npz(
    arrays: dict[str, npt.NDArray[Any]],
    source: Path,
    shape: int | tuple[int, ...] | None,
    t_stop: float | None,
) -> EventSeries | ContinuousSeries:
    """Return the series of the arrays of a ``.npz`` file."""
    kind = _FORMATS.get(_scalar(arrays, "format", "U", source))
    version = _scalar(arrays, "version", "i", source)
    if kind is None or version > _VERSION:
        raise FileError(
            f"{source}: format {arrays['format']} version {version} is unknown here (newest: "
            f"{_VERSION}); upgrade ranvier, or write the file with write_events"
        )
    fields: dict[str, Any] = {
        name: arrays[name] if arrays[name].ndim else arrays[name].item()
        for name in _FIELDS[kind]
        if name in arrays
    }
    missing = {"times", "t_stop"} | ({"channels", "shape"} if kind is EventSeries else {"samples"})
    if missing - set(fields):
        raise FileError(f"{source}: {sorted(missing - set(fields))} missing; the file is altered")
    if kind is ContinuousSeries:
        return ContinuousSeries(**fields)
    stored = dtype.check_shape(tuple(np.atleast_1d(fields.pop("shape")).tolist()))
    if shape is not None and dtype.check_shape(shape) != stored:
        raise FileError(f"{source}: holds shape {stored}, asked for {shape}; remap() after reading")
    end = fields.pop("t_stop") if t_stop is None else t_stop
    fields.pop("t_stop", None)
    return EventSeries(**fields, shape=stored, t_stop=end)


def _scalar(arrays: dict[str, npt.NDArray[Any]], name: str, kind: str, source: Path) -> Any:
    """Return a stored scalar of one type, or raise FileError."""
    array = arrays.get(name)
    if array is None or array.ndim or array.dtype.kind != kind:
        raise FileError(
            f"{source}: has no {name!r} of a ranvier series (it holds {sorted(arrays)[:8]}); "
            "write it with write_events"
        )
    return array.item()
