"""Weights between neurons: the maps between them multiplied.

Where lists of weights would become long, unit pulses of every source are pushed through the maps
instead, in blocks: that keeps memory small where full matrices would not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.graph import Edge, Graph, Input, Linear, Neuron, Node, SparseLinear, apply_linear

from ._sparse import Weights, identity, product, summed, weights_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 1 << 22
"""Most values of one map's output that are held at a time."""


class _TooLongError(Exception):
    """A product of lists has too many terms."""


@dataclass
class _Lists:
    """Weights from one source node as lists."""

    graph: Graph
    origin: str

    def __post_init__(self) -> None:
        self._known: dict[str, Weights | None] = {}

    def into(self, edges: Sequence[Edge]) -> Weights | None:
        """Return the weights of all edges together, None for no connection."""
        parts = [p for e in edges if (p := self._out_of(e.source)) is not None]
        if len(parts) > 1:
            return summed(parts)
        return parts[0] if parts else None

    def _out_of(self, name: str) -> Weights | None:
        if name not in self._known:
            self._known[name] = self._computed(name)
        return self._known[name]

    def _computed(self, name: str) -> Weights | None:
        node = self.graph.nodes[name]
        if isinstance(node, Input | Neuron):
            return identity(node.size) if name == self.origin else None
        edges = self.graph.edges_into(name)
        own = weights_of(node)
        if own is not None and [e.source for e in edges] == [self.origin]:
            return own
        before = self.into(edges)
        if before is None or own is None:
            return before
        found = product(before, own)
        if found is None:
            raise _TooLongError(name)
        return found


@dataclass
class _Pulses:
    """Unit pulses of the elements start..stop of one source node."""

    graph: Graph
    origin: str
    start: int
    stop: int

    def __post_init__(self) -> None:
        self._known: dict[str, Floats | None] = {}

    def into(self, edges: Sequence[Edge]) -> Floats | None:
        """Return what arrives over edges, (stop - start, size), or None for nothing."""
        parts = [p for e in edges if (p := self._out_of(e.source)) is not None]
        return sum(parts[1:], start=parts[0]) if parts else None

    def _out_of(self, name: str) -> Floats | None:
        if name not in self._known:
            self._known[name] = self._computed(name)
        return self._known[name]

    def _computed(self, name: str) -> Floats | None:
        node = self.graph.nodes[name]
        if isinstance(node, Input | Neuron):
            return self._unit(node.size) if name == self.origin else None
        edges = self.graph.edges_into(name)
        if [e.source for e in edges] == [self.origin]:
            direct = _columns(node, self.start, self.stop)
            if direct is not None:
                return direct
        rows = self.into(edges)
        return None if rows is None else apply_linear(node, rows)

    def _unit(self, size: int) -> Floats:
        return np.eye(self.stop - self.start, size, k=self.start)


def _columns(node: Node, start: int, stop: int) -> Floats | None:
    """Return columns of a matrix, transposed, without multiplying by unit pulses."""
    if isinstance(node, Linear):
        return np.asarray(node.weight[:, start:stop].T)
    if isinstance(node, SparseLinear):
        rows = np.repeat(np.arange(node.size), np.diff(node.indptr))
        own = (node.indices >= start) & (node.indices < stop)
        result = np.zeros((stop - start, node.size))
        np.add.at(result, (node.indices[own] - start, rows[own]), node.data[own])
        return result
    return None


def weights_into(graph: Graph, name: str, ports: Sequence[str]) -> Iterator[tuple[str, Weights]]:
    """Yield every source node that drives some ports of a neuron node, with summed weights.

    Parameters
    ----------
    graph : Graph
        Without loops of stateless nodes.
    name : str
        Neuron node.
    ports : sequence of str
        Ports whose weights are added.
    """
    edges = [e for e in graph.edges_into(name) if e.port in ports]
    reached = _behind(graph, edges)
    widest = max((graph.nodes[n].size for n in reached), default=1)
    for origin in [n for n in graph.nodes if n in reached]:
        if not isinstance(graph.nodes[origin], Input | Neuron):
            continue
        try:
            weights = _Lists(graph, origin).into(edges)
        except _TooLongError:
            weights = _pushed(graph, origin, edges, widest)
        if weights is not None:
            yield origin, weights


def _pushed(graph: Graph, origin: str, edges: Sequence[Edge], widest: int) -> Weights:
    size = graph.nodes[origin].size
    step = max(1, min(size, BLOCK // max(widest, size)))
    blocks = [
        _nonzero(_Pulses(graph, origin, k, min(k + step, size)).into(edges), k)
        for k in range(0, size, step)
    ]
    return Weights(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def _nonzero(rows: Floats | None, start: int) -> tuple[Ints, Ints, Floats]:
    values = np.zeros((0, 1)) if rows is None else rows
    source, target = np.nonzero(values)
    return source.astype(np.int64) + start, target.astype(np.int64), values[source, target]


def _behind(graph: Graph, edges: Sequence[Edge]) -> set[str]:
    """Return the nodes from which edges can be reached, up to inputs and neurons."""
    found: set[str] = set()
    stack = [e.source for e in edges]
    while stack:
        name = stack.pop()
        if name in found:
            continue
        found.add(name)
        if not isinstance(graph.nodes[name], Input | Neuron):
            stack += [e.source for e in graph.edges_into(name)]
    return found


def constant_into(graph: Graph, name: str, port: str) -> Floats:
    """Return what the biases of maps add to a port in every step, flattened.

    Parameters
    ----------
    graph : Graph
        Without loops of stateless nodes.
    name, port : str
        Port of a neuron node.
    """
    known: dict[str, Floats] = {}

    def out_of(source: str) -> Floats:
        if source not in known:
            node = graph.nodes[source]
            known[source] = (
                np.zeros(node.size)
                if isinstance(node, Input | Neuron)
                else _biased(node, arriving(source, node.ports[0]))
            )
        return known[source]

    def arriving(target: str, at: str) -> Floats:
        size = int(np.prod(graph.nodes[target].input_shape(at), dtype=np.int64))
        total = np.zeros(size)
        for edge in graph.edges_into(target):
            if edge.port == at:
                total = total + out_of(edge.source)
        return total

    return arriving(name, port)


def _biased(node: Node, row: Floats) -> Floats:
    result = np.asarray(apply_linear(node, row[None])[0])
    bias = getattr(node, "bias", None)
    if bias is None:
        return result
    return np.asarray(result + np.repeat(bias, result.size // bias.size))
