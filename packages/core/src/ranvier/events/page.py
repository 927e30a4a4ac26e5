"""The interactive page of an animation: one HTML file with its data and script inside."""

from __future__ import annotations

import base64
import html
import json
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from . import style
from .continuous import ContinuousSeries
from .series import EventSeries


def page_of(series: EventSeries | ContinuousSeries, *, duration: float, frames: int) -> str:
    """Return a complete HTML page that plays a series.

    Parameters
    ----------
    series : EventSeries or ContinuousSeries
        What is played.
    duration : float
        Playing time at normal speed, in s.
    frames : int
        A camera shows the events of ``1 / frames`` of the series at a time.

    Returns
    -------
    str
        HTML. A content security policy in the page forbids every network access; names are
        escaped.
    """
    data = _events_data(series) if isinstance(series, EventSeries) else _traces_data(series)
    data |= {
        "tStart": series.t_start,
        "span": series.duration,
        "playTime": duration,
        "frames": frames,
        "palette": style.PALETTE,
    }
    title = series.name or "events"
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    before, after = template.replace("__TITLE__", html.escape(title)).split("__DATA__")
    return before + json.dumps(data).replace("<", "\\u003c") + after


def _events_data(series: EventSeries) -> dict[str, Any]:
    """Return what the script needs to draw events."""
    p = np.zeros(len(series)) if series.p is None else series.p
    y = np.zeros(len(series)) if series.y is None else series.y
    return {
        "kind": "camera" if len(series.shape) == 3 else "raster",
        "width": series.shape[-1],
        "height": series.shape[1] if len(series.shape) == 3 else 1,
        "polarities": series.shape[0] if len(series.shape) > 1 else 1,
        "times": _packed(series.times - series.t_start, "<f4"),
        "x": _packed(series.x, "<i4"),
        "y": _packed(y, "<i4"),
        "p": _packed(p, "<i4"),
    }


def _traces_data(series: ContinuousSeries) -> dict[str, Any]:
    """Return what the script needs to draw traces."""
    return {
        "kind": "traces",
        "channels": series.num_channels,
        "step": series.interpolation == "previous",
        "unit": series.unit,
        "times": _packed(series.times - series.t_start, "<f4"),
        "samples": _packed(series.samples, "<f4"),
        "low": float(series.samples.min()),
        "high": float(series.samples.max()),
    }


def _packed(values: npt.ArrayLike, dtype: str) -> str:
    """Return numbers as base64 of little-endian 32-bit values."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")
