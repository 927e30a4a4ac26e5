"""Backward pass of a chain of layers, chunk by chunk of samples that stays in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ._arrays import aligned, array_of
from ._chain_forward import Chain, count_events
from ._events_backward import Demand, Rows, Sums, event_backward
from ._events_shared import Sharing
from ._events_weights import Sorting

PER_LAYER = 7
_DENSE_ACTIVE = 0.5
_GROUP = 16
_CHUNK_BYTES = 1 << 20
_NONE3 = np.empty((0, 0, 0), np.float32)
_NONE2 = np.empty((0, 0), np.float32)


class LayerBackward:
    """The backward pass of one layer: its scratch and the gradients of its parameters so far."""

    def __init__(self, call: Chain, place: int, needs: Sequence[bool], samples: int) -> None:
        layer, run = call.layers[place], call.runs[place]
        ready, steps = run.prepared, run.memory.emitted.pointer.shape[1] - 1
        self.layer, self.run, self.needs = layer, run, tuple(needs)
        self.gx = aligned((samples, steps, ready.width))
        by_event = run.source is not None and needs[0]
        self.sums = Sums(
            aligned(ready.weight.shape, 0.0) if by_event else _NONE2,
            aligned(ready.weight_rec.shape, 0.0) if needs[2] else _NONE2,
            np.zeros((5, ready.width)),
        )
        self.product = None
        if needs[0] and run.dense is not None:
            self.product = torch.zeros(ready.columns, run.dense.shape[2])
        group = min(_GROUP, samples) if layer.weight_rec is not None else 1
        self.scratch = Rows(
            aligned((group, ready.width)),
            aligned((group, len(ready.k.alpha))),
            aligned((group, ready.n + 4)),
        )
        channels = max(len(self.sums.weight), len(self.sums.weight_rec))
        self.sort = Sorting(
            np.empty(channels + 2, np.int64),
            np.empty(steps * channels, np.int32),
            np.empty(steps * channels, np.float32),
        )
        shared = ready.n if layer.weight_rec is not None else 0
        self.sharing = Sharing(
            np.empty(shared + 2, np.int64),
            np.empty(group * shared, np.int32),
            np.empty((group, shared), np.int32),
            np.empty(group * shared + 4, np.float32),
        )
        active = count_events(run.memory.active)
        room = run.memory.emitted.pointer.shape[0] * steps * ready.n
        self.mostly_active = active > _DENSE_ACTIVE * room

    def go(self, demand: Demand, first: int, last: int) -> Tensor:
        """Run samples back, add to the parameters' gradients, give the input gradients."""
        layer, run, needs = self.layer, self.run, self.needs
        ready, memory = run.prepared, run.memory
        event_backward(
            demand,
            memory,
            memory.emitted if run.source is None else run.source,
            layer.delay,
            ready.weight_rec,
            ready.k,
            ready.rule,
            layer.parameters.synapses,
            self.gx,
            self.sums,
            (needs[3], needs[4], needs[5], needs[6], needs[1]),
            self.scratch,
            self.sort,
            self.sharing,
            first,
            last,
        )
        inputs = torch.from_numpy(self.gx[: last - first])[..., : ready.columns]
        if self.product is not None:
            dense = cast("Tensor", run.dense)[first:last]
            self.product.addmm_(inputs.flatten(0, 1).t(), dense.flatten(0, 1))
        return inputs

    def demand(self, inputs: Tensor, *, dense: bool) -> Demand:
        """Give what this layer asks of the one before; ``dense`` for all its outputs at once."""
        delay, run = self.layer.delay, self.run
        if run.source is not None and not dense:
            return Demand(_NONE3, self.gx[: len(inputs)], run.prepared.weight, delay)
        weight = cast("Tensor", self.layer.weight).detach()
        gout = torch.zeros(*inputs.shape[:2], weight.shape[1])
        gout[:, : inputs.shape[1] - delay] = inputs[:, delay:] @ weight
        return Demand(array_of(gout), _NONE3, _NONE2, 0)

    def input_gradient(self, inputs: Tensor) -> Tensor:
        """Turn the gradient of the currents into that of the layer's input."""
        if self.layer.weight is None:
            return inputs
        return torch.from_numpy(self.demand(inputs, dense=True).gout)

    def gradients(self) -> list[Tensor | None]:
        """Give the parameters' gradients, in the order of `ChainLayer.inputs`."""
        ready, sums = self.run.prepared, self.sums
        weight = self.product
        if self.needs[0] and weight is None:
            weight = torch.from_numpy(sums.weight).t()[: ready.columns]
        rec = torch.from_numpy(sums.weight_rec).t()[: ready.columns] if self.needs[2] else None
        sizes = (ready.n, ready.columns, ready.n, ready.n, ready.columns)
        rows = [
            torch.from_numpy(row[:size].copy()).float()
            for row, size in zip(sums.rows, sizes, strict=True)
        ]
        found = (weight, rows[4], rec, *rows[:4])
        return [value if need else None for value, need in zip(found, self.needs, strict=True)]


def _chunk(call: Chain, batch: int) -> int:
    """Choose how many samples run back at once."""
    steps: int = call.runs[0].memory.emitted.pointer.shape[1] - 1
    widest: int = max(run.prepared.width for run in call.runs)
    fitting: int = _CHUNK_BYTES // max(4 * steps * widest, 1)
    recurrent = any(layer.weight_rec is not None for layer in call.layers)
    return max(min(batch, max(fitting, _GROUP if recurrent else 1)), 1)


def run_backward(
    call: Chain, gradient: Tensor, needs: Sequence[bool]
) -> tuple[Tensor | None, list[Tensor | None]]:
    """Give the gradient of the chain's input, if ``needs`` begins with true, and of all parameters.

    ``needs`` goes on with seven for every layer.
    """
    batch, count = gradient.shape[0], len(call.layers)
    chunk = _chunk(call, batch)
    layers = [
        LayerBackward(call, k, needs[1 + k * PER_LAYER : 1 + (k + 1) * PER_LAYER], chunk)
        for k in range(count)
    ]
    gout = array_of(gradient)
    parts: list[Tensor] = []
    for first in range(0, batch, chunk):
        last = min(first + chunk, batch)
        demand = Demand(gout[first:last], _NONE3, _NONE2, 0)
        for place in range(count - 1, -1, -1):
            inputs = layers[place].go(demand, first, last)
            if place > 0:
                dense = layers[place - 1].mostly_active
                demand = layers[place].demand(inputs, dense=dense)
        if needs[0]:
            parts.append(layers[0].input_gradient(inputs).clone())
    found = [value for layer in layers for value in layer.gradients()]
    return (torch.cat(parts) if parts else None), found
