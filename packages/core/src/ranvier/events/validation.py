"""Checks of the parts of EventSeries."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from . import dtype
from .binning import FloatArray, IntArray, as_integers, as_times, read_only


def event_fields(
    times: npt.ArrayLike,
    channels: npt.ArrayLike,
    *,
    payload: npt.ArrayLike | None,
    t_start: float,
    t_stop: float | None,
    shape: int | tuple[int, ...] | None,
) -> dict[str, Any]:
    """Return events, window and shape of a series, checked and sorted by time."""
    seconds = as_times(times)
    numbers = as_integers(channels, what="channels")
    values = None if payload is None else as_payload(payload)
    for what, array in (("channels", numbers), ("payload", values)):
        if array is not None and array.shape != seconds.shape:
            raise InputError(
                f"events: {what} have shape {array.shape}, times have {seconds.shape}; "
                "give one of each per event"
            )
    if shape is None:
        shape = max(1, int(numbers.max(initial=0)) + 1)
    sizes = dtype.check_shape(shape)
    if t_stop is None:
        last = max(float(t_start), seconds.max(initial=-np.inf))
        t_stop = max(last + dtype.MICROSECOND, float(np.nextafter(last, np.inf)))
    check_window(seconds, float(t_start), float(t_stop))
    check_channels(numbers, dtype.size_of(sizes))
    order = np.argsort(seconds, kind="stable")
    return {
        "times": read_only(seconds[order]),
        "channels": read_only(numbers[order]),
        "payload": None if values is None else read_only(values[order]),
        "t_start": float(t_start),
        "t_stop": float(t_stop),
        "shape": sizes,
    }


def as_payload(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return payloads as int64 or float64, or raise InputError."""
    array = np.asarray(values)
    if array.dtype.kind in "iub":
        return array.astype(np.int64)
    return as_times(array, what="payloads")


def check_window(times: FloatArray, t_start: float, t_stop: float) -> None:
    """Raise InputError unless all times are in ``[t_start, t_stop)``."""
    if not (np.isfinite(t_start) and np.isfinite(t_stop)) or t_stop < t_start:
        raise InputError(f"events: the window {t_start} s to {t_stop} s is not a finite interval")
    outside = int(np.count_nonzero((times < t_start) | (times >= t_stop)))
    if outside:
        raise InputError(
            f"events: {outside} of {times.size} events lie outside [{t_start}, {t_stop}) s (times "
            f"run from {times.min()} to {times.max()} s); give a larger window or clip() later"
        )


def check_channels(channels: IntArray, size: int) -> None:
    """Raise InputError unless all channels are in 0 to size - 1."""
    if channels.size and not (channels.min() >= 0 and channels.max() < size):
        raise InputError(
            f"events: channels run from {channels.min()} to {channels.max()}, the shape allows "
            f"0 to {size - 1}; give a larger shape"
        )


def equal(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Return whether two arrays have the same shape and values."""
    return bool(np.array_equal(a, b))
