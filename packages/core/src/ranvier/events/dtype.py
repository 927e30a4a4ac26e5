"""Structured event arrays: our own type, and tonic's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

EVENT_DTYPE = np.dtype(
    [
        ("t", "<f8"),
        ("x", "<i4"),
        ("y", "<i4"),
        ("p", "<i4"),
        ("channel", "<i8"),
        ("payload", "<f8"),
    ]
)
"""One event: time t in s, column x, row y, polarity p, flat channel number, payload (1 if plain).

The first four fields are those of tonic's event arrays, so that code which reads fields by name
works on both; tonic's ``t`` is an integer number of microseconds, ours a float in seconds.
"""

MICROSECOND = 1e-6
"""Resolution of event cameras, of tonic and of the ``.bs1``/``.bs2`` files, in s."""


def check_shape(shape: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return a channel shape as tuple: ``(n,)``, ``(p, n)`` or ``(p, h, w)``.

    Parameters
    ----------
    shape : int or tuple of int
        Number of channels, or sizes of polarity, row and column axis, each ≥ 1.

    Returns
    -------
    tuple of int

    Raises
    ------
    InputError
        A size is below 1, or there are more than three axes.
    """
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if not 1 <= len(sizes) <= 3 or any(
        isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1
        for size in sizes
    ):
        raise InputError(
            f"events: shape {shape!r} must be (n,), (polarity, n) or (polarity, row, column) "
            "with sizes of at least 1"
        )
    return tuple(int(size) for size in sizes)


def split_channels(
    channels: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return x, y, p of flat channel numbers (C order); axes that do not exist are 0."""
    width = shape[-1]
    height = shape[1] if len(shape) == 3 else 1
    return channels % width, channels // width % height, channels // (width * height)


def join_channels(
    x: npt.NDArray[Any], y: npt.NDArray[Any], p: npt.NDArray[Any], shape: tuple[int, ...]
) -> npt.NDArray[np.int64]:
    """Return flat channel numbers ``(p·height + y)·width + x``.

    Raises
    ------
    InputError
        A coordinate is outside the shape.
    """
    width = shape[-1]
    height = shape[1] if len(shape) == 3 else 1
    polarities = shape[0] if len(shape) > 1 else 1
    for name, values, size in (("x", x, width), ("y", y, height), ("p", p, polarities)):
        if values.size and not (values.min() >= 0 and values.max() < size):
            hint = " (read with a polarity axis, then merge_polarities())" if name == "p" else ""
            raise InputError(
                f"events: {name} runs from {values.min()} to {values.max()}, but shape {shape} "
                f"allows 0 to {size - 1}; give a larger shape{hint}"
            )
    p, y, x = (np.asarray(part).astype(np.int64) for part in (p, y, x))
    return (p * height + y) * width + x


def infer_shape(
    x: npt.NDArray[Any], y: npt.NDArray[Any] | None, p: npt.NDArray[Any]
) -> tuple[int, ...]:
    """Return the smallest shape that holds the coordinates."""
    width, polarities = (int(part.max()) + 1 if part.size else 1 for part in (x, p))
    if y is None:
        return (width,) if polarities == 1 else (polarities, width)
    return (polarities, int(y.max()) + 1 if y.size else 1, width)


def tonic_dtype(shape: tuple[int, ...]) -> np.dtype[Any]:
    """Return the dtype in which tonic keeps events of this shape.

    References
    ----------
    tonic documentation, "Event dataset format": fields t, x, y, p, time in integer microseconds.
    """
    coordinate = "<i2" if max(shape[-2:]) <= 32767 else "<i4"
    polarity = "?" if len(shape) == 1 or shape[0] <= 2 else "i1"
    fields = [("t", "<i8"), ("x", coordinate), ("y", coordinate), ("p", polarity)]
    return np.dtype(fields if len(shape) == 3 else [*fields[:2], fields[3]])


def size_of(shape: tuple[int, ...]) -> int:
    """Return the number of channels of a shape."""
    return math.prod(shape)
