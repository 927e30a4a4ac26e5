"""Forward pass of a chain of layers: what the kernels take and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..functional import LifParameters, LifState, LifTraces, zero_state
from ..surrogates import Surrogate
from ._arrays import aligned, array_of, constants_of, padded, rule_of
from ._dense import Constants, Floats, Rule
from ._events import Drive, Events, event_forward, fill_dense, find_events
from ._events_backward import Memory
from ._lanes import WIDTH
from ._surrogate import PIECEWISE, WINDOW

_DENSE_INPUT = 0.25
_CONFLICT = 256
_NONE3 = np.empty((0, 0, 0), np.float32)


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
    """A layer as the kernels take it; ``index`` is the type of channel numbers."""

    n: int
    columns: int
    width: int
    k: Constants
    rule: Rule
    weight: Floats
    weight_bias: Floats
    weight_rec: Floats
    index: type[Any]


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

    @property
    def index(self) -> type[Any]:
        """The type of channel numbers."""
        sizes = [layer.parameters.n for layer in self.layers]
        sizes += [0 if layer.weight is None else layer.weight.shape[1] for layer in self.layers]
        return np.uint16 if max(sizes) <= 1 << 16 else np.int32


def _rows(weight: Tensor | None, width: int) -> Floats:
    """Give weights as rows by input, lengthened to ``width``."""
    if weight is None:
        return np.empty((0, width), np.float32)
    rows = aligned((weight.shape[1], width), 0.0)
    rows[:, : weight.shape[0]] = weight.detach().numpy().T
    return rows


def row_width(columns: int) -> int:
    """Choose the length of rows: whole vectors, and no stride that maps rows to few cache sets."""
    width = -(-columns // WIDTH) * WIDTH
    return width + WIDTH if width % _CONFLICT == 0 else width


def prepare(layer: ChainLayer, index: type[Any]) -> Prepared:
    """Lay out the parameters of a layer."""
    p = layer.parameters
    columns = p.n * p.synapses
    width = row_width(columns)
    bias = layer.weight_bias
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
        weight_rec=_rows(layer.weight_rec, width),
        index=index,
    )


def empty_events(
    batch: int, steps: int, n: int, index: type[Any], *, values: bool = True
) -> Events:
    """Give room for the events of dense samples; pages that stay empty cost nothing."""
    room = batch * steps * n + WIDTH
    return Events(
        np.zeros((batch, steps + 1), np.int64),
        np.empty(room, index),
        np.empty(room if values else 0, np.float32),
    )


def count_events(events: Events) -> int:
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
        events = empty_events(batch, steps, n, call.index)
        find_events(array_of(x), events, 0, batch)
        if count_events(events) > _DENSE_INPUT * room:
            return None, late(x.detach(), layer.delay)
        return events, None
    events = call.runs[place - 1].memory.emitted
    if count_events(events) <= _DENSE_INPUT * room:
        return events, None
    dense = torch.zeros(batch, steps, n)
    fill_dense(events, array_of(dense), layer.delay, 0, batch)
    return None, dense


def _drive(
    layer: ChainLayer, ready: Prepared, x: Tensor, source: Events | None, dense: Tensor | None
) -> Drive:
    """Give the input of a layer as the kernel takes it."""
    currents = _NONE3
    if dense is not None and layer.weight is not None:
        weighted = torch.nn.functional.linear(dense, layer.weight, layer.weight_bias)
        currents = array_of(weighted)
    elif layer.weight is None:
        currents = array_of(x)
    events = empty_events(0, 0, 0, ready.index) if source is None else source
    return Drive(events, ready.weight, layer.delay, ready.weight_bias, currents)


def _room(
    layer: ChainLayer, ready: Prepared, shape: tuple[int, int], *, keep: bool, traced: bool
) -> Memory:
    """Give room for what a forward pass leaves, with the state it starts from."""
    p, rule = layer.parameters, ready.rule
    batch, steps = shape
    state = layer.state
    start = zero_state(torch.empty(batch, 0), p)[:3] if state is None else state[:3]
    current, membrane, spikes = (array_of(part).copy() for part in start)
    known = rule.subtract and rule.code in (WINDOW, PIECEWISE) and not p.threshold.requires_grad
    traced = traced or layer.record
    return Memory(
        emitted=empty_events(batch, steps, ready.n if p.fires else 0, ready.index),
        active=empty_events(
            batch, steps, ready.n if keep and p.fires else 0, ready.index, values=not known
        ),
        current=current,
        membrane=membrane,
        spikes=spikes,
        currents=np.empty((batch, steps, ready.columns) if traced else (0, 0, 0), np.float32),
        membranes=np.empty((batch, steps, ready.n) if traced else (0, 0, 0), np.float32),
    )


def run_forward(call: Chain, place: int, x: Tensor, *, keep: bool, traced: bool) -> Tensor:
    """Run one layer on the output of the last; give its output if it is the last."""
    layer = call.layers[place]
    p = layer.parameters
    ready = prepare(layer, call.index)
    batch, steps = x.shape[:2]
    source, dense = _source(call, place, x)
    memory = _room(layer, ready, (batch, steps), keep=keep, traced=traced)
    current, membrane, spikes = (
        part.copy() for part in (memory.current, memory.membrane, memory.spikes)
    )
    final = place == len(call.layers) - 1
    out = torch.zeros((batch, steps, ready.n) if final or layer.record else (0, 0, 0))
    event_forward(
        _drive(layer, ready, x, source, dense),
        ready.weight_rec,
        ready.k,
        ready.rule,
        p.synapses,
        current,
        membrane,
        spikes,
        memory.emitted,
        memory.active,
        keep,
        array_of(out),
        memory.currents,
        memory.membranes,
        aligned((4, ready.width)),
        0,
        batch,
    )
    wait = torch.zeros(batch, p.n) if layer.state is None else layer.state.refractory
    layer.final = LifState(
        torch.from_numpy(current), torch.from_numpy(membrane), torch.from_numpy(spikes), wait
    )
    if layer.record:
        layer.traces = LifTraces(
            torch.from_numpy(memory.currents),
            torch.from_numpy(memory.membranes),
            out if p.fires else torch.zeros_like(out),
        )
    call.runs.append(Run(ready, memory, source, dense if keep else None))
    return out
