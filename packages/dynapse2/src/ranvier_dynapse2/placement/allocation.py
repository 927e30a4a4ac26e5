"""Giving tags to packets: globally multiplexed, locally unique."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ._checks import Names, check_destinations, check_tags
from ._colouring import Coloured, Shortage, best_fit, exact_fit
from ._net import reached, words_of
from .budget import Budget
from .grouping import Grouped
from .places import Places

Ints = NDArray[np.int64]


class Routes(NamedTuple):
    """Packets of every group; each source of the group sends all of them.

    Parameters
    ----------
    group, chip, cores, tag : array of int64, (r,)
        Group, chip, mask of its cores (bit k is core k) and tag; sorted by group, chip and mask. No
        two packets into one core have the same tag, and no two packets of a group reach the same
        core.
    """

    group: Ints
    chip: Ints
    cores: Ints
    tag: Ints


def allocate_tags(
    grouped: Grouped,
    places: Places,
    *,
    n_channels: int,
    monitored: ArrayLike,
    budget: Budget,
    findings: Findings,
    name_of: Names = str,
) -> Routes | None:
    """Choose the packets of every group of sources, and their tags.

    A group sends one packet to each chip that it reaches. Where no tags can be found like that, the
    fewest packets possible are split into several for the cores of one chip, as long as words are
    left; input channels need no words.

    Parameters
    ----------
    grouped : Grouped
        Synapses.
    places : Places
        Where the neurons are.
    n_channels : int
        Number of input channels, the first sources.
    monitored : array of bool, (n,)
        Neurons that spend a word of their SRAM on reporting spikes.
    budget : Budget
        The board.
    findings : Findings
        Takes what does not fit, and a note on split packets.
    name_of : callable
        Name of a neuron in messages.

    Returns
    -------
    Routes or None
        None where findings got an error.
    """
    watched = np.asarray(monitored, dtype=np.bool_)
    table = reached(grouped, places.position(budget), budget.cores)
    known = len(findings.errors())
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
    words = words_of(grouped, n_channels=n_channels, words=budget.words(watched))
    return _allocated(table, words, budget=budget, findings=findings)


def _allocated(
    table: NDArray[np.bool_], words: Ints, *, budget: Budget, findings: Findings
) -> Routes | None:
    bits = np.int64(1) << np.arange(budget.cores_per_chip, dtype=np.int64)
    masks = table.reshape(-1, budget.chips, budget.cores_per_chip) @ bits
    spare = words - np.count_nonzero(masks, axis=1)
    rows: list[Ints] = []
    short = False
    for chip in range(budget.chips):
        groups = np.flatnonzero(masks[:, chip])
        found = _coloured(masks[groups, chip], spare[groups], budget.tag_usable[chip])
        if isinstance(found, Shortage):
            _report_shortage(chip, found, findings)
            short = True
            continue
        packets = groups[found.packet]
        spare -= np.bincount(packets, minlength=words.size) - (masks[:, chip] > 0)
        rows.append(np.stack([packets, np.full(packets.size, chip), found.mask, found.tag]))
    if short:
        return None
    group, chips, cores, tag = np.concatenate(rows, axis=1)
    order = np.lexsort((cores, chips, group))
    _note_splits(group.size - int(np.count_nonzero(masks)), findings)
    return Routes(group[order], chips[order], cores[order], tag[order])


def _coloured(masks: Ints, spare: Ints, usable: NDArray[np.bool_]) -> Coloured | Shortage:
    quick = best_fit(masks, usable)
    if isinstance(quick, Coloured):
        return quick
    exact = exact_fit(masks, spare, usable)
    return quick if exact is None else exact


def _report_shortage(chip: int, shortage: Shortage, findings: Findings) -> None:
    cores = [k for k in range(shortage.mask.bit_length()) if shortage.mask >> k & 1]
    message = (
        f"chip {chip}: {shortage.needed} packets go to cores {cores} together, "
        f"{shortage.available} tags are usable and free in all of them"
    )
    findings.add(
        codes.TAGS_NOT_COMMON.at(None, message, value=shortage.needed, limit=shortage.available)
    )


def _note_splits(more: int, findings: Findings) -> None:
    if more:
        message = f"{more} packets more than pairs of a source and a chip that it reaches"
        findings.add(codes.PACKETS_SPLIT.at(None, message, value=more, limit=0))
