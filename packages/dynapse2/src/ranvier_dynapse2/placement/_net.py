"""The network as the kernels of the placement see it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .budget import Budget
from .grouping import Grouped

Ints = NDArray[np.int64]
Small = NDArray[np.int32]
UNLIMITED = 1 << 20
"""Packets that the host may send for one spike of an input channel."""


class Net(NamedTuple):
    """Neurons, groups of sources, and who reaches whom; one edge per group and target.

    Parameters
    ----------
    row, sources : arrays, (n + 1,), (edges,)
        Groups that reach each neuron, compressed.
    column, targets : arrays, (groups + 1,), (edges,)
        Neurons that each group reaches, compressed.
    first, members : arrays, (groups + 1,), (m,)
        Neurons of each group, compressed.
    own : array, (n,)
        Group of each neuron, -1: drives nothing.
    size : array, (groups,)
        Sources of each group, input channels included.
    words : array, (groups,)
        Chips that each group may reach.
    cluster : array, (n,)
        Neurons share cores within their cluster only; 0..
    level : array, (n,)
        Index into ``levels`` of the fewest usable CAM entries that the neuron's slot must have.
    levels : array, (n_levels,)
        Numbers of usable CAM entries that slots of the board have, ascending.
    """

    row: Ints
    sources: Small
    column: Ints
    targets: Small
    first: Ints
    members: Small
    own: Ints
    size: Ints
    words: Ints
    cluster: Ints
    level: Ints
    levels: Ints


class Caps(NamedTuple):
    """What the cores of the board, or of its first chips, hold.

    Parameters
    ----------
    per_chip : int
        Cores of a chip.
    tags : array, (cores,)
        Usable tags.
    room : array, (cores, n_levels)
        Neuron slots with at least ``levels[k]`` usable CAM entries.
    """

    per_chip: int
    tags: Ints
    room: Ints


def net_of(cluster: Ints, grouped: Grouped, *, n_channels: int, words: Ints, levels: Ints) -> Net:
    """Return the network; ``words`` (n,) are the packets that each neuron may send."""
    n, n_groups = cluster.size, grouped.n_groups
    edges = np.unique(grouped.synapse_target * max(1, n_groups) + grouped.synapse_group)
    target, source = np.divmod(edges, max(1, n_groups))
    own = grouped.group[n_channels:]
    driving = np.flatnonzero(own >= 0)
    by_group = driving[np.argsort(own[driving], kind="stable")]
    column = np.argsort(source, kind="stable")
    grouped_sources = grouped.group[grouped.group >= 0]
    return Net(
        row=_starts(target, n),
        sources=source.astype(np.int32),
        column=_starts(source, n_groups),
        targets=target[column].astype(np.int32),
        first=_starts(own[driving], n_groups),
        members=by_group.astype(np.int32),
        own=own.astype(np.int64),
        size=np.bincount(grouped_sources, minlength=n_groups).astype(np.int64),
        words=words_of(grouped, n_channels=n_channels, words=words),
        cluster=np.unique(cluster, return_inverse=True)[1].ravel().astype(np.int64),
        level=np.searchsorted(levels, grouped.entries(n)).astype(np.int64),
        levels=levels,
    )


def caps_of(budget: Budget, levels: Ints) -> Caps:
    """Return what the cores of a board hold."""
    entries = budget.entries_per_slot
    room = (entries[:, :, None] >= levels).sum(axis=1, dtype=np.int64)
    return Caps(budget.cores_per_chip, budget.tags_per_core, np.ascontiguousarray(room))


def levels_of(budget: Budget) -> Ints:
    """Return the different numbers of usable CAM entries of the board's slots, ascending."""
    return np.unique(budget.entries_per_slot).astype(np.int64)


def words_of(grouped: Grouped, *, n_channels: int, words: Ints) -> Ints:
    """Return the packets that every group may send: the least of its neurons, (groups,)."""
    least = np.full(grouped.n_groups, UNLIMITED, dtype=np.int64)
    own = grouped.group[n_channels:]
    driving = own >= 0
    np.minimum.at(least, own[driving], words[driving])
    return least


def reached(grouped: Grouped, position: Ints, cores: int) -> NDArray[np.bool_]:
    """Return the cores that every group reaches, (groups, cores).

    Parameters
    ----------
    position : array of int, (n,)
        Core of every neuron on the board: chip * cores_per_chip + core.
    """
    table = np.zeros((grouped.n_groups, cores), dtype=np.bool_)
    table[grouped.synapse_group, position[grouped.synapse_target]] = True
    return table


def _starts(sorted_or_not: Ints, size: int) -> Ints:
    counts = np.bincount(sorted_or_not, minlength=size)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
