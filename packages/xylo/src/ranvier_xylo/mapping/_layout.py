"""Ids on the chip, aliases between them, and weights in the chip's three classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Placement
from ranvier.diagnostics import Findings
from ranvier.graph import Folding, Graph, Input

from .. import diagnostics as codes
from ._aliases import Residuals, find_aliases, pointing_down
from ._neurons import Parameters
from ._structure import Roles
from .options import MapOptions

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """Ids on the chip: a slice per graph node.

    Parameters
    ----------
    channels, hidden, outputs : dict of str to slice
        Input channels, hidden ids and output ids of each node.
    n_ien, n_oen : int
        Hidden neurons up to the last one with input, and from the first one that drives outputs.
    """

    channels: Mapping[str, slice]
    hidden: Mapping[str, slice]
    outputs: Mapping[str, slice]
    n_ien: int
    n_oen: int

    @property
    def owners(self) -> list[str]:
        """Node of each hidden id."""
        return [n for n, ids in self.hidden.items() for _ in range(ids.stop - ids.start)]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of channels, hidden and output neurons."""
        channels, hidden, outputs = (
            max((s.stop for s in part.values()), default=0)
            for part in (self.channels, self.hidden, self.outputs)
        )
        return channels, hidden, outputs


@dataclass
class Weights:
    """Float weights by class, in the layout of the chip, before the neurons' gains."""

    w_in: Array
    w_rec: Array
    w_out: Array
    bias: dict[str, Array] = field(default_factory=dict)


def place(
    graph: Graph, order: Sequence[str], roles: Roles, options: MapOptions, findings: Findings
) -> tuple[Residuals, Layout]:
    """Choose aliases and ids together: an alias must point upwards, whatever the order of ids."""
    candidates = find_aliases(graph, order, roles, forbidden=set())
    forbidden: set[tuple[str, str]] = set()
    if options.residual == "weights":
        residuals = Residuals({}, graph.edges, [*candidates.weights, *candidates.aliases.items()])
        layout = _layout(graph, order, residuals, roles)
    else:
        residuals = candidates
        while True:
            layout = _layout(graph, order, residuals, roles)
            wrong = pointing_down(residuals.aliases, list(layout.hidden))
            if not wrong:
                break
            forbidden |= wrong
            residuals = find_aliases(graph, order, roles, forbidden=forbidden)
    for source, into in residuals.aliases.items():
        findings.add(codes.RESIDUAL_ALIAS.at(into, f"{source!r} is aliased to it"))
    for source, into in dict.fromkeys(residuals.weights):
        findings.add(codes.RESIDUAL_WEIGHTS.at(into, f"shares the weights of {source!r}"))
    return residuals, layout


def _layout(graph: Graph, order: Sequence[str], residuals: Residuals, roles: Roles) -> Layout:
    """Give out ids: nodes with input first, nodes that drive outputs last, else in order."""
    paths = Folding(graph, residuals.edges).paths()
    fed = {p.target for p in paths if isinstance(graph.nodes[p.source], Input)}
    driving = {p.source for p in paths if p.target in roles.outputs}

    def group(name: str) -> int:
        if name in fed:
            return 1 if name in driving else 0
        return 3 if name in driving else 2

    ranked = sorted((n for n in order if n in roles.hidden), key=group)
    hidden = _slices(graph, ranked)
    n_hid = sum(graph.nodes[n].size for n in ranked)
    first_out = min((hidden[n].start for n in ranked if n in driving), default=n_hid)
    return Layout(
        channels=_slices(graph, graph.inputs),
        hidden=hidden,
        outputs=_slices(graph, [n for n in order if n in roles.outputs]),
        n_ien=max((hidden[n].stop for n in ranked if n in fed), default=0),
        n_oen=n_hid - first_out,
    )


def _slices(graph: Graph, names: Sequence[str]) -> dict[str, slice]:
    start, result = 0, {}
    for name in names:
        stop = start + graph.nodes[name].size
        result[name] = slice(start, stop)
        start = stop
    return result


def fold_weights(
    graph: Graph,
    residuals: Residuals,
    layout: Layout,
    parameters: Mapping[str, Parameters],
) -> Weights:
    """Fold everything between neurons into the three weight classes.

    Paths that the chip does not have were reported before and are left out.
    """
    folding = Folding(graph, residuals.edges)
    n_in, n_hid, n_out = layout.sizes
    n_syn = max((parameters[n].n_synapses for n in layout.hidden if n in parameters), default=1)
    weights = Weights(
        np.zeros((n_in, n_hid, n_syn)), np.zeros((n_hid, n_hid, n_syn)), np.zeros((n_hid, n_out))
    )
    for name, own in parameters.items():
        bias = np.zeros((graph.nodes[name].size, own.n_synapses))
        for synapse, ports in enumerate(own.ports):
            for port in ports:
                incoming = folding.weights_into(name, port)
                bias[:, synapse] += incoming.bias
                for (source, _), matrix in incoming.parts.items():
                    block = _block(weights, layout, source, name, synapse)
                    if block is not None:
                        block += matrix
        weights.bias[name] = bias
    return weights


def _block(
    weights: Weights, layout: Layout, source: str, target: str, synapse: int
) -> Array | None:
    """Return the view of a weight class that holds a path, or None if no class does."""
    if source in layout.channels and target in layout.hidden:
        return weights.w_in[layout.channels[source], layout.hidden[target], synapse]
    if source in layout.hidden and target in layout.hidden:
        return weights.w_rec[layout.hidden[source], layout.hidden[target], synapse]
    if source in layout.hidden and target in layout.outputs:
        return weights.w_out[layout.hidden[source], layout.outputs[target]]
    return None


def placement_of(layout: Layout) -> Placement:
    """Return the table of graph node and index against channel, hidden id or output id."""
    rows = []
    for port in ("input", "hidden", "output"):
        part = {"input": layout.channels, "hidden": layout.hidden, "output": layout.outputs}[port]
        for name, ids in part.items():
            rows.append((name, np.arange(ids.stop - ids.start), port, np.r_[ids]))
    return Placement.from_rows(rows)
