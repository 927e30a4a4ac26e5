"""Extra steps that signals need on the chip, where a hop from neuron to neuron takes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ranvier.diagnostics import ADDED_LATENCY, UNEQUAL_LATENCY, Findings
from ranvier.graph import Graph, Input

from ._paths import Path


def latencies(
    graph: Graph, paths: Iterable[Path], order: Iterable[str], *, hop: int, findings: Findings
) -> dict[str, int]:
    """Return the extra latency of every node's signal, compared with the graph.

    A path with delay d in the graph and a hop of h steps on the chip adds ``h - d``; inputs hop in
    no time. A node inherits the latest arrival; unequal arrivals are reported as a loss.

    Parameters
    ----------
    graph : Graph
        The network.
    paths : iterable of Path
        All paths between origins.
    order : iterable of str
        Neuron nodes, sources first.
    hop : int
        Steps from neuron to neuron.
    findings : Findings
        Receives CORE004 and CORE005.
    """
    into: dict[str, list[Path]] = {}
    for path in paths:
        into.setdefault(path.target, []).append(path)
    late = dict.fromkeys(graph.inputs, 0)

    def arrival(path: Path) -> int:
        from_input = isinstance(graph.nodes[path.source], Input)
        return late[path.source] + (0 if from_input else hop) - path.delay

    for name in order:
        known = [arrival(p) for p in into.get(name, ()) if p.source in late]
        late[name] = max(known, default=0)
    for name in [n for n in late if n not in graph.inputs]:
        arrivals = {_label(p): arrival(p) for p in into.get(name, ())}
        if len(set(arrivals.values())) > 1:
            _report_unequal(name, arrivals, findings)
        elif late[name]:
            findings.add(
                ADDED_LATENCY.at(name, f"arrives {late[name]} step(s) later", value=late[name])
            )
    for name in graph.outputs:
        sources = [late[e.source] for e in graph.edges_into(name) if e.source in late]
        late[name] = max(sources, default=0)
    return late


def _label(path: Path) -> str:
    delay = f" (delay {path.delay})" if path.delay else ""
    return f"{path.source!r}{delay}"


def _report_unequal(name: str, arrivals: Mapping[str, int], findings: Findings) -> None:
    late = ", ".join(f"from {source} +{steps}" for source, steps in arrivals.items())
    spread = max(arrivals.values()) - min(arrivals.values())
    findings.add(
        UNEQUAL_LATENCY.at(name, f"paths arrive at different extra steps: {late}", value=spread)
    )
