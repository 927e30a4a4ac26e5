"""Checks of a graph's structure: kinds, outputs, delays; and the latency of every layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ranvier.diagnostics import Findings
from ranvier.graph import (
    AdEx,
    Edge,
    Folding,
    Graph,
    Input,
    Neuron,
    SignalPath,
    SpikingNeuron,
    StatelessCycleError,
)

from .. import diagnostics as codes
from ..nodes import AnalogNeuron

FOLDABLE = 1 << 13
"""Most channels and neurons, all together, for which weights are folded."""


def check_kinds(graph: Graph, kinds: Iterable[str], *, target: str, findings: Findings) -> bool:
    """Report nodes whose kind the target does not accept; return whether all are accepted."""
    allowed = tuple(kinds)
    strangers = [n for n, node in graph.nodes.items() if node.kind not in allowed]
    for name in strangers:
        kind = getattr(graph.nodes[name], "original_kind", graph.nodes[name].kind)
        text = f"{kind} is not available on {target}, allowed are {', '.join(allowed)}"
        findings.add(codes.UNSUPPORTED_NODE.at(name, text, value=kind, limit=", ".join(allowed)))
    return not strangers


def emits_spikes(node: object) -> bool:
    """Say whether a neuron node fires."""
    if isinstance(node, AnalogNeuron):
        return node.fire
    return isinstance(node, SpikingNeuron)


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


def paths_of(graph: Graph, findings: Findings) -> list[SignalPath] | None:
    """Return all paths between inputs and neurons; None, and an error, for a stateless loop."""
    try:
        return Folding(graph, graph.edges).paths()
    except StatelessCycleError as error:
        findings.add(codes.LOOP_WITHOUT_NEURON.at(str(error), "lies on a loop without neurons"))
        return None


def check_sources(graph: Graph, paths: Iterable[SignalPath], findings: Findings) -> None:
    """Report neurons that do not fire and yet drive others, and channels that drive none."""
    for path in paths:
        node = graph.nodes[path.source]
        if isinstance(node, Neuron) and not emits_spikes(node):
            text = f"{node.kind} neurons drive {path.target!r}"
            findings.add(codes.READOUT_INSIDE.at(path.source, text))


def too_large(graph: Graph, *, circuits: int, findings: Findings) -> bool:
    """Report a network whose weights are not worth the memory."""
    needed = sum(n.size for n in graph.nodes.values() if isinstance(n, Input | Neuron))
    if needed > FOLDABLE:
        text = (
            f"{needed} channels and neurons, at most {FOLDABLE} are tried on a chip with "
            f"{circuits} circuits"
        )
        findings.add(codes.TOO_LARGE.at(None, text, value=needed, limit=FOLDABLE))
    return needed > FOLDABLE


class Hops:
    """Steps that a signal takes on the chip, path by path.

    A synapse into a neuron with the canonical update costs a step, since the chip's membrane is
    driven by the current of the step before; `AdEx` and the chip's own neuron count that step
    themselves. Inside a loop, spikes arrive in the next step.

    Parameters
    ----------
    graph : Graph
        The network.
    order : sequence of str
        Neuron nodes, sources first.
    """

    def __init__(self, graph: Graph, order: Sequence[str]) -> None:
        self._graph = graph
        self._place: Mapping[str, int] = {name: k for k, name in enumerate(order)}

    def chip_delay(self, path: SignalPath) -> int:
        """Return the delay of the projection, in steps: 1 inside a loop, else 0."""
        if path.source not in self._place:
            return 0
        return int(self._place[path.source] >= self._place[path.target])

    def __call__(self, path: SignalPath) -> int:
        """Return the steps from the source's signal to the target's."""
        own = isinstance(self._graph.nodes[path.target], AdEx | AnalogNeuron)
        return self.chip_delay(path) + (0 if own else 1)


def check_delays(paths: Iterable[SignalPath], hops: Hops, findings: Findings) -> None:
    """Report delays beyond the steps that the chip takes anyway."""
    for path in paths:
        most = hops(path)
        if path.delay > most:
            text = (
                f"the path from {path.source!r} has delay {path.delay}, the chip offers at most "
                f"{most}"
            )
            findings.add(codes.DELAY.at(path.target, text, value=path.delay, limit=most))
