"""The verb *map*: from a graph to populations and connections, placed on cores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import MappedNetwork
from ranvier.diagnostics import Findings
from ranvier.graph import Graph, Neuron
from ranvier.target import Target

from .. import diagnostics as codes
from ..network import LoihiNetwork, MappedPopulation
from ..targets import Limits, boards_of, limits_of
from ._connections import Wiring, biases, connections_of, wiring_of
from ._errors import raise_errors
from ._expansion import expanded
from ._latency import timing_of
from ._neurons import compact, drives, population_of
from ._structure import (
    check_kinds,
    driven_by,
    quantity_of,
    shown_by,
    taps_of,
    valued_inputs,
)
from .options import MapOptions

if TYPE_CHECKING:
    from ..placement import Budget


PLACEABLE = 1 << 14
"""Most neurons for which a place is looked for after an error, to name all problems at once."""


@dataclasses.dataclass(frozen=True)
class Build:
    """A network before it is placed.

    Parameters
    ----------
    network : LoihiNetwork
        Populations and connections.
    outputs : list
        ``[output, node or tap, quantity]``.
    values : list of str
        Inputs that take real values.
    latency : mapping of str to int
        Extra steps of neuron nodes, taps and outputs.
    """

    network: LoihiNetwork
    outputs: list[list[str]]
    values: list[str]
    latency: Mapping[str, int]


def map_network(graph: Graph, target: Target, options: MapOptions) -> MappedNetwork:
    """Place a network on the cores of Loihi chips.

    Parameters
    ----------
    graph : Graph
        The network.
    target : Target
        A target of this plugin.
    options : MapOptions
        See there.

    Returns
    -------
    MappedNetwork
        Arrays and the setting ``network`` as `LoihiNetwork.to_parts` gives them; settings
        ``budget`` (limits of a core that were used), ``options``, ``outputs`` (output, node or
        tap, quantity) and ``values`` (inputs that take real values).

    Raises
    ------
    MappingError
        All problems found, with numbers, limits and advice; `ResourceError` if only resources of
        the board ran out.
    """
    from ..placement import place_network

    findings = Findings()
    limits = limits_of(target.name)
    budget = _budget(target, limits, options, findings)
    rates = _rates(graph, options.rates, findings)
    if options.input_message_bits and not limits.payload_bits_max:
        findings.add(
            codes.NO_GRADED_MESSAGES.at(
                None,
                f"input_message_bits is {options.input_message_bits}, {target.name} has "
                f"{limits.payload_bits_max}",
                value=options.input_message_bits,
                limit=limits.payload_bits_max,
            )
        )
    interval = options.reset_interval
    if interval & (interval - 1):
        findings.add(
            codes.RESET_INTERVAL_ODD.at(None, f"reset_interval is {interval}", value=interval)
        )
    built = build_network(graph, target, options, findings)
    if sum(p.size for p in built.network.populations) > PLACEABLE:
        raise_errors(findings, target=target.name)
    placement = place_network(
        built.network, budget, rates=rates, seed=options.seed, findings=findings
    )
    raise_errors(findings, target=target.name)
    arrays, document = built.network.to_parts()
    return MappedNetwork(
        target=target.name,
        graph=graph,
        placement=placement,  # type: ignore[arg-type]
        arrays=arrays,
        settings={
            "network": document,
            "budget": dataclasses.asdict(budget),
            "options": options.model_dump(exclude={"rates"}),
            "outputs": built.outputs,
            "values": built.values,
        },
        latency=dict(built.latency),
        diagnostics=findings.without_errors(),
    )


def build_network(graph: Graph, target: Target, options: MapOptions, findings: Findings) -> Build:
    """Return populations, connections and taps of a graph, without places.

    Parameters
    ----------
    graph : Graph
        The network.
    target : Target
        A target of this plugin.
    options : MapOptions
        See there.
    findings : Findings
        Receives everything that was noticed.

    Raises
    ------
    MappingError
        Unknown kinds of nodes or loops of stateless nodes: nothing can be built.
    """
    limits = limits_of(target.name)
    graph = expanded(graph)
    known = check_kinds(graph, target.node_kinds, target=target.name, findings=findings)
    populations = _populations(graph, target, limits, options, findings)
    shown = {n: what for n in graph.outputs if (what := shown_by(graph, n, findings)) is not None}
    driven = driven_by(graph, findings)
    if not known:
        raise_errors(findings, target=target.name)
    wired = [n for n in graph.neurons if not drives(graph.nodes[n])]
    wiring = wiring_of(graph, wired, findings)
    used = wiring.sources | {s.source for s in shown.values()}
    values = valued_inputs(graph, driven, used, findings)
    timing = timing_of(
        [*graph.inputs, *(n for n in graph.neurons if n not in wired)],
        wired,
        wiring.hops,
        balanced=options.balance_delays,
        delay_max=limits.delay_max,
        findings=findings,
    )
    populations = _finished(populations, driven, wiring, timing.late, findings)
    taps, latency = taps_of(shown, timing.late)
    network = LoihiNetwork(
        inputs={n: graph.nodes[n].output_shape for n in graph.inputs},
        populations=tuple(populations[n] for n in graph.neurons),
        connections=connections_of(wiring, timing),
        taps=tuple(taps),
    )
    outputs = [[n, s.tap or s.source, quantity_of(graph.nodes[s.source])] for n, s in shown.items()]
    own = {n: timing.late[n] for n in graph.neurons}
    return Build(network, outputs, values, {**own, **latency})


def _populations(
    graph: Graph, target: Target, limits: Limits, options: MapOptions, findings: Findings
) -> dict[str, MappedPopulation]:
    found: dict[str, MappedPopulation] = {}
    for name in graph.neurons:
        node = graph.nodes[name]
        if isinstance(node, Neuron) and node.kind in target.node_kinds:
            found[name] = population_of(
                name, node, dt=graph.dt, limits=limits, options=options, findings=findings
            )
    return found


def _finished(
    populations: Mapping[str, MappedPopulation],
    driven: Mapping[str, str],
    wiring: Wiring,
    late: Mapping[str, int],
    findings: Findings,
) -> dict[str, MappedPopulation]:
    """Return the populations with their drives, extra steps and the biases of maps."""
    added = biases(wiring, populations, findings)
    result = {}
    for name, population in populations.items():
        changes: dict[str, Any] = {"late": late[name], "drive": driven.get(name)}
        if name in added:
            changes["bias"] = compact(population.full("bias") + added[name])
        result[name] = dataclasses.replace(population, **changes)
    return result


def _budget(target: Target, limits: Limits, options: MapOptions, findings: Findings) -> Budget:
    from ..placement import Budget

    chips = options.chips or 1
    boards = boards_of(target.name)
    if options.board in boards:
        chips = boards[options.board]
    elif options.board is not None:
        known = ", ".join(f"{name} ({n})" for name, n in boards.items())
        findings.add(
            codes.UNKNOWN_BOARD.at(
                None,
                f"board {options.board!r}, {target.name} has {known}",
                value=options.board,
                limit=", ".join(boards),
            )
        )
    overhead = options.overhead_bits_per_synapse
    return Budget.of(
        limits,
        chips=chips,
        neurons=options.max_neurons,
        axons_in=options.max_axons_in,
        axons_out=options.max_axons_out,
        synapse_words=options.max_synapse_words,
        groups=options.max_groups,
        bits_per_synapse=None if overhead is None else limits.weight_bits_max + overhead,
    )


def _rates(graph: Graph, given: Any, findings: Findings) -> dict[str, NDArray[np.float64]] | None:
    """Return the option ``rates`` as arrays, (n,) by node; report what does not fit."""
    if given is None:
        return None
    ends = {*graph.inputs, *graph.neurons}
    if not isinstance(given, Mapping):
        message = f"rates is a {type(given).__name__}, expected a mapping of nodes"
        findings.add(codes.UNKNOWN_RATES.at(None, message, value=type(given).__name__))
        return None
    found: dict[str, NDArray[np.float64]] = {}
    for name, values in given.items():
        if name not in ends:
            findings.add(codes.UNKNOWN_RATES.at(None, f"there is no node {name!r}", value=name))
            continue
        size = graph.nodes[name].size
        rates = np.asarray(values, dtype=np.float64).ravel()
        if rates.size not in (1, size) or not np.all(np.isfinite(rates)) or np.any(rates < 0):
            message = f"{rates.size} rates for {size} neurons, all must be finite and >= 0"
            findings.add(codes.UNKNOWN_RATES.at(name, message, value=rates.size, limit=size))
            continue
        found[name] = np.broadcast_to(rates, (size,)).copy()
    return found
