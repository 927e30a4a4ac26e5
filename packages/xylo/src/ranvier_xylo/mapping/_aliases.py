"""Residual connections as aliases: the chip copies a neuron's spikes onto another one.

Where every consumer of B also consumes A, ``A + B`` can be delivered by B alone once A is aliased
to B: A's spikes are added to B's in the same step, and A's own edges to those consumers go away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ranvier.graph import Edge, Graph

from ._structure import Roles


@dataclass
class Residuals:
    """Aliases found, edges that remain, and the residual connections that stay weights.

    Parameters
    ----------
    aliases : dict of str to str
        Target node by source node.
    edges : tuple of Edge
        Edges of the graph without those that the aliases replace.
    weights : list of tuple of str
        Pairs (A, B) that are delivered by weights of both.
    """

    aliases: dict[str, str]
    edges: tuple[Edge, ...]
    weights: list[tuple[str, str]] = field(default_factory=list)


def find_aliases(
    graph: Graph, order: Sequence[str], roles: Roles, *, forbidden: set[tuple[str, str]]
) -> Residuals:
    """Replace residual connections by aliases where the rules of the chip allow it.

    One alias per source, pointing to a later node of equal size, every consumer of which takes the
    source too. ``forbidden`` lists pairs (source, target) that must stay weights.
    """
    found = Residuals({}, graph.edges)
    hidden = [n for n in order if n in roles.hidden]
    for target in reversed(hidden):
        for source in reversed(hidden[: hidden.index(target)]):
            if not _consumers(found.edges, target):
                break
            if not _is_residual(graph, found.edges, source, target):
                continue
            if source in found.aliases or (source, target) in forbidden:
                found.weights.append((source, target))
                continue
            found.aliases[source] = target
            shared = {Edge(source, *consumer) for consumer in _consumers(found.edges, target)}
            found.edges = tuple(e for e in found.edges if e not in shared)
    return found


def _consumers(edges: Sequence[Edge], name: str) -> set[tuple[str, str, int]]:
    return {(e.target, e.port, e.delay) for e in edges if e.source == name}


def _is_residual(graph: Graph, edges: Sequence[Edge], source: str, target: str) -> bool:
    same_size = graph.nodes[source].output_shape == graph.nodes[target].output_shape
    return same_size and _consumers(edges, target) <= _consumers(edges, source)


def pointing_down(aliases: Mapping[str, str], order: Sequence[str]) -> set[tuple[str, str]]:
    """Return the aliases that do not point to a higher id."""
    rank = {name: position for position, name in enumerate(order)}
    return {(a, b) for a, b in aliases.items() if rank[a] >= rank[b]}
