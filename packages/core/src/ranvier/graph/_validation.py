"""Structural checks of a graph and its topological order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import GraphError
from .dynamics import decay_factor
from .maps import Input, Output
from .neuron import Neuron
from .node import Node, UnknownNode

if TYPE_CHECKING:
    from .network import Edge, Graph


def validate(graph: Graph) -> None:
    """Raise one `GraphError` that lists every structural problem of a graph."""
    problems = [*_time_step(graph.dt), *_names(graph.nodes)]
    edges = [e for e in graph.edges if e.source in graph.nodes and e.target in graph.nodes]
    problems += _dangling(graph)
    for edge in edges:
        problems += _edge_problems(edge, graph.nodes)
    problems += _ends(graph.nodes, edges)
    if not problems or len(edges) == len(graph.edges):
        problems += _cycles(graph.nodes, edges)
    if not _time_step(graph.dt):
        problems += _decays(graph.nodes, graph.dt)
    if problems:
        raise GraphError("graph: " + "; ".join(problems))


def _time_step(dt: Any) -> list[str]:
    if isinstance(dt, bool) or not isinstance(dt, (int, float)) or not math.isfinite(dt) or dt <= 0:
        return [f"dt is {dt!r}, must be a finite number of seconds > 0"]
    return []


def _names(nodes: Mapping[str, Node]) -> list[str]:
    if not nodes:
        return ["there is no node; a network needs at least one"]
    problems = []
    for name, node in nodes.items():
        if not isinstance(name, str) or not name or "/" in name or not name.isprintable():
            problems.append(f"node name {name!r} must be printable text without '/'")
        if name in (".", ".."):
            problems.append(f"node name {name!r} is reserved")
        if not isinstance(node, Node):
            problems.append(f"node {name!r} is a {type(node).__name__}, not a Node")
    return problems


def _dangling(graph: Graph) -> list[str]:
    return [
        f"edge {edge} names {end!r}, which is not a node"
        for edge in graph.edges
        for end in (edge.source, edge.target)
        if end not in graph.nodes
    ]


def _edge_problems(edge: Edge, nodes: Mapping[str, Node]) -> list[str]:
    source, target = nodes[edge.source], nodes[edge.target]
    if not isinstance(source, Node) or not isinstance(target, Node):
        return []
    problems = []
    if isinstance(edge.delay, bool) or not isinstance(edge.delay, int) or edge.delay < 0:
        problems.append(f"edge {edge}: delay {edge.delay!r} must be a whole number of steps >= 0")
    if isinstance(target, Input):
        problems.append(f"edge {edge} ends at an Input")
    if isinstance(source, Output):
        problems.append(f"edge {edge} starts at an Output")
    if isinstance(source, UnknownNode) or isinstance(target, UnknownNode):
        return problems
    if edge.port not in target.ports:
        problems.append(
            f"edge {edge}: {target.kind} has no port {edge.port!r}; its ports: {target.ports}"
        )
    elif source.output_shape != target.input_shape(edge.port):
        problems.append(
            f"edge {edge}: {edge.source!r} emits shape {source.output_shape}, "
            f"{edge.target!r} expects {target.input_shape(edge.port)}"
        )
    return problems


def _ends(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> list[str]:
    targets = {e.target for e in edges}
    problems = [
        f"node {name!r} ({node.kind}) has no input edge"
        for name, node in nodes.items()
        if isinstance(node, Node) and not isinstance(node, Input) and name not in targets
    ]
    if nodes and not any(isinstance(n, Input) for n in nodes.values()):
        problems.append("there is no Input node")
    if nodes and not any(isinstance(n, Output) for n in nodes.values()):
        problems.append("there is no Output node")
    seen: set[tuple[str, str, str, int]] = set()
    for edge in edges:
        key = (edge.source, edge.target, edge.port, edge.delay)
        if key in seen:
            problems.append(f"edge {edge} appears twice")
        seen.add(key)
    return problems


def _cycles(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> list[str]:
    order = _sorted_part(nodes, edges)
    stuck = [n for n in nodes if n not in set(order)]
    if not stuck:
        return []
    return [
        f"a cycle without delay runs through {stuck}; "
        "give the recurrent edge delay=1 (it delivers the previous step's spikes)"
    ]


def _decays(nodes: Mapping[str, Node], dt: float) -> list[str]:
    problems = []
    for name, node in nodes.items():
        if not isinstance(node, Neuron) or node.decay != "euler":
            continue
        for field in ("tau_mem", "tau_syn"):
            if hasattr(node, field):
                try:
                    decay_factor(node.parameter(field), dt=dt, decay="euler")
                except GraphError as error:
                    problems.append(f"node {name!r}: {field}: {error}")
    return problems


def _sorted_part(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> list[str]:
    """Kahn's algorithm over undelayed edges; nodes on or behind a cycle of these are missing.

    Among nodes that are ready, one whose delayed inputs are done as well comes first, so that a
    network without recurrence is in order throughout.
    """
    hard = dict.fromkeys(nodes, 0)
    soft = dict.fromkeys(nodes, 0)
    followers: dict[str, list[Edge]] = {n: [] for n in nodes}
    for edge in edges:
        (soft if edge.delay else hard)[edge.target] += 1
        followers[edge.source].append(edge)
    ready = [n for n, count in hard.items() if count == 0]
    order: list[str] = []
    while ready:
        name = next((n for n in ready if soft[n] == 0), ready[0])
        ready.remove(name)
        order.append(name)
        for edge in followers[name]:
            (soft if edge.delay else hard)[edge.target] -= 1
            if not edge.delay and hard[edge.target] == 0:
                ready.append(edge.target)
    return order


def order_nodes(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> tuple[str, ...]:
    """Return the topological order over undelayed edges.

    Parameters
    ----------
    nodes : mapping of str to Node
        Nodes by name.
    edges : sequence of Edge
        Connections; those with a delay put no node before another.

    Returns
    -------
    tuple of str
        All names, sources first.
    """
    return tuple(_sorted_part(nodes, edges))
