"""Node kinds that are a small network of other kinds."""

from __future__ import annotations

import numpy as np

from ranvier.graph import CubaLIF, Edge, Graph, Linear, Node

from ..nodes import KWinners

DRIVE_SCALE = 64.0
"""The constant drive is ``threshold (n - 2 k) / (64 n)``: lava-dl 0.6.0, block KWTA."""


def expanded(graph: Graph) -> Graph:
    """Return a graph in which competing layers are CubaLIF neurons with a loop of weights.

    The neurons keep the node's name; the loop is named after it, with ``.competition``. Layers
    of more than one axis stay as they are: no stateless node gives them their shape back.

    References
    ----------
    lava-dl 0.6.0 documentation, block ``KWTA``: weights ``(1 + a) I - 1``.
    """
    layers = {
        n: node
        for n, node in graph.nodes.items()
        if isinstance(node, KWinners) and len(node.shape) == 1
    }
    if not layers:
        return graph
    nodes: dict[str, Node] = dict(graph.nodes)
    edges = list(graph.edges)
    for name, layer in layers.items():
        loop = _free(f"{name}.competition", nodes)
        nodes |= {name: _neurons(layer), loop: _competition(layer)}
        edges += [Edge(name, loop, delay=1), Edge(loop, name)]
    return Graph(nodes, tuple(edges), graph.dt, graph.metadata)


def _neurons(layer: KWinners) -> CubaLIF:
    shared = (
        "v_rest bias decay threshold reset v_reset refractory max_spikes comparison tau_mem tau_syn"
    )
    return CubaLIF(shape=layer.shape, **{n: getattr(layer, n) for n in shared.split()})


def _competition(layer: KWinners) -> Linear:
    n = layer.size
    weight = (1.0 + layer.self_excitation) * np.eye(n) - 1.0
    share = (n - 2 * layer.num_winners) / (DRIVE_SCALE * n)
    return Linear(weight=weight, bias=layer.parameter("threshold").ravel() * share)


def _free(name: str, taken: dict[str, Node]) -> str:
    while name in taken:
        name += "_"
    return name
