"""Places and tags for a network, and the result of the verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Placement
from ranvier.diagnostics import Findings
from ranvier.graph import Graph

from ..layout import Layout
from ..network import DpiNetwork, Population
from ..placement import (
    Budget,
    Places,
    Routes,
    allocate_tags,
    place_neurons,
)
from ..targets import Limits
from ._demand import Demand
from .options import MapOptions

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Placed:
    """Where everything is.

    Parameters
    ----------
    budget : Budget
        The board.
    places : Places
        Of neurons.
    routes : Routes
        Packets and tags of groups.
    """

    budget: Budget
    places: Places
    routes: Routes


def place(
    demand: Demand,
    populations: Sequence[Population],
    *,
    limits: Limits,
    options: MapOptions,
    tag_pool: Bools | None,
    cam_usable: Bools | None,
    findings: Findings,
) -> Placed | None:
    """Place a network on the smallest board that holds it, or on the one that was asked for.

    Parameters
    ----------
    demand : Demand
        What to place.
    populations : sequence of Population
        Names of the neurons, for messages.
    limits : Limits
        Of the target.
    options : MapOptions
        ``chips`` and ``seed``.
    tag_pool : array of bool, (chips, 4, tags), or None
        Usable tags.
    cam_usable : array of bool, (chips, 4, 256, 64), or None
        Usable CAM entries.
    findings : Findings
        Receives what the last board tried lacks.

    Returns
    -------
    Placed or None
        None after an error.
    """
    needed = demand.clusters.cores(limits.neurons_per_core)
    least = options.chips or max(1, -(-needed // limits.cores_per_chip))
    most = options.chips or limits.chips
    attempt = Findings()
    for chips in range(least, most + 1):
        attempt = Findings()
        budget = Budget.of(
            limits,
            chips=chips,
            tag_pool=None if tag_pool is None else tag_pool[:chips],
            cam_usable=None if cam_usable is None else cam_usable[:chips],
            fewest_chips=False,
        )
        placed = _placed(demand, budget, _names(populations), options.seed, attempt)
        if placed is not None and not attempt.errors():
            findings.add(*attempt)
            return placed
    findings.add(*attempt)
    return None


def _names(populations: Sequence[Population]) -> Callable[[int], str]:
    """Return what names a neuron by its graph node and index."""

    def name_of(neuron: int) -> str:
        own = next(p for p in populations if neuron < p.start + p.size)
        return f"{neuron - own.start} of {own.name!r}"

    return name_of


def _placed(
    demand: Demand,
    budget: Budget,
    name_of: Callable[[int], str],
    seed: int,
    findings: Findings,
) -> Placed | None:
    places = place_neurons(
        demand.clusters.cluster,
        demand.grouped,
        n_channels=demand.n_channels,
        monitored=demand.monitored,
        budget=budget,
        seed=seed,
        findings=findings,
        name_of=name_of,
    )
    if places is None:
        return None
    routes = allocate_tags(
        demand.grouped,
        places,
        n_channels=demand.n_channels,
        monitored=demand.monitored,
        budget=budget,
        findings=findings,
        name_of=name_of,
    )
    return None if routes is None else Placed(budget, places, routes)


def network_of(
    graph: Graph,
    populations: tuple[Population, ...],
    demand: Demand,
    placed: Placed,
    *,
    model: str,
    layout: Layout,
) -> DpiNetwork:
    """Put everything together.

    Parameters
    ----------
    graph : Graph
        For the inputs.
    populations : tuple of Population
        All neurons.
    demand : Demand
        Synapses and parameters.
    placed : Placed
        Places and tags.
    model : str
        Synapse model.
    layout : Layout
        Constants.
    """
    grouped, routes, places = demand.grouped, placed.routes, placed.places
    return DpiNetwork(
        model=model,
        chips=placed.budget.chips,
        inputs={n: graph.nodes[n].output_shape for n in graph.inputs},
        populations=populations,
        layout=layout,
        chip=_ints(places.chip),
        core=_ints(places.core),
        slot=_ints(places.slot),
        currents=demand.clusters.currents(),
        i_scale=demand.clusters.i_scale(),
        monitored=demand.monitored,
        group=_ints(grouped.group),
        synapse_group=_ints(grouped.synapse_group),
        synapse_target=_ints(grouped.synapse_target),
        synapse_port=_ints(grouped.synapse_port),
        synapse_weight=np.asarray(grouped.synapse_weight, dtype=np.float64),
        route_group=_ints(routes.group),
        route_chip=_ints(routes.chip),
        route_cores=_ints(routes.cores),
        route_tag=_ints(routes.tag),
        cam_usable=placed.budget.cam_usable,
    )


def _ints(values: NDArray[np.integer]) -> Ints:
    return np.asarray(values, dtype=np.int64)


def placement_of(network: DpiNetwork) -> Placement:
    """Return the table of places: neurons, and the tags of channels on every core they reach.

    Parameters
    ----------
    network : DpiNetwork
        With places and tags.
    """
    names = (*(p.name for p in network.populations), *network.inputs)
    sizes = [p.size for p in network.populations]
    neurons = {
        "node_id": np.repeat(np.arange(len(sizes)), sizes),
        "index": np.concatenate([np.arange(s) for s in sizes]),
        "chip": network.chip,
        "core": network.core,
        "slot": network.slot,
        "port_id": np.zeros(network.n_neurons, dtype=np.int64),
    }
    inputs = _input_rows(network, len(sizes))
    columns = {k: _ints(np.concatenate([neurons[k], inputs[k]])) for k in neurons}
    return Placement(node=names, port=("neuron", "input"), **columns)


def _input_rows(network: DpiNetwork, first_id: int) -> dict[str, Ints]:
    """Return one row per channel and core that it reaches, ordered by channel, chip and core."""
    sizes = [int(np.prod(s, dtype=np.int64)) for s in network.inputs.values()]
    node = np.repeat(np.arange(len(sizes)), sizes)
    index = np.concatenate([np.arange(s) for s in sizes]) if sizes else np.zeros(0, np.int64)
    order = np.argsort(network.route_group, kind="stable")
    of_channel = network.group[: network.n_channels]
    used = np.flatnonzero(of_channel >= 0)
    low = np.searchsorted(network.route_group[order], of_channel[used], side="left")
    high = np.searchsorted(network.route_group[order], of_channel[used], side="right")
    channel = np.repeat(used, high - low)
    route = order[_ranges(low, high)]
    bits = (network.route_cores[route][:, None] >> np.arange(8)) & 1
    row, core = np.nonzero(bits)
    channel, route = channel[row], route[row]
    chip = network.route_chip[route]
    sort = np.lexsort((core, chip, channel))
    return {
        "node_id": first_id + node[channel][sort],
        "index": index[channel][sort],
        "chip": chip[sort],
        "core": core[sort],
        "slot": network.route_tag[route][sort],
        "port_id": np.ones(sort.size, dtype=np.int64),
    }


def _ranges(low: Ints, high: Ints) -> Ints:
    """Return all numbers of all ranges low..high - 1, one after the other."""
    length = high - low
    starts = np.repeat(low - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
    return np.asarray(starts + np.arange(int(length.sum())), dtype=np.int64)
