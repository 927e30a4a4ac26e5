"""Pictures of spikes: one raster, or input above output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier._require import require
from ranvier.errors import InputError
from ranvier.events import EventSeries, check_counts, style

_MAX_LABELS = 16


def raster(
    spikes: EventSeries | npt.ArrayLike,
    *,
    dt: float | None = None,
    ax: Any = None,
    labels: Sequence[str] | None = None,
    title: str = "",
    colour: str | None = None,
) -> Any:
    """Draw spikes as dots over time; the area of a dot is the count.

    Parameters
    ----------
    spikes : EventSeries or array_like, shape (time, n)
        Events, or spike counts of one sample.
    dt : float, optional
        Time step of an array, in s. None: the time axis counts steps.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    labels : sequence of str, shape (n,), optional
        Names of the channels, as tick labels.
    title : str
        Title of the axes.
    colour : str, optional
        Colour of the dots.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        The array is not (time, n) spike counts, or the number of labels is not n.
    MissingDependencyError
        matplotlib is not installed.
    """
    times, channels, counts, window, size = _dots(spikes, dt)
    ax = style.new_axes(ax)
    factor = 1.0
    if dt is None and not isinstance(spikes, EventSeries):
        ax.set_xlabel("time (steps)")
        ax.set_xlim(0, max(window[1], 1))
    else:
        factor, _ = style.time_axis(ax, *window)
    ax.scatter(
        times * factor,
        channels,
        s=style.MARKER_AREA * np.minimum(counts, 8),
        color=colour or style.colour(0),
        linewidths=0,
    )
    ax.set_ylim(-0.5, size - 0.5)
    ax.set_ylabel("channel")
    ax.set_title(title, fontsize=10)
    label_channels(ax, size, labels)
    return ax


def in_out(
    inputs: EventSeries | npt.ArrayLike,
    outputs: EventSeries | npt.ArrayLike,
    *,
    dt: float | None = None,
    input_labels: Sequence[str] | None = None,
    output_labels: Sequence[str] | None = None,
    title: str = "",
) -> Any:
    """Draw input spikes above output spikes on one time axis.

    Parameters
    ----------
    inputs, outputs : EventSeries or array_like, shapes (time, n_in), (time, n_out)
        Events, or spike counts of one sample.
    dt : float, optional
        Time step of arrays, in s.
    input_labels, output_labels : sequence of str, optional
        Names of the channels (tags of a chip, say), as tick labels.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib Figure
        With two Axes.

    Raises
    ------
    InputError
        An array is not (time, n) spike counts, or a number of labels does not fit.
    MissingDependencyError
        matplotlib is not installed.
    """
    sizes = [_dots(spikes, dt)[4] for spikes in (inputs, outputs)]
    ratio = float(np.clip(sizes[0] / sizes[1], 0.5, 3.0))
    pyplot = require("matplotlib.pyplot", extra="plot")
    figure, (top, bottom) = pyplot.subplots(
        2, 1, figsize=(6.4, 4.8), sharex=True, height_ratios=[ratio, 1], layout="constrained"
    )
    raster(inputs, dt=dt, ax=top, labels=input_labels)
    raster(outputs, dt=dt, ax=bottom, labels=output_labels, colour=style.colour(1))
    top.set_xlabel("")
    top.set_ylabel("input channel")
    bottom.set_ylabel("output channel")
    figure.suptitle(title, fontsize=11)
    return figure


def label_channels(ax: Any, size: int, labels: Sequence[str] | None) -> None:
    """Name the channels on the vertical axis; every few when there are many.

    Raises
    ------
    InputError
        The number of labels is not that of the channels.
    """
    if labels is None:
        ax.yaxis.get_major_locator().set_params(integer=True)
        return
    if len(labels) != size:
        raise InputError(f"plotting: {len(labels)} labels for {size} channels; give one for each")
    every = -(-size // _MAX_LABELS)
    ax.set_yticks(range(0, size, every), labels=list(labels)[::every])


def _dots(
    spikes: EventSeries | npt.ArrayLike, dt: float | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], tuple[float, float], int]:
    """Return times, channels, counts, time window and number of channels."""
    if isinstance(spikes, EventSeries):
        weight = np.ones(len(spikes)) if spikes.payload is None else np.abs(spikes.payload)
        window = (spikes.t_start, spikes.t_stop)
        return spikes.times, spikes.channels, weight, window, spikes.num_channels
    counts = check_counts(spikes, where="plotting")
    if counts.ndim != 2 or counts.shape[1] == 0:
        raise InputError(
            f"plotting: spikes have shape {counts.shape}, must be (time, n); take one sample, and "
            "flatten feature maps"
        )
    step = 1.0 if dt is None else dt
    times, channels = np.nonzero(counts)
    window = (0.0, counts.shape[0] * step)
    return (times + 0.5) * step, channels, counts[times, channels], window, counts.shape[1]
