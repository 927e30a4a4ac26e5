"""Still pictures of series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import style

if TYPE_CHECKING:
    from .continuous import ContinuousSeries
    from .series import EventSeries


def draw_events(series: EventSeries, ax: Any = None) -> Any:
    """Draw events over time, or a camera's events per pixel; return the Axes."""
    ax = style.new_axes(ax)
    ax.set_title(series.name, fontsize=10)
    return _draw_camera(series, ax) if len(series.shape) == 3 else _draw_channels(series, ax)


def draw_continuous(series: ContinuousSeries, ax: Any = None) -> Any:
    """Draw traces over time; return the Axes."""
    ax = style.new_axes(ax)
    factor, _ = style.time_axis(ax, series.t_start, series.t_stop)
    times = np.append(series.times, series.t_stop)
    samples = np.concatenate([series.samples, series.samples[-1:]])
    drawstyle = "steps-post" if series.interpolation == "previous" else "default"
    for channel in range(series.num_channels):
        ax.plot(
            times * factor,
            samples[:, channel],
            color=style.colour(channel),
            drawstyle=drawstyle,
            linewidth=1.2,
            label=f"channel {channel}",
        )
    if 1 < series.num_channels <= len(style.PALETTE):
        style.legend(ax)
    ax.set_ylabel(f"value ({series.unit})" if series.unit else "value")
    ax.set_title(series.name, fontsize=10)
    return ax


def _draw_channels(series: EventSeries, ax: Any) -> Any:
    """Draw time against channel; colours are polarities, areas are payloads."""
    factor, _ = style.time_axis(ax, series.t_start, series.t_stop)
    area = style.MARKER_AREA
    areas = np.full(len(series), area)
    if series.payload is not None and len(series):
        size = np.abs(series.payload).astype(np.float64)
        areas = area * (0.2 + 2 * size / max(float(size.max()), np.finfo(float).tiny))
    polarity = np.zeros(len(series), dtype=np.int64) if series.p is None else series.p
    for value in range(1 if series.p is None else series.shape[0]):
        chosen = polarity == value
        ax.scatter(
            series.times[chosen] * factor,
            series.x[chosen],
            s=areas[chosen],
            color=style.colour(value),
            linewidths=0,
            label=f"polarity {value}",
        )
    if series.p is not None:
        style.legend(ax)
    ax.set_ylim(-0.5, series.shape[-1] - 0.5)
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_ylabel("channel")
    return ax


def _draw_camera(series: EventSeries, ax: Any) -> Any:
    """Draw the events per pixel, polarity 1 minus the others."""
    counts = np.bincount(series.channels, minlength=series.num_channels).reshape(series.shape)
    signed = counts[0] if len(counts) == 1 else counts[1:].sum(axis=0) - counts[0]
    limit = max(1, int(np.abs(signed).max()))
    image = ax.imshow(signed, cmap=style.DIVERGING, vmin=-limit, vmax=limit)
    label = "events" if len(counts) == 1 else "events (positive minus negative)"
    ax.figure.colorbar(image, ax=ax, shrink=0.8, label=label)
    ax.set_xlabel("x (pixel)")
    ax.set_ylabel("y (pixel)")
    return ax
