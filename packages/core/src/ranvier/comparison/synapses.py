"""Synaptic operations: every spike counts once per connection that it travels over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..graph import (
    Conv1d,
    Conv2d,
    Delay,
    Flatten,
    Folding,
    Graph,
    Linear,
    Neuron,
    Node,
    Scale,
    SparseLinear,
    StatelessCycleError,
    apply_linear,
)
from ..graph.convolution import AvgPool2d, SumPool2d

_COUNTED = (Linear, SparseLinear, Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten, Scale, Delay)
_ROWS = 256
"""Sources that are followed at a time."""


def fan_out(graph: Graph) -> dict[str, NDArray[np.int64]] | None:
    """Count the connections that leave each input channel and each neuron of a graph.

    A connection is a nonzero weight into a port of a neuron node, after the linear nodes between
    have been multiplied out; connections of different delays count separately.

    Parameters
    ----------
    graph : Graph
        The network.

    Returns
    -------
    mapping of str to int array, (n,), or None
        By name of the Input or neuron node. None for networks with other nodes on the way
        (transposed convolutions, thresholds) or with loops of linear nodes.
    """
    try:
        Folding(graph, graph.edges).paths()
    except StatelessCycleError:
        return None
    origins = [*graph.inputs, *graph.neurons]
    between = {e.source for e in graph.edges} - set(origins)
    if any(not isinstance(graph.nodes[name], _COUNTED) for name in between):
        return None
    return {name: _leaving(graph, name) for name in origins}


def _leaving(graph: Graph, origin: str) -> NDArray[np.int64]:
    """Count the connections of one origin's channels, a block of them at a time."""
    size = graph.nodes[origin].size
    return np.concatenate(
        [
            _block(graph, origin, np.eye(min(_ROWS, size - first), size, first))
            for first in range(0, size, _ROWS)
        ]
    )


def _block(graph: Graph, origin: str, rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """Push unit spikes through the linear nodes and count where they arrive."""
    count = np.zeros(len(rows), dtype=np.int64)
    waiting: dict[str, dict[int, NDArray[np.float64]]] = {}
    arrived: dict[tuple[str, str, int], NDArray[np.float64]] = {}

    def send(name: str, delay: int, values: NDArray[np.float64]) -> None:
        for edge in graph.edges_from(name):
            steps = delay + edge.delay
            if isinstance(graph.nodes[edge.target], Neuron):
                key = (edge.target, edge.port, steps)
                arrived[key] = arrived.get(key, 0.0) + values
            else:
                there = waiting.setdefault(edge.target, {})
                there[steps] = there.get(steps, 0.0) + values

    send(origin, 0, rows)
    for name in _between(graph):
        for delay, values in waiting.get(name, {}).items():
            send(name, delay, _apply(graph.nodes[name], values))
    for values in arrived.values():
        count += np.count_nonzero(values, axis=1)
    return count


def _apply(node: Node, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values if isinstance(node, Delay) else apply_linear(node, values)


def _between(graph: Graph) -> list[str]:
    """Return the linear nodes, sources first, whatever the delays of their edges."""
    linear = [n for n, node in graph.nodes.items() if isinstance(node, _COUNTED)]
    order: list[str] = []
    while len(order) < len(linear):
        order += [
            name
            for name in linear
            if name not in order
            and all(e.source in order or e.source not in linear for e in graph.edges_into(name))
        ]
    return order
