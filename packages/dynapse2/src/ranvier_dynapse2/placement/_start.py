"""Where a placement starts: neurons in order, or cores grown along shared sources."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._cost import State, attach, empty_state, fits
from ._inner import inner
from ._net import Caps, Net

Ints = NDArray[np.int64]
_REJECTIONS = 32


def filled(net: Net, caps: Caps, order: Ints) -> State:
    """Fill cores one after the other, neurons in a given order; some may find no place.

    Cores with many tags come first within their chip.
    """
    state = empty_state(net, caps)
    _fill(net, caps, state, order, _positions(caps))
    return state


def grown(net: Net, caps: Caps, *, seed: int | None) -> State:
    """Fill cores one after the other with neurons that share sources; some may find no place.

    Parameters
    ----------
    net, caps : Net, Caps
        Network and board.
    seed : int or None
        Draws the neuron that a region starts with; None: the first that is left.
    """
    state = empty_state(net, caps)
    n = net.own.size
    preferred = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    waiting = np.bincount(net.cluster, minlength=1).astype(np.int64)
    _grow(net, caps, state, _positions(caps), preferred.astype(np.int64), waiting)
    return state


def _positions(caps: Caps) -> Ints:
    chip = np.arange(caps.tags.size) // caps.per_chip
    return np.lexsort((-caps.tags, chip)).astype(np.int64)


@jit
def _fill(net: Net, caps: Caps, state: State, order: Ints, positions: Ints) -> None:
    for i in order:
        for empty in range(2):
            for core in positions:
                if (state.owner[core] < 0) == (empty == 1) and fits(net, caps, state, i, core):
                    attach(net, caps, state, i, core)
                    break
            if state.core[i] >= 0:
                break


@inner
def _score(net: Net, state: State, chip: int, score: Ints) -> None:
    """Rate neurons that wait by their ties with a chip."""
    score[:] = 0
    for i in range(score.size):
        if state.core[i] < 0:
            for e in range(net.row[i], net.row[i + 1]):
                g = net.sources[e]
                score[i] += 2 * (state.reach[g, chip] > 0) + (state.senders[g, chip] > 0)
            if net.own[i] >= 0 and state.reach[net.own[i], chip] > 0:
                score[i] += 1


@inner
def _spread_ties(net: Net, state: State, i: int, chip: int, score: Ints) -> None:
    """Raise the score of neurons tied to neuron i, which has just come to the core."""
    core = state.core[i]
    for e in range(net.row[i], net.row[i + 1]):
        g = net.sources[e]
        if state.hits[g, core] == 1:
            step = 4 + 2 * (state.reach[g, chip] == 1)
            for k in range(net.column[g], net.column[g + 1]):
                score[net.targets[k]] += step
            for k in range(net.first[g], net.first[g + 1]):
                score[net.members[k]] += 1
    own = net.own[i]
    if own >= 0 and state.senders[own, chip] == 1:
        for k in range(net.column[own], net.column[own + 1]):
            score[net.targets[k]] += 1


@inner
def _best(
    net: Net,
    caps: Caps,
    state: State,
    score: Ints,
    core: int,
    preferred: Ints,
    rejected: Ints,
) -> int:
    """Return the waiting neuron with the highest score that the core can take, or -1."""
    best, found = -1, -1
    for i in preferred:
        if state.core[i] >= 0 or rejected[i] == core or score[i] <= best:
            continue
        if fits(net, caps, state, i, core):
            best, found = score[i], i
    return found


@inner
def _fresh(net: Net, state: State, i: int, core: int) -> int:
    count = 0
    for e in range(net.row[i], net.row[i + 1]):
        count += 1 if state.hits[net.sources[e], core] == 0 else 0
    return count


@inner
def _may_close(waiting: Ints, slots: int, left: int) -> bool:
    """Say whether the cores that are left have slots for all neurons that wait."""
    needed = 0
    for cluster in range(waiting.size):
        needed += -(-waiting[cluster] // slots)
    return needed <= left


@jit
def _grow(
    net: Net, caps: Caps, state: State, positions: Ints, preferred: Ints, waiting: Ints
) -> None:
    score = np.zeros(preferred.size, dtype=np.int64)
    rejected = np.full(preferred.size, -1, dtype=np.int64)
    slots = caps.room[0, 0]
    for core in positions:
        slots = min(slots, caps.room[core, 0])
    for place in range(positions.size):
        core = positions[place]
        chip = core // caps.per_chip
        _score(net, state, chip, score)
        rejections = 0
        while True:
            i = _best(net, caps, state, score, core, preferred, rejected)
            if i < 0:
                break
            full = state.tags[core] + _fresh(net, state, i, core) > caps.tags[core]
            if full and _may_close(waiting, max(1, slots), positions.size - place - 1):
                rejected[i] = core
                rejections += 1
                if rejections > _REJECTIONS:
                    break
                continue
            attach(net, caps, state, i, core)
            waiting[net.cluster[i]] -= 1
            _spread_ties(net, state, i, chip, score)
