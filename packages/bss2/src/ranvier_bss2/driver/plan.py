"""A configuration as populations and weights: what both stacks build their networks from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..routing import Connections, background_channels, connections
from ..routing.connections import BACKGROUND, EXTERNAL, NEURON

if TYPE_CHECKING:
    from ..config import Bss2Config, Population

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The neurons of one population in one execution instance.

    Parameters
    ----------
    number : int
        Index of the part.
    population : Population
        What it is part of.
    instance : int
        Execution instance.
    neurons : array of int, (n,)
        Neurons of the population, ascending.
    circuits : array of int, (n, circuits per neuron)
        Their circuits by rank.
    """

    number: int
    population: Population
    instance: int
    neurons: Ints
    circuits: Ints

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(self.neurons.size)

    @property
    def fires(self) -> bool:
        """Whether its neurons spike."""
        return "fire" in self.population.switches

    def values(self, name: str, *, of: str = "targets") -> NDArray[np.float64]:
        """Return ``targets`` or ``model`` values of its neurons, (n,)."""
        whole = np.asarray(getattr(self.population, of)[name], dtype=np.float64)
        return np.broadcast_to(whole, (self.population.size,))[self.neurons]

    @property
    def madc_index(self) -> int:
        """Its neuron that the fast converter samples, -1: none."""
        found = np.flatnonzero(self.neurons == self.population.madc_neuron)
        return int(found[0]) if found.size else -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Feed:
    """All synapses from one input, background generator or part to one part.

    Parameters
    ----------
    source : str or int
        Name of the input or generator, or number of the part.
    target : int
        Number of the part.
    weight : array of int, (n_target, n_source)
        Signed sum of the synapses, in LSB.
    connected : array of bool, (n_target, n_source)
        Where there is a synapse.
    """

    source: str | int
    target: int
    weight: Ints
    connected: NDArray[np.bool_]

    @property
    def dense(self) -> bool:
        """Whether there is a synapse everywhere."""
        return bool(self.connected.all())

    def pieces(self, weight_max: int) -> list[tuple[Ints, NDArray[np.bool_]]]:
        """Return the weights as parts that single synapses hold: 63, 63, ..., the rest.

        Parameters
        ----------
        weight_max : int
            Largest weight of a synapse.

        Returns
        -------
        list of (weight, connected)
            The first has all synapses, the others those that are needed beyond it.
        """
        sign, size = np.sign(self.weight), np.abs(self.weight)
        found, connected = [], self.connected
        while connected.any():
            found.append((sign * np.minimum(size, weight_max), connected))
            size = np.maximum(size - weight_max, 0)
            connected = size > 0
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Parts in topological order, and what feeds them."""

    parts: tuple[Part, ...]
    feeds: tuple[Feed, ...]

    def in_instance(self, instance: int) -> list[Part]:
        """Return the parts of an execution instance."""
        return [p for p in self.parts if p.instance == instance]

    def into(self, part: Part) -> list[Feed]:
        """Return what feeds a part."""
        return [f for f in self.feeds if f.target == part.number]


def plan_of(config: Bss2Config) -> Plan:
    """Return the network that a configuration's registers make.

    Weights are what events meet on their way through crossbar, drivers and labels, so that a
    network built from them is the one that the configuration programs. Neurons whose spikes are
    masked feed nothing.

    Parameters
    ----------
    config : Bss2Config
        Registers.
    """
    parts = _parts(config)
    links = connections(config)
    origin, source = _origins(config, parts, links)
    target_part, target = _neurons_at(
        config, parts, instance=links.instance, circuit=_circuit(config, links)
    )
    weight = links.weights(np.asarray(config.synapse_weight))
    names = _outer(config)
    feeds = []
    known = (origin >= 0) & (target_part >= 0)
    pairs = np.unique(np.stack([target_part[known], origin[known]], axis=1), axis=0)
    for to, start in pairs.tolist():
        own = known & (target_part == to) & (origin == start)
        first: str | int = start if start < len(parts) else names[start - len(parts)]
        n_source = parts[start].size if isinstance(first, int) else _channels(config, first)
        at = (target[own], source[own])
        total = np.zeros((parts[to].size, n_source), dtype=np.int64)
        np.add.at(total, at, weight[own])
        connected = np.zeros(total.shape, dtype=np.bool_)
        connected[at] = True
        feeds.append(Feed(source=first, target=to, weight=total, connected=connected))
    return Plan(parts=parts, feeds=tuple(feeds))


def _outer(config: Bss2Config) -> list[str]:
    """Return the names of inputs, then of background generators."""
    return [*config.input_shapes, *config.background_shapes]


def _channels(config: Bss2Config, name: str) -> int:
    shapes = {**config.input_shapes, **config.background_shapes}
    return int(np.prod(shapes[name], dtype=np.int64))


def _circuit(config: Bss2Config, links: Connections) -> Ints:
    return np.asarray(links.array * config.limits.columns + links.column)


def _parts(config: Bss2Config) -> tuple[Part, ...]:
    names = ("population", "instance", "index", "rank", "circuit")
    rows = {n: np.asarray(getattr(config, f"neuron_{n}")).astype(np.int64) for n in names}
    found: list[Part] = []
    for k, population in enumerate(config.populations):
        mine = rows["population"] == k
        for instance in np.unique(rows["instance"][mine]).tolist():
            own = np.flatnonzero(mine & (rows["instance"] == instance))
            own = own[np.lexsort((rows["rank"][own], rows["index"][own]))]
            neurons = np.unique(rows["index"][own])
            circuits = rows["circuit"][own].reshape(neurons.size, -1)
            found.append(
                Part(
                    number=len(found),
                    population=population,
                    instance=instance,
                    neurons=neurons,
                    circuits=circuits,
                )
            )
    return tuple(found)


def _neurons_at(
    config: Bss2Config, parts: tuple[Part, ...], *, instance: Ints, circuit: Ints
) -> tuple[Ints, Ints]:
    """Return part and neuron of circuits, -1 where there is none; of circuit -1 too."""
    shape = (config.instances, config.limits.neuron_circuits + 1)
    part, number = np.full(shape, -1), np.full(shape, -1)
    for p in parts:
        part[p.instance, p.circuits] = p.number
        number[p.instance, p.circuits] = np.arange(p.size)[:, None]
    return part[instance, circuit], number[instance, circuit]


def _origins(config: Bss2Config, parts: tuple[Part, ...], links: Connections) -> tuple[Ints, Ints]:
    """Return where connections come from: part, or parts + number in `_outer`; and which of it."""
    inner = links.kind == NEURON
    part, number = _neurons_at(
        config, parts, instance=links.instance, circuit=np.where(inner, links.source, -1)
    )
    row_part, row_number = _rows(config, parts)
    row = np.where(links.kind == EXTERNAL, links.source, -1)
    origin = np.where(inner, part, row_part[row])
    source = np.where(inner, number, row_number[row])
    drawn = links.kind == BACKGROUND
    generator, channel, _ = background_channels(config)
    node = np.asarray(config.background_node).astype(np.int64)[generator[links.source[drawn]]]
    origin[drawn] = len(parts) + len(config.input_shapes) + node
    source[drawn] = channel[links.source[drawn]]
    for p in parts:
        mask = np.broadcast_to(np.asarray(p.population.spike_mask), (p.population.size,))
        silent = ~mask[p.neurons]
        from_it = origin == p.number
        origin[from_it] = np.where(silent[source[from_it]], -1, p.number)
    return origin, source


def _rows(config: Bss2Config, parts: tuple[Part, ...]) -> tuple[Ints, Ints]:
    """Return origin and number of what the host sends, (R + 1,); the last row is nothing."""
    projection = np.asarray(config.source_projection).astype(np.int64)
    channel = np.asarray(config.source_channel).astype(np.int64)
    origin, number = np.full(projection.size + 1, -1), np.full(projection.size + 1, -1)
    inputs = list(config.input_shapes)
    for k, ends in enumerate(config.projections):
        mine = np.flatnonzero(projection == k)
        if ends.source in config.input_shapes:
            origin[mine] = len(parts) + inputs.index(ends.source)
            number[mine] = channel[mine]
            continue
        for p in (p for p in parts if p.population.name == ends.source):
            at = np.full(p.population.size, -1)
            at[p.neurons] = np.arange(p.size)
            own = mine[at[channel[mine]] >= 0]
            origin[own], number[own] = p.number, at[channel[own]]
    return origin, number
