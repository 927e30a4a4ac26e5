"""Extra steps that signals need on the chip, where a hop from neuron to neuron takes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..diagnostics import ADDED_LATENCY, UNEQUAL_LATENCY, Findings
from .folding import SignalPath
from .maps import Input
from .network import Graph
from .neuron import Neuron
from .node import Node


def latencies(
    graph: Graph,
    paths: Iterable[SignalPath],
    order: Iterable[str],
    *,
    hop: int | Callable[[SignalPath], int],
    findings: Findings,
) -> dict[str, int]:
    """Return the extra latency of every node's signal, compared with the graph.

    A path with delay d in the graph and a hop of h steps on the chip adds ``h - d``; inputs hop in
    no time. A node inherits the latest arrival; unequal arrivals are reported as a loss.

    Parameters
    ----------
    graph : Graph
        The network.
    paths : iterable of SignalPath
        All paths between origins.
    order : iterable of str
        Neuron nodes, sources first.
    hop : int or callable
        Steps from neuron to neuron; or steps of each path, those from inputs too, for chips on
        which hops differ.
    findings : Findings
        Receives CORE004 and CORE005.
    """
    into: dict[str, list[SignalPath]] = {}
    for path in paths:
        into.setdefault(path.target, []).append(path)
    late = dict.fromkeys(graph.inputs, 0)

    def arrival(path: SignalPath) -> int:
        if callable(hop):
            return late[path.source] + hop(path) - path.delay
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


def _label(path: SignalPath) -> str:
    delay = f" (delay {path.delay})" if path.delay else ""
    return f"{path.source!r}{delay}"


def _report_unequal(name: str, arrivals: Mapping[str, int], findings: Findings) -> None:
    late = ", ".join(f"from {source} +{steps}" for source, steps in arrivals.items())
    spread = max(arrivals.values()) - min(arrivals.values())
    findings.add(
        UNEQUAL_LATENCY.at(name, f"paths arrive at different extra steps: {late}", value=spread)
    )


def topological_order(nodes: Mapping[str, Node], paths: Iterable[SignalPath]) -> tuple[str, ...]:
    """Order neuron nodes so that paths point forwards; inside a loop delays may point back.

    Loops (strongly connected nodes) stay together. Inside one, undelayed paths point forwards.
    """
    neurons = [n for n, node in nodes.items() if isinstance(node, Neuron)]
    follow: dict[str, set[str]] = {n: set() for n in neurons}
    prompt: dict[str, set[str]] = {n: set() for n in neurons}
    for path in paths:
        if path.source in follow and path.source != path.target:
            follow[path.source].add(path.target)
            if not path.delay:
                prompt[path.source].add(path.target)
    reach = {n: _reachable(n, follow) for n in neurons}

    def before(a: str, b: str) -> bool:
        same_loop = b in reach[a] and a in reach[b]
        return b in (_reachable(a, prompt) if same_loop else reach[a])

    order: list[str] = []
    waiting = list(neurons)
    while waiting:
        ready = next(n for n in waiting if not any(before(m, n) for m in waiting if m != n))
        order.append(ready)
        waiting.remove(ready)
    return tuple(order)


def _reachable(start: str, follow: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    stack = list(follow[start])
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += follow[name]
    return found
