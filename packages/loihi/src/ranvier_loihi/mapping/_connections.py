"""Connections between populations, from folded paths and the delays that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ranvier.diagnostics import Findings
from ranvier.graph import Graph, Neuron, ResonateAndFire

from .. import diagnostics as codes
from ..network import MappedConnection, MappedPopulation
from ._folding import Affine, Folding, Path, StatelessCycleError
from ._latency import Hop, Timing
from ._maps import Floats, Ints
from ._structure import is_readout


@dataclass(frozen=True)
class Arrival:
    """What reaches one port of a population."""

    target: str
    port: str
    affine: Affine


@dataclass(frozen=True)
class Wiring:
    """All that reaches the populations that synapses feed."""

    arrivals: Sequence[Arrival] = field(default_factory=tuple)

    @property
    def hops(self) -> list[Hop]:
        """One hop per path."""
        return [Hop(p.source, a.target, p.delay) for a in self.arrivals for p in a.affine.paths]

    @property
    def sources(self) -> set[str]:
        """Nodes that synapses start from."""
        return {p.source for a in self.arrivals for p in a.affine.paths}


def wiring_of(graph: Graph, names: Iterable[str], findings: Findings) -> Wiring:
    """Fold the graph in front of populations; report loops and read-outs that feed others."""
    folding = Folding(graph)
    arrivals = []
    for name in names:
        node = graph.nodes[name]
        ports = [(p,) for p in node.ports] if isinstance(node, ResonateAndFire) else [node.ports]
        for group in ports:
            try:
                arrivals.append(Arrival(name, group[0], folding.into(name, group)))
            except StatelessCycleError as error:
                findings.add(
                    codes.LOOP_WITHOUT_NEURON.at(str(error), "lies on a loop without neurons")
                )
    wiring = Wiring(arrivals)
    for arrival in arrivals:
        for source in dict.fromkeys(p.source for p in arrival.affine.paths):
            node = graph.nodes[source]
            if isinstance(node, Neuron) and is_readout(node):
                findings.add(
                    codes.READOUT_INSIDE.at(
                        source, f"{node.kind} feeds {arrival.target!r}", value=node.kind
                    )
                )
    return wiring


def biases(
    wiring: Wiring, populations: Mapping[str, MappedPopulation], findings: Findings
) -> dict[str, Floats]:
    """Return the biases that linear maps add to populations, as seen at the voltage.

    A constant input ``b`` to a current that keeps ``beta`` per step settles at ``b / (1 - beta)``.
    """
    found: dict[str, Floats] = {}
    for arrival in wiring.arrivals:
        bias = arrival.affine.bias
        if not np.any(bias):
            continue
        population = populations[arrival.target]
        largest = float(np.abs(bias).max())
        beta = population.full("beta")
        if population.model not in ("lif", "ternary") or np.any((beta == 1.0) & (bias != 0)):
            what = "a current without decay" if population.model == "lif" else population.model
            findings.add(
                codes.NO_BIAS.at(
                    arrival.target,
                    f"linear maps add a bias up to {largest:.4g} to {what}",
                    value=largest,
                    limit=0.0,
                )
            )
            continue
        if np.any(beta[bias != 0] > 0) or arrival.affine.bias_late:
            delayed = arrival.affine.bias_late
            findings.add(
                codes.MAP_BIAS.at(
                    arrival.target,
                    f"linear maps add up to {largest:.4g}"
                    + (f", {delayed} step(s) late" if delayed else ""),
                    value=largest,
                )
            )
        kept = np.where(bias != 0, beta, 0.0)
        found[arrival.target] = found.get(arrival.target, 0.0) + bias / (1.0 - kept)
    return found


def connections_of(wiring: Wiring, timing: Timing) -> tuple[MappedConnection, ...]:
    """Return every path as a connection with its programmed delay."""
    return tuple(
        _connection(part, arrival, timing)
        for arrival in wiring.arrivals
        for path in arrival.affine.paths
        for part in _unambiguous(path)
    )


def _unambiguous(path: Path) -> list[Path]:
    """Split a path on which delays per source and per synapse could be taken for each other."""
    if path.map.kind == "identity":
        path = path.as_sparse()  # synapse i has source i
    elif path.map.kind == "sparse" and path.map.weight.size == path.map.n_source:
        return path.by_delay()
    return [path]


def _connection(path: Path, arrival: Arrival, timing: Timing) -> MappedConnection:
    own = path.map
    delay = _compact(timing.programmed(Hop(path.source, arrival.target, path.delay)))
    port = arrival.port
    if own.window is None:
        return MappedConnection(
            source=path.source,
            target=arrival.target,
            port=port,
            kind=own.kind,
            weight=own.weight,
            indices=own.indices,
            indptr=own.indptr,
            delay=delay,
        )
    return MappedConnection(
        source=path.source,
        target=arrival.target,
        port=port,
        kind="conv",
        weight=own.weight,
        delay=delay,
        input_shape=own.window.input_shape,
        stride=own.window.stride,
        padding=own.window.padding,
        dilation=own.window.dilation,
        groups=own.window.groups,
    )


def _compact(delay: Ints) -> Ints:
    flat = delay.ravel()
    return flat[:1].copy() if flat.size and np.all(flat == flat[0]) else np.ascontiguousarray(delay)
