"""Pictures of membrane voltages, currents and other traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError
from ranvier.events import ContinuousSeries, style


def traces(
    values: ContinuousSeries | npt.ArrayLike,
    *,
    dt: float | None = None,
    ax: Any = None,
    thresholds: float | npt.ArrayLike | None = None,
    stagger: bool = True,
    labels: Sequence[str] | None = None,
    unit: str = "",
    title: str = "",
) -> Any:
    """Draw traces one above the other, with a scale bar, or on a common axis.

    Parameters
    ----------
    values : ContinuousSeries or array_like, shape (time, n)
        Signals of one sample.
    dt : float, optional
        Time step of an array, in s. None: the time axis counts steps.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    thresholds : float or array_like, shape (n,), optional
        Drawn dashed, in the unit of the values.
    stagger : bool
        Whether each trace has its own zero line, trace 0 lowest.
    labels : sequence of str, shape (n,), optional
        Names of the traces.
    unit : str
        Unit of the values; a series brings its own.
    title : str
        Title of the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        The array is not (time, n) finite numbers, or labels or thresholds do not fit.
    MissingDependencyError
        matplotlib is not installed.
    """
    times, samples, unit = _samples(values, dt, unit)
    count = samples.shape[1]
    limits = _limits(thresholds, count)
    known = samples if limits is None else np.concatenate([samples, limits[None]])
    spacing = _spacing(known) if stagger and count > 1 else 0.0
    ax = style.new_axes(ax)
    factor = _label_time(
        ax, times, in_steps=dt is None and not isinstance(values, ContinuousSeries)
    )
    for k in range(count):
        ax.plot(
            times * factor,
            samples[:, k] + k * spacing,
            color=style.colour(k),
            linewidth=1.2,
            label=labels[k] if labels is not None and len(labels) == count else f"{k}",
        )
        if limits is not None:
            ax.axhline(limits[k] + k * spacing, color=style.GREY, linestyle="--", linewidth=0.8)
    ax.set_title(title, fontsize=10)
    value = f"value ({unit})" if unit else "value"
    if spacing:
        _name_zero_lines(ax, spacing, count, labels)
        _scale_bar(ax, spacing, unit)
    else:
        ax.set_ylabel(value)
        if labels is not None:
            label_check(labels, count)
            style.legend(ax)
    return ax


def label_check(labels: Sequence[str], count: int) -> None:
    """Raise InputError unless there is one label per trace."""
    if len(labels) != count:
        raise InputError(f"plotting: {len(labels)} labels for {count} traces; give one for each")


def _name_zero_lines(ax: Any, spacing: float, count: int, labels: Sequence[str] | None) -> None:
    """Put the names of staggered traces at their zero lines."""
    names = [str(k) for k in range(count)] if labels is None else list(labels)
    label_check(names, count)
    every = -(-count // 24)
    ax.set_yticks(np.arange(0, count, every) * spacing, labels=names[::every])
    ax.set_ylabel("trace, at its zero")


def _scale_bar(ax: Any, spacing: float, unit: str) -> None:
    """Draw a vertical bar of a round value to the right of the data."""
    size = 10.0 ** np.floor(np.log10(spacing))
    size *= max(factor for factor in (1, 2, 5) if factor * size <= spacing)
    across = ax.get_yaxis_transform()
    ax.plot([1.015] * 2, [0, size], color="black", linewidth=2, transform=across, clip_on=False)
    text = f"{size:g} {unit}".strip()
    ax.text(1.03, size / 2, text, transform=across, va="center", fontsize=8)


def _label_time(ax: Any, times: npt.NDArray[Any], *, in_steps: bool) -> float:
    """Label the time axis; return the factor from the given times to the axis."""
    if in_steps:
        ax.set_xlabel("time (steps)")
        ax.set_xlim(times[0], max(times[-1], times[0] + 1))
        return 1.0
    return style.time_axis(ax, float(times[0]), float(times[-1]))[0]


def _samples(
    values: ContinuousSeries | npt.ArrayLike, dt: float | None, unit: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], str]:
    """Return times, samples (time, n) and unit."""
    if isinstance(values, ContinuousSeries):
        return values.times, values.samples, unit or values.unit
    samples = np.asarray(values, dtype=np.float64)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2 or samples.size == 0 or not np.isfinite(samples).all():
        raise InputError(
            f"plotting: traces have shape {samples.shape}, must be (time, n) finite numbers; take "
            "one sample"
        )
    times = np.arange(len(samples), dtype=np.float64) * (1.0 if dt is None else dt)
    return times, samples, unit


def _limits(thresholds: float | npt.ArrayLike | None, count: int) -> npt.NDArray[np.float64] | None:
    """Return one threshold per trace."""
    if thresholds is None:
        return None
    limits = np.asarray(thresholds, dtype=np.float64)
    if limits.shape not in ((), (1,), (count,)):
        raise InputError(f"plotting: {limits.size} thresholds for {count} traces; give one or all")
    return np.broadcast_to(limits, (count,))


def _spacing(samples: npt.NDArray[np.float64]) -> float:
    """Return the distance between zero lines that keeps the traces apart."""
    above = np.maximum(samples.max(axis=0), 0)[:-1]
    below = np.maximum(-samples.min(axis=0), 0)[1:]
    return float(1.1 * (above + below).max()) or 1.0
