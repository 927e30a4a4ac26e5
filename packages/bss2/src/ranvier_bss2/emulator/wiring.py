"""From registers to weights between sources and circuits, in LSB of drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..chip import VirtualChip
from ..config import Bss2Config
from ..routing import Connections, background_channels
from ..routing.connections import BACKGROUND, EXTERNAL, NEURON
from ._kernel import Weights
from .neurons import Realised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Wiring:
    """Synapses of one execution instance, and where their weights go.

    Parameters
    ----------
    source_name : tuple of str
        Inputs and earlier populations that the host sends spikes of, and background generators.
    source_first : array of int64, (len(source_name) + 1,)
        Where the rows of each of them start.
    source_channel : array of int64, (outside,)
        Channel of each row.
    sizes : (int, int, int)
        Rows from outside, neurons, circuits.
    synapse : array of int64, (k,)
        Number of the synapse among all of the chip's, (instance, array, row, column) flattened.
    slot : array of int64, (k,)
        Where it counts in ``(outside + 2 n, 2, c)`` flattened: from outside, from neurons to the
        same step, and to the next.
    factor : array, (k,)
        LSB of drive per LSB of weight, with the deviation of the synapse.
    """

    source_name: tuple[str, ...]
    source_first: Ints
    source_channel: Ints
    sizes: tuple[int, int, int]
    synapse: Ints
    slot: Ints
    factor: Floats

    def weights(self, synapse_weight: NDArray[np.integer]) -> Weights:
        """Return the weights for the contents of all synapses, (I, 2, 256, 256)."""
        outside, n, c = self.sizes
        rows = outside + 2 * n
        value = synapse_weight.reshape(-1)[self.synapse] * self.factor
        dense = np.bincount(self.slot, value, minlength=rows * 2 * c).reshape(rows, 2, c)
        forward, recurrent = dense[outside : outside + n], dense[outside + n :]
        return Weights(
            outside=np.ascontiguousarray(dense[:outside]),
            forward=np.ascontiguousarray(forward),
            recurrent=np.ascontiguousarray(recurrent),
            has_forward=np.asarray(forward.any(axis=(1, 2)), dtype=np.uint8),
            has_recurrent=np.asarray(recurrent.any(axis=(1, 2)), dtype=np.uint8),
        )


def wire(
    config: Bss2Config,
    chip: VirtualChip,
    found: Connections,
    *,
    realised: Realised,
    instance: int,
) -> Wiring:
    """Return the synapses that events of an execution instance open.

    Parameters
    ----------
    config : Bss2Config
        Its registers decide, not its projections: a wrong register shows.
    chip : VirtualChip
        Deviation of every synapse.
    found : Connections
        Of `ranvier_bss2.routing.connections`.
    realised : Realised
        The neurons.
    instance : int
        Execution instance.

    Notes
    -----
    A spike of a neuron arrives in the same step where a projection of delay 0 joins the two
    populations, and in the next one otherwise. Synapses of circuits that belong to no neuron do
    nothing.
    """
    limits = config.limits
    own = np.asarray(found.instance) == instance
    kind, source, array, row, column = (
        np.asarray(getattr(found, name))[own].astype(np.int64)
        for name in ("kind", "source", "array", "row", "column")
    )
    receptor = (np.asarray(found.sign)[own] < 0).astype(np.int64)
    lane_of = np.full(limits.neuron_circuits, -1, dtype=np.int64)
    lane_of[realised.circuit] = np.arange(realised.circuit.size)
    lane = lane_of[array * limits.columns + column]
    names, first, channel, row_of, channel_of = _outside(config, instance)
    sizes = (channel.size, realised.population.size, realised.circuit.size)
    neuron_of = np.repeat(np.arange(sizes[1]), np.diff(realised.neurons.first))
    sender = _sender(realised, limits.neuron_circuits)
    inner = kind == NEURON
    begin = np.append(row_of, -1)[np.where(kind == EXTERNAL, source, -1)]
    drawn = np.append(channel_of, -1)[np.where(kind == BACKGROUND, source, -1)]
    begin = np.where(kind == BACKGROUND, drawn, begin)
    from_neuron = sender[np.where(inner, source, 0)]
    late = _late(config, realised.population[from_neuron], realised.population[neuron_of[lane]])
    inside = sizes[0] + from_neuron + sizes[1] * late
    begin = np.where(inner, np.where(from_neuron >= 0, inside, -1), begin)
    used = (lane >= 0) & (begin >= 0)
    deviation = 1.0 + chip.variability.sigma_weight * chip.synapses()[array, row, column]
    place = ((instance * limits.arrays + array) * limits.rows + row) * limits.columns + column
    return Wiring(
        source_name=names,
        source_first=first,
        source_channel=channel,
        sizes=sizes,
        synapse=place[used],
        slot=((begin * 2 + receptor) * sizes[2] + lane)[used],
        factor=(np.maximum(deviation, 0.0) * realised.kappa[lane])[used],
    )


def _outside(config: Bss2Config, instance: int) -> tuple[tuple[str, ...], Ints, Ints, Ints, Ints]:
    """Return names, starts and channels of rows from outside, and where sources have their rows.

    These are the row of every outer source, and of every channel of a background generator, -1:
    none here. Several labels of one channel make one row: they are sent together.
    """
    rows = np.asarray(config.source_instance) == instance
    projection = np.asarray(config.source_projection).astype(np.int64)
    channel = np.asarray(config.source_channel).astype(np.int64)
    sources = [q.source for q in config.projections]
    generator, drawn, _ = background_channels(config)
    here = np.asarray(config.background_instance)[generator] == instance
    node = np.asarray(config.background_node)[generator].astype(np.int64)
    own = list(config.background_shapes)
    used = [own[k] for k in np.unique(node[here])]
    names = tuple(dict.fromkeys([*(sources[k] for k in np.unique(projection[rows])), *used]))
    number = np.array([names.index(s) if s in names else -1 for s in sources], dtype=np.int64)
    place = np.array([names.index(n) if n in names else -1 for n in own], dtype=np.int64)
    row_of = np.full(rows.size, -1, dtype=np.int64)
    channel_of = np.full(here.size, -1, dtype=np.int64)
    if not names:
        return (), np.zeros(1, np.int64), np.zeros(0, np.int64), row_of, channel_of
    outer = np.concatenate([number[projection[rows]], place[node[here]]])
    pair = np.stack([outer, np.concatenate([channel[rows], drawn[here]])])
    unique, inverse = np.unique(pair, axis=1, return_inverse=True)
    inverse = inverse.reshape(-1)
    row_of[rows], channel_of[here] = np.split(inverse, [int(rows.sum())])
    first = np.searchsorted(unique[0], np.arange(len(names) + 1)).astype(np.int64)
    return names, first, unique[1].astype(np.int64), row_of, channel_of


def _sender(realised: Realised, circuits: int) -> Ints:
    """Return the neuron that fires through a circuit, -1: none."""
    sender = np.full(circuits, -1, dtype=np.int64)
    sender[realised.circuit[realised.neurons.first[:-1]]] = np.arange(realised.population.size)
    return sender


def _late(config: Bss2Config, source: Ints, target: Ints) -> Ints:
    """Return 1 where spikes from a population to another arrive in the next step, else 0."""
    names = [p.name for p in config.populations]
    late = np.ones((len(names), len(names)), dtype=np.int64)
    for q in config.projections:
        if q.source in names and q.delay == 0:
            late[names.index(q.source), names.index(q.target)] = 0
    return np.asarray(late[source, target])
