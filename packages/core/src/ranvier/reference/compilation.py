"""A graph compiled to a flat program: what the kernel executes in every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..graph import (
    AvgPool2d,
    Delay,
    Flatten,
    Graph,
    Input,
    Linear,
    Neuron,
    Node,
    Output,
    Scale,
    SparseLinear,
    Threshold,
)
from ..graph.convolution import Convolution, Pool2d
from . import opcodes as op
from ._dynamics import compile_neuron
from .program import Builder, Program
from .sparse import sparse_columns


def compile_graph(graph: Graph) -> Program:
    """Compile a graph.

    Nodes run in topological order. Inputs of one port are added in order of the edges; a lone
    undelayed edge is no instruction at all. Delayed edges read rings of past outputs, which are
    written after the last node.
    """
    build = Builder()
    rings = {name: _ring(build, graph, name) for name in graph.nodes}
    columns = _input_columns(graph)
    for name in graph.order:
        site = Site(build, graph, name, rings)
        node = graph.nodes[name]
        if isinstance(node, Input):
            build.values[name] = y = build.value(node.size)
            build.emit(op.INPUT, node.size, y, columns[name])
        elif isinstance(node, Neuron):
            arriving = [site.arrive(port) for port in node.ports]
            build.values[name] = compile_neuron(build, name, node, arriving, dt=graph.dt)
        else:
            build.values[name] = _compile_map(site, node)
    for name, (ring, depth) in rings.items():
        if depth:
            build.emit(op.PUSH, graph.nodes[name].size, ring, depth, build.values[name])
    return build.finish()


Ring: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Site:
    """One node while it is compiled."""

    build: Builder
    graph: Graph
    name: str
    rings: dict[str, Ring]

    def arrive(self, port: str = "in") -> int:
        """Return where the summed input of a port lies."""
        edges = [e for e in self.graph.edges_into(self.name) if e.port == port]
        if len(edges) == 1 and not edges[0].delay:
            return self.build.values[edges[0].source]
        n = int(np.prod(self.graph.nodes[self.name].input_shape(port)))
        y = self.build.value(n)
        self.build.emit(op.ZERO, n, y)
        for edge in edges:
            if edge.delay:
                self.build.emit(op.RECALL, n, y, *self.rings[edge.source], edge.delay)
            else:
                self.build.emit(op.ADD, n, y, self.build.values[edge.source])
        return y


def _ring(build: Builder, graph: Graph, name: str) -> Ring:
    """Reserve the past outputs that delayed edges of a node need; depth 0 if there are none."""
    depth = max((e.delay for e in graph.edges_from(name)), default=0)
    if not depth:
        return (-1, 0)
    shape = (depth, *graph.nodes[name].output_shape)
    return build.state(name, "history", shape, ring=True), depth


def _input_columns(graph: Graph) -> dict[str, int]:
    """Return where each input starts in a row of the joined inputs."""
    sizes = [graph.nodes[name].size for name in graph.inputs]
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    return {name: int(start) for name, start in zip(graph.inputs, starts, strict=True)}


def _compile_map(site: Site, node: Node) -> int:
    """Compile a node without dynamics of its own and return where its output lies."""
    for kinds, function in _MAPS:
        if isinstance(node, kinds):
            return function(site, node, site.arrive())
    raise TypeError(f"{node.kind} cannot be compiled")


def _pass(site: Site, node: Node, x: int) -> int:
    return x


def _linear(site: Site, node: Linear, x: int) -> int:
    y = _biased(site, node)
    n_in = node.weight.shape[1]
    site.build.emit(op.DENSE, node.size, y, x, n_in, site.build.dense(node.weight))
    return y


def _sparse(site: Site, node: SparseLinear | Convolution | Pool2d, x: int) -> int:
    y = _biased(site, node)
    columns = sparse_columns(node)
    n_in = columns.pointers.size - 1
    site.build.emit(op.SPARSE, node.size, y, x, n_in, site.build.sparse(columns))
    return y


def _average(site: Site, node: AvgPool2d, x: int) -> int:
    y = _sparse(site, node, x)
    area = site.build.parameters((node.size,), float(np.prod(node.kernel_size)))
    site.build.emit(op.DIVIDE, node.size, y, y, area)
    return y


def _biased(site: Site, node: Any) -> int:
    """Reserve an output that starts every step at the bias, per channel in convolutions."""
    n, bias = node.size, getattr(node, "bias", None)
    y = site.build.value(n)
    if bias is None:
        site.build.emit(op.ZERO, n, y)
        return y
    per_element = bias.reshape(-1, *(1,) * (len(node.output_shape) - 1))
    site.build.emit(op.FILL, n, y, site.build.parameters(node.output_shape, per_element))
    return y


def _scale(site: Site, node: Scale, x: int) -> int:
    y = site.build.value(node.size)
    factors = site.build.parameters(node.shape, node.scale)
    site.build.emit(op.MULTIPLY, node.size, y, x, factors)
    return y


def _threshold(site: Site, node: Threshold, x: int) -> int:
    y = site.build.value(node.size)
    level = site.build.parameters(node.shape, node.threshold)
    strict = op.STRICT if node.comparison == ">" else 0
    site.build.emit(op.COMPARE, node.size, y, x, level, strict)
    return y


def _delay(site: Site, node: Delay, x: int) -> int:
    steps = np.rint(node.delay / site.graph.dt)
    depth = int(steps.max())
    if depth == 0:
        return x
    y = site.build.value(node.size)
    ring = site.build.state(site.name, "delayed", (depth, *node.shape), ring=True)
    delays = site.build.parameters(node.shape, steps)
    site.build.emit(op.DELAY, node.size, y, ring, depth, x, delays)
    return y


_MAPS: tuple[tuple[Any, Callable[..., int]], ...] = (
    ((Output, Flatten), _pass),
    (Linear, _linear),
    (AvgPool2d, _average),
    ((SparseLinear, Convolution, Pool2d), _sparse),
    (Scale, _scale),
    (Threshold, _threshold),
    (Delay, _delay),
)
