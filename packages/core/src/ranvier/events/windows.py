"""What an event series holds in a time window: the part of it, and its raster."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from . import conversion
from .binning import bin_index, check_step, count_bins

if TYPE_CHECKING:
    from .series import EventSeries


def taken(series: EventSeries, index: Any, **changes: Any) -> EventSeries:
    """Return some of the events, by slice, index or mask, with other fields changed."""
    payload = None if series.payload is None else series.payload[index]
    chosen = {
        "times": series.times[index],
        "channels": series.channels[index],
        "payload": payload,
    }
    return replace(series, **{**chosen, **changes})


def unrolled(series: EventSeries, t_start: float, t_stop: float) -> EventSeries:
    """Return a series repeated until it covers a window in s; unchanged if it is not periodic.

    Raises
    ------
    InputError
        The window is reversed.
    """
    if t_stop < t_start:
        raise InputError(f"events: t_stop {t_stop} s lies before t_start {t_start} s")
    if not series.periodic or series.duration == 0:
        return series
    first = int(np.floor((t_start - series.t_start) / series.duration))
    last = int(np.ceil((t_stop - series.t_start) / series.duration))
    copies = range(first, max(last, first + 1))
    start, stop = (series.t_start + k * series.duration for k in (first, copies[-1] + 1))
    times = np.concatenate([series.times + k * series.duration for k in copies])
    return replace(
        series,
        times=np.clip(times, start, np.nextafter(stop, start)),
        channels=np.tile(series.channels, len(copies)),
        payload=None if series.payload is None else np.tile(series.payload, len(copies)),
        t_start=start,
        t_stop=stop,
    )


def raster(
    series: EventSeries,
    dt: float,
    *,
    t_start: float | None,
    t_stop: float | None,
    num_bins: int | None,
    binary: bool,
) -> npt.NDArray[Any]:
    """Return the events binned on a regular grid: the body of :meth:`EventSeries.raster`."""
    if t_stop is not None and num_bins is not None:
        raise InputError("events: t_stop and num_bins both given; give one of them")
    if num_bins is not None and (num_bins < 0 or int(num_bins) != num_bins):
        raise InputError(f"events: num_bins is {num_bins}, must be a whole number of at least 0")
    if binary and series.payload is not None:
        raise InputError("events: binary=True would discard the payload; use raster(dt) != 0")
    start = series.t_start if t_start is None else float(t_start)
    if num_bins is None:
        stop = series.t_stop if t_stop is None else float(t_stop)
        num_bins = count_bins(start, stop, dt=dt)
    else:
        stop = start + num_bins * check_step(dt)
    source = unrolled(series, start, stop)
    bins = bin_index(source.times, dt=dt, t_start=start)
    if source.t_stop <= start or num_bins >= count_bins(start, source.t_stop, dt=dt):
        bins = np.minimum(bins, num_bins - 1)
    counts = conversion.accumulate(
        bins, source.channels, source.payload, size=(num_bins, series.num_channels)
    )
    return (np.minimum(counts, 1) if binary else counts).reshape(num_bins, *series.shape)
