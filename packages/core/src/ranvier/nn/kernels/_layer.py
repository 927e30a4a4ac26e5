"""Neuron layers, with the weights before them, as one autograd node; dense in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

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
from ._dense import Constants, Marks, Rule, dense_backward, dense_forward
from ._surrogate import PIECEWISE, WINDOW

_NONE = (0, 0, 0)
_NOTHING = torch.empty(_NONE)
_INPUTS = 6


@dataclass
class DenseLayer:
    """One layer: weights (None: the input is already weighted), then neurons.

    Attributes
    ----------
    final, traces
        Filled by the run.
    """

    parameters: LifParameters
    surrogate: Surrogate
    state: LifState | None = None
    weight: Tensor | None = None
    weight_bias: Tensor | None = None
    record: bool = False
    final: LifState | None = None
    traces: LifTraces | None = None

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The differentiable inputs, `_INPUTS` of them."""
        p = self.parameters
        return (self.weight, self.weight_bias, p.alpha, p.beta, p.threshold, p.bias)


class Kept(NamedTuple):
    """What the forward pass of a layer leaves for its backward pass; unused tensors are empty.

    ``source`` is the input of the weights, or the marks of the layer before them.
    """

    source: Tensor
    out: Tensor
    u: Tensor
    marks: Tensor
    currents: Tensor
    current: Tensor
    membrane: Tensor


class Numbers(NamedTuple):
    """Numbers of a layer as the kernels take them."""

    k: Constants
    rule: Rule
    synapses: int


