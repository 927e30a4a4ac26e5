"""A chain of neuron layers with the weights before them as one autograd node, event-driven."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..functional import LifParameters, LifState, LifTraces, zero_state
from ..surrogates import Surrogate
from ._arrays import (
    array_of,
    constants_of,
    denormals_flushed,
    padded,
    refuse_double_backward,
    rule_of,
)
from ._dense import Constants, Floats, Rule
from ._events import Drive, Events, event_forward, fill_dense, find_events
from ._events_backward import Demand, Memory, Rows, Sorting, Sums, event_backward

_LANES = 16
_DENSE_INPUT = 0.25
_DENSE_ACTIVE = 0.5
_PER_LAYER = 7
_GROUP = 16
_NONE3 = np.empty((0, 0, 0), np.float32)
_NONE2 = np.empty((0, 0), np.float32)


@dataclass
class ChainLayer:
    """One layer of a chain: weights (None: the input is already weighted), then neurons.

    Attributes
    ----------
    delay : int
        Steps by which the input is late.
    final, traces
        Filled by the run.
    """

    parameters: LifParameters
    surrogate: Surrogate
    state: LifState | None = None
    weight: Tensor | None = None
    weight_bias: Tensor | None = None
    weight_rec: Tensor | None = None
    delay: int = 0
    record: bool = False
    final: LifState | None = None
    traces: LifTraces | None = None

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The differentiable inputs, `_PER_LAYER` of them."""
        p = self.parameters
        weights = (self.weight, self.weight_bias, self.weight_rec)
        return (*weights, p.alpha, p.beta, p.threshold, p.bias)


class Prepared(NamedTuple):
    """A layer as the kernels take it."""

    n: int
    columns: int
    width: int
    k: Constants
    rule: Rule
    weight: Floats
    weight_bias: Floats
    weight_rec: Floats
    low: Floats


@dataclass
class Run:
    """What one layer's forward pass leaves for its backward pass."""

    prepared: Prepared
    memory: Memory
    source: Events | None
    dense: Tensor | None = None


@dataclass
class Chain:
    """A call of the node: its layers, and what the forward pass leaves."""

    layers: list[ChainLayer]
    runs: list[Run] = field(default_factory=list)


def _rows(weight: Tensor | None, width: int) -> Floats:
    """Give weights as rows by input, lengthened to ``width``."""
    if weight is None:
        return np.empty((0, width), np.float32)
    rows: Floats = np.zeros((weight.shape[1], width), np.float32)
    rows[:, : weight.shape[0]] = weight.detach().numpy().T
    return rows


