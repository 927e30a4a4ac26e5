"""Checks of encoder input."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError
from ranvier.events import count_bins

FloatArray = npt.NDArray[np.float64]


def finite_array(values: npt.ArrayLike, *, where: str, ndim: int = 1) -> FloatArray:
    """Return finite float64 values with at least ndim axes, or raise InputError."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: the values are not numbers: {error}") from error
    if array.ndim < ndim:
        axes = "(..., time, n)" if ndim == 2 else "(..., n)"
        raise InputError(f"{where}: values have shape {array.shape}, must be {axes}")
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise InputError(f"{where}: {bad} of {array.size} values are NaN or infinite; remove them")
    return array


def not_negative(array: FloatArray, *, where: str, advice: str) -> FloatArray:
    """Return an array whose values are all ≥ 0, or raise InputError."""
    if array.size and array.min() < 0:
        negative = int(np.count_nonzero(array < 0))
        raise InputError(
            f"{where}: {negative} of {array.size} values are negative (down to {array.min():g}); "
            f"{advice}"
        )
    return array


def positive(value: float, *, where: str, name: str) -> float:
    """Return a finite number above 0, or raise InputError."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{where}: {name} is {value}, must be finite and above 0")
    return float(value)


def steps_of(duration: float, dt: float, *, where: str) -> int:
    """Return the number of steps of a duration, or raise InputError."""
    positive(duration, where=where, name="duration")
    return count_bins(0.0, duration, dt=dt)
