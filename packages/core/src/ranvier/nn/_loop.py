"""The plain torch loop over time: reference of the kernels, and the path of every other device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from .functional import LifParameters, LifState, LifTraces
from .surrogates import Surrogate


class _Spike(torch.autograd.Function):
    """Spike counts forward, surrogate derivative backward."""

    @staticmethod
    def forward(
        ctx: Any,
        v: Tensor,
        threshold: Tensor,
        surrogate: Surrogate,
        max_spikes: float,
        strict: bool,
    ) -> Tensor:
        ctx.save_for_backward(v, threshold)
        ctx.rule = (surrogate, max_spikes)
        return count_spikes(v, threshold, max_spikes=max_spikes, strict=strict)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        v, threshold = ctx.saved_tensors
        surrogate, max_spikes = ctx.rule
        grad_v = grad_outputs[0] * surrogate.derivative(v, threshold, max_spikes=max_spikes)
        grad_threshold = None
        if ctx.needs_input_grad[1]:
            grad_threshold = (-grad_v * v / threshold).sum_to_size(threshold.shape)
        return grad_v, grad_threshold, None, None, None


def count_spikes(v: Tensor, threshold: Tensor, *, max_spikes: float, strict: bool) -> Tensor:
    """Give ``min(floor(v/threshold), max_spikes)`` where the threshold is reached, else 0."""
    fired = v > threshold if strict else v >= threshold
    if max_spikes == 1:
        return fired.to(v.dtype)
    counts = torch.floor(v / threshold).clamp(max=max_spikes)
    return torch.where(fired, counts, torch.zeros_like(v))


def fire(
    v: Tensor,
    threshold: Tensor,
    *,
    surrogate: Surrogate,
    max_spikes: float = 1,
    strict: bool = False,
) -> Tensor:
    """Spike counts of a membrane, differentiable by the surrogate; shapes broadcast."""
    spikes: Tensor = _Spike.apply(  # type: ignore[no-untyped-call]
        v, threshold, surrogate, max_spikes, strict
    )
    return spikes


def sum_synapses(current: Tensor, synapses: int) -> Tensor:
    """Sum ``(batch, n*synapses)`` over the synapses of a neuron, in order of the synapses."""
    if synapses == 1:
        return current
    parts = current.reshape(*current.shape[:-1], -1, synapses).unbind(-1)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def lif_loop(
    x: Tensor,
    parameters: LifParameters,
    *,
    surrogate: Surrogate,
    state: LifState,
    weight_rec: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, LifState, LifTraces | None]:
    """Run `ranvier.nn.functional.cuba_lif` one step after the other; same arguments."""
    p = parameters
    current, v, spikes, wait = state
    outs: list[Tensor] = []
    currents: list[Tensor] = []
    membranes: list[Tensor] = []
    for x_t in x.unbind(1):
        current = x_t if p.beta is None else p.beta * current + x_t
        if weight_rec is not None:
            current = current + linear(spikes, weight_rec)
        v = p.alpha * v + sum_synapses(current, p.synapses)
        if p.bias is not None:
            v = v + p.bias
        if p.fires:
            v, spikes, wait = _fire_and_reset(v, wait, p, surrogate)
        outs.append(spikes if p.fires else v)
        if record:
            currents.append(current)
            membranes.append(v)
    out = torch.stack(outs, 1) if outs else x.new_zeros(x.shape[0], 0, p.n)
    final = LifState(current, v, spikes, wait)
    if not record:
        return out, final, None
    stacked = out if p.fires else torch.zeros_like(out)
    traces = LifTraces(torch.stack(currents, 1), torch.stack(membranes, 1), stacked)
    return out, final, traces


def _fire_and_reset(
    v: Tensor, wait: Tensor, p: LifParameters, surrogate: Surrogate
) -> tuple[Tensor, Tensor, Tensor]:
    """Hold refractory neurons, fire the others, reset what fired."""
    held = wait > 0
    if p.refractory:
        v = torch.where(held, p.v_reset, v)
    spikes = fire(v, p.threshold, surrogate=surrogate, max_spikes=p.max_spikes, strict=p.strict)
    if p.refractory:
        spikes = torch.where(held, torch.zeros_like(spikes), spikes)
        left = (wait - 1.0).clamp(min=0.0)
        wait = torch.where(spikes.detach() > 0, torch.full_like(wait, p.refractory), left)
    if p.reset == "subtract":
        v = v - spikes * p.threshold
    else:
        v = v * (1.0 - spikes) + spikes * p.v_reset
    return v, spikes, wait
