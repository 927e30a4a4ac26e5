"""The order of the axes: batch first here, time first in the published tools."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError


def time_first(x: ArrayLike) -> NDArray[Any]:
    """Return ``(time, batch, ...)`` of an array ``(batch, time, ...)``.

    Parameters
    ----------
    x : array_like, (batch, time, ...)
        At least two axes.

    Returns
    -------
    array, (time, batch, ...)
        A view.

    Raises
    ------
    InputError
        The array has fewer than two axes.
    """
    return _swapped(x, "time_first", "(batch, time, ...)")


def batch_first(x: ArrayLike) -> NDArray[Any]:
    """Return ``(batch, time, ...)`` of an array ``(time, batch, ...)``.

    Parameters
    ----------
    x : array_like, (time, batch, ...)
        At least two axes.

    Returns
    -------
    array, (batch, time, ...)
        A view.

    Raises
    ------
    InputError
        The array has fewer than two axes.
    """
    return _swapped(x, "batch_first", "(time, batch, ...)")


def _swapped(x: ArrayLike, name: str, wanted: str) -> NDArray[Any]:
    values = np.asarray(x)
    if values.ndim < 2:
        raise InputError(
            f"{name}: got an array of shape {values.shape}, expected {wanted}; "
            "add the missing axis with x[None]"
        )
    return np.swapaxes(values, 0, 1)
