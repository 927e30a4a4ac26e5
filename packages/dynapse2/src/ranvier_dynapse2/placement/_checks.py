"""What cannot be placed or addressed, with numbers and advice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from .budget import Budget
from .grouping import Grouped

Ints = NDArray[np.int64]
Names = Callable[[int], str]


def least_cores(cluster: Ints, budget: Budget) -> int:
    """Return a number of cores that no placement can do without."""
    sizes = np.unique(cluster, return_counts=True)[1]
    return int((-(-sizes // budget.neurons_per_core)).sum())


def check_board(
    cluster: Ints, entries: Ints, *, budget: Budget, findings: Findings, name_of: Names
) -> None:
    """Report neurons without a slot, and more neurons or clusters than the board has cores for."""
    most = int(budget.entries_per_slot.max())
    over = np.flatnonzero(entries > most)
    if over.size:
        worst = int(over[np.argmax(entries[over])])
        message = (
            f"{_neurons(over.size)} more CAM entries than any neuron of the board offers; neuron "
            f"{name_of(worst)} needs {entries[worst]}, at most {most} are usable"
        )
        findings.add(codes.NO_SUCH_SLOT.at(None, message, value=int(entries[worst]), limit=most))
    needed = least_cores(cluster, budget)
    if needed > budget.cores:
        clusters = np.unique(cluster).size
        message = (
            f"{cluster.size} neurons with {clusters} different set(s) of parameters need at least "
            f"{needed} cores of {budget.neurons_per_core} neurons, {budget.cores} are available "
            f"({budget.chips} chip(s) of {budget.cores_per_chip})"
        )
        findings.add(codes.BOARD_FULL.at(None, message, value=needed, limit=budget.cores))


def check_slots(entries: Ints, *, budget: Budget, findings: Findings) -> None:
    """Report numbers of CAM entries that more neurons need than slots of the board offer.

    Neurons that need more than any slot has, or no more than every slot has, are reported by
    `check_board`.
    """
    slots = budget.entries_per_slot.ravel()
    entries = entries[entries <= slots.max()]
    for floor in np.unique(entries[entries > slots.min()])[::-1]:
        needed, offered = int((entries >= floor).sum()), int((slots >= floor).sum())
        if needed > offered:
            message = (
                f"{needed} neurons need {floor} or more usable CAM entries, {offered} neurons of "
                "the board have that many"
            )
            findings.add(codes.SLOTS_EXHAUSTED.at(None, message, value=needed, limit=offered))
            return


def report_unplaced(unplaced: int, *, n: int, budget: Budget, findings: Findings) -> None:
    """Report neurons that no core of their cluster had a slot for."""
    message = (
        f"{unplaced} of {n} neurons found no neuron with enough usable CAM entries on a core of "
        f"their own set of parameters; the board has {budget.cores} cores"
    )
    findings.add(codes.SLOTS_EXHAUSTED.at(None, message, value=n, limit=n - unplaced))


def check_tags(table: NDArray[np.bool_], *, budget: Budget, findings: Findings) -> None:
    """Report cores that more groups reach than they have usable tags; (groups, cores)."""
    needed, offered = table.sum(axis=0, dtype=np.int64), budget.tags_per_core
    for core in np.flatnonzero(needed > offered):
        chip, local = divmod(int(core), budget.cores_per_chip)
        message = (
            f"chip {chip}, core {local}: {needed[core]} sources with different synapses reach it, "
            f"{offered[core]} tags are usable there"
        )
        value, limit = int(needed[core]), int(offered[core])
        findings.add(codes.TAGS_EXHAUSTED.at(None, message, value=value, limit=limit))


def check_destinations(
    grouped: Grouped,
    table: NDArray[np.bool_],
    monitored: NDArray[np.bool_],
    *,
    n_channels: int,
    budget: Budget,
    findings: Findings,
    name_of: Names,
) -> None:
    """Report neurons that reach more chips than they have words; (groups, cores)."""
    chips = table.reshape(-1, budget.chips, budget.cores_per_chip).any(axis=2).sum(axis=1)
    own = grouped.group[n_channels:]
    reach = np.where(own >= 0, np.append(chips, 0)[own], 0)
    words = budget.words(monitored)
    over = np.flatnonzero(reach > words)
    if over.size:
        worst = int(over[np.argmax(reach[over] - words[over])])
        message = (
            f"{_neurons(over.size)} more destinations than SRAM words; neuron {name_of(worst)} "
            f"reaches {reach[worst]} chips, {words[worst]} of its {budget.destinations} words are "
            f"left{' beside the one for monitoring' if monitored[worst] else ''}"
        )
        value, limit = int(reach[worst]), int(words[worst])
        findings.add(codes.TOO_MANY_DESTINATIONS.at(None, message, value=value, limit=limit))


def _neurons(count: int) -> str:
    return "a neuron needs" if count == 1 else f"{count} neurons need"
