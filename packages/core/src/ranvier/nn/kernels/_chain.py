"""A chain of neuron layers with the weights before them as one autograd node, event-driven."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._arrays import denormals_flushed, refuse_double_backward
from ._chain_backward import PER_LAYER, run_backward
from ._chain_forward import Chain, ChainLayer as ChainLayer, run_forward


class ChainNode(torch.autograd.Function):
    """Forward and backward of a chain; inputs: call, x, then seven for every layer."""

    @staticmethod
    def forward(ctx: Any, call: Chain, x: Tensor, *inputs: Tensor | None) -> Tensor:
        needs = ctx.needs_input_grad
        keep = any(needs)
        out = x
        with denormals_flushed():
            for place in range(len(call.layers)):
                own = needs[2 + place * PER_LAYER : 2 + (place + 1) * PER_LAYER]
                out = run_forward(
                    call, place, x if place == 0 else out, keep=keep, traced=own[3] or own[4]
                )
                if place < len(call.layers) - 1:
                    out = torch.empty(0).expand(x.shape[0], x.shape[1], 0)
        ctx.call = call
        ctx.save_for_backward(*(tensor for tensor in inputs if tensor is not None))
        return out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        refuse_double_backward()
        _ = ctx.saved_tensors  # raises if a weight has been changed since
        with denormals_flushed():
            own, others = run_backward(ctx.call, grad_outputs[0], ctx.needs_input_grad[1:])
        return None, own, *others


def run_chain(x: Tensor, layers: list[ChainLayer]) -> Tensor:
    """Run a chain of layers.

    Parameters
    ----------
    x : Tensor
        Input of the first layer, ``(batch, time, n_in)``.
    layers : list of ChainLayer
        Their ``final`` states and, where asked for, ``traces`` are filled.

    Returns
    -------
    Tensor
        Output of the last layer, ``(batch, time, n)``.
    """
    inputs = [tensor for layer in layers for tensor in layer.inputs]
    out: Tensor = ChainNode.apply(  # type: ignore[no-untyped-call]
        Chain(layers), x, *inputs
    )
    return out
