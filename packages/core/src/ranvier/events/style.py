"""One look for all pictures: colours that colour-blind readers can tell apart, few lines.

References
----------
Okabe & Ito, "Color Universal Design", 2008 (palette).
"""

from __future__ import annotations

from typing import Any

from ranvier._require import require

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
"""Blue, vermilion, green, purple, orange, sky blue, grey."""
GREY = "#8C8C8C"
DIVERGING = "RdBu_r"
"""Colour map of signed values, white at 0."""
MARKER_AREA = 9.0


def colour(index: int) -> str:
    """Return the palette's colour of a number, going round."""
    return PALETTE[index % len(PALETTE)]


def new_axes(ax: Any = None, *, figsize: tuple[float, float] = (6.4, 3.2)) -> Any:
    """Return the given Axes, or fresh ones, in the house look.

    Parameters
    ----------
    ax : matplotlib Axes, optional
        Axes to draw on.
    figsize : tuple of float
        Size of a fresh figure, in inches.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    if ax is None:
        pyplot = require("matplotlib.pyplot", extra="plot")
        _, ax = pyplot.subplots(figsize=figsize, layout="constrained")
    return plain(ax)


def plain(ax: Any) -> Any:
    """Remove the upper and right frame lines, lighten the others, and return the Axes."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GREY)
    ax.tick_params(color=GREY, labelsize=9)
    return ax


def legend(ax: Any) -> None:
    """Put a frameless legend to the right of the data."""
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def time_axis(ax: Any, t_start: float, t_stop: float) -> tuple[float, str]:
    """Label the time axis in s, ms or µs; return the factor from seconds and the unit."""
    span = max(t_stop - t_start, 0.0)
    factor, unit = (1.0, "s") if span >= 2 else (1e3, "ms") if span >= 2e-3 else (1e6, "µs")
    ax.set_xlabel(f"time ({unit})")
    if span:
        ax.set_xlim(t_start * factor, t_stop * factor)
    return factor, unit
