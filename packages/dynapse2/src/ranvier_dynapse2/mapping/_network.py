"""The verb *map*: from a graph to neurons with currents, places, synapses and tags."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import MappedNetwork
from ranvier.diagnostics import Findings
from ranvier.graph import Graph
from ranvier.target import Target

from .. import diagnostics as codes
from ..network import DpiNetwork
from ..targets import Limits, limits_of
from ._assembly import Placed, network_of, place, placement_of
from ._board import cam_usable_of, tag_pool_of
from ._build import Unplaced, build_network
from ._clusters import Clusters, check_cores, clusters_of, report_changes
from ._demand import Demand, check_fan_in, grouped_synapses
from ._errors import raise_errors
from .options import MapOptions


def map_network(graph: Graph, target: Target, options: MapOptions) -> MappedNetwork:
    """Place a network on a board of DYNAP-SE2 chips.

    Parameters
    ----------
    graph : Graph
        The network: LIF, CubaLIF and `ranvier_dynapse2.nodes.Dpi` neurons with linear maps between
        them, in any structure.
    target : Target
        The target ``dynapse2``.
    options : MapOptions
        See there.

    Returns
    -------
    MappedNetwork
        Arrays and the setting ``network`` as `DpiNetwork.to_parts` gives them; settings
        ``options`` and ``shown`` (neuron node by Output node). Rows of the placement with port
        ``"neuron"`` say where a neuron is; those with port ``"input"``, one for each core that a
        channel reaches, have its tag there as slot.

    Raises
    ------
    MappingError
        All problems found, with numbers, limits and advice; `ResourceError` if only resources of
        the board ran out.

    Notes
    -----
    All neuron nodes become one population. Time constants of converted neurons are kept by each
    synapse's own capacitance; rockpool 3.1.0 takes 25 pF for all of them.
    """
    findings = Findings()
    limits = limits_of(target.name)
    tags = tag_pool_of(options, limits, findings)
    usable = cam_usable_of(options, limits, findings)
    network = build_network(graph, target, options, findings)
    clusters, fits = _clusters(network, limits, options, findings)
    demand = _demand(graph, network, clusters, limits, options, findings)
    placed = None
    if fits:
        placed = place(
            demand,
            network.populations,
            limits=limits,
            options=options,
            tag_pool=tags,
            cam_usable=usable,
            findings=findings,
        )
    raise_errors(findings, target=target.name)
    whole = network_of(
        graph,
        network.populations,
        demand,
        cast("Placed", placed),
        model=network.model,
        layout=network.layout,
    )
    _report_unused(whole, findings)
    arrays, document = whole.to_parts()
    return MappedNetwork(
        target=target.name,
        graph=graph,
        placement=placement_of(whole),
        arrays=arrays,
        settings={
            "network": document,
            "options": options.model_dump(),
            "shown": dict(network.shown),
        },
        latency=dict(network.latency),
        diagnostics=findings.without_errors(),
    )


def _clusters(
    network: Unplaced, limits: Limits, options: MapOptions, findings: Findings
) -> tuple[Clusters, bool]:
    """Return the clusters, and whether the board can hold them.

    Currents below 0 were reported before; here they count as 0.
    """
    currents = {name: np.maximum(values, 0.0) for name, values in network.currents.items()}
    clusters = clusters_of(currents, network.i_scale, tolerance=options.tolerance)
    fits = check_cores(
        clusters,
        currents,
        network.i_scale,
        cores=(options.chips or limits.chips) * limits.cores_per_chip,
        neurons_per_core=limits.neurons_per_core,
        findings=findings,
    )
    report_changes(clusters, currents, network.populations, findings)
    return clusters, fits


def _demand(
    graph: Graph,
    network: Unplaced,
    clusters: Clusters,
    limits: Limits,
    options: MapOptions,
    findings: Findings,
) -> Demand:
    channels = sum(graph.nodes[n].size for n in graph.inputs)
    grouped = grouped_synapses(
        network.synapses,
        clusters,
        network.i_scale,
        n_sources=channels + network.n_neurons,
        share=options.allow_sharing,
    )
    fitting = check_fan_in(
        grouped, network.populations, limit=limits.synapses_per_neuron, findings=findings
    )
    return Demand(fitting, clusters, channels, _monitored(network, options))


def _report_unused(network: DpiNetwork, findings: Findings) -> None:
    start = 0
    for name, shape in network.inputs.items():
        size = int(np.prod(shape, dtype=np.int64))
        unused = int(np.sum(network.group[start : start + size] < 0))
        start += size
        if unused:
            message = f"{unused} of {size} channels drive no neuron"
            findings.add(codes.UNUSED_CHANNELS.at(name, message, value=unused))


def _monitored(network: Unplaced, options: MapOptions) -> NDArray[np.bool_]:
    monitored = np.full(network.n_neurons, options.monitor == "all")
    for population in network.populations:
        if population.name in network.shown.values():
            monitored[population.neurons] = True
    return monitored
