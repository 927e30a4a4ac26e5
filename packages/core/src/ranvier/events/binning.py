"""Which time bin an event falls into, safe against the noise of decimal time steps."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

EDGE_GUARD = 1e-9
"""Distance to a bin edge, relative to the edge's position in bins, that counts as on the edge."""
_MAX_GUARD = 1e-2
_MAX_BINS = 2.0**53


def check_step(dt: float, *, what: str = "dt") -> float:
    """Return a time step as float, or refuse it.

    Parameters
    ----------
    dt : float
        Time step, in s, > 0.
    what : str
        Name used in the message.

    Returns
    -------
    float
        The step, in s.

    Raises
    ------
    InputError
        The step is not a finite number above 0.
    """
    try:
        step = float(dt)
    except (TypeError, ValueError) as error:
        raise InputError(f"events: {what} is {dt!r}; give a time in seconds") from error
    if not (math.isfinite(step) and step > 0):
        raise InputError(f"events: {what} is {step} s, must be finite and above 0")
    return step


def bin_index(times: npt.ArrayLike, *, dt: float, t_start: float = 0.0) -> IntArray:
    """Return the number of the bin ``[t_start + k·dt, t_start + (k+1)·dt)`` of each time.

    Parameters
    ----------
    times : array_like, shape (n_events,)
        Times, in s, finite.
    dt : float
        Width of a bin, in s, > 0.
    t_start : float
        Left edge of bin 0, in s.

    Returns
    -------
    int64 array, shape (n_events,)
        Bin numbers; negative before ``t_start``.

    Raises
    ------
    InputError
        dt is not positive, or a bin number does not fit 53 bits.

    Notes
    -----
    ``floor(t / dt)`` loses spikes: 0.3 / 0.1 is 2.9999999999999996. A time nearer to an edge than
    1e-9 of the edge's position (at least 1e-9 bins, plus the resolution of float64 at that time)
    therefore counts as on the edge, and an edge belongs to the upper bin.

    Examples
    --------
    >>> bin_index([0.0, 0.1, 0.3], dt=0.1).tolist()
    [0, 1, 3]
    """
    step = check_step(dt)
    seconds = np.asarray(times, dtype=np.float64)
    position = (seconds - t_start) / step
    if position.size and not np.max(np.abs(position)) < _MAX_BINS:
        raise InputError(
            f"events: a time is more than 2**53 bins of {step} s away; use a larger dt"
        )
    edge, on_edge = _nearest_edge(position, np.maximum(np.abs(seconds), abs(t_start)) / step)
    return np.where(on_edge, edge, np.floor(position)).astype(np.int64)


def _nearest_edge(position: FloatArray, scale: FloatArray) -> tuple[FloatArray, npt.NDArray[Any]]:
    """Return the nearest bin edge and whether the position counts as being on it."""
    edge = np.rint(position)
    guard = EDGE_GUARD * np.maximum(1.0, np.abs(edge)) + 4 * np.spacing(scale)
    return edge, np.abs(position - edge) <= np.minimum(guard, _MAX_GUARD)


def count_bins(t_start: float, t_stop: float, *, dt: float) -> int:
    """Return how many bins of width dt cover ``[t_start, t_stop)``.

    Parameters
    ----------
    t_start, t_stop : float
        Window, in s, ``t_stop >= t_start``.
    dt : float
        Width of a bin, in s, > 0.

    Returns
    -------
    int
        ``ceil((t_stop - t_start) / dt)``, with the guard of :func:`bin_index`.

    Raises
    ------
    InputError
        dt is not positive, or the window is reversed.

    Examples
    --------
    >>> count_bins(0.0, 0.3, dt=0.1)
    3
    """
    if t_stop < t_start:
        raise InputError(f"events: t_stop {t_stop} s lies before t_start {t_start} s")
    step = check_step(dt)
    position = np.array([(t_stop - t_start) / step])
    if not position[0] < _MAX_BINS:
        raise InputError(
            f"events: the window has more than 2**53 bins of {step} s; use a larger dt"
        )
    edge, on_edge = _nearest_edge(position, np.array([max(abs(t_stop), abs(t_start)) / step]))
    return int(edge[0] if on_edge[0] else np.ceil(position[0]))


def as_times(values: npt.ArrayLike, *, what: str = "times") -> FloatArray:
    """Return a fresh 1-D float64 array of finite times, in s, or raise InputError."""
    try:
        times = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"events: {what} are not numbers: {error}") from error
    if times.ndim != 1:
        raise InputError(f"events: {what} have shape {times.shape}, must be (n,)")
    if not np.isfinite(times).all():
        bad = int(np.count_nonzero(~np.isfinite(times)))
        raise InputError(f"events: {bad} of {times.size} {what} are NaN or infinite; remove them")
    return times


def as_integers(values: Any, *, what: str) -> IntArray:
    """Return a fresh int64 array of whole numbers, or raise InputError."""
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if array.dtype.kind not in "iubf":
        raise InputError(f"events: {what} have type {array.dtype}, must be integers")
    if array.dtype.kind == "f" and not (np.abs(array) < _MAX_BINS).all():
        raise InputError(f"events: {what} are NaN, infinite or above 2**53")
    if array.dtype.kind == "f" and (array != np.rint(array)).any():
        raise InputError(f"events: {what} must be whole numbers; round them first")
    return array.astype(np.int64)


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Forbid writing to an array and return it."""
    array.flags.writeable = False
    return array
