"""Placing neurons: the best of several starts, refined on the true cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.diagnostics import Findings
from ranvier.errors import InputError

from ._checks import (
    Names,
    check_board,
    check_destinations,
    check_slots,
    check_tags,
    least_cores,
    report_unplaced,
)
from ._cost import State, cost_of
from ._net import Net, caps_of, levels_of, net_of, reached
from ._refine import refined
from ._start import filled, grown
from .budget import Budget
from .grouping import Grouped

Ints = NDArray[np.int64]
_DRAWS = 3


class Places(NamedTuple):
    """Place of every neuron.

    Parameters
    ----------
    chip, core, slot : array of int64, (n,)
        Chip of the board, core of the chip, neuron of the core.
    """

    chip: Ints
    core: Ints
    slot: Ints

    def position(self, budget: Budget) -> Ints:
        """Return the core of every neuron on the board: chip * cores_per_chip + core, (n,)."""
        position: Ints = self.chip * budget.cores_per_chip + self.core
        return position


def place_neurons(
    cluster: ArrayLike,
    grouped: Grouped,
    *,
    n_channels: int,
    monitored: ArrayLike,
    budget: Budget,
    seed: int = 0,
    findings: Findings,
    name_of: Names = str,
) -> Places | None:
    """Choose chip, core and slot of every neuron.

    Within the limits of cores, tags and destinations, packets between chips decide, then tags,
    then cores in use. The same arguments give the same places.

    Parameters
    ----------
    cluster : array of int, (n,)
        Neurons share a core with neurons of their own cluster only.
    grouped : Grouped
        Synapses; sources are the input channels, then the neurons.
    n_channels : int
        Number of input channels.
    monitored : array of bool, (n,)
        Neurons that spend a word of their SRAM on reporting spikes.
    budget : Budget
        The board.
    seed : int
        Draws the start of one candidate, and the order of the refinement.
    findings : Findings
        Takes what does not fit.
    name_of : callable
        Name of a neuron in messages.

    Returns
    -------
    Places or None
        None where findings got an error.

    Raises
    ------
    InputError
        Arrays are about different numbers of neurons.
    """
    cluster = np.asarray(cluster, dtype=np.int64)
    watched = np.asarray(monitored, dtype=np.bool_)
    _check_sizes(cluster, watched, grouped, n_channels)
    entries = grouped.entries(cluster.size)
    known = len(findings.errors())
    check_board(cluster, entries, budget=budget, findings=findings, name_of=name_of)
    check_slots(entries, budget=budget, findings=findings)
    if len(findings.errors()) > known:
        return None
    words = budget.words(watched)
    levels = levels_of(budget)
    net = net_of(cluster, grouped, n_channels=n_channels, words=words, levels=levels)
    state = _best(net, budget, least=least_cores(cluster, budget), seed=seed)
    unplaced = int(np.count_nonzero(state.core < 0))
    if unplaced:
        report_unplaced(unplaced, n=cluster.size, budget=budget, findings=findings)
        return None
    table = reached(grouped, state.core, budget.cores)
    check_tags(table, budget=budget, findings=findings)
    check_destinations(
        grouped,
        table,
        watched,
        n_channels=n_channels,
        budget=budget,
        findings=findings,
        name_of=name_of,
    )
    if len(findings.errors()) > known:
        return None
    chip, core = np.divmod(state.core, budget.cores_per_chip)
    return Places(chip, core, _slots(state.core, entries, budget))


def _check_sizes(
    cluster: Ints, monitored: NDArray[np.bool_], grouped: Grouped, n_channels: int
) -> None:
    sizes = (grouped.group.size - n_channels, cluster.size, monitored.size)
    if len(set(sizes)) > 1 or grouped.synapse_target.max(initial=-1) >= cluster.size:
        raise InputError(
            f"dynapse2: placement: synapses know {sizes[0]} neurons and targets up to "
            f"{grouped.synapse_target.max(initial=-1)}, clusters {sizes[1]}, monitored {sizes[2]}; "
            "give arrays of the same neurons"
        )


def _best(net: Net, budget: Budget, *, least: int, seed: int) -> State:
    """Return the best placement on as few chips as hold the network, or on all of them."""
    smallest = -(-least // budget.cores_per_chip) if budget.fewest_chips else budget.chips
    for chips in range(max(1, smallest), budget.chips):
        cost, state = _best_on(net, budget.on(chips), seed=seed)
        if cost[:2] == (0, 0):
            return state
    return _best_on(net, budget, seed=seed)[1]


def _best_on(net: Net, budget: Budget, *, seed: int) -> tuple[tuple[int, ...], State]:
    """Return the best placement on a board with its cost, which starts with what does not fit."""
    caps = caps_of(budget, net.levels)
    found = []
    for start in _starts(net, budget, seed=seed):
        unplaced = int(np.count_nonzero(start.core < 0))
        state = start if unplaced else refined(net, caps, start, seed=seed)
        cost = (unplaced, *cost_of(net, caps, state))
        found.append((cost, state))
        if cost[:2] == (0, 0) and cost[-1] <= 1:
            break
    return min(found, key=lambda candidate: candidate[0])


def _starts(net: Net, budget: Budget, *, seed: int) -> Iterator[State]:
    """Yield placements to refine: in order, the demanding first, and grown in several ways."""
    caps = caps_of(budget, net.levels)
    n = net.own.size
    yield filled(net, caps, np.arange(n))
    if net.levels.size > 1:
        yield filled(net, caps, np.argsort(-net.level, kind="stable"))
    yield grown(net, caps, seed=None)
    for draw in np.random.default_rng(seed).integers(0, 1 << 31, _DRAWS):
        yield grown(net, caps, seed=int(draw))


def _slots(position: Ints, entries: Ints, budget: Budget) -> Ints:
    """Return the slot of every neuron: in order, or the demanding on the best slots, (n,)."""
    slot = np.zeros(position.size, dtype=np.int64)
    usable = budget.entries_per_slot
    for core in np.unique(position):
        members = np.flatnonzero(position == core)
        if np.all(entries[members] <= usable[core, : members.size]):
            slot[members] = np.arange(members.size)
        else:
            demanding = members[np.argsort(-entries[members], kind="stable")]
            slot[demanding] = np.argsort(-usable[core], kind="stable")[: members.size]
    return slot
