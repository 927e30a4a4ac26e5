"""Checks of what the solvers are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import QuantizationError

from ._assignment import N_BASES

LARGEST = 1e150


def checked_magnitudes(magnitudes: ArrayLike) -> NDArray[np.float64]:
    """Return magnitudes as a contiguous vector, or raise with the offending one and its place."""
    values = np.array(magnitudes, dtype=np.float64, order="C")
    if values.ndim != 1:
        raise QuantizationError(
            f"dynapse2: magnitudes have shape {values.shape}, expected one axis; ravel them"
        )
    wrong = np.flatnonzero(~((values >= 0) & (values <= LARGEST)))
    if wrong.size:
        raise QuantizationError(
            f"dynapse2: {wrong.size} of {values.size} magnitudes cannot be quantised, the first is "
            f"{float(values[wrong[0]])!r} at {wrong[0]}; a magnitude is finite, >= 0 and at most "
            f"{LARGEST:g}: pass absolute values, and keep the signs apart"
        )
    return values


def checked_limit(limit: ArrayLike) -> NDArray[np.float64]:
    """Return the limits of the four bases, or raise with the offending one."""
    values = np.asarray(limit, dtype=np.float64)
    if values.shape not in ((), (N_BASES,)):
        raise QuantizationError(
            f"dynapse2: limits have shape {values.shape}, expected one number or ({N_BASES},)"
        )
    values = np.array(np.broadcast_to(values, N_BASES))
    if not (values >= 0).all():
        raise QuantizationError(
            f"dynapse2: limits of the bases are {values.tolist()}; each is >= 0, or infinite"
        )
    return values


def checked_scale(i_scale: float) -> float:
    """Return a current scale in A, or raise with it."""
    if not (np.isfinite(i_scale) and i_scale > 0):
        raise QuantizationError(
            f"dynapse2: current scale {i_scale!r} A; a weight of 1 needs a finite current > 0 A"
        )
    return float(i_scale)
