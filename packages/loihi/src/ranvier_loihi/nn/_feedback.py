"""Neurons behind ``z[t] + R s[t-1]``, with gradients back through time."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as f

from . import _feedback_kernels as loops
from ._cuba import Cuba
from ._neuron import LoihiNeuron
from .kernels import Firing, threshold_of
from .kernels._leaky_functions import array, keep_of, surrogate

States = tuple[Tensor, Tensor, Tensor]


class _CubaFeedback(torch.autograd.Function):
    """The whole time loop of CUBA neurons."""

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        weight: Tensor,
        decay_u: Tensor,
        decay_v: Tensor,
        rule: Firing,
        states: States,
        found: list[int],
    ) -> Tensor:
        keeps = keep_of(decay_u), keep_of(decay_v)
        out, u, v = (np.empty(tuple(z.shape), dtype=np.float32) for _ in range(3))
        by_source = array(weight.t())
        current, voltage, last = (state.numpy() for state in states)
        found.append(
            loops.forward(
                array(z), by_source, keeps[0], keeps[1], rule.threshold, rule.graded,
                current, voltage, last, u, v, out,
            )
        )  # fmt: skip
        result = torch.from_numpy(out)
        ctx.rule, ctx.keeps, ctx.by_source = rule, keeps, by_source
        ctx.save_for_backward(result, torch.from_numpy(u), torch.from_numpy(v))
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        out, u, v = ctx.saved_tensors
        slope = surrogate(v, threshold_of(ctx.rule), ctx.rule)
        gz = np.empty(tuple(out.shape), dtype=np.float32)
        decays = np.zeros(out.shape[2]), np.zeros(out.shape[2])
        keep_u, keep_v = ctx.keeps
        loops.backward(
            array(g), slope.numpy(), ctx.by_source, keep_u, keep_v, u.numpy(), v.numpy(),
            gz, decays[0], decays[1],
        )  # fmt: skip
        grad_z = torch.from_numpy(gz)
        before, after = out[:, :-1].flatten(0, 1), grad_z[:, 1:].flatten(0, 1)
        grad_weight = after.t() @ before
        grads = (torch.from_numpy(d).float() for d in decays)
        return grad_z, grad_weight, *grads, None, None, None


def run_with_feedback(
    neuron: LoihiNeuron, z: Any, weight: Any, *, last: Tensor
) -> tuple[Tensor, Tensor]:
    """Run neurons that hear their own spikes.

    Parameters
    ----------
    neuron : LoihiNeuron
        Of shape ``(n,)``; its state is kept if it is persistent.
    z : Tensor or pair of Tensor
        ``(batch, time, n)``; real and imaginary part for a complex neuron.
    weight : Tensor or pair of Tensor
        ``(n, n)``, targets first.
    last : Tensor
        Spikes of the step before the first, ``(batch, n)``.

    Returns
    -------
    spikes, last : Tensor
        ``(batch, time, n)`` after the neuron's dropout, and the last step before it.
    """
    dropout, neuron.dropout = neuron.dropout, None
    try:
        if isinstance(neuron, Cuba) and neuron.norm is None:
            spikes, last = _run_cuba(neuron, z, weight, last)
        else:
            spikes, last = _run_steps(neuron, z, weight, last)
    finally:
        neuron.dropout = dropout
    return (spikes if dropout is None else dropout(spikes)), last


def _run_cuba(neuron: Cuba, z: Tensor, weight: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    batch, _, n = z.shape
    current, voltage = neuron._pair(batch, n)
    states = current.clone(), voltage.clone(), last.detach().clone()
    found: list[int] = []
    rule = neuron._firing(graded=neuron.graded_spike)
    spikes = _CubaFeedback.apply(  # type: ignore[no-untyped-call]
        z, weight, *neuron._decays(n), rule, states, found
    )
    neuron._finish(states[:2], found[0])
    return cast("Tensor", spikes), states[2]


def _run_steps(neuron: LoihiNeuron, z: Any, weight: Any, last: Tensor) -> tuple[Tensor, Tensor]:
    """Call the neuron step by step; gradients pass through the spikes fed back."""
    parts = z if neuron.complex else (z,)
    weights = weight if neuron.complex else (weight,)
    steps, spike, overflow = [], last[:, None], 0
    lasting, neuron.persistent_state = neuron.persistent_state, True
    if not lasting:
        neuron.reset_state()
    try:
        for t in range(parts[0].shape[1]):
            drive = tuple(
                p[:, t : t + 1] + f.linear(spike, w) for p, w in zip(parts, weights, strict=True)
            )
            spike = neuron(drive if neuron.complex else drive[0])
            overflow += neuron.overflow
            steps.append(spike)
    finally:
        neuron.persistent_state = lasting
        if not lasting:
            neuron.reset_state()
    neuron.overflow = overflow
    return torch.cat(steps, dim=1), spike[:, 0].detach()
