"""Tags for the packets into one chip: packets that meet in a core must differ.

Packets with the same mask of cores are alike, and so are tags that are usable in the same cores:
a chip of four cores has 15 kinds of each, and the problem is one of counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Shortage(NamedTuple):
    """Packets of one mask that found too few tags.

    Parameters
    ----------
    mask : int
        Cores, bit k is core k.
    needed, available : int
        Packets with this mask, and tags still usable and free in all of these cores.
    """

    mask: int
    needed: int
    available: int


class Coloured(NamedTuple):
    """Packets with tags.

    Parameters
    ----------
    packet, mask, tag : array of int64, (r,)
        Index of the packet asked for, cores, and tag; more than one row where it was split.
    """

    packet: Ints
    mask: Ints
    tag: Ints


def best_fit(masks: Ints, usable: NDArray[np.bool_]) -> Coloured | Shortage:
    """Give every packet a tag, wide masks first, each time the tag that wastes the fewest cores.

    Where every tag is usable in every core, this fails only if no assignment exists.

    Parameters
    ----------
    masks : array of int, (p,)
        Cores of every packet, bit k is core k.
    usable : array of bool, (cores, tags)
        Tags usable in each core.
    """
    free = kinds_of(usable)
    tag = np.full(masks.size, -1, dtype=np.int64)
    for mask in _order(masks, free):
        packets = np.flatnonzero(masks == mask)
        candidates = np.flatnonzero((free & mask) == mask)
        if candidates.size < packets.size:
            return Shortage(mask, int(packets.size), int(candidates.size))
        waste = _widths(free[candidates] ^ mask)
        chosen = np.sort(candidates[np.argsort(waste, kind="stable")[: packets.size]])
        tag[packets] = chosen
        free[chosen] ^= mask
    return Coloured(np.arange(masks.size), masks, tag)


def exact_fit(masks: Ints, spare: Ints, usable: NDArray[np.bool_]) -> Coloured | None:
    """Give every packet a tag, splitting as few packets as possible; None: impossible.

    An integer program over the counts: how many tags of each kind serve each partition of their
    cores, and how many packets of each mask are cut in which way.

    Parameters
    ----------
    masks : array of int, (p,)
        Cores of every packet.
    spare : array of int, (p,)
        Packets that may be sent in addition when this one is split.
    usable : array of bool, (cores, tags)
        Tags usable in each core.
    """
    cores = usable.shape[0]
    kinds, tags = np.unique(kinds_of(usable), return_counts=True)
    serving = [(int(u), cut) for u in kinds for cut in partitions(int(u))]
    alike = np.stack([masks, np.minimum(spare, cores - 1)], axis=1)
    classes, packets = np.unique(alike, axis=0, return_counts=True)
    cutting = [
        (row, cut)
        for row, (mask, more) in enumerate(classes)
        for cut in partitions(int(mask))
        if len(cut) <= 1 + more
    ]
    counts = _solved(
        [(int(np.searchsorted(kinds, kind)), cut) for kind, cut in serving], tags, cutting, packets
    )
    if counts is None:
        return None
    wanted = _cut_packets(alike, classes, cutting, counts[len(serving) :])
    return _hand_out(wanted, serving, counts[: len(serving)], usable)


def _solved(
    serving: list[tuple[int, tuple[int, ...]]],
    tags: Ints,
    cutting: list[tuple[int, tuple[int, ...]]],
    packets: Ints,
) -> Ints | None:
    """Return how often each way to serve and each way to cut is used; None: impossible."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]

    x, columns = len(serving), len(serving) + len(cutting)
    supply = np.zeros((tags.size, columns))
    demand = np.zeros((packets.size, columns))
    balance = np.zeros((16, columns))
    for column, (kind, cut) in enumerate(serving):
        supply[kind, column] = 1
        balance[list(cut), column] = 1
    for column, (row, cut) in enumerate(cutting, x):
        demand[row, column] = 1
        balance[list(cut), column] = -1
    result = milp(
        np.array([0] * x + [len(cut) - 1 for _, cut in cutting], dtype=np.float64),
        integrality=np.ones(columns),
        bounds=Bounds(0, np.inf),
        constraints=[
            LinearConstraint(supply, -np.inf, tags),
            LinearConstraint(balance, 0, np.inf),
            LinearConstraint(demand, packets, packets),
        ],
    )
    return None if result.x is None else np.rint(result.x).astype(np.int64)


def partitions(mask: int) -> list[tuple[int, ...]]:
    """Return all ways to cut a mask into disjoint masks, the whole first.

    Examples
    --------
    >>> partitions(0b101)
    [(5,), (1, 4)]
    """
    if mask == 0:
        return [()]
    lowest = mask & -mask
    rest = mask ^ lowest
    found, part = [], rest
    while True:
        found += [(part | lowest, *more) for more in partitions(rest ^ part)]
        if part == 0:
            return found
        part = (part - 1) & rest


def kinds_of(usable: NDArray[np.bool_]) -> Ints:
    """Return the cores in which every tag is usable, (tags,), bit k is core k."""
    bits = np.int64(1) << np.arange(usable.shape[0], dtype=np.int64)
    kinds: Ints = bits @ usable.astype(np.int64)
    return kinds


def _widths(masks: Ints) -> Ints:
    return np.array([int(m).bit_count() for m in range(16)], dtype=np.int64)[masks]


def _order(masks: Ints, free: Ints) -> list[int]:
    """Return the masks, wide ones first, among them those with the fewest tags to spare."""
    different, counts = np.unique(masks, return_counts=True)
    room = [int(((free & m) == m).sum()) - int(c) for m, c in zip(different, counts, strict=True)]
    order = np.lexsort((different, np.array(room, dtype=np.int64), -_widths(different)))
    return [int(m) for m in different[order]]


def _cut_packets(
    alike: Ints, classes: Ints, cutting: list[tuple[int, tuple[int, ...]]], counts: Ints
) -> list[tuple[int, int]]:
    """Return (packet, mask) of everything sent, packets of a class cut in their order."""
    sent = []
    waiting = [np.flatnonzero((alike == one).all(axis=1)).tolist()[::-1] for one in classes]
    for (row, cut), count in zip(cutting, counts, strict=True):
        for _ in range(int(count)):
            packet = waiting[row].pop()
            sent += [(packet, mask) for mask in cut]
    return sorted(sent)


def _hand_out(
    wanted: list[tuple[int, int]],
    serving: list[tuple[int, tuple[int, ...]]],
    counts: Ints,
    usable: NDArray[np.bool_],
) -> Coloured:
    """Take tags of each kind in order and hand their parts to the packets."""
    kinds = kinds_of(usable)
    left = {int(u): np.flatnonzero(kinds == u).tolist()[::-1] for u in np.unique(kinds)}
    offers: dict[int, list[int]] = {}
    for (kind, cut), count in zip(serving, counts, strict=True):
        for _ in range(int(count)):
            tag = left[kind].pop()
            for mask in cut:
                offers.setdefault(mask, []).append(tag)
    for tags in offers.values():
        tags.sort(reverse=True)
    rows = [(packet, mask, offers[mask].pop()) for packet, mask in wanted]
    return Coloured(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)
