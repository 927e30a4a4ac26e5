"""Memories of the chips: CAM and SRAM of every neuron, and the packets of the host."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Placement

from .. import diagnostics as codes
from ..network import Ints
from ..targets import target_named
from ._connections import Kept, Packets, reached_cores
from ._task import Task

Registers = dict[str, NDArray[Any]]
_SHOWN = 3


def cam_registers(kept: Kept, task: Task) -> Registers:
    """Return the CAM of all neurons, arrays (chips, 4, 256, 64).

    The entries of a neuron take its usable positions in ascending order: inputs by channel, then
    neurons by number. Reports neurons that have too few.
    """
    network, limits = task.network, task.limits
    usable = network.cam_usable[network.chip, network.core, network.slot]
    position = np.argsort(~usable, axis=1, kind="stable")
    count = np.bincount(kept.target, minlength=network.n_neurons)
    _refuse_full_cam(count, usable.sum(axis=1), task)
    rank = np.arange(kept.target.size) - (np.cumsum(count) - count)[kept.target]
    fits = rank < usable.sum(axis=1)[kept.target]
    target, rank = kept.target[fits], rank[fits]
    at = (*_place(target, task), position[target, rank])
    shape = (network.chips, limits.cores_per_chip, limits.neurons_per_core, usable.shape[1])
    registers: Registers = {
        "cam_tag": np.zeros(shape, dtype=np.uint16),
        "cam_mask": np.zeros(shape, dtype=np.uint8),
        "cam_dendrite": np.zeros(shape, dtype=np.uint8),
        "cam_flags": np.zeros(shape, dtype=np.uint8),
    }
    registers["cam_tag"][at] = kept.tag[fits].clip(0)
    registers["cam_mask"][at] = kept.mask[fits]
    registers["cam_dendrite"][at] = kept.port[fits] + 1
    return registers


def _refuse_full_cam(count: Ints, usable: Ints, task: Task) -> None:
    full = np.flatnonzero(count > usable)
    for neuron in full[:_SHOWN].tolist():
        text = (
            f"{_neuron(neuron, task)} has {count[neuron]} synapses and {usable[neuron]} usable "
            f"CAM entries"
        )
        if full.size > _SHOWN:
            text += f"; {full.size} neurons have this problem"
        task.findings.add(
            codes.CAM_FULL.at(None, text, value=int(count[neuron]), limit=int(usable[neuron]))
        )


def sram_registers(packets: Packets, task: Task) -> Registers:
    """Return the SRAM of all neurons, arrays (chips, 4, 256, 4).

    The first word of a monitored neuron reports it to the host; then comes one word per chip that
    it reaches. Reports neurons that need more words.
    """
    network, limits = task.network, task.limits
    target = target_named(task.mapped.target)
    words = limits.destinations_per_neuron
    owner, packet = packets.of(network.group[network.n_channels :])
    monitored = np.flatnonzero(network.monitored)
    count = np.bincount(owner, minlength=network.n_neurons) + network.monitored
    _refuse_full_sram(count, task)
    first = np.cumsum(np.bincount(owner, minlength=network.n_neurons))
    first = first - np.bincount(owner, minlength=network.n_neurons)
    rank = np.arange(owner.size) - first[owner] + network.monitored[owner]
    fits = rank < words
    owner, packet, rank = owner[fits], packet[fits], rank[fits]
    shape = (network.chips, limits.cores_per_chip, limits.neurons_per_core, words)
    registers: Registers = {
        "sram_used": np.zeros(shape, dtype=bool),
        "sram_tag": np.zeros(shape, dtype=np.uint16),
        "sram_cores": np.zeros(shape, dtype=np.uint8),
        "sram_x": np.zeros(shape, dtype=np.int8),
        "sram_y": np.zeros(shape, dtype=np.int8),
    }
    at = (*_place(owner, task), rank)
    registers["sram_used"][at] = True
    registers["sram_tag"][at] = packets.tag[packet]
    registers["sram_cores"][at] = packets.cores[packet]
    step = target.limit("chip_step_x")
    registers["sram_x"][at] = (packets.chip[packet] - network.chip[owner]) * step
    own = (*_place(monitored, task), 0)
    slots = limits.neurons_per_core
    hop_y = task.options.monitor_hop_y
    registers["sram_used"][own] = True
    registers["sram_tag"][own] = network.core[monitored] * slots + network.slot[monitored]
    registers["sram_cores"][own] = (1 << limits.cores_per_chip) - 1
    registers["sram_x"][own] = -target.limit("monitor_hops_x")
    registers["sram_y"][own] = -target.limit("monitor_hops_y") if hop_y is None else hop_y
    return registers


def _refuse_full_sram(count: Ints, task: Task) -> None:
    words = task.limits.destinations_per_neuron
    full = np.flatnonzero(count > words)
    for neuron in full[:_SHOWN].tolist():
        monitor = " (one of them to be monitored)" if task.network.monitored[neuron] else ""
        text = f"{_neuron(neuron, task)} needs {count[neuron]} SRAM words{monitor}, it has {words}"
        if full.size > _SHOWN:
            text += f"; {full.size} neurons have this problem"
        task.findings.add(codes.SRAM_FULL.at(None, text, value=int(count[neuron]), limit=words))


def input_registers(packets: Packets, task: Task) -> Registers:
    """Return the packets that the host sends for a spike of each channel, arrays (rows,)."""
    network = task.network
    step = target_named(task.mapped.target).limit("chip_step_x")
    channel, packet = packets.of(network.group[: network.n_channels])
    return {
        "input_channel": channel.astype(np.int64),
        "input_tag": packets.tag[packet].astype(np.uint16),
        "input_cores": packets.cores[packet].astype(np.uint8),
        "input_x": (packets.chip[packet] * step).astype(np.int8),
        "input_y": np.zeros(packet.size, dtype=np.int8),
    }


def placement_of(kept: Kept, task: Task) -> Placement:
    """Return the placement without the cores that an input no longer reaches."""
    network, table = task.network, task.mapped.placement
    if "input" not in table.port or not network.n_channels:
        return table
    sizes = [int(np.prod(shape, dtype=np.int64)) for shape in network.inputs.values()]
    offset = dict(zip(network.inputs, np.cumsum([0, *sizes]).tolist(), strict=False))
    start = np.array([offset.get(name, 0) for name in table.node], dtype=np.int64)
    inputs = table.port_id == table.port.index("input")
    channel = np.where(inputs, start[table.node_id] + table.index, 0)
    core = np.where(inputs, table.chip * task.limits.cores_per_chip + table.core, 0)
    group = network.group[channel]
    reached = reached_cores(kept, task)
    heard = np.array([g >= 0 and reached[g, c] for g, c in zip(group, core, strict=True)])
    rows = ~inputs | heard.astype(bool)
    columns = {n: getattr(table, n)[rows] for n in ("node_id", "index", "chip", "core", "slot")}
    return Placement(node=table.node, port=table.port, port_id=table.port_id[rows], **columns)


def _place(neurons: Ints, task: Task) -> tuple[Ints, Ints, Ints]:
    network = task.network
    return network.chip[neurons], network.core[neurons], network.slot[neurons]


def _neuron(neuron: int, task: Task) -> str:
    """Return the name of a neuron in the graph."""
    for p in task.network.populations:
        if p.start <= neuron < p.start + p.size:
            return f"neuron {neuron - p.start} of {p.name!r}"
    return f"neuron {neuron}"
