"""The verb *map*: from a graph to populations, projections and places."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ranvier.artifacts import MappedNetwork, Placement
from ranvier.diagnostics import Findings
from ranvier.graph import Graph, latencies, topological_order
from ranvier.target import Target

from .. import diagnostics as codes
from ..layout import Layout
from ..network import BssNetwork, BssPopulation, BssProjection
from ..nodes import AnalogNeuron
from ..placement import Budget, fit_circuits, partition, place_network
from ..targets import Limits, limits_of
from ._backgrounds import BACKGROUND_CODES, backgrounds_of, host_inputs
from ._chip import check_run, with_circuits
from ._currents import connections_of
from ._errors import raise_errors
from ._neurons import Neurons, all_neurons
from ._populations import check_ranges, population_of, recorded_longest
from ._structure import (
    Hops,
    check_delays,
    check_kinds,
    check_sources,
    paths_of,
    shown_by_outputs,
    too_large,
)
from .options import MapOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class _Built:
    """A network without places."""

    network: BssNetwork
    latency: Mapping[str, int]
    shown: Mapping[str, str]


def map_network(graph: Graph, target: Target, options: MapOptions) -> MappedNetwork:
    """Bring a network onto the chip: values of the chip for every neuron, weights, places.

    Parameters
    ----------
    graph : Graph
        IF, LIF, CubaLIF, LI, CubaLI, AdEx and `ranvier_bss2.nodes.AnalogNeuron` with linear maps
        between them, `ranvier_bss2.nodes.Background` as a source; loops need a neuron.
    target : Target
        The target ``bss2``.
    options : MapOptions
        See there.

    Returns
    -------
    MappedNetwork
        Arrays and the setting ``network`` as `ranvier_bss2.network.BssNetwork.to_parts` gives them,
        arrays ``layout/...`` of `ranvier_bss2.layout.Layout`; settings ``options``, ``kappa``,
        ``shown`` (neuron node by Output node) and ``fixed`` (nodes whose scale was given). The
        placement has one row per circuit: core is the execution instance, slot the circuit.

    Raises
    ------
    MappingError
        All problems found, with numbers, limits and advice; `ResourceError` if only resources of
        the chip ran out.
    """
    findings = Findings()
    limits = limits_of(target.name)
    kappa = options.kappa or _fact(target, "kappa")
    built = _built(graph, target, options, kappa=kappa, findings=findings)
    network, layout = _placed(built.network, limits, options, findings)
    check_run(network, findings)
    raise_errors(findings, target=target.name)
    layout = cast("Layout", layout)  # without one, the placement has reported an error
    _note_recording(network, target, findings)
    text = f"kappa is {kappa:.4g} LSB per weight LSB"
    findings.add(codes.STRENGTH_ASSUMED.at(None, text, value=round(kappa, 6)))
    arrays, document = network.to_parts()
    arrays |= {f"layout/{n}": v for n, v in layout.to_parts().items()}
    return MappedNetwork(
        target=target.name,
        graph=graph,
        placement=placement_of(network, layout),
        arrays=arrays,
        settings={
            "network": document,
            "options": options.model_dump(mode="json"),
            "kappa": kappa,
            "shown": dict(built.shown),
            "fixed": _fixed(graph, options),
        },
        latency=dict(built.latency),
        diagnostics=findings.without_errors(),
    )


def _fixed(graph: Graph, options: MapOptions) -> list[str]:
    """Return the neuron nodes whose scale is given: by the node itself or by an option."""
    given = ("trace_scale", "weight_scale")
    return [
        name
        for name in graph.neurons
        if isinstance(graph.nodes[name], AnalogNeuron)
        or any(options.of(option, name) is not None for option in given)
    ]


def _fact(target: Target, name: str) -> float:
    value = target.fact(name).value
    return float(value) if isinstance(value, int | float) else 1.0


def time_scale_of(graph: Graph, target: Target, options: MapOptions, findings: Findings) -> float:
    """Return chip seconds per second of the graph."""
    if options.time_scale is not None:
        return options.time_scale
    if graph.metadata.get("hardware_time"):
        return 1.0
    step = graph.dt * target.time_scale
    text = f"a step of {graph.dt * 1e3:.4g} ms takes {step * 1e6:.4g} us on the chip"
    findings.add(codes.TIME_SCALED.at(None, text, value=target.time_scale))
    return target.time_scale


def _built(
    graph: Graph, target: Target, options: MapOptions, *, kappa: float, findings: Findings
) -> _Built:
    """Return populations and projections in values of the chip."""
    known = check_kinds(graph, target.node_kinds, target=target.name, findings=findings)
    shown = shown_by_outputs(graph, findings)
    paths = paths_of(graph, findings)
    limits = limits_of(target.name)
    large = too_large(graph, circuits=limits.neuron_circuits, findings=findings)
    _check_names(graph, options, findings)
    scale = time_scale_of(graph, target, options, findings)
    backgrounds = backgrounds_of(graph, limits, time_scale=scale, findings=findings)
    stopped = any(d.code in BACKGROUND_CODES for d in findings.errors())
    if not known or not graph.neurons or paths is None or large or stopped:
        raise_errors(findings, target=target.name)
    paths = paths or []
    check_sources(graph, paths, findings)
    order = topological_order(graph.nodes, paths)
    hops = Hops(graph, order)
    check_delays(paths, hops, findings)
    late = latencies(graph, paths, order, hop=hops, findings=findings)
    neurons = all_neurons(graph, target.node_kinds, time_scale=scale, findings=findings)
    network = _network(
        graph,
        order,
        neurons,
        hops=hops,
        late=late,
        scale=scale,
        kappa=kappa,
        options=options,
        findings=findings,
    )
    network = dataclasses.replace(network, backgrounds=backgrounds)
    _check_shown(shown, network.populations, findings)
    latency = {n: max(steps, 0) for n, steps in late.items() if n not in graph.inputs}
    return _Built(network=network, latency=latency, shown=shown)


def _network(
    graph: Graph,
    order: Sequence[str],
    neurons: Mapping[str, Neurons],
    *,
    hops: Hops,
    late: Mapping[str, int],
    scale: float,
    kappa: float,
    options: MapOptions,
    findings: Findings,
) -> BssNetwork:
    """Return populations and projections of all neuron nodes."""
    step = graph.dt * scale
    connections, shifted = connections_of(
        graph, neurons, order, hops=hops, step=step, findings=findings
    )
    populations: list[BssPopulation] = []
    projections: list[BssProjection] = []
    for name in order:
        population, into = population_of(
            graph,
            shifted[name],
            [c for c in connections if c.target == name],
            kappa=kappa,
            late=late[name],
            options=options,
            findings=findings,
        )
        check_ranges(population, time_scale=scale, findings=findings)
        populations.append(population)
        projections += into
    return BssNetwork(
        dt=step,
        time_scale=scale,
        inputs={n: graph.nodes[n].output_shape for n in host_inputs(graph)},
        populations=tuple(populations),
        projections=tuple(projections),
    )


def _check_names(graph: Graph, options: MapOptions, findings: Findings) -> None:
    for node, option in options.named().items():
        if node not in graph.neurons:
            text = f"option {option!r} names it; neuron nodes are {', '.join(graph.neurons)}"
            findings.add(codes.UNKNOWN_NODE.at(node, text, value=node))


def _check_shown(
    shown: Mapping[str, str], populations: Sequence[BssPopulation], findings: Findings
) -> None:
    """Report membranes that an output shows and nothing records."""
    for p in populations:
        shows = p.name in shown.values() and "fire" not in p.switches
        if shows and p.readout.cadc == "off":
            text = "cadc is 'off', the output shows its membrane"
            findings.add(codes.MEMBRANE_NOT_RECORDED.at(p.name, text, value="off"))


def _placed(
    network: BssNetwork, limits: Limits, options: MapOptions, findings: Findings
) -> tuple[BssNetwork, Layout | None]:
    """Distribute and place the network.

    After an error weights may be meaningless, but what the structure needs is still worth knowing:
    then each connection counts as one synapse.
    """
    budget = Budget.of(limits)
    if findings.errors():
        network = _cut(network, limits)
    signed = options.signed_rows
    if options.partition == "off":
        ready = fit_circuits(network, budget, signed_rows=signed, findings=findings)
    else:
        ready = partition(network, budget, findings, signed_rows=signed, seed=options.seed)
    constraints = with_circuits(options.constraints)
    if any(d.code in _PLACING for d in findings.errors()):
        return ready, None
    layout = place_network(
        ready,
        budget,
        constraints=constraints,
        signed_rows=signed,
        seed=options.seed,
        findings=findings,
    )
    return ready, layout


def _cut(network: BssNetwork, limits: Limits) -> BssNetwork:
    most = float(limits.weight_max)
    projections = tuple(
        dataclasses.replace(q, weight=np.clip(np.nan_to_num(q.weight), -most, most))
        for q in network.projections
    )
    return dataclasses.replace(network, projections=projections)


_PLACING = tuple(f"BS{n:03}" for n in range(30, 50))


def _note_recording(network: BssNetwork, target: Target, findings: Findings) -> None:
    limits = limits_of(target.name)
    steps = recorded_longest(
        {p.name: p for p in network.populations},
        dt=network.dt,
        period=_fact(target, "cadc_period_sram"),
        samples=limits.cadc_samples_sram,
    )
    if steps:
        text = f"the {limits.cadc_samples_sram} samples of 'sram' last about {steps} steps"
        findings.add(codes.SRAM_DEPTH.at(None, text, value=steps, limit=limits.cadc_samples_sram))


def placement_of(network: BssNetwork, layout: Layout) -> Placement:
    """Return the table of places: one row per circuit, core: execution instance, slot: circuit.

    Parameters
    ----------
    network : BssNetwork
        Names of populations.
    layout : Layout
        Circuits of neurons.
    """
    columns: dict[str, Any] = {
        "node_id": layout.neuron_population,
        "index": layout.neuron_index,
        "core": layout.neuron_instance,
        "slot": layout.neuron_circuit,
    }
    whole = {n: np.asarray(v, dtype=np.int64) for n, v in columns.items()}
    zero = np.zeros(layout.neuron_index.size, dtype=np.int64)
    return Placement(
        node=tuple(p.name for p in network.populations),
        port=("circuit",),
        chip=zero,
        port_id=zero,
        **whole,
    )
