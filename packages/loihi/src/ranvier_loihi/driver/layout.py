"""Between the graph's order (channel, height, width) and Lava's (width, height, channel).

References
----------
Lava 0.10.0 documentation, process Conv: tensors are (X, Y, C); RingBuffer: time is the last axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import ConvSynapse, LoihiConfig


@dataclass(frozen=True)
class Layout:
    """How Lava sees the neurons of one population or the channels of one input.

    Parameters
    ----------
    shape : tuple of int
        Shape of the Lava process: (n,), or (w, h, c) beside a convolution.
    view : tuple of int or None
        (c, h, w) beside a convolution.
    """

    shape: tuple[int, ...]
    view: tuple[int, int, int] | None = None

    @property
    def order(self) -> NDArray[np.int64]:
        """C-major number of each neuron in Lava's order, (n,)."""
        numbers = np.arange(int(np.prod(self.shape, dtype=np.int64)))
        if self.view is None:
            return numbers
        return np.ascontiguousarray(numbers.reshape(self.view).transpose(2, 1, 0)).reshape(-1)

    def register(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return per-neuron values, (n,), in Lava's shape."""
        return np.ascontiguousarray(values[self.order]).reshape(self.shape)

    def to_ring(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return signals (time, n) as a ring buffer holds them, (*shape, time)."""
        ring = values[:, self.order].T.reshape(*self.shape, len(values))
        return np.ascontiguousarray(ring, dtype=np.int64)

    def to_drive(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return signals (time, n) as biases of each step, (time, *shape)."""
        return np.ascontiguousarray(values[:, self.order]).reshape(len(values), *self.shape)

    def from_ring(self, ring: NDArray[Any]) -> NDArray[np.int64]:
        """Return a ring buffer (*shape, time) as signals (time, n); undoes `to_ring`."""
        flat = np.asarray(ring).reshape(-1, ring.shape[-1])
        values = np.empty((flat.shape[1], flat.shape[0]), dtype=np.int64)
        values[:, self.order] = flat.T
        return values


def layouts_of(config: LoihiConfig) -> dict[str, Layout]:
    """Return the layout of every population and input.

    A convolution at either end decides; where several see a layer in different shapes the first
    does, and `shape_conflicts` names the others.
    """
    found: dict[str, Layout] = {}
    for synapse in config.synapses:
        for name, view in _views(synapse).items():
            found.setdefault(name, Layout(view[::-1], view))
    names = [*config.input_shapes, *(p.name for p in config.populations)]
    return {n: found.get(n) or Layout((config.size_of(n),)) for n in names}


def shape_conflicts(config: LoihiConfig) -> dict[str, set[tuple[int, ...]]]:
    """Return layers that convolutions see in different shapes, with these shapes (c, h, w)."""
    seen: dict[str, set[tuple[int, ...]]] = {}
    for synapse in config.synapses:
        for name, view in _views(synapse).items():
            seen.setdefault(name, set()).add(view)
    return {name: views for name, views in seen.items() if len(views) > 1}


def _views(synapse: Any) -> Mapping[str, tuple[int, int, int]]:
    if not isinstance(synapse, ConvSynapse):
        return {}
    return {synapse.source: synapse.input_shape, synapse.target: synapse.output_shape}
