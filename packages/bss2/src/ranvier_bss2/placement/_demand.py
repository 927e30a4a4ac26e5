"""Synapses that a network asks for: per projection, and per execution instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..network import BssNetwork, BssProjection
from .budget import Budget

Ints = NDArray[np.int64]
Signed = bool | Sequence[bool]
"""Whether both signs get a synapse, for all projections or for each."""


@dataclass(frozen=True, eq=False)
class Demand:
    """Synapses of one projection, (n_target, n_source) each: exciting and inhibiting ones."""

    exciting: Ints
    inhibiting: Ints

    @property
    def both(self) -> tuple[Ints, Ints]:
        """Exciting, inhibiting."""
        return self.exciting, self.inhibiting


def demand_of(projection: BssProjection, budget: Budget, *, signed: bool) -> Demand:
    """Return how many synapses every connection takes.

    A weight takes ``max(1, ceil(|w| / 63))`` synapses of its sign after rounding. With ``signed``
    the other sign takes one, so that a weight may change its sign without a new placement.
    """
    weight, connected = projection.weight, projection.connected
    size = np.floor(np.abs(weight) + 0.5).astype(np.int64)
    parts = np.maximum(1, -(-size // budget.weight_max))
    positive = weight >= 0
    other = 1 if signed else 0
    exciting = np.where(positive, parts, other) * connected
    inhibiting = np.where(positive, other, parts) * connected
    return Demand(exciting.astype(np.int64), inhibiting.astype(np.int64))


def demands(network: BssNetwork, budget: Budget, signed: Signed) -> tuple[Demand, ...]:
    """Return the demand of every projection."""
    count = len(network.projections)
    flags = [signed] * count if isinstance(signed, bool) else list(signed)
    return tuple(
        demand_of(q, budget, signed=flag)
        for q, flag in zip(network.projections, flags, strict=True)
    )


def fan_in(network: BssNetwork, demand: Sequence[Demand], name: str) -> Ints:
    """Return exciting and inhibiting synapses of every neuron of a population, (2, n)."""
    total = np.zeros((2, network.size_of(name)), dtype=np.int64)
    for q, d in zip(network.projections, demand, strict=True):
        if q.target == name:
            total += np.stack([d.exciting.sum(axis=1), d.inhibiting.sum(axis=1)])
    return total


@dataclass(frozen=True, eq=False)
class Task:
    """What one execution instance has to hold.

    Sources are the firing neurons of the instance, then pairs of a projection and a channel that
    come from outside, then channels of background generators. What is assigned to rows and labels
    together is a unit: all channels of one generator, or any other source.

    Parameters
    ----------
    population, index, circuits : array, (N,)
        Neurons: population, number in it, circuits.
    number : tuple of array
        Per population: number of each of its neurons in this instance, -1: lies elsewhere.
    fires : array, (F,)
        Numbers of the firing neurons: sources 0..F-1.
    outside : array, (E, 2)
        Projection and channel: sources F..F+E-1.
    generators : tuple of int
        Background generators of the network that drive neurons here: units F+E..F+E+G-1.
    channels : array, (C,)
        For each of their channels, its place in ``generators``: sources F+E..F+E+C-1.
    need : array, (2, F+E+C, N)
        Synapses from every source to every neuron, exciting and inhibiting.
    target_of : tuple of int
        Per projection: number of its target population.
    source_of : tuple of array
        Per projection: source of each of its channels, -1: none here.
    """

    population: Ints
    index: Ints
    circuits: Ints
    number: tuple[Ints, ...]
    fires: Ints
    outside: Ints
    generators: tuple[int, ...]
    channels: Ints
    need: NDArray[np.int32]
    target_of: tuple[int, ...]
    source_of: tuple[Ints, ...]

    @property
    def size(self) -> int:
        """Neurons."""
        return int(self.population.size)

    @property
    def sources(self) -> int:
        """Sources."""
        return self.single + int(self.channels.size)

    @property
    def single(self) -> int:
        """Sources that are a unit each."""
        return int(self.fires.size + self.outside.shape[0])

    @property
    def unit(self) -> Ints:
        """Unit of every source, (F+E+C,)."""
        return np.concatenate([np.arange(self.single), self.single + self.channels])

    @property
    def unit_size(self) -> Ints:
        """Sources of every unit, (F+E+G,)."""
        own = np.bincount(self.channels, minlength=len(self.generators))
        return np.concatenate([np.ones(self.single, np.int64), own]).astype(np.int64)

    @property
    def unit_need(self) -> NDArray[np.int32]:
        """Synapses from every unit to every neuron, (2, F+E+G, N)."""
        drawn = self.need[:, self.single :]
        together = np.zeros((2, len(self.generators), self.size), dtype=np.int32)
        for g in range(len(self.generators)):
            together[:, g] = drawn[:, self.channels == g].sum(axis=1)
        return np.concatenate([self.need[:, : self.single], together], axis=1)


def task_of(network: BssNetwork, demand: Sequence[Demand], *, instance: int) -> Task:
    """Return what an execution instance has to hold."""
    number, population, index, circuits, fires = [], [], [], [], []
    start = 0
    for k, p in enumerate(network.populations):
        here = np.flatnonzero(p.neuron_instance == instance)
        own = np.full(p.size, -1, dtype=np.int64)
        own[here] = start + np.arange(here.size)
        start += here.size
        number.append(own)
        population.append(np.full(here.size, k))
        index.append(here)
        circuits.append(np.full(here.size, p.circuits))
        if "fire" in p.switches:
            fires.append(own[here])
    firing = np.concatenate([np.empty(0, np.int64), *fires])
    source_of, outside = _sources(network, demand, number=number, firing=firing)
    generators, channels = _generators(
        network, source_of, number=number, first=firing.size + len(outside)
    )
    sources = firing.size + len(outside) + channels.size
    need = np.zeros((2, sources, start), dtype=np.int32)
    for q, d, source in zip(network.projections, demand, source_of, strict=True):
        target = number[_position(network, q.target)]
        rows, columns = np.flatnonzero(target >= 0), np.flatnonzero(source >= 0)
        where = np.ix_(source[columns], target[rows])
        for sign, synapses in enumerate(d.both):
            need[sign][where] += synapses[np.ix_(rows, columns)].T.astype(np.int32)
    return Task(
        population=np.concatenate([np.empty(0, np.int64), *population]),
        index=np.concatenate([np.empty(0, np.int64), *index]),
        circuits=np.concatenate([np.empty(0, np.int64), *circuits]),
        number=tuple(number),
        fires=firing,
        outside=np.array(outside, dtype=np.int64).reshape(-1, 2),
        generators=generators,
        channels=channels,
        need=need,
        target_of=tuple(_position(network, q.target) for q in network.projections),
        source_of=tuple(source_of),
    )


def _position(network: BssNetwork, name: str) -> int:
    return next(k for k, p in enumerate(network.populations) if p.name == name)


def _sources(
    network: BssNetwork, demand: Sequence[Demand], *, number: Sequence[Ints], firing: Ints
) -> tuple[list[Ints], list[tuple[int, int]]]:
    """Return the source of each projection's channels, and what comes from outside.

    Channels of background generators have none yet.
    """
    place = np.full(
        max((int(n.max(initial=-1)) for n in number), default=-1) + 1, -1, dtype=np.int64
    )
    place[firing] = np.arange(firing.size)
    outside: list[tuple[int, int]] = []
    source_of = []
    for k, (q, d) in enumerate(zip(network.projections, demand, strict=True)):
        source = np.full(network.size_of(q.source), -1, dtype=np.int64)
        target = number[_position(network, q.target)]
        used = ((d.exciting + d.inhibiting)[target >= 0] > 0).any(axis=0)
        if network.background(q.source) is not None:
            source_of.append(source)
            continue
        if q.source not in network.inputs:
            own = number[_position(network, q.source)]
            inside = (own >= 0) & used
            source[inside] = place[own[inside]]
            used &= own < 0
        channels = np.flatnonzero(used)
        source[channels] = firing.size + len(outside) + np.arange(channels.size)
        outside.extend((k, int(c)) for c in channels)
        source_of.append(source)
    return source_of, outside


def _generators(
    network: BssNetwork, source_of: list[Ints], *, number: Sequence[Ints], first: int
) -> tuple[tuple[int, ...], Ints]:
    """Give the channels of generators that lead here sources from ``first`` on.

    Returns the generators, and for every channel its place among them; all channels are sources,
    whether they have synapses or not, since the chip draws from all.
    """
    names = [b.name for b in network.backgrounds]
    begin: dict[int, int] = {}
    for q, source in zip(network.projections, source_of, strict=True):
        here = number[_position(network, q.target)] >= 0
        if q.source in names and here.any():
            k = names.index(q.source)
            if k not in begin:
                begin[k] = first
                first += source.size
            source[:] = begin[k] + np.arange(source.size)
    size = [network.backgrounds[k].size for k in begin]
    return tuple(begin), np.repeat(np.arange(len(size)), size).astype(np.int64)
