"""Every synapse that every source opens, found at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import SimulationError

from ..layout import ROW_MODES
from ..targets import Limits, limits_of
from .events import (
    ADDRESS_MASK,
    ADDRESS_SHIFT,
    LABEL_MASK,
    OUTPUT_SHIFT,
    channel_labels,
    node_exists,
)
from .registers import RoutingRegisters

Ints = NDArray[np.int64]
NEURON, EXTERNAL, BACKGROUND = 0, 1, 2
"""Kinds of sources."""
MAX_CONNECTIONS = 1 << 26
"""Most connections that are listed: beyond it memory runs out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Connections:
    """Pairs of a source and a synapse that it opens, sorted by instance, kind, source, place.

    Parameters
    ----------
    instance : array of int64, (n,)
        Execution instance.
    kind : array of int64, (n,)
        0: `source` is a circuit, 1: a row of the table of outer sources, 2: a channel of a
        background generator.
    source : array of int64, (n,)
        Circuit 0..511, row of ``source_label``, or row of `background_channels`.
    array, row, column : array of int64, (n,)
        The synapse; its circuit is ``array * 256 + column``.
    label : array of int64, (n,)
        Label that both have.
    sign : array of int64, (n,)
        1 excites, -1 inhibits.
    """

    instance: Ints
    kind: Ints
    source: Ints
    array: Ints
    row: Ints
    column: Ints
    label: Ints
    sign: Ints

    def __len__(self) -> int:
        return int(self.source.size)

    def weights(self, synapse_weight: NDArray[Any]) -> Ints:
        """Return the signed weight of every connection, (n,).

        Parameters
        ----------
        synapse_weight : array, (I, 2, 256, 256)
            Contents of the synapses.
        """
        at = (self.instance, self.array, self.row, self.column)
        return np.asarray(self.sign * synapse_weight[at].astype(np.int64))


@dataclass(frozen=True, eq=False)
class _Sources:
    """All sources of an instance: entrance, 14-bit label, kind and number."""

    entrance: Ints
    label: Ints
    kind: Ints
    number: Ints


def connections(registers: RoutingRegisters) -> Connections:
    """Return every synapse that opens for an event, for all circuits, outer sources, generators.

    The same as `ranvier_bss2.routing.walk` for every source. Synapses of disabled rows are left
    out; those of weight 0 are listed.

    Parameters
    ----------
    registers : RoutingRegisters
        Configuration, or `ranvier_bss2.routing.Registers` of a layout.

    Raises
    ------
    SimulationError
        There are more than `MAX_CONNECTIONS`.
    """
    limits = limits_of()
    pieces: list[tuple[Ints, ...]] = []
    total = 0
    for instance in range(registers.row_mode.shape[0]):
        sources = _sources(registers, instance, limits)
        for output in range(limits.arrays * limits.buses):
            heard = np.flatnonzero(_passing(registers, instance, sources=sources, output=output))
            for piece in _bus(registers, (instance, output), sources=sources, heard=heard):
                total += piece[0].size
                if total > MAX_CONNECTIONS:
                    raise SimulationError(
                        f"bss2: events open more than {MAX_CONNECTIONS} synapses in all; give "
                        "sources different labels or narrower filters"
                    )
                pieces.append(piece)
    names = ("instance", "kind", "source", "array", "row", "column", "label", "sign")
    empty = np.empty(0, dtype=np.int64)
    columns = [np.concatenate([empty, *(p[k] for p in pieces)]) for k in range(len(names))]
    order = np.lexsort(columns[5::-1])
    return Connections(**{n: c[order] for n, c in zip(names, columns, strict=True)})


def background_channels(registers: RoutingRegisters) -> tuple[Ints, Ints, Ints]:
    """Return all channels of all background generators in use, one after the other.

    Parameters
    ----------
    registers : RoutingRegisters
        Configuration, or `ranvier_bss2.routing.Registers` of a layout.

    Returns
    -------
    row, channel, label : array of int64, (channels,)
        Row of ``background_label``, channel of it, and the label of 14 bits of its events.
    """
    masks = np.asarray(registers.background_mask).astype(np.int64).tolist()
    first = np.asarray(registers.background_label).astype(np.int64).tolist()
    labels = [channel_labels(own, mask) for own, mask in zip(first, masks, strict=True)]
    empty = np.empty(0, dtype=np.int64)
    size = np.array([own.size for own in labels], dtype=np.int64)
    return (
        np.repeat(np.arange(size.size), size),
        np.concatenate([empty, *(np.arange(n) for n in size.tolist())]).astype(np.int64),
        np.concatenate([empty, *labels]),
    )