class DenseNode(torch.autograd.Function):
    """Forward and backward of layers in a row; inputs: layers, x, then six for every layer."""

    @staticmethod
    def forward(
        ctx: Any, layers: Sequence[DenseLayer], x: Tensor, *inputs: Tensor | None
    ) -> Tensor:
        needs = ctx.needs_input_grad
        keep = any(needs)
        source = out = x
        kept: list[Tensor] = []
        numbers: list[Numbers] = []
        owns = [
            needs[2 + place * _INPUTS : 2 + (place + 1) * _INPUTS] if keep else ()
            for place in range(len(layers))
        ]
        # What stays is allocated first: between buffers that go it would fragment the heap.
        room = [_room(layer, x, own) for layer, own in zip(layers, owns, strict=True)]
        with denormals_flushed():
            for layer, own, marks in zip(layers, owns, room, strict=True):
                p = layer.parameters
                ready = Numbers(constants_of(p), rule_of(p, layer.surrogate), p.synapses)
                out, left = _forward(layer, ready, out, marks, own)
                kept.extend(left._replace(source=_NOTHING if layer.weight is None else source))
                packed = p.max_spikes == 1 and left.marks.numel() > 0
                source = left.marks if packed else out
                numbers.append(ready)
        if keep:
            ctx.numbers = numbers
            ctx.save_for_backward(*inputs, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        refuse_double_backward()
        needs = ctx.needs_input_grad
        saved = ctx.saved_tensors
        numbers: list[Numbers] = ctx.numbers
        kept = saved[len(numbers) * _INPUTS :]
        size = len(Kept._fields)
        results: list[Tensor | None] = []
        unneeded: list[Tensor | None] = [None] * _INPUTS
        gradient: Tensor | None = grad_outputs[0]
        with denormals_flushed():
            for place in reversed(range(len(numbers))):
                start = 2 + place * _INPUTS
                if gradient is None:
                    results = unneeded + results
                    continue
                gradient, own = _backward(
                    numbers[place],
                    Kept(*kept[place * size : (place + 1) * size]),
                    saved[place * _INPUTS],
                    gradient,
                    needs[start : start + _INPUTS],
                    pass_on=any(needs[1:start]),
                    may_overwrite=place < len(numbers) - 1,
                )
                results = own + results
        return None, gradient, *results


def _room(layer: DenseLayer, x: Tensor, needs: Sequence[bool]) -> Marks:
    """Give room for the marks of a layer; none where they do not say all that gradients need."""
    p, code = layer.parameters, layer.surrogate.code
    marked = bool(needs) and p.fires and p.reset == "subtract" and code in (WINDOW, PIECEWISE)
    if not marked or needs[2] or needs[4]:
        return np.empty(_NONE, np.uint8)
    return np.empty((x.shape[0], x.shape[1], p.n), np.uint8)


def _forward(
    layer: DenseLayer, ready: Numbers, x: Tensor, marks: Marks, needs: Sequence[bool]
) -> tuple[Tensor, Kept]:
    """Run one layer; ``needs`` says which inputs get gradients, empty for none at all."""
    p = layer.parameters
    shape = (x.shape[0], x.shape[1], p.n)
    weighted = x
    if layer.weight is not None:
        weighted = torch.nn.functional.linear(x, layer.weight, layer.weight_bias)
    overwrite = layer.weight is not None and p.synapses == 1
    out = weighted if overwrite else torch.empty(shape)
    state = zero_state(x, p) if layer.state is None else layer.state
    start = [part.detach().contiguous() for part in state[:2]]
    current, membrane = start[0].clone(), start[1].clone()
    marked = marks.size > 0
    traced = layer.record or (bool(needs) and needs[3])
    u = torch.empty(shape) if needs and p.fires and not marked else _NOTHING
    currents = torch.empty(*shape[:2], p.n * p.synapses) if traced else _NOTHING
    membranes = torch.empty(shape) if layer.record else _NOTHING
    dense_forward(
        array_of(weighted),
        *ready,
        array_of(current),
        array_of(membrane),
        array_of(out),
        array_of(u),
        marks,
        array_of(currents),
        array_of(membranes),
        np.empty((3, p.n * p.synapses), np.float32),
        0,
        shape[0],
    )
    spikes = out if p.fires else torch.zeros_like(out) if layer.record else out[:, :0]
    last = spikes[:, -1].clone() if spikes.shape[1] else state.spikes
    layer.final = LifState(current, membrane, last, state.refractory)
    layer.traces = LifTraces(currents, membranes, spikes) if layer.record else None
    seen = _NOTHING if marked else out
    return out, Kept(_NOTHING, seen, u, torch.from_numpy(marks), currents, *start)


def _backward(
    ready: Numbers,
    kept: Kept,
    weight: Tensor | None,
    gradient: Tensor,
    needs: Sequence[bool],
    *,
    pass_on: bool,
    may_overwrite: bool,
) -> tuple[Tensor | None, list[Tensor | None]]:
    """Give the gradients of the input of a layer (None unless ``pass_on``) and its parameters."""
    batch, steps, n = gradient.shape
    columns = n * ready.synapses
    overwrite = may_overwrite and ready.synapses == 1
    gx = gradient if overwrite else torch.empty(batch, steps, columns)
    totals = np.zeros((4, columns))
    dense_backward(
        array_of(gradient),
        array_of(kept.u),
        kept.marks.numpy(),
        array_of(kept.out),
        *ready,
        array_of(gx),
        array_of(kept.membrane),
        array_of(kept.currents),
        array_of(kept.current),
        totals,
        (needs[2], needs[3], needs[4], needs[5]),
        np.empty((3, columns), np.float32),
        0,
        batch,
    )
    own = parameter_gradients(totals, needs[2:], n)
    if weight is None:
        return gx, [None, None, *own]
    rows = gx.flatten(0, 1)
    g_weight = rows.T @ _spikes_of(kept.source).flatten(0, 1) if needs[0] else None
    g_bias = rows.sum(0) if needs[1] else None
    return gx @ weight if pass_on else None, [g_weight, g_bias, *own]


def _spikes_of(source: Tensor) -> Tensor:
    """Unpack the spikes of a layer from its marks; anything else is as it is."""
    return source.float().ge_(2.0) if source.dtype == torch.uint8 else source


def parameter_gradients(
    totals: np.ndarray[Any, np.dtype[np.float64]], needs: Sequence[bool], n: int
) -> list[Tensor | None]:
    """Give the rows alpha, beta, threshold, bias of ``totals`` where they are needed."""
    sizes = (n, totals.shape[1], n, n)
    return [
        torch.from_numpy(row[:size].copy()).float() if need else None
        for row, size, need in zip(totals, sizes, needs, strict=True)
    ]


def run_dense_layers(x: Tensor, layers: Sequence[DenseLayer]) -> Tensor:
    """Run feed-forward layers one after the other.

    Parameters
    ----------
    x : Tensor
        Input of the first layer, ``(batch, time, n_in)``.
    layers : sequence of DenseLayer
        Their ``final`` states and, where asked for, ``traces`` are filled. Only the first may
        lack weights.

    Returns
    -------
    Tensor
        Output of the last layer, ``(batch, time, n)``.
    """
    inputs = [tensor for layer in layers for tensor in layer.inputs]
    out: Tensor = DenseNode.apply(layers, x, *inputs)  # type: ignore[no-untyped-call]
    return out


def run_dense_layer(
    x: Tensor,
    parameters: LifParameters,
    *,
    surrogate: Surrogate,
    state: LifState | None,
    record: bool,
) -> tuple[Tensor, LifState, LifTraces | None]:
    """Run a feed-forward layer; see `ranvier.nn.functional.cuba_lif`."""
    layer = DenseLayer(parameters, surrogate, state, record=record)
    out = run_dense_layers(x, [layer])
    return out, cast("LifState", layer.final), layer.traces
