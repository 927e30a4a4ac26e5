"""Checks of the parts of EventSeries."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from .binning import FloatArray, IntArray, as_times


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
