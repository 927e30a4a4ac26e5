"""Joining and calculating with continuous series.

Each function is also a method or an operator of :class:`ContinuousSeries`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ranvier.errors import InputError

from .binning import FloatArray

if TYPE_CHECKING:
    from .continuous import ContinuousSeries

Every = tuple["ContinuousSeries", ...]
Operation = Callable[[Any, Any], Any]


def merge(*every: ContinuousSeries) -> ContinuousSeries:
    """Return the samples of several series of the same channels in one.

    Where several give a sample at one time, the last series in the argument list counts.

    Raises
    ------
    InputError
        Channel numbers differ, or one is periodic.
    """
    _check_alike(every, what="merge")
    times = np.concatenate([series.times for series in reversed(every)])
    samples = np.concatenate([series.samples for series in reversed(every)])
    unique, first = np.unique(times, return_index=True)
    stop = max(series.t_stop for series in every)
    return replace(every[0], times=unique, samples=samples[first], t_stop=stop)


def append_time(first: ContinuousSeries, *others: ContinuousSeries) -> ContinuousSeries:
    """Return series one after the other; each starts where the one before stops.

    Where a series stops at its last sample, the first sample of the next replaces that one.

    Raises
    ------
    InputError
        Channel numbers differ, or one is periodic.
    """
    _check_alike((first, *others), what="append_time")
    shifted, stop = [], first.t_stop
    for series in others:
        times = series.times - series.t_start + stop
        stop = max(stop + series.duration, float(times[-1]))
        shifted.append(replace(series, times=times, t_stop=stop))
    return merge(first, *shifted)


def append_channels(*every: ContinuousSeries) -> ContinuousSeries:
    """Return the channels side by side, at all sample times of the common window.

    Raises
    ------
    InputError
        The windows do not overlap, or one is periodic.
    """
    _check_alike(every, what="append_channels", channels=False)
    times, stop = _common_times(every)
    samples = np.concatenate([series(times) for series in every], axis=1)
    return replace(every[0], times=times, samples=samples, t_stop=stop)


def total(series: ContinuousSeries, other: Any, operation: Operation) -> ContinuousSeries:
    """Add or subtract a series of the same unit, or numbers of shape () or (n,).

    Raises
    ------
    InputError
        Units differ, shapes do not fit, or the windows do not overlap.
    """
    theirs = getattr(other, "unit", series.unit)
    if theirs != series.unit:
        raise InputError(f"events: cannot add {series.unit!r} and {theirs!r}; convert one")
    return _combine(series, other, operation, series.unit)


def product(
    series: ContinuousSeries, other: Any, operation: Operation, *, sign: str
) -> ContinuousSeries:
    """Multiply or divide by a series, or by numbers of shape () or (n,).

    The units are written side by side, with the sign between.

    Raises
    ------
    InputError
        Shapes do not fit, a result is not finite, or the windows do not overlap.
    """
    theirs = getattr(other, "unit", "")
    unit = f"{series.unit}{sign}{theirs}" if theirs else series.unit
    return _combine(series, other, operation, unit)


def _combine(
    series: ContinuousSeries, other: Any, operation: Operation, unit: str
) -> ContinuousSeries:
    """Apply an operation at all sample times of the common window."""
    if not hasattr(other, "samples"):
        numbers = np.asarray(other, dtype=np.float64)
        if numbers.shape not in ((), (1,), (series.num_channels,)):
            raise InputError(
                f"events: numbers of shape {numbers.shape} do not fit {series.num_channels} "
                "channels; give one, or one per channel"
            )
        return replace(series, samples=_result(operation, series.samples, numbers), unit=unit)
    if 1 != other.num_channels != series.num_channels != 1:
        raise InputError(
            f"events: {series.num_channels} and {other.num_channels} channels do not fit"
        )
    times, stop = _common_times((series, other))
    samples = _result(operation, series(times), other(times))
    periodic = (
        series.periodic
        and other.periodic
        and (series.t_start, series.t_stop) == (other.t_start, other.t_stop)
    )
    return replace(series, times=times, samples=samples, t_stop=stop, periodic=periodic, unit=unit)


def _result(operation: Operation, a: FloatArray, b: FloatArray) -> Any:
    """Apply an operation; what is not finite is refused when the series is made."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return operation(a, b)


def _check_alike(every: tuple[ContinuousSeries, ...], *, what: str, channels: bool = True) -> None:
    """Raise InputError unless channel numbers agree and no series is periodic."""
    numbers = {series.num_channels for series in every}
    if channels and len(numbers) > 1:
        raise InputError(f"events: {what} needs one number of channels, found {sorted(numbers)}")
    if any(series.periodic for series in every):
        raise InputError(f"events: {what} of a periodic series; clip() it to a window first")


def _common_times(every: tuple[ContinuousSeries, ...]) -> tuple[FloatArray, float]:
    """Return all sample times in the common window, and its end."""
    start = max(series.t_start for series in every)
    stop = min(series.t_stop for series in every)
    if stop < start:
        raise InputError("events: the series do not overlap in time")
    times = np.unique(np.concatenate([series.times for series in every]))
    return times[(times >= start) & (times <= stop)], stop
