"""The order of the axes: batch first here, time first in hxtorch."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from ranvier.errors import InputError

from ._handles import Handle

Swappable = TypeVar("Swappable", Tensor, Handle)
SAMPLED = ("membrane_madc", "adaptation_madc")
"""Fields of handles with an axis (times, values) before the batch."""


def time_first(x: Swappable) -> Swappable:
    """Return ``(time, batch, ...)`` of ``(batch, time, ...)``; of a handle, a new one.

    Parameters
    ----------
    x : Tensor or handle
        Of a handle, every field that holds something is turned.

    Returns
    -------
    Tensor or handle
        Tensors are views.

    Raises
    ------
    InputError
        A tensor has fewer than two axes.
    """
    return _swapped(x, "time_first", "(batch, time, ...)")


def batch_first(x: Swappable) -> Swappable:
    """Return ``(batch, time, ...)`` of ``(time, batch, ...)``; the inverse of `time_first`."""
    return _swapped(x, "batch_first", "(time, batch, ...)")


def _swapped(x: Swappable, name: str, wanted: str) -> Swappable:
    if isinstance(x, Handle):
        turned = {
            field: value.transpose(1, 2) if field in SAMPLED else _turned(value, name, wanted)
            for field, value in x.tensors().items()
        }
        return type(x)(**turned)
    return _turned(x, name, wanted)


def _turned(x: Tensor, name: str, wanted: str) -> Tensor:
    if x.ndim < 2:
        raise InputError(
            f"{name}: got a tensor of shape {tuple(x.shape)}, expected {wanted}; add the missing "
            "axis with x[None]"
        )
    return torch.transpose(x, 0, 1)
