"""What reaches a neuron: paths from inputs and neurons through stateless nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._linear import apply_linear, bias_of
from .maps import Input
from .network import Edge, Graph
from .neuron import Neuron

Array = NDArray[np.float64]
Origin: TypeAlias = tuple[str, int]
"""Source node and total delay, in steps, of a path."""


class StatelessCycleError(Exception):
    """A loop of stateless nodes: it would be a filter with memory of its own."""


@dataclass(frozen=True)
class SignalPath:
    """All connections from one source to one port of a neuron node with one delay."""

    source: str
    target: str
    port: str
    delay: int


@dataclass
class AffineMap:
    """``y = sum over origins of matrix @ source + bias``; matrices are (n_source, n_target)."""

    parts: dict[Origin, Array]
    bias: Array

    def add(self, other: AffineMap, *, delay: int) -> None:
        """Add a map whose origins arrive ``delay`` steps later."""
        for (source, steps), matrix in other.parts.items():
            key = (source, steps + delay)
            self.parts[key] = self.parts[key] + matrix if key in self.parts else matrix
        self.bias = self.bias + other.bias


@dataclass
class Folding:
    """Folds the stateless part of a graph, over a chosen set of edges.

    Parameters
    ----------
    graph : Graph
        The network.
    edges : tuple of Edge
        Its edges, or those that aliases have not replaced.
    """

    graph: Graph
    edges: tuple[Edge, ...]
    _origins: dict[str, set[Origin]] = field(default_factory=dict)
    _affine: dict[str, AffineMap] = field(default_factory=dict)

    def is_origin(self, name: str) -> bool:
        """Whether paths start here: at an Input or a neuron."""
        return isinstance(self.graph.nodes[name], Input | Neuron)

    def into(self, name: str, port: str) -> list[Edge]:
        """Return the edges that end at a port."""
        return [e for e in self.edges if e.target == name and e.port == port]

    def paths(self) -> list[SignalPath]:
        """Return every path between origins, without its weights.

        Raises
        ------
        StatelessCycleError
            Stateless nodes form a loop; the message names one of them.
        """
        found = []
        for name, node in self.graph.nodes.items():
            for port in node.ports if isinstance(node, Neuron) else ():
                origins = self._reach(self.into(name, port), ())
                found += [SignalPath(s, name, port, delay) for s, delay in sorted(origins)]
        return found

    def _reach(self, edges: Iterable[Edge], visiting: tuple[str, ...]) -> set[Origin]:
        origins: set[Origin] = set()
        for edge in edges:
            if self.is_origin(edge.source):
                origins.add((edge.source, edge.delay))
                continue
            if edge.source in visiting:
                raise StatelessCycleError(edge.source)
            if edge.source not in self._origins:
                inner = [e for e in self.edges if e.target == edge.source]
                self._origins[edge.source] = self._reach(inner, (*visiting, edge.source))
            origins |= {(s, steps + edge.delay) for s, steps in self._origins[edge.source]}
        return origins

    def weights_into(self, name: str, port: str) -> AffineMap:
        """Return the affine map from all origins to a port of a neuron node."""
        size = self.graph.nodes[name].size
        return self._sum(self.into(name, port), size)

    def _sum(self, edges: Iterable[Edge], size: int) -> AffineMap:
        total = AffineMap({}, np.zeros(size))
        for edge in edges:
            total.add(self._map_of(edge.source), delay=edge.delay)
        return total

    def _map_of(self, name: str) -> AffineMap:
        if name not in self._affine:
            node = self.graph.nodes[name]
            if self.is_origin(name):
                result = AffineMap({(name, 0): np.eye(node.size)}, np.zeros(node.size))
            else:
                inner = [e for e in self.edges if e.target == name]
                before = self._sum(inner, int(np.prod(node.input_shape())))
                own = bias_of(node)
                bias = apply_linear(node, before.bias[None])[0]
                parts = {o: apply_linear(node, m) for o, m in before.parts.items()}
                result = AffineMap(parts, bias if own is None else bias + own)
            self._affine[name] = result
        return self._affine[name]
