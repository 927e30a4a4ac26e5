"""Neurons and synapses of a graph in the chip's terms, before anything has a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.graph import Graph, Neuron, latencies, topological_order
from ranvier.target import Target

from .. import diagnostics as codes
from ..layout import Layout
from ..network import Population
from ..nodes import CURRENTS
from ..targets import limits_of
from ._errors import raise_errors
from ._neurons import Parameters, check_ranges, layout_of, model_of, parameters_of
from ._structure import check_delays, check_kinds, check_maps, paths_of, shown_by_outputs
from ._synapses import Synapses, synapses_of, with_constants
from .options import MapOptions

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Unplaced:
    """A network in the chip's terms, without places.

    Parameters
    ----------
    model : str
        Synapse model.
    layout : Layout
        Constants.
    populations : tuple of Population
        In topological order.
    currents : mapping of str to array, (N,)
        In A.
    i_scale : array, (N,)
        In A.
    synapses : Synapses
        Of all neurons.
    latency : mapping of str to int
        Extra steps of neuron nodes and outputs.
    shown : mapping of str to str
        Neuron node by Output node.
    """

    model: str
    layout: Layout
    populations: tuple[Population, ...]
    currents: Mapping[str, Floats]
    i_scale: Floats
    synapses: Synapses
    latency: Mapping[str, int]
    shown: Mapping[str, str]

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return int(self.i_scale.size)


def build_network(
    graph: Graph, target: Target, options: MapOptions, findings: Findings
) -> Unplaced:
    """Return neurons and synapses of a graph, without places.

    Parameters
    ----------
    graph : Graph
        The network.
    target : Target
        The target ``dynapse2``.
    options : MapOptions
        See there.
    findings : Findings
        Receives everything that was noticed.

    Raises
    ------
    MappingError
        Unknown kinds of nodes, no neurons, loops of stateless nodes, or far too many neurons:
        nothing can be built. The error has all that was found until then.
    """
    known = check_kinds(graph, target.node_kinds, target=target.name, findings=findings)
    shown = shown_by_outputs(graph, findings)
    check_maps(graph, findings)
    model = model_of(graph, options, findings)
    layout = layout_of(graph, findings)
    parameters = _parameters(graph, target, model, layout, options, findings)
    paths = paths_of(graph, findings)
    if not known or not parameters or paths is None or _too_large(graph, target, findings):
        raise_errors(findings, target=target.name)
    paths = paths or []
    hop = target.latency_per_hop
    check_delays(graph, paths, hop=hop, findings=findings)
    order = topological_order(graph.nodes, paths)
    late = latencies(graph, paths, order, hop=hop, findings=findings)
    populations = _populations(graph, order)
    parameters = with_constants(graph, parameters, layout=layout, findings=findings)
    for name in order:
        check_ranges(name, parameters[name], model=model, layout=layout, findings=findings)
    ordered = [parameters[name] for name in order]
    return Unplaced(
        model=model,
        layout=layout,
        populations=populations,
        currents={n: np.concatenate([p.currents[n] for p in ordered]) for n in CURRENTS},
        i_scale=np.concatenate([p.i_scale for p in ordered]),
        synapses=synapses_of(graph, populations, parameters, findings),
        latency={n: steps for n, steps in late.items() if n not in graph.inputs},
        shown=shown,
    )


def _parameters(
    graph: Graph,
    target: Target,
    model: str,
    layout: Layout,
    options: MapOptions,
    findings: Findings,
) -> dict[str, Parameters]:
    return {
        name: parameters_of(
            name,
            node,
            dt=graph.dt,
            model=model,
            layout=layout,
            options=options,
            findings=findings,
        )
        for name, node in graph.nodes.items()
        if isinstance(node, Neuron) and node.kind in target.node_kinds
    }


def _populations(graph: Graph, order: Sequence[str]) -> tuple[Population, ...]:
    found, start = [], 0
    for name in order:
        found.append(Population(name, graph.nodes[name].output_shape, start))
        start += found[-1].size
    return tuple(found)


def _too_large(graph: Graph, target: Target, findings: Findings) -> bool:
    """Report more neurons than the largest board has: weights are not worth the memory then."""
    limits = limits_of(target.name)
    room = limits.chips * limits.cores_per_chip * limits.neurons_per_core
    needed = sum(graph.nodes[n].size for n in graph.neurons)
    if needed > room:
        message = f"{needed} neurons needed, {room} available on {limits.chips} chips"
        findings.add(codes.TOO_MANY_NEURONS.at(None, message, value=needed, limit=room))
    return needed > room