def prepare(layer: ChainLayer, *, keep: bool) -> Prepared:
    """Lay out the parameters of a layer; ``keep`` says whether a gradient is wanted."""
    p = layer.parameters
    columns = p.n * p.synapses
    width = -(-columns // _LANES) * _LANES
    bias = layer.weight_bias
    threshold = array_of(p.threshold)
    margin = np.float32(layer.surrogate.margin)
    low = threshold
    if keep:
        low = threshold - margin - np.float32(1e-5) * (np.abs(threshold) + margin)
    return Prepared(
        n=p.n,
        columns=columns,
        width=width,
        k=constants_of(p, width=width),
        rule=rule_of(p, layer.surrogate),
        weight=_rows(layer.weight, width),
        weight_bias=padded(
            np.zeros(columns, np.float32) if bias is None else array_of(bias), width
        ),
        weight_rec=np.empty((0, width), np.float32)
        if layer.weight_rec is None
        else _rows(layer.weight_rec, width),
        low=low,
    )


def empty_events(batch: int, steps: int, n: int) -> Events:
    """Give room for the events of dense samples; pages that stay empty cost nothing."""
    room = batch * steps * n
    return Events(
        np.zeros((batch, steps + 1), np.int64),
        np.empty(room + 1, np.int32),
        np.empty(room + 1, np.float32),
    )


def count(events: Events) -> int:
    """Count the events of all samples."""
    return int((events.pointer[:, -1] - events.pointer[:, 0]).sum())


def late(x: Tensor, delay: int) -> Tensor:
    """Delay ``(batch, time, n)`` by steps, from rest."""
    if delay == 0:
        return x
    result = torch.zeros_like(x)
    result[:, delay:] = x[:, : x.shape[1] - delay]
    return result


def _source(call: Chain, place: int, x: Tensor) -> tuple[Events | None, Tensor | None]:
    """Give the input of a layer as events or, where it is dense, as a tensor."""
    layer = call.layers[place]
    if layer.weight is None:
        return None, None
    batch, steps, n = x.shape[0], x.shape[1], layer.weight.shape[1]
    room = max(batch * steps * n, 1)
    if place == 0:
        events = empty_events(batch, steps, n)
        find_events(array_of(x), events, 0, batch)
        if count(events) > _DENSE_INPUT * room:
            return None, late(x.detach(), layer.delay)
        return events, None
    events = call.runs[place - 1].memory.emitted
    if count(events) <= _DENSE_INPUT * room:
        return events, None
    dense = torch.zeros(batch, steps, n)
    fill_dense(events, array_of(dense), layer.delay, 0, batch)
    return None, dense


def run_forward(call: Chain, place: int, x: Tensor, *, keep: bool, traced: bool) -> Tensor:
    """Run one layer on the output of the last; give its output if it is the last."""
    layer = call.layers[place]
    p = layer.parameters
    ready = prepare(layer, keep=keep)
    batch, steps = x.shape[:2]
    source, dense = _source(call, place, x)
    currents_in = _NONE3
    if dense is not None and layer.weight is not None:
        weighted = torch.nn.functional.linear(dense, layer.weight, layer.weight_bias)
        currents_in = array_of(weighted)
    elif layer.weight is None:
        currents_in = array_of(x)
    state = layer.state if layer.state is not None else zero_state(x, p)
    current, membrane, spiked = (array_of(part).copy() for part in state[:3])
    now = LifState(
        torch.from_numpy(current.copy()),
        torch.from_numpy(membrane.copy()),
        torch.from_numpy(spiked.copy()),
        state.refractory,
    )
    emitted = empty_events(batch, steps, ready.n if p.fires else 0)
    active = empty_events(batch, steps, ready.n if keep and p.fires else 0)
    traced = traced or layer.record
    currents = np.empty((batch, steps, ready.columns) if traced else (0, 0, 0), np.float32)
    membranes = np.empty((batch, steps, ready.n) if traced else (0, 0, 0), np.float32)
    final = place == len(call.layers) - 1
    out = torch.zeros((batch, steps, ready.n) if final or layer.record else (0, 0, 0))
    event_forward(
        Drive(
            empty_events(0, 0, 0) if source is None else source,
            ready.weight,
            layer.delay,
            ready.weight_bias,
            currents_in,
        ),
        ready.weight_rec,
        ready.k,
        ready.rule,
        ready.low,
        p.synapses,
        array_of(now.current),
        array_of(now.membrane),
        array_of(now.spikes),
        emitted,
        active,
        keep,
        array_of(out),
        currents,
        membranes,
        np.empty((4, ready.width), np.float32),
        np.empty(ready.n + 1, np.int32),
        0,
        batch,
    )
    layer.final = now
    if layer.record:
        spikes = out if p.fires else torch.zeros_like(out)
        layer.traces = LifTraces(torch.from_numpy(currents), torch.from_numpy(membranes), spikes)
    memory = Memory(emitted, active, current, membrane, spiked, currents, membranes)
    call.runs.append(Run(ready, memory, source, dense if keep else None))
    return out


def run_backward(
    call: Chain, place: int, demand: Demand, needs: tuple[bool, ...], *, pass_on: bool
) -> tuple[Tensor, list[Tensor | None]]:
    """Give the input gradients of a layer (of all samples if ``pass_on``) and its parameters'."""
    layer, run = call.layers[place], call.runs[place]
    ready, memory = run.prepared, run.memory
    batch, steps = memory.emitted.pointer.shape[0], memory.emitted.pointer.shape[1] - 1
    by_product = layer.weight is not None and run.source is None
    group = min(_GROUP if layer.weight_rec is not None else 1, batch)
    kept = batch if pass_on or by_product else group
    gx = np.empty((kept, steps, ready.width), np.float32)
    events_in = run.source is not None and needs[0]
    sums = Sums(
        np.zeros_like(ready.weight) if events_in else _NONE2,
        np.zeros_like(ready.weight_rec) if needs[2] else _NONE2,
        np.zeros((5, ready.width)),
    )
    channels = max(len(sums.weight), len(sums.weight_rec))
    event_backward(
        demand,
        memory,
        memory.emitted if run.source is None else run.source,
        layer.delay,
        ready.weight_rec,
        ready.k,
        ready.rule,
        layer.parameters.synapses,
        gx,
        sums,
        (needs[3], needs[4], needs[5], needs[6], needs[1]),
        Rows(
            np.empty((group, ready.width), np.float32),
            np.empty((group, len(ready.k.alpha)), np.float32),
            np.empty((group, ready.n), np.float32),
        ),
        Sorting(
            np.empty(max(channels, ready.n) + 1, np.int64),
            np.empty(steps * channels + 1, np.int32),
            np.empty(steps * channels + 1, np.float32),
            np.empty(group * ready.n, np.int32),
            np.empty(group * ready.n, np.int32),
        ),
        group,
        0,
        batch,
    )
    inputs = torch.from_numpy(gx)[..., : ready.columns]
    grad_weight = None
    if needs[0] and events_in:
        grad_weight = torch.from_numpy(sums.weight).t()[: ready.columns]
    elif needs[0] and run.dense is not None:
        grad_weight = inputs.flatten(0, 1).t() @ run.dense.flatten(0, 1)
    grad_rec = torch.from_numpy(sums.weight_rec).t()[: ready.columns] if needs[2] else None
    sizes = (ready.n, ready.columns, ready.n, ready.n, ready.columns)
    rows = [
        torch.from_numpy(row[:size].astype(np.float32))
        for row, size in zip(sums.rows, sizes, strict=True)
    ]
    found = (grad_weight, rows[4], grad_rec, *rows[:4])
    return inputs, [value if need else None for value, need in zip(found, needs, strict=True)]


def demand_of(call: Chain, place: int, inputs: Tensor) -> Demand:
    """Give what the layer after ``place`` asks of its outputs, dense where most have a gradient."""
    after, run = call.layers[place + 1], call.runs[place + 1]
    memory = call.runs[place].memory
    batch, steps, n = inputs.shape[0], inputs.shape[1], call.runs[place].prepared.n
    if run.source is not None and count(memory.active) <= _DENSE_ACTIVE * batch * steps * n:
        width = run.prepared.width
        base: NDArray[np.float32] = inputs.as_strided(
            (batch, steps, width), (steps * width, width, 1)
        ).numpy()
        return Demand(_NONE3, base, run.prepared.weight, after.delay)
    weight = cast("Tensor", after.weight).detach()
    gout = torch.zeros(batch, steps, n)
    kept = steps - after.delay
    gout[:, :kept] = inputs[:, after.delay :] @ weight
    return Demand(array_of(gout), _NONE3, _NONE2, 0)


class ChainNode(torch.autograd.Function):
    """Forward and backward of a chain; inputs: call, x, then seven for every layer."""

    @staticmethod
    def forward(ctx: Any, call: Chain, x: Tensor, *inputs: Tensor | None) -> Tensor:
        needs = ctx.needs_input_grad
        keep = any(needs)
        out = x
        with denormals_flushed():
            for place in range(len(call.layers)):
                own = needs[2 + place * _PER_LAYER : 2 + (place + 1) * _PER_LAYER]
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
        gradient = grad_outputs[0]
        call: Chain = ctx.call
        needs = ctx.needs_input_grad
        gradients: list[Tensor | None] = []
        demand = Demand(array_of(gradient), _NONE3, _NONE2, 0)
        inputs = gradient
        with denormals_flushed():
            for place in range(len(call.layers) - 1, -1, -1):
                own = needs[2 + place * _PER_LAYER : 2 + (place + 1) * _PER_LAYER]
                wanted = place > 0 or needs[1]
                inputs, found = run_backward(call, place, demand, own, pass_on=wanted)
                gradients = found + gradients
                if place > 0:
                    demand = demand_of(call, place - 1, inputs)
        return None, _input_gradient(call, inputs) if needs[1] else None, *gradients


def _input_gradient(call: Chain, inputs: Tensor) -> Tensor:
    """Turn the gradient of the first layer's currents into that of the chain's input."""
    first = call.layers[0]
    if first.weight is None:
        return inputs
    gradient = inputs @ first.weight.detach()
    if first.delay:
        moved = torch.zeros_like(gradient)
        moved[:, : gradient.shape[1] - first.delay] = gradient[:, first.delay :]
        return moved
    return gradient


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
