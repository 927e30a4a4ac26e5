"""Gains on the inputs of neurons: folded into the weights in front, else a Scale node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...graph import Conv1d, Conv2d, Edge, Linear, Node, Scale

Array = NDArray[np.float64]


def apply_gains(
    nodes: dict[str, Node], edges: list[Edge], gains: Mapping[str, Array]
) -> tuple[dict[str, Node], list[Edge]]:
    """Multiply what arrives at neurons by their gains.

    A linear map or convolution that feeds only this neuron takes the gain into weight and bias.
    All other inputs of the neuron pass through one new node ``<neuron>.gain``.

    Parameters
    ----------
    nodes, edges
        Parts of a graph.
    gains : mapping of str to array
        Per neuron, broadcastable to its shape.
    """
    nodes = dict(nodes)
    uses = Counter(edge.source for edge in edges)
    for name, gain in gains.items():
        shape = nodes[name].output_shape
        full = np.broadcast_to(gain, shape)
        rest = []
        for edge in [e for e in edges if e.target == name]:
            source = nodes[edge.source]
            scaled = _scaled(source, full) if uses[edge.source] == 1 else None
            if scaled is None:
                rest.append(edge)
            else:
                nodes[edge.source] = scaled
        if rest:
            extra = _unused(f"{name}.gain", nodes)
            nodes[extra] = Scale(shape=shape, scale=gain)
            moved = [Edge(e.source, extra, delay=e.delay) for e in rest]
            edges = [e for e in edges if e not in rest] + moved + [Edge(extra, name)]
    return nodes, edges


def _scaled(node: Node, gain: Array) -> Node | None:
    """Return a map with the gain inside, None if it cannot hold it."""
    if not isinstance(node, (Linear, Conv1d, Conv2d)):
        return None
    channels = gain.reshape(gain.shape[0], -1)
    if np.any(channels != channels[:, :1]):
        return None
    factor = channels[:, 0]
    weight = node.weight * factor.reshape(-1, *(1,) * (node.weight.ndim - 1))
    bias = None if node.bias is None else node.bias * factor
    return node.replace(weight=weight, bias=bias)


def _unused(name: str, taken: Mapping[str, Node]) -> str:
    while name in taken:
        name += "_"
    return name
