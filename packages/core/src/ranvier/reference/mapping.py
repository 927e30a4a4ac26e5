"""Graph to mapped network: everything fits, only definitions can be missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..artifacts import MappedNetwork, Placement
from ..diagnostics import Diagnostic, Findings, describe
from ..errors import MappingError
from ..graph import AdaptiveLIF, AdEx, Graph, Input, Neuron, Node, Output, ResonateAndFire
from ..target import Target
from .diagnostics import BAD_TIME_CONSTANT, NO_SUCH_SCHEME, UNKNOWN_KIND

_SCHEME = {AdEx: "euler", ResonateAndFire: "exponential"}
_EULER_TIMES = {
    AdEx: ("tau_mem", "tau_syn", "tau_adaptation"),
    AdaptiveLIF: ("tau_mem", "tau_syn", "tau_threshold", "tau_refractory"),
}


def map_graph(graph: Graph, *, target: Target) -> MappedNetwork:
    """Place a graph on the reference: every element of every population has its own slot.

    Raises
    ------
    MappingError
        A node has no definition in the core, or a scheme its definition does not have; all such
        nodes are listed.
    """
    findings = Findings()
    for name, node in graph.nodes.items():
        findings.add(*_problems(name, node, graph.dt, target))
    errors = findings.errors()
    if errors:
        heading = f"{target.name}: the graph cannot be mapped, {len(errors)} problem(s)"
        raise MappingError(describe(errors, heading=heading), errors)
    return MappedNetwork(
        target=target.name,
        graph=graph,
        placement=_placement(graph),
        arrays={},
        diagnostics=findings.without_errors(),
    )


def _problems(name: str, node: Node, dt: float, target: Target) -> Iterator[Diagnostic]:
    if node.kind not in target.node_kinds:
        kind = getattr(node, "original_kind", node.kind)
        yield UNKNOWN_KIND.at(name, f"has kind {kind!r}", value=kind)
        return
    if not isinstance(node, Neuron):
        return
    for cls, scheme in _SCHEME.items():
        if isinstance(node, cls) and node.decay != scheme:
            message = f"{node.kind} has decay {node.decay!r}, its definition is {scheme!r}"
            yield NO_SUCH_SCHEME.at(name, message, value=node.decay, limit=scheme)
    for cls, fields in _EULER_TIMES.items():
        if isinstance(node, cls) and node.decay == "euler":
            for field in fields:
                shortest = float(getattr(node, field).min())
                if shortest < dt:
                    message = f"{field} is {shortest:g} s, below dt = {dt:g} s"
                    yield BAD_TIME_CONSTANT.at(name, message, value=shortest, limit=dt)


def _placement(graph: Graph) -> Placement:
    """Number inputs, neurons and outputs, each in the graph's order."""
    rows = []
    used = {"input": 0, "neuron": 0, "output": 0}
    for name in graph.order:
        node = graph.nodes[name]
        ports = ((Input, "input"), (Neuron, "neuron"), (Output, "output"))
        for kind, port in ports:
            if isinstance(node, kind):
                indices = np.arange(node.size)
                rows.append((name, indices, port, indices + used[port]))
                used[port] += node.size
    return Placement.from_rows(rows)
