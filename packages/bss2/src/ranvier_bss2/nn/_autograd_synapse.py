"""Weights and layer as one node of autograd: the weighted sums are never written to memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..kernels.arrangement import Arrangement
from ..kernels.lanes import WIDTH
from ..kernels.layers import Events
from ..numerics import LayerState
from ..numerics.run import NO_TRACE
from ._autograd import (
    Task,
    array_of,
    differentiate,
    refuse_second_order,
    run_and_keep,
    task_of,
)
from ._autograd_constants import Layer
from ._results import AelifRun
from .kernels._events import (
    sum_outer_beside,
    sum_weights_beside,
    to_spikes_beside,
    untile_weights,
)

_MOST_TARGETS = 16
"""Neurons up to which the gradients of spikes are summed here, not by a matrix product."""


class Link(NamedTuple):
    """What the node gets beside its differentiable inputs."""

    task: Task
    events: Events


class _LinearAelif(torch.autograd.Function):
    """Inputs spikes, weights and `Layer.constants`; outputs as those of the layer."""

    @staticmethod
    def forward(
        ctx: Any, spikes: Tensor, weight: Tensor, constants: Tensor | None, link: Link
    ) -> tuple[Tensor | None, ...]:
        task, events = link
        place, rows = task.arrangement, array_of(weight)
        train = bool(ctx.needs_input_grad[2])
        if place.beside:
            x = np.zeros(place.shape[1] * place.shape[2], dtype=np.float32)
            sum_weights_beside(events, rows, x, place[:3], place.shape[2])
            outputs = run_and_keep(ctx, task, x, train=train)
        else:
            by_input = np.ascontiguousarray(rows.T).reshape(-1)
            outputs = run_and_keep(ctx, task, by_input, train=train, events=events)
        ctx.save_for_backward(*ctx.kept, weight)
        del ctx.kept
        ctx.events = events
        return outputs

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        refuse_second_order()
        if ctx.task.arrangement.beside:
            return (*_backward_beside(ctx, grad_outputs), None)
        return (*_backward(ctx, grad_outputs), None)


def _backward(
    ctx: Any, grad_outputs: tuple[Tensor | None, ...]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Give the gradients of spikes, weights and constants."""
    place: Arrangement = ctx.task.arrangement
    weight: Tensor = ctx.saved_tensors[-1]
    n, n_in = weight.shape
    wants_spikes, wants_weight, *_ = ctx.needs_input_grad
    gx = place.empty(np.float32) if wants_spikes or not wants_weight else NO_TRACE
    to_weight = None
    if wants_weight:
        totals = np.zeros((-(-n // WIDTH), n_in * WIDTH), dtype=np.float32)
        to_constants = differentiate(ctx, grad_outputs, gx, events=ctx.events, to_weight=totals)
        to_weight = torch.empty(n, n_in)
        untile_weights(totals, to_weight.numpy())
    else:
        to_constants = differentiate(ctx, grad_outputs, gx)
    to_spikes = torch.from_numpy(place.take(gx)) @ weight if wants_spikes else None
    return to_spikes, to_weight, to_constants


def _backward_beside(
    ctx: Any, grad_outputs: tuple[Tensor | None, ...]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Give the same where samples lie side by side."""
    place: Arrangement = ctx.task.arrangement
    weight: Tensor = ctx.saved_tensors[-1]
    n, n_in = weight.shape
    wants_spikes, wants_weight, *_ = ctx.needs_input_grad
    gx = place.empty(np.float32)
    to_constants = differentiate(ctx, grad_outputs, gx)
    to_spikes = to_weight = None
    if wants_weight:
        to_weight = torch.zeros(n, n_in)
        sum_outer_beside(ctx.events, gx, to_weight.numpy(), place[:3], place.shape[2])
    if wants_spikes and n <= _MOST_TARGETS and n_in >= WIDTH:
        out = np.empty((place.batch, place.time, n_in), dtype=np.float32)
        flat = array_of(weight).reshape(-1)
        to_spikes_beside(gx, flat, out.reshape(-1), place[:3], place.shape[2])
        to_spikes = torch.from_numpy(out)
    elif wants_spikes:
        to_spikes = torch.from_numpy(place.take(gx)) @ weight
    return to_spikes, to_weight, to_constants


def run_sparse(
    spikes: Tensor,
    weight: Tensor,
    events: Events,
    layer: Layer,
    *,
    alpha: float,
    traces: Mapping[str, NDArray[Any]],
    state: LayerState | None,
    record: bool,
) -> AelifRun:
    """Run `ranvier_bss2.nn.functional.linear_aelif` on spikes whose ``events`` are listed."""
    place = Arrangement.of(spikes.shape[0], spikes.shape[1], weight.shape[0])
    task = task_of(layer, place, alpha=alpha, traces=dict(traces), state=state, record=record)
    z, v, i, w = _LinearAelif.apply(  # type: ignore[no-untyped-call]
        spikes, weight, layer.constants, Link(task, events)
    )
    return AelifRun(z, v, i, w, task.end[0])
