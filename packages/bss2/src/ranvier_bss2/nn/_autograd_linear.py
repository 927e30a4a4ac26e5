"""Weights as one node of autograd that reads only the spikes that are there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ranvier.errors import InputError

from ..kernels.layers import Events
from ._autograd import array_of, refuse_second_order
from .kernels._events import list_events, sum_outer, sum_weights

_FEWEST_TARGETS = 32
_SPARSE = 16


class _Linear(torch.autograd.Function):
    """Inputs spikes and weights, output weighted sums."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, weight: Tensor, events: Events) -> Tensor:
        out = np.empty((*spikes.shape[:2], weight.shape[0]), dtype=np.float32)
        sum_weights(events, array_of(weight.t()), out.reshape(-1, weight.shape[0]))
        ctx.events = events
        ctx.save_for_backward(weight)
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        refuse_second_order()
        (weight,) = ctx.saved_tensors
        g = grad_outputs[0]
        to_spikes = g @ weight if ctx.needs_input_grad[0] else None
        to_weight = None
        if ctx.needs_input_grad[1]:
            total = np.zeros((weight.shape[1], weight.shape[0]), dtype=np.float32)
            sum_outer(ctx.events, array_of(g).reshape(-1, weight.shape[0]), total)
            to_weight = torch.from_numpy(total).t()
        return to_spikes, to_weight, None


def events_of(spikes: Tensor) -> Events | None:
    """List the entries (batch, time, n_in) that are not 0; None where they are not few."""
    size = spikes.numel()
    if not 0 < size < np.iinfo(np.int32).max:
        return None
    rows, most = spikes.shape[0] * spikes.shape[1], size // _SPARSE
    events = Events(
        np.empty(rows + 1, np.int32), np.empty(most, np.int32), np.empty(most, np.float32)
    )
    count = list_events(array_of(spikes).reshape(-1), spikes.shape[2], events)
    return None if count < 0 else events


def check_shapes(spikes: Tensor, weight: Tensor) -> None:
    """Raise where weights do not fit spikes.

    Raises
    ------
    InputError
        With both shapes.
    """
    if spikes.ndim != 3 or weight.ndim != 2 or spikes.shape[2] != weight.shape[1]:
        raise InputError(
            f"bss2: weights {tuple(weight.shape)} do not fit an input {tuple(spikes.shape)}; "
            "expected (n, n_in) with (batch, time, n_in)"
        )


def run_linear(spikes: Tensor, weight: Tensor) -> Tensor:
    """Run `ranvier_bss2.nn.functional.linear` after its checks of devices."""
    check_shapes(spikes, weight)
    spikes, weight = spikes.to(torch.float32), weight.to(torch.float32)
    if weight.shape[0] >= _FEWEST_TARGETS and (events := events_of(spikes)) is not None:
        result: Tensor = _Linear.apply(spikes, weight, events)  # type: ignore[no-untyped-call]
        return result
    return torch.nn.functional.linear(spikes, weight)
