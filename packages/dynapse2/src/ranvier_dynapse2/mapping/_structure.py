"""Checks of a graph's structure: kinds, outputs, what maps stand between, delays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ranvier.diagnostics import Findings
from ranvier.graph import (
    Conv1d,
    Conv2d,
    Edge,
    Flatten,
    Folding,
    Graph,
    Input,
    Linear,
    Neuron,
    SignalPath,
    SparseLinear,
    StatelessCycleError,
)

from .. import diagnostics as codes

MATRICES = (Linear, SparseLinear, Conv1d, Conv2d)
"""Maps with trained weights."""


def check_kinds(graph: Graph, kinds: Iterable[str], *, target: str, findings: Findings) -> bool:
    """Report nodes whose kind the target does not accept; return whether all are accepted."""
    allowed = tuple(kinds)
    good = True
    for name, node in graph.nodes.items():
        if node.kind not in allowed:
            good = False
            kind = getattr(node, "original_kind", node.kind)
            findings.add(
                codes.UNSUPPORTED_NODE.at(
                    name,
                    f"{kind} is not available on {target}, allowed are {', '.join(allowed)}",
                    value=kind,
                    limit=", ".join(allowed),
                )
            )
    return good


def shown_by_outputs(graph: Graph, findings: Findings) -> dict[str, str]:
    """Return the neuron node that every Output shows; report outputs that show another thing."""
    shown: dict[str, str] = {}
    for name in graph.outputs:
        edges = graph.edges_into(name)
        source = edges[0].source if edges else ""
        if len(edges) == 1 and not edges[0].delay and isinstance(graph.nodes[source], Neuron):
            shown[name] = source
        else:
            findings.add(codes.OUTPUT_NOT_NEURON.at(name, f"is fed by {_feeders(graph, edges)}"))
    if not graph.neurons:
        findings.add(codes.NO_NEURONS.at(None, "there are 0 neuron nodes", value=0, limit=1))
    return shown


def _feeders(graph: Graph, edges: Iterable[Edge]) -> str:
    sources = ", ".join(
        f"{e.source!r} ({graph.nodes[e.source].kind}{f', delay {e.delay}' if e.delay else ''})"
        for e in edges
    )
    return f"{sources or 'nothing'}, must be one neuron node without delay"


def check_maps(graph: Graph, findings: Findings) -> None:
    """Report inputs that reach neurons without weights, and matrices right behind matrices."""
    for name, node in graph.nodes.items():
        if isinstance(node, Neuron):
            for source in _behind_reshapes(graph, name, ()):
                if isinstance(graph.nodes[source], Input):
                    message = f"{node.kind} neurons are driven by input {source!r} directly"
                    findings.add(codes.INPUT_WITHOUT_MAP.at(name, message))
        elif isinstance(node, MATRICES):
            for source in dict.fromkeys(_behind_reshapes(graph, name, ())):
                before = graph.nodes[source]
                if isinstance(before, MATRICES):
                    message = (
                        f"{source!r} ({before.kind}) and {name!r} ({node.kind}) follow each other "
                        "without neurons in between"
                    )
                    findings.add(codes.LINEAR_FOLDED.at(name, message))


def _behind_reshapes(graph: Graph, name: str, seen: tuple[str, ...]) -> Iterator[str]:
    """Yield what feeds a node, looking through Flatten."""
    for edge in graph.edges_into(name):
        if not isinstance(graph.nodes[edge.source], Flatten):
            yield edge.source
        elif edge.source not in seen:
            yield from _behind_reshapes(graph, edge.source, (*seen, edge.source))


def paths_of(graph: Graph, findings: Findings) -> list[SignalPath] | None:
    """Return all paths between inputs and neurons; None, and an error, for a stateless loop."""
    try:
        return Folding(graph, graph.edges).paths()
    except StatelessCycleError as error:
        findings.add(codes.LOOP_WITHOUT_NEURON.at(str(error), "lies on a loop without neurons"))
        return None


def check_delays(
    graph: Graph, paths: Iterable[SignalPath], *, hop: int, findings: Findings
) -> None:
    """Report delays beyond the hop from neuron to neuron, and any from an input.

    Parameters
    ----------
    graph : Graph
        The network.
    paths : iterable of SignalPath
        All of its paths.
    hop : int
        Steps from neuron to neuron.
    findings : Findings
        Receives the errors.
    """
    for path in paths:
        from_input = isinstance(graph.nodes[path.source], Input)
        most = 0 if from_input else hop
        if path.delay > most:
            kind = "input" if from_input else "neurons"
            findings.add(
                codes.DELAY.at(
                    path.target,
                    f"the path from {kind} {path.source!r} has delay {path.delay}, the chip offers "
                    f"at most {most}",
                    value=path.delay,
                    limit=most,
                )
            )
