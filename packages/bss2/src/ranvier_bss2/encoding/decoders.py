"""Decoders: a trace becomes one number per channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError


def max_over_time(x: ArrayLike) -> NDArray[Any]:
    """Return the largest value of every channel over time.

    Parameters
    ----------
    x : array_like, (batch, time, ...)
        Traces; at least one step.

    Returns
    -------
    array, (batch, ...)

    Raises
    ------
    InputError
        There is no time axis, or it is empty.
    """
    values: NDArray[Any] = np.max(_with_time(x, "max_over_time"), axis=1)
    return values


def sum_over_time(x: ArrayLike) -> NDArray[Any]:
    """Return the sum of every channel over time.

    Parameters
    ----------
    x : array_like, (batch, time, ...)
        Traces or spikes; at least one step.

    Returns
    -------
    array, (batch, ...)

    Raises
    ------
    InputError
        There is no time axis, or it is empty.
    """
    values: NDArray[Any] = np.sum(_with_time(x, "sum_over_time"), axis=1)
    return values


def mean_over_time(x: ArrayLike) -> NDArray[Any]:
    """Return the mean of every channel over time.

    Parameters
    ----------
    x : array_like, (batch, time, ...)
        Traces; at least one step.

    Returns
    -------
    array, (batch, ...)

    Raises
    ------
    InputError
        There is no time axis, or it is empty.
    """
    values: NDArray[Any] = np.mean(_with_time(x, "mean_over_time"), axis=1)
    return values


def _with_time(x: ArrayLike, name: str) -> NDArray[Any]:
    values = np.asarray(x)
    if values.ndim < 2 or values.shape[1] == 0:
        raise InputError(
            f"{name}: got an array of shape {values.shape}, expected (batch, time, ...) with at "
            "least one step; add the batch axis with x[None]"
        )
    return values
