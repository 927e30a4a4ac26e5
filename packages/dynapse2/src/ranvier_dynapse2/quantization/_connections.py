"""Which synapses survive, and which packets their sources send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import diagnostics as codes
from ..network import Ints
from ._task import Task
from ._weights import CoreWeights

_SHOWN = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """Synapses that have a CAM entry: sorted by target, then first source of the group, then port.

    Parameters
    ----------
    group, target, port, tag : array of int, (n,)
        Source group, neuron, index into `ranvier_dynapse2.nodes.PORTS`, tag that opens it.
    mask : array of uint8, (n,)
        Base currents, 1..15.
    """

    group: Ints
    target: Ints
    port: Ints
    tag: Ints
    mask: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Packets:
    """Packets of groups, sorted by group, then chip.

    Parameters
    ----------
    group, chip, cores, tag : array of int, (n,)
        As the routes of `ranvier_dynapse2.network.DpiNetwork`; only cores where a CAM entry
        listens.
    first : array of int, (n_groups + 1,)
        First packet of every group.
    """

    group: Ints
    chip: Ints
    cores: Ints
    tag: Ints
    first: Ints

    def of(self, groups: Ints) -> tuple[Ints, Ints]:
        """Return, for all packets of some groups in order, index of the group and packet.

        Parameters
        ----------
        groups : array of int, (n,)
            Groups, -1 for none.
        """
        start = np.where(groups < 0, 0, self.first[groups])
        size = np.where(groups < 0, 0, self.first[groups + 1] - start)
        owner = np.repeat(np.arange(groups.size), size)
        offset = np.arange(owner.size) - np.repeat(np.cumsum(size) - size, size)
        return owner, np.repeat(start, size) + offset


def n_groups_of(task: Task) -> int:
    """Return the number of groups of sources."""
    network = task.network
    parts = (network.group, network.synapse_group, network.route_group)
    return 1 + max((int(part.max(initial=-1)) for part in parts), default=-1)


def kept_synapses(weights: Sequence[CoreWeights], task: Task) -> Kept:
    """Return the synapses whose mask is not 0, with their tags; reports missing ones."""
    network = task.network
    masks = np.zeros(network.synapse_group.size, dtype=np.uint8)
    for made in weights:
        masks[made.synapses] = made.masks
    own = np.flatnonzero(masks)
    group, target = network.synapse_group[own], network.synapse_target[own]
    port = network.synapse_port[own]
    tag = _tags(task)[group, task.core[target]]
    _refuse_silent(group, target, tag, task=task)
    order = np.lexsort((port, _first_sources(task)[group], target))
    return Kept(
        group=group[order],
        target=target[order],
        port=port[order],
        tag=tag[order],
        mask=masks[own][order],
    )


def packets_of(kept: Kept, task: Task) -> Packets:
    """Return the packets that somebody listens to."""
    network = task.network
    n_groups, n_cores = n_groups_of(task), task.limits.cores_per_chip
    listening = reached_cores(kept, task)
    chip = network.route_chip
    heard = np.zeros(chip.size, dtype=np.int64)
    for k in range(n_cores):
        hears = listening[network.route_group, chip * n_cores + k]
        heard |= np.where(hears, network.route_cores & (1 << k), 0)
    order = np.lexsort((chip, network.route_group))
    order = order[heard[order] > 0]
    group = network.route_group[order]
    return Packets(
        group=group,
        chip=chip[order],
        cores=heard[order],
        tag=network.route_tag[order],
        first=np.searchsorted(group, np.arange(n_groups + 1)),
    )


def reached_cores(kept: Kept, task: Task) -> NDArray[np.bool_]:
    """Say which cores of the board listen to a group, (n_groups, cores)."""
    listening = np.zeros((n_groups_of(task), task.n_cores), dtype=bool)
    listening[kept.group, task.core[kept.target]] = True
    return listening


def _tags(task: Task) -> Ints:
    """Return the tag of every group on every core of the board, (n_groups, cores), -1: none."""
    network, n_cores = task.network, task.limits.cores_per_chip
    tags = np.full((n_groups_of(task), task.n_cores), -1, dtype=np.int64)
    for k in range(n_cores):
        to = (network.route_cores >> k) & 1 == 1
        tags[network.route_group[to], network.route_chip[to] * n_cores + k] = network.route_tag[to]
    return tags


def _first_sources(task: Task) -> Ints:
    """Return the first source of every group, (n_groups,)."""
    group: NDArray[Any] = task.network.group
    first = np.full(n_groups_of(task), group.size, dtype=np.int64)
    driving = np.flatnonzero(group >= 0)
    np.minimum.at(first, group[driving], driving)
    return first


def _refuse_silent(group: Ints, target: Ints, tag: Ints, *, task: Task) -> None:
    lost = np.flatnonzero(tag < 0)
    if lost.size:
        some = ", ".join(f"{group[i]} to neuron {target[i]}" for i in lost[:_SHOWN])
        text = f"{lost.size} synapse(s) have no tag on their core, for example of group {some}"
        task.findings.add(codes.NO_TAG.at(None, text, value=int(lost.size), limit=0))
