"""One neuron layer as one autograd node, on input currents that are already weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ..functional import LifParameters, LifState, LifTraces, zero_state
from ..surrogates import Surrogate
from ._arrays import (
    array_of,
    constants_of,
    denormals_flushed,
    refuse_double_backward,
    rule_of,
)
from ._dense import dense_backward, dense_forward

_EMPTY = np.empty((0, 0, 0), np.float32)


@dataclass
class LayerCall:
    """What a call of the node gets besides its differentiable inputs, and what it leaves behind."""

    parameters: LifParameters
    surrogate: Surrogate
    state: LifState
    record: bool
    final: LifState | None = None
    traces: LifTraces | None = None


class LayerNode(torch.autograd.Function):
    """Forward and backward of a layer; inputs: call, x, alpha, beta, threshold, bias."""

    @staticmethod
    def forward(ctx: Any, call: LayerCall, x: Tensor, *trained: Tensor | None) -> Tensor:
        p = call.parameters
        needs = ctx.needs_input_grad
        start = [part.detach().contiguous() for part in call.state[:2]]
        current, membrane = start[0].clone(), start[1].clone()
        shape = (x.shape[0], x.shape[1], p.n)
        out = torch.empty(shape)
        u_all = torch.empty(shape if any(needs) and p.fires else (0, 0, 0))
        currents = torch.empty(x.shape if needs[3] or call.record else (0, 0, 0))
        membranes = torch.empty(shape if call.record else (0, 0, 0))
        with denormals_flushed():
            dense_forward(
                array_of(x),
                constants_of(p),
                rule_of(p, call.surrogate),
                p.synapses,
                array_of(current),
                array_of(membrane),
                array_of(out),
                array_of(u_all),
                array_of(currents),
                array_of(membranes),
                np.empty((3, p.n * p.synapses), np.float32),
                0,
                x.shape[0],
            )
        spikes = out if p.fires else torch.zeros_like(out) if call.record else out[:, :0]
        last = spikes[:, -1].clone() if spikes.shape[1] else call.state.spikes
        call.final = LifState(current, membrane, last, call.state.refractory)
        call.traces = LifTraces(currents, membranes, spikes) if call.record else None
        ctx.call = call
        ctx.save_for_backward(out, u_all, currents, *start)
        return out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        refuse_double_backward()
        gradient = grad_outputs[0]
        p: LifParameters = ctx.call.parameters
        out, u_all, currents, *start = ctx.saved_tensors
        _, _, *needs = ctx.needs_input_grad
        columns = p.n * p.synapses
        gx = torch.empty(*gradient.shape[:2], columns)
        totals = np.zeros((4, columns))
        current, membrane = (array_of(part) for part in start)
        with denormals_flushed():
            dense_backward(
                array_of(gradient),
                array_of(u_all),
                array_of(out),
                constants_of(p),
                rule_of(p, ctx.call.surrogate),
                p.synapses,
                array_of(gx),
                membrane,
                array_of(currents),
                current,
                totals,
                (needs[0], needs[1], needs[2], needs[3]),
                np.empty((3, columns), np.float32),
                0,
                gradient.shape[0],
            )
        return None, gx, *parameter_gradients(totals, needs, p.n)


def parameter_gradients(
    totals: np.ndarray[Any, np.dtype[np.float64]], needs: list[bool], n: int
) -> list[Tensor | None]:
    """Give the rows alpha, beta, threshold, bias of ``totals`` where they are needed."""
    sizes = (n, totals.shape[1], n, n)
    return [
        torch.from_numpy(row[:size].copy()).float() if need else None
        for row, size, need in zip(totals, sizes, needs, strict=True)
    ]


def run_dense_layer(
    x: Tensor,
    parameters: LifParameters,
    *,
    surrogate: Surrogate,
    state: LifState | None,
    record: bool,
) -> tuple[Tensor, LifState, LifTraces | None]:
    """Run a feed-forward layer; see `ranvier.nn.functional.cuba_lif`."""
    p = parameters
    call = LayerCall(p, surrogate, zero_state(x, p) if state is None else state, record)
    out: Tensor = LayerNode.apply(  # type: ignore[no-untyped-call]
        call, x, p.alpha, p.beta, p.threshold, p.bias
    )
    return out, cast("LifState", call.final), call.traces
