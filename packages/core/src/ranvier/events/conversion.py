"""Array arithmetic behind EventSeries: raster and structured arrays to event lists and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from . import dtype
from .binning import FloatArray, IntArray

EventArrays = tuple[IntArray, IntArray, npt.NDArray[Any] | None, tuple[int, ...], int]

_MAX_COUNT = 2**31 - 1


def check_counts(raster: npt.ArrayLike, *, where: str = "events") -> npt.NDArray[np.int64]:
    """Return spike counts as int64, or refuse them.

    Parameters
    ----------
    raster : array_like
        Integers ≥ 0, of any integer or float type.
    where : str
        Beginning of the message.

    Returns
    -------
    int64 array
        Same shape.

    Raises
    ------
    InputError
        A count is negative, fractional, NaN, infinite or above 2**31 - 1.
    """
    array = np.asarray(raster)
    if array.dtype.kind not in "iubf":
        raise InputError(f"{where}: spike counts have type {array.dtype}; give integers")
    if array.dtype.kind == "f":
        fractional = int(np.count_nonzero(~(np.isfinite(array) & (array == np.rint(array)))))
        if fractional:
            raise InputError(
                f"{where}: {fractional} of {array.size} spike counts are not whole numbers; "
                "counts are integers ≥ 0 (use graded=True for values, or encode them)"
            )
    if array.size and array.dtype.kind in "if" and array.min() < 0:
        negative = int(np.count_nonzero(array < 0))
        raise InputError(
            f"{where}: {negative} of {array.size} spike counts are negative (down to "
            f"{array.min()}); counts are integers ≥ 0"
        )
    if array.size and array.max() > _MAX_COUNT:
        raise InputError(
            f"{where}: a spike count of {array.max():g} is above {_MAX_COUNT}; use graded=True for "
            "values"
        )
    return array.astype(np.int64)


def events_of_raster(raster: npt.ArrayLike, *, graded: bool) -> EventArrays:
    """Return bins, channels, payload, shape and number of bins of a raster (time, *shape)."""
    array = np.asarray(raster)
    if not 2 <= array.ndim <= 4 or 0 in array.shape[1:]:
        raise InputError(
            f"events: a raster of shape {array.shape} is not (time, n), (time, polarity, n) or "
            "(time, polarity, row, column); take one sample of a batch"
        )
    steps, shape = array.shape[0], tuple(array.shape[1:])
    flat = array.reshape(steps, dtype.size_of(shape))
    if graded:
        if array.dtype.kind not in "iubf" or not np.isfinite(array).all():
            raise InputError("events: graded rasters hold finite numbers; this has others")
        bins, channels = np.nonzero(flat)
        return bins, channels, flat[bins, channels], shape, steps
    counts = check_counts(flat)
    bins, channels = np.nonzero(counts)
    repeats = counts[bins, channels]
    return np.repeat(bins, repeats), np.repeat(channels, repeats), None, shape, steps


def accumulate(
    bins: IntArray, channels: IntArray, payload: npt.NDArray[Any] | None, *, size: tuple[int, int]
) -> npt.NDArray[Any]:
    """Return the sum of the events (or payloads) per bin and channel, shape ``size``."""
    steps, width = size
    inside = (bins >= 0) & (bins < steps)
    cells = bins[inside] * width + channels[inside]
    if payload is None:
        return np.bincount(cells, minlength=steps * width).reshape(size)
    sums = np.zeros(steps * width, dtype=payload.dtype)
    np.add.at(sums, cells, payload[inside])
    return sums.reshape(size)


def events_of_structured(
    events: npt.NDArray[Any], shape: int | tuple[int, ...] | None
) -> tuple[FloatArray, IntArray, npt.NDArray[Any] | None, tuple[int, ...]]:
    """Return times in s, channels, payload and shape of a structured array."""
    names = events.dtype.names or ()
    if events.ndim != 1 or "t" not in names or not {"channel", "x"} & set(names):
        raise InputError(
            f"events: an array of shape {events.shape} with fields {list(names)} is no event list; "
            "it needs one axis, field t, and channel or x"
        )
    times = events["t"]
    seconds = times / 1e6 if times.dtype.kind in "iu" else times.astype(np.float64)
    payload = events["payload"] if "payload" in names else None
    if payload is not None and bool((payload == 1).all()):
        payload = None
    channels, sizes = _channels_of_structured(events, names, shape)
    return seconds, channels, payload, sizes


def _channels_of_structured(
    events: npt.NDArray[Any], names: tuple[str, ...], shape: int | tuple[int, ...] | None
) -> tuple[IntArray, tuple[int, ...]]:
    """Return flat channel numbers and their shape."""
    if "channel" in names:
        channels = events["channel"].astype(np.int64)
        if shape is None:
            shape = max(1, int(channels.max(initial=0)) + 1)
        return channels, dtype.check_shape(shape)
    x = events["x"].astype(np.int64)
    y = events["y"].astype(np.int64) if "y" in names else None
    p = events["p"].astype(np.int64) if "p" in names else np.zeros_like(x)
    if (
        min((int(part.min()) for part in (x, y, p) if part is not None and part.size), default=0)
        < 0
    ):
        raise InputError("events: x, y or p is negative; polarities are 0 and up")
    sizes = dtype.infer_shape(x, y, p) if shape is None else dtype.check_shape(shape)
    return dtype.join_channels(x, np.zeros_like(x) if y is None else y, p, sizes), sizes


def tonic_of_events(
    times: FloatArray, channels: IntArray, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Return a tonic array: integer microseconds, x, (y,) p."""
    events = np.empty(times.size, dtype=dtype.tonic_dtype(shape))
    events["t"] = np.rint(times * 1e6)
    parts = dict(zip("xyp", dtype.split_channels(channels, shape), strict=True))
    for name in parts.keys() & set(events.dtype.names or ()):
        events[name] = parts[name]
    return events


def structured_of_events(
    times: FloatArray,
    channels: IntArray,
    payload: npt.NDArray[Any] | None,
    shape: tuple[int, ...],
) -> npt.NDArray[Any]:
    """Return an array of EVENT_DTYPE; the payload of plain events is 1."""
    events = np.empty(times.size, dtype=dtype.EVENT_DTYPE)
    events["t"], events["channel"] = times, channels
    events["x"], events["y"], events["p"] = dtype.split_channels(channels, shape)
    events["payload"] = 1.0 if payload is None else payload
    return events


def check_tonic(events: npt.NDArray[Any]) -> None:
    """Raise InputError unless an array has tonic's fields and integer times."""
    if events.dtype.names is None or "t" not in events.dtype.names:
        raise InputError("events: a tonic array has named fields t, x, (y,) p; this has none")
    if events.dtype["t"].kind not in "iu":
        raise InputError("events: tonic times are integer µs; use from_structured for seconds")


def shape_of_sensor(sensor_size: tuple[int, int, int]) -> tuple[int, ...]:
    """Return our shape of tonic's ``(width, height, polarities)``."""
    width, height, polarities = sensor_size
    if height == 1:
        return (width,) if polarities == 1 else (polarities, width)
    return (polarities, height, width)
