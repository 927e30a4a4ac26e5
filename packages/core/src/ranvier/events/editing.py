"""Cutting, joining and renumbering event series.

Each function is also a method of :class:`EventSeries`; series are never changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from . import dtype
from .binning import as_integers, bin_index, check_step, count_bins
from .windows import taken, unrolled

if TYPE_CHECKING:
    from .series import EventSeries

Every = tuple["EventSeries", ...]


def clip(
    series: EventSeries, t_start: float | None = None, t_stop: float | None = None
) -> EventSeries:
    """Return the events in ``[t_start, t_stop)`` with that window, in s.

    A window larger than the series pads it with silence, or repeats it when it is periodic. The
    result is not periodic.

    Raises
    ------
    InputError
        The window is reversed.
    """
    start = series.t_start if t_start is None else float(t_start)
    stop = series.t_stop if t_stop is None else float(t_stop)
    source = unrolled(series, start, stop)
    inside = slice(*np.searchsorted(source.times, [start, stop]))
    return taken(source, inside, t_start=start, t_stop=stop, periodic=False)


def select(series: EventSeries, window: slice, channels: Any) -> EventSeries:
    """Return the events of a time window on some channels.

    Parameters
    ----------
    series : EventSeries
        What is cut.
    window : slice
        ``t_start:t_stop``, in s, without step; either may be missing.
    channels : int, slice, sequence of int or of bool
        Flat channel numbers. Numbers and ``shape`` stay as they are; ``remap`` renumbers.

    Returns
    -------
    EventSeries

    Raises
    ------
    InputError
        The window has a step, or a channel is out of range.
    """
    if not isinstance(window, slice) or window.step is not None:
        raise InputError("events: index with times in s: series[t_start:t_stop, channels]")
    chosen = np.zeros(series.num_channels, dtype=bool)
    try:
        chosen[channels] = True
    except IndexError as error:
        raise InputError(
            f"events: channels {channels} are not in 0 to {series.num_channels - 1}"
        ) from error
    clipped = clip(series, window.start, window.stop)
    return taken(clipped, np.flatnonzero(chosen[clipped.channels]))


def chunks(series: EventSeries, duration: float) -> Iterator[EventSeries]:
    """Yield consecutive windows of a series; the last may be shorter.

    Parameters
    ----------
    series : EventSeries
        What is cut.
    duration : float
        Length of a window, in s, > 0. If it is a multiple of dt, the chunks' rasters are the
        consecutive parts of the whole raster.

    Yields
    ------
    EventSeries
        With its own window; events keep their absolute times.

    Raises
    ------
    InputError
        The duration is not positive.
    """
    length = check_step(duration, what="duration")
    total = count_bins(series.t_start, series.t_stop, dt=length)
    number = np.minimum(bin_index(series.times, dt=length, t_start=series.t_start), total - 1)
    ends = np.searchsorted(number, np.arange(total + 1))
    for k in range(total):
        start = series.t_start + k * length
        stop = series.t_stop if k == total - 1 else series.t_start + (k + 1) * length
        inside = slice(ends[k], ends[k + 1])
        times = np.clip(series.times[inside], start, np.nextafter(stop, -np.inf))
        yield taken(series, inside, times=times, t_start=start, t_stop=stop, periodic=False)


def merge(*every: EventSeries) -> EventSeries:
    """Return all events of several series on the same channels, in the common window.

    Parameters
    ----------
    *every : EventSeries
        At least one, all of one shape, none periodic. Plain events among graded ones get the
        payload 1.

    Returns
    -------
    EventSeries
        With the name of the first.

    Raises
    ------
    InputError
        Shapes differ, or one of them is periodic.
    """
    _check_alike(every, what="merge")
    return replace(
        every[0],
        times=np.concatenate([series.times for series in every]),
        channels=np.concatenate([series.channels for series in every]),
        payload=_joint_payload(every),
        t_start=min(series.t_start for series in every),
        t_stop=max(series.t_stop for series in every),
    )


def append_time(first: EventSeries, *others: EventSeries) -> EventSeries:
    """Return series one after the other; each starts where the one before stops.

    Raises
    ------
    InputError
        Shapes differ, or one of them is periodic.
    """
    _check_alike((first, *others), what="append_time")
    shifted, stop = [], first.t_stop
    for series in others:
        end = stop + series.duration
        times = np.clip(series.times + (stop - series.t_start), stop, np.nextafter(end, stop))
        shifted.append(replace(series, times=times, t_start=stop, t_stop=end))
        stop = end
    return merge(first, *shifted)


def append_channels(*every: EventSeries) -> EventSeries:
    """Return the channels of several series side by side, in the common window.

    The channels of the second series follow those of the first, and so on; the result has shape
    ``(n,)``.

    Raises
    ------
    InputError
        One of them is periodic.
    """
    offsets = np.cumsum([0, *(series.num_channels for series in every)])
    wide = [
        replace(series, channels=series.channels + offset, shape=(int(offsets[-1]),))
        for series, offset in zip(every, offsets[:-1], strict=True)
    ]
    return merge(*wide)


def remap(
    series: EventSeries,
    mapping: Sequence[int] | npt.NDArray[Any],
    *,
    shape: int | tuple[int, ...] | None = None,
) -> EventSeries:
    """Return the events on other channels.

    Parameters
    ----------
    series : EventSeries
        What is renumbered.
    mapping : sequence of int, shape (num_channels,)
        New number of each channel; -1 drops its events. Channels may be mapped together.
    shape : int or tuple of int, optional
        New channel axes. Default: ``(max(mapping) + 1,)``.

    Returns
    -------
    EventSeries

    Raises
    ------
    InputError
        The mapping's length is wrong, or a new number is out of range.
    """
    table = as_integers(mapping, what="mapping")
    if table.shape != (series.num_channels,):
        raise InputError(
            f"events: the mapping has shape {table.shape}, must give one number for each of "
            f"the {series.num_channels} channels"
        )
    sizes = dtype.check_shape(max(1, int(table.max()) + 1) if shape is None else shape)
    if table.min() < -1 or table.max() >= dtype.size_of(sizes):
        raise InputError(
            f"events: the mapping runs from {table.min()} to {table.max()}, shape {sizes} allows "
            f"-1 (drop) to {dtype.size_of(sizes) - 1}"
        )
    numbers = table[series.channels]
    kept = np.flatnonzero(numbers != -1)
    return taken(series, kept, channels=numbers[kept], shape=sizes)


def merge_polarities(series: EventSeries) -> EventSeries:
    """Return events without polarity: ``(p, n)`` becomes ``(n,)``, cameras ``(1, h, w)``."""
    if len(series.shape) == 1:
        return series
    size = series.num_channels // series.shape[0]
    shape = series.shape[1:] if len(series.shape) == 2 else (1, *series.shape[1:])
    return remap(series, np.arange(series.num_channels) % size, shape=shape)


def _check_alike(every: Every, *, what: str) -> None:
    """Raise InputError unless all series have one shape and none is periodic."""
    shapes = {series.shape for series in every}
    if len(shapes) > 1:
        raise InputError(f"events: {what} needs one shape, found {sorted(shapes)}; remap() first")
    if any(series.periodic for series in every):
        raise InputError(f"events: {what} of a periodic series; clip() it to a window first")


def _joint_payload(every: Every) -> npt.NDArray[Any] | None:
    """Return all payloads one after the other; plain events among graded ones count as 1."""
    if all(series.payload is None for series in every):
        return None
    return np.concatenate(
        [
            np.ones(len(series), dtype=np.int64) if series.payload is None else series.payload
            for series in every
        ]
    )
