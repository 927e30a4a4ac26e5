"""Animations of series: GIF through matplotlib, or one interactive HTML page."""

from __future__ import annotations

import html as markup
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ranvier._require import require
from ranvier.errors import FileError, InputError

from . import page, style
from .atomic import replacing
from .continuous import ContinuousSeries
from .series import EventSeries


@dataclass(frozen=True)
class Animation:
    """A series played over time.

    Displays itself in notebooks as interactive page.

    Parameters
    ----------
    series : EventSeries or ContinuousSeries
        What is shown: cameras frame by frame, other events and traces up to a moving cursor.
    duration : float
        Playing time of the whole series, in s, > 0.
    frame_rate : float
        Frames per second of playing time, > 0; of a GIF rounded to whole hundredths of a second.

    Raises
    ------
    InputError
        A parameter is not positive, or the series has no duration.
    """

    series: EventSeries | ContinuousSeries
    duration: float = 5.0
    frame_rate: float = 24.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name in ("duration", "frame_rate"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"events: animation {name} is {value}, must be above 0")
        if not self.series.duration > 0:
            raise InputError("events: a series without duration cannot be animated; give t_stop")

    @property
    def frames(self) -> int:
        """Number of frames."""
        return max(1, round(self.duration * self.frame_rate))

    @property
    def html(self) -> str:
        """A complete HTML page: play, pause, scrub, speed; needs no network."""
        return page.page_of(self.series, duration=self.duration, frames=self.frames)

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, for notebooks."""
        content = markup.escape(self.html, quote=True)
        return (
            f'<iframe srcdoc="{content}" sandbox="allow-scripts" '
            'style="width:100%;height:460px;border:0"></iframe>'
        )

    def save(self, path: str | Path) -> None:
        """Write the animation to a ``.gif`` or ``.html`` file, completely or not at all.

        Raises
        ------
        FileError
            The ending is neither, or the file cannot be written.
        MissingDependencyError
            A GIF is asked for and matplotlib is not installed.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix == ".html":
            with replacing(target) as temporary:
                temporary.write_text(self.html, encoding="utf-8")
        elif suffix == ".gif":
            with replacing(target) as temporary:
                self._write_gif(temporary)
        else:
            raise FileError(f"{target}: ending {suffix!r} is no animation; use .gif or .html")

    def _write_gif(self, path: Path) -> None:
        """Draw all frames into a GIF, without touching pyplot's figures or backend."""
        figures = require("matplotlib.figure", extra="plot")
        agg = require("matplotlib.backends.backend_agg", extra="plot")
        animation = require("matplotlib.animation", extra="plot")
        figure = figures.Figure(figsize=(6.4, 3.6), layout="constrained")
        agg.FigureCanvasAgg(figure)
        update = self._scene(style.plain(figure.subplots()))
        writer = animation.PillowWriter(fps=self.frame_rate)
        with writer.saving(figure, str(path), dpi=80):
            for frame in range(self.frames):
                update((frame + 1) / self.frames)
                writer.grab_frame()

    def _scene(self, ax: Any) -> Any:
        """Draw the first picture and return what changes it to a fraction of the series."""
        if isinstance(self.series, EventSeries) and len(self.series.shape) == 3:
            return _camera_scene(self.series, ax, 1 / self.frames)
        return _cursor_scene(self.series, ax)


def animate(
    series: EventSeries | ContinuousSeries, path: Any, *, duration: float, frame_rate: float
) -> Animation:
    """Return the animation of a series, and write it when a path is given."""
    animation = Animation(series, duration=duration, frame_rate=frame_rate)
    if path is not None:
        animation.save(path)
    return animation


def _cursor_scene(series: EventSeries | ContinuousSeries, ax: Any) -> Any:
    """Uncover a still picture behind a moving line."""
    series.show(ax)
    left, right = ax.get_xlim()
    bottom, height = ax.get_ylim()[0], np.diff(ax.get_ylim())[0]
    cover = ax.axvspan(left, right, color="white", alpha=0.85, linewidth=0, zorder=3)
    line = ax.axvline(left, color=style.GREY, linewidth=1, zorder=4)

    def update(fraction: float) -> None:
        now = left + fraction * (right - left)
        cover.set_bounds(now, bottom, right - now, height)
        line.set_xdata([now, now])

    ax.set_xlim(left, right)
    ax.set_ylim(bottom, bottom + height)
    # axvspan spans the axes in fractions; in data coordinates it follows set_bounds.
    cover.set_transform(ax.transData)
    cover.set_bounds(left, bottom, right - left, height)
    return update


def _camera_scene(series: EventSeries, ax: Any, step: float) -> Any:
    """Show the events per pixel of one frame after the other."""
    size = series.shape[1:]
    image = ax.imshow(np.zeros(size), cmap=style.DIVERGING, vmin=-1.4, vmax=1.4)
    ax.set_xlabel("x (pixel)")
    ax.set_ylabel("y (pixel)")
    sign = np.ones(len(series)) if series.shape[0] == 1 else np.where(series.p == 0, -1.0, 1.0)
    pixel = series.channels % math.prod(size)

    def update(fraction: float) -> None:
        stop = series.t_start + fraction * series.duration
        start = stop - step * series.duration
        inside = slice(*np.searchsorted(series.times, [start, stop]))
        total = np.bincount(pixel[inside], weights=sign[inside], minlength=math.prod(size))
        image.set_data(np.clip(total.reshape(size), -1, 1))
        ax.set_title(f"{series.name} {stop:.4g} s".strip(), fontsize=10)

    return update