def _sources(registers: RoutingRegisters, instance: int, limits: Limits) -> _Sources:
    address = np.asarray(registers.circuit_address[instance]).astype(np.int64)
    circuit = np.flatnonzero(address >= 0)
    output = circuit % limits.columns // (limits.columns // limits.event_outputs)
    outer = np.flatnonzero(np.asarray(registers.source_instance) == instance)
    link = np.asarray(registers.source_link)[outer].astype(np.int64)
    outer_label = np.asarray(registers.source_label)[outer].astype(np.int64)
    row, _, label = background_channels(registers)
    here = np.flatnonzero(np.asarray(registers.background_instance)[row] == instance)
    generator = np.asarray(registers.background_generator)[row[here]].astype(np.int64)
    first = limits.event_outputs + limits.external_links
    return _Sources(
        np.concatenate([output, limits.event_outputs + link, first + generator]),
        np.concatenate([output << OUTPUT_SHIFT | address[circuit], outer_label, label[here]]),
        np.repeat([NEURON, EXTERNAL, BACKGROUND], [circuit.size, outer.size, here.size]),
        np.concatenate([circuit, outer, here]),
    )


def _passing(
    registers: RoutingRegisters, instance: int, *, sources: _Sources, output: int
) -> NDArray[np.bool_]:
    """Return which sources reach an output of the crossbar."""
    entrance = sources.entrance
    mask = np.asarray(registers.node_mask[instance, output]).astype(np.int64)
    target = np.asarray(registers.node_target[instance, output]).astype(np.int64)
    enabled = np.asarray(registers.node_enabled[instance, output]).astype(np.bool_)
    there = node_exists(np.int64(output), entrance, limits_of())
    return np.asarray(
        there & enabled[entrance] & (sources.label & mask[entrance] == target[entrance])
    )


def _bus(
    registers: RoutingRegisters, place: tuple[int, int], *, sources: _Sources, heard: Ints
) -> list[tuple[Ints, ...]]:
    """Return the connections of one bus of one array, driver by driver."""
    limits = limits_of()
    instance, output = place
    array, bus = divmod(output, limits.buses)
    address = sources.label[heard] >> ADDRESS_SHIFT & ADDRESS_MASK
    label = sources.label[heard] & LABEL_MASK
    order = np.argsort(label, kind="stable")
    heard, address, label = heard[order], address[order], label[order]
    found: list[tuple[Ints, ...]] = []
    for position in range(limits.drivers // limits.buses if heard.size else 0):
        driver = position * limits.buses + bus
        mask = int(registers.driver_mask[instance, array, driver])
        rows = np.array([2 * driver, 2 * driver + 1])
        rows = rows[np.asarray(registers.row_mode[instance, array, rows]) > 0]
        taken = (address ^ position) & mask == 0
        own, own_label = heard[taken], label[taken]
        if not rows.size or not own.size:
            continue
        listens = np.asarray(registers.synapse_label[instance, array, rows]).astype(np.int64)
        first = np.searchsorted(own_label, listens, side="left")
        count = np.searchsorted(own_label, listens, side="right") - first
        line, column = np.nonzero(count)
        times, start = count[line, column], first[line, column]
        before = np.cumsum(times) - times
        pick = np.repeat(start - before, times) + np.arange(int(times.sum()))
        line, column = np.repeat(line, times), np.repeat(column, times)
        row, source = rows[line], own[pick]
        mode = np.asarray(registers.row_mode[instance, array, row])
        sign = np.where(mode == ROW_MODES.index("excitatory"), 1, -1)
        same = np.full(row.size, instance)
        kind, number = sources.kind[source], sources.number[source]
        found.append(
            (same, kind, number, np.full(row.size, array), row, column, own_label[pick], sign)
        )
    return found
