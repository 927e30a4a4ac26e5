"""Which neuron nodes are hidden, which are outputs, in what order, and what forbids it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ranvier.diagnostics import Findings
from ranvier.graph import Edge, Graph, Input, Neuron, SignalPath, SpikingNeuron

from .. import diagnostics as codes
from .options import MapOptions


@dataclass(frozen=True)
class Roles:
    """Hidden and output neuron nodes, and what every Output node shows.

    Parameters
    ----------
    hidden, outputs : tuple of str
        Neuron nodes, in order of the graph's mapping.
    shown : dict of str to str
        Neuron node by Output node.
    readout : str
        ``"spikes"``, ``"v_mem"`` or ``"i_syn"``.
    """

    hidden: tuple[str, ...]
    outputs: tuple[str, ...]
    shown: Mapping[str, str]
    readout: str


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
                    f"{kind} is not available on {target}",
                    value=kind,
                    limit=", ".join(allowed),
                )
            )
    return good


def roles_of(graph: Graph, options: MapOptions, findings: Findings) -> Roles:
    """Sort neuron nodes into hidden and output layers by the Output nodes they feed."""
    shown: dict[str, str] = {}
    for name in graph.outputs:
        edges = graph.edges_into(name)
        source = edges[0].source
        if len(edges) == 1 and not edges[0].delay and isinstance(graph.nodes[source], Neuron):
            shown[name] = source
        else:
            findings.add(codes.OUTPUT_NOT_NEURON.at(name, _feeders(graph, edges)))
    outputs = tuple(n for n in graph.nodes if n in shown.values())
    hidden = tuple(
        n for n, node in graph.nodes.items() if isinstance(node, Neuron) and n not in outputs
    )
    for name in hidden:
        node = graph.nodes[name]
        if isinstance(node, Neuron) and not isinstance(node, SpikingNeuron):
            findings.add(codes.READOUT_INSIDE.at(name, f"{node.kind} does not spike"))
    if outputs and not hidden:
        findings.add(codes.ONE_LAYER.at(None, "there is no hidden neuron layer", value=1, limit=2))
    return Roles(hidden, outputs, shown, _readout(graph, outputs, options, findings))


def _feeders(graph: Graph, edges: Iterable[Edge]) -> str:
    sources = ", ".join(
        f"{e.source!r} ({graph.nodes[e.source].kind}{f', delay {e.delay}' if e.delay else ''})"
        for e in edges
    )
    return f"is fed by {sources}"


def _readout(
    graph: Graph, outputs: tuple[str, ...], options: MapOptions, findings: Findings
) -> str:
    silent = [n for n in outputs if not isinstance(graph.nodes[n], SpikingNeuron)]
    spiking = [n for n in outputs if n not in silent]
    if options.readout == "auto":
        if silent and spiking:
            findings.add(
                codes.MIXED_READOUT.at(
                    None,
                    f"{spiking} emit spikes, {silent} membranes",
                    hint="use one kind, or choose readout='v_mem'",
                )
            )
        return "v_mem" if silent else "spikes"
    if options.readout == "spikes" and silent:
        findings.add(codes.MIXED_READOUT.at(silent[0], "readout 'spikes', but it never spikes"))
    return options.readout


def check_paths(
    graph: Graph, paths: Iterable[SignalPath], roles: Roles, findings: Findings
) -> None:
    """Report paths that the chip does not have: by their ends, and by their delay."""
    for path in paths:
        from_input = isinstance(graph.nodes[path.source], Input)
        if path.target in roles.outputs and from_input:
            findings.add(
                codes.INPUT_TO_OUTPUT.at(path.target, f"input {path.source!r} reaches it directly")
            )
        if path.source in roles.outputs:
            findings.add(codes.OUTPUT_DRIVES.at(path.source, f"drives {path.target!r}"))
        most = 0 if from_input else 1
        if path.delay > most:
            findings.add(
                codes.DELAY.at(
                    path.target,
                    f"the path from {path.source!r} has delay {path.delay}, the chip offers "
                    f"at most {most}",
                    value=path.delay,
                    limit=most,
                )
            )
