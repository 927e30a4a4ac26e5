"""Which core of the board takes which group of neurons: exact for packets, exchanges for limits."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._cost import State, state_of
from ._inner import inner
from ._net import Caps, Net

Ints = NDArray[np.int64]
_MOST = 16
"""Cores up to which all ways to put them on chips are looked at."""


def seated(net: Net, caps: Caps, state: State) -> State:
    """Exchange whole cores while that lowers what is over the limits, or packets between chips.

    The start is the better of the present seats and those with the fewest packets of all.
    """
    cores = caps.tags.size
    senders = np.zeros((net.size.size, cores), dtype=np.int64)
    driving = net.own >= 0
    np.add.at(senders, (net.own[driving], state.core[driving]), 1)
    where = np.arange(cores)
    if caps.per_chip < cores <= _MOST:
        other = _fewest_packets(net, caps, state, senders)
        if _better_seats(net, caps, state, senders, where, other):
            where = other
    _exchange(net, caps, state, senders, where)
    if np.array_equal(where, np.arange(cores)):
        return state
    return state_of(net, caps, where[state.core])


def _fewest_packets(net: Net, caps: Caps, state: State, senders: Ints) -> Ints:
    """Return the seats of the cores with the fewest packets, limits left aside, (cores,).

    A chip's share of the packets depends on the set of its cores alone, so that the best division
    into chips is found by dynamic programming over sets.
    """
    cores, per_chip = caps.tags.size, caps.per_chip
    bits = np.int64(1) << np.arange(cores, dtype=np.int64)
    kinds, kind = np.unique((state.hits > 0) @ bits, return_inverse=True)
    size = np.zeros(kinds.size, dtype=np.int64)
    near = np.zeros((kinds.size, cores), dtype=np.int64)
    np.add.at(size, kind.ravel(), net.size)
    np.add.at(near, kind.ravel(), senders)
    sets = np.array([bits[list(s)].sum() for s in itertools.combinations(range(cores), per_chip)])
    chosen = _division(sets, _shares(sets, kinds, size, near), cores)
    tables = [np.flatnonzero((int(one) >> np.arange(cores)) & 1) for one in chosen]
    where = np.empty(cores, dtype=np.int64)
    for chip, table in enumerate(sorted(tables, key=lambda t: int(t[0]))):
        seats = np.arange(chip * per_chip, (chip + 1) * per_chip)
        roomy = seats[np.argsort(-caps.tags[seats], kind="stable")]
        where[table[np.argsort(-state.tags[table], kind="stable")]] = roomy
    return where


@jit
def _shares(sets: Ints, kinds: Ints, size: Ints, near: Ints) -> Ints:
    """Return the packets into a chip with each set of cores."""
    shares = np.zeros(sets.size, dtype=np.int64)
    for s in range(sets.size):
        for k in range(kinds.size):
            if kinds[k] & sets[s]:
                shares[s] += size[k]
                for core in range(near.shape[1]):
                    if sets[s] >> core & 1:
                        shares[s] -= near[k, core]
    return shares


@jit
def _division(sets: Ints, shares: Ints, cores: int) -> Ints:
    """Return disjoint sets that cover all cores with the smallest sum of shares."""
    best = np.full(1 << cores, np.int64(1) << 62, dtype=np.int64)
    last = np.full(1 << cores, -1, dtype=np.int64)
    best[0] = 0
    for taken in range(best.size - 1):
        if best[taken] >> 62:
            continue
        lowest = ~taken & (taken + 1)
        for s in range(sets.size):
            if sets[s] & lowest and not sets[s] & taken:
                union = taken | sets[s]
                if best[taken] + shares[s] < best[union]:
                    best[union] = best[taken] + shares[s]
                    last[union] = s
    chosen = np.zeros(cores, dtype=np.int64)
    taken, count = best.size - 1, 0
    while taken:
        chosen[count] = sets[last[taken]]
        taken ^= chosen[count]
        count += 1
    return chosen[:count]


@jit
def _better_seats(
    net: Net, caps: Caps, state: State, senders: Ints, where: Ints, other: Ints
) -> bool:
    for core in range(other.size):
        if not _seats(net, caps, state, core, other[core]):
            return False
    old = _seat_cost(net, caps, state.hits, state.tags, senders, where)
    new = _seat_cost(net, caps, state.hits, state.tags, senders, other)
    return new[0] < old[0] or (new[0] == old[0] and new[1] < old[1])


@inner
def _seat_cost(
    net: Net, caps: Caps, hits: NDArray[np.int32], tags: Ints, senders: Ints, where: Ints
) -> tuple[int, int]:
    """Return what is over the limits, and packets, with core k at ``where[k]``."""
    over, packets = 0, 0
    for core in range(where.size):
        over += max(0, tags[core] - caps.tags[where[core]])
    near = np.zeros(where.size // caps.per_chip, dtype=np.int64)
    hit = np.zeros(near.size, dtype=np.bool_)
    for g in range(net.size.size):
        near[:] = 0
        hit[:] = False
        for core in range(where.size):
            chip = where[core] // caps.per_chip
            near[chip] += senders[g, core]
            hit[chip] |= hits[g, core] > 0
        chips = 0
        for chip in range(near.size):
            if hit[chip]:
                chips += 1
                packets += net.size[g] - near[chip]
        over += max(0, chips - net.words[g])
    return over, packets


@inner
def _seats(net: Net, caps: Caps, state: State, core: int, place: int) -> bool:
    for level in range(net.levels.size):
        if state.held[core, level] > caps.room[place, level]:
            return False
    return True


@jit
def _exchange(net: Net, caps: Caps, state: State, senders: Ints, where: Ints) -> None:
    best = _seat_cost(net, caps, state.hits, state.tags, senders, where)
    gained = True
    while gained:
        gained = False
        for a in range(where.size):
            for b in range(a):
                if state.owner[a] < 0 and state.owner[b] < 0:
                    continue
                if not _seats(net, caps, state, a, where[b]):
                    continue
                if not _seats(net, caps, state, b, where[a]):
                    continue
                where[a], where[b] = where[b], where[a]
                cost = _seat_cost(net, caps, state.hits, state.tags, senders, where)
                if cost[0] < best[0] or (cost[0] == best[0] and cost[1] < best[1]):
                    best, gained = cost, True
                else:
                    where[a], where[b] = where[b], where[a]
