"""Checks of a graph's structure, its inputs, and what its outputs show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ranvier.diagnostics import Findings
from ranvier.graph import (
    LI,
    CubaLI,
    Delay,
    Edge,
    Flatten,
    Graph,
    I,
    Input,
    Neuron,
    Node,
    SigmaDelta,
)

from .. import diagnostics as codes
from ..network import MappedTap
from ..nodes import Delta, KWinners, Sigma, Ternary
from ._folding import delay_steps
from ._maps import Ints
from ._neurons import drives


@dataclass(frozen=True, eq=False)
class Shown:
    """What an Output shows: a source, and what delays it on the way.

    Parameters
    ----------
    source : str
        Input or neuron node.
    tap : str or None
        Node under whose name the delayed signal is recorded; None: there is no delay.
    delay : array of int, (1,) or (n,)
        Steps in the graph.
    """

    source: str
    tap: str | None
    delay: Ints


def check_kinds(graph: Graph, kinds: Iterable[str], *, target: str, findings: Findings) -> bool:
    """Report nodes whose kind the target does not accept; return whether all are accepted.

    Competing layers that could be expanded are no longer in the graph.
    """
    allowed = tuple(kinds)
    good = True
    for name, node in graph.nodes.items():
        if node.kind not in allowed or isinstance(node, KWinners):
            good = False
            kind = getattr(node, "original_kind", node.kind)
            several = isinstance(node, KWinners) and node.kind in allowed
            where = f" with shape {node.output_shape}, only flat" if several else ""
            message = f"{kind} is not available on {target}{where}"
            findings.add(
                codes.UNSUPPORTED_NODE.at(name, message, value=kind, limit=", ".join(allowed))
            )
    return good


def driven_by(graph: Graph, findings: Findings) -> dict[str, str]:
    """Return the Input of every population that the host drives; report those without one."""
    found: dict[str, str] = {}
    for name, node in graph.nodes.items():
        if not drives(node):
            continue
        edges = graph.edges_into(name)
        direct = [e for e in edges if isinstance(graph.nodes[e.source], Input) and not e.delay]
        if len(edges) == 1 and direct:
            found[name] = direct[0].source
        else:
            findings.add(
                codes.DRIVE_NOT_INPUT.at(
                    name,
                    f"is fed by {_feeders(graph, edges)}, must be one Input without delay",
                    value=len(edges),
                    limit=1,
                )
            )
    return found


def valued_inputs(
    graph: Graph, driven: Mapping[str, str], wired: Iterable[str], findings: Findings
) -> list[str]:
    """Return the inputs that take real values: none or all.

    Parameters
    ----------
    graph : Graph
        The network.
    driven : mapping of str to str
        Input by driven population.
    wired : iterable of str
        Sources of synapses and of outputs.
    findings : Findings
        Receives a mixture as an error.
    """
    real = [n for n in graph.inputs if n in driven.values()]
    used = set(wired)
    spikes = [n for n in graph.inputs if n in used]
    if real and (set(real) & set(spikes) or len(real) < len(graph.inputs)):
        others = [n for n in graph.inputs if n in spikes or n not in real]
        findings.add(
            codes.MIXED_INPUTS.at(
                others[0],
                f"{real} drive neurons with values, {others} feed synapses with spikes",
                value=len(others),
                limit=0,
            )
        )
    return real


def is_readout(node: Node) -> bool:
    """Whether a neuron node shows its membrane and sends nothing."""
    return isinstance(node, I | LI | CubaLI)


def quantity_of(node: Node) -> str:
    """Return what an Output shows of a node."""
    if is_readout(node):
        return "v_mem"
    return "value" if isinstance(node, SigmaDelta | Delta | Sigma | Ternary) else "spikes"


def shown_by(graph: Graph, name: str, findings: Findings) -> Shown | None:
    """Follow an Output back to the one node it shows, through delays and Flatten."""
    delay: Ints = np.zeros(1, dtype=np.int64)
    tap: str | None = None
    at, seen = name, {name}
    while True:
        edges = graph.edges_into(at)
        source = edges[0].source
        node = graph.nodes[source]
        if (
            len(edges) > 1
            or source in seen
            or not isinstance(node, Neuron | Input | Delay | Flatten)
        ):
            findings.add(
                codes.OUTPUT_NOT_NEURON.at(
                    name,
                    f"shows {_feeders(graph, edges)}, must show one neuron node",
                    value=len(edges),
                    limit=1,
                )
            )
            return None
        delay = delay + edges[0].delay
        if edges[0].delay and tap is None:
            tap = name
        if isinstance(node, Neuron | Input):
            named = name if isinstance(node, Input) and tap is None else tap
            return Shown(source, named, delay)
        if isinstance(node, Delay):
            delay = delay + delay_steps(node, dt=graph.dt)
        tap = tap or source
        seen.add(source)
        at = source


def taps_of(
    shown: Mapping[str, Shown], late: Mapping[str, int]
) -> tuple[list[MappedTap], dict[str, int]]:
    """Return the taps of all outputs, and the extra steps of outputs and taps.

    A delay of the graph first uses up the steps by which the source is late anyway.
    """
    taps: dict[str, MappedTap] = {}
    latency: dict[str, int] = {}
    for output, what in shown.items():
        own = late[what.source]
        if what.tap is None:
            latency[output] = own
            continue
        extra = max(0, own - int(what.delay.min()))
        steps = extra + what.delay - own
        uniform = bool(np.all(steps == steps[0]))
        delay = steps[:1] if uniform else steps
        taps[what.tap] = MappedTap(name=what.tap, source=what.source, delay=delay)
        latency[output] = latency[what.tap] = extra
    return list(taps.values()), latency


def _feeders(graph: Graph, edges: Iterable[Edge]) -> str:
    return ", ".join(
        f"{e.source!r} ({graph.nodes[e.source].kind}{f', delay {e.delay}' if e.delay else ''})"
        for e in edges
    )
