"""Making a placement better on the true cost: moves and exchanges of neurons and of cores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._cost import FORBIDDEN, State, attach, detach, fits, rate
from ._inner import inner
from ._net import Caps, Net
from ._seats import seated

Ints = NDArray[np.int64]
_PASSES = 12
_WORTH = 256
"""A pass that changes fewer than one neuron in so many is the last."""
_CORES = 3
_PARTNERS = 4


def refined(net: Net, caps: Caps, state: State, *, seed: int) -> State:
    """Return a placement that is at least as good: cores change places, then neurons do."""
    state = seated(net, caps, state)
    random = np.random.default_rng(seed)
    stale = np.empty((net.own.size, caps.tags.size), dtype=np.int64)
    for _ in range(_PASSES):
        _rate_all(net, caps, state, stale)
        made = _improve(net, caps, state, random.permutation(net.own.size), stale)
        if made * _WORTH <= net.own.size:
            break
    return seated(net, caps, state)


@inner
def _rate_moves(net: Net, caps: Caps, state: State, i: int, rating: Ints) -> None:
    """Write by how much the cost grows when neuron i moves to each core of its cluster."""
    home = state.core[i]
    left = detach(net, caps, state, i)
    rate(net, caps, state, i, rating)
    attach(net, caps, state, i, home)
    for core in range(rating.size):
        rating[core] += left
        if state.owner[core] >= 0 and state.owner[core] != net.cluster[i]:
            rating[core] = FORBIDDEN
    rating[home] = FORBIDDEN


@jit
def _rate_all(net: Net, caps: Caps, state: State, stale: Ints) -> None:
    for i in range(stale.shape[0]):
        _rate_moves(net, caps, state, i, stale[i])


@inner
def _moved(net: Net, caps: Caps, state: State, i: int, core: int) -> bool:
    """Move neuron i to a free slot of a core if that lowers the cost."""
    home = state.core[i]
    cost = detach(net, caps, state, i)
    cost += attach(net, caps, state, i, core)
    if cost < 0:
        return True
    detach(net, caps, state, i)
    attach(net, caps, state, i, home)
    return False


@inner
def _swapped(net: Net, caps: Caps, state: State, i: int, j: int) -> bool:
    """Exchange two neurons of one cluster if that lowers the cost and both find a slot."""
    a, b = state.core[i], state.core[j]
    cost = detach(net, caps, state, i) + detach(net, caps, state, j)
    if fits(net, caps, state, i, b) and fits(net, caps, state, j, a):
        cost += attach(net, caps, state, i, b) + attach(net, caps, state, j, a)
        if cost < 0:
            return True
        detach(net, caps, state, i)
        detach(net, caps, state, j)
    attach(net, caps, state, i, a)
    attach(net, caps, state, j, b)
    return False


@inner
def _partnered(
    net: Net, caps: Caps, state: State, i: int, core: int, gain: int, stale: Ints
) -> bool:
    """Exchange neuron i with one of the few of a core that would gain most by it."""
    home, last, after = state.core[i], -FORBIDDEN, -1
    for _ in range(_PARTNERS):
        best, partner = -gain, -1
        for j in range(state.core.size):
            value = stale[j, home]
            if (
                state.core[j] == core
                and value < best
                and (value > last or (value == last and j > after))
            ):
                best, partner = value, j
        if partner < 0:
            return False
        if _swapped(net, caps, state, i, partner):
            return True
        last, after = best, partner
    return False


@inner
def _lowest(rating: Ints) -> int:
    best = 0
    for core in range(rating.size):
        if rating[core] < rating[best]:
            best = core
    return best


@jit
def _improve(net: Net, caps: Caps, state: State, order: Ints, stale: Ints) -> int:
    """Visit every neuron once; return how many moves and exchanges were made."""
    made = 0
    rating = np.empty(caps.tags.size, dtype=np.int64)
    for i in order:
        _rate_moves(net, caps, state, i, rating)
        for core in range(rating.size):
            stale[i, core] = rating[core]
        for _ in range(_CORES):
            core = _lowest(rating)
            gain = rating[core]
            if gain >= 0:
                break
            if fits(net, caps, state, i, core):
                done = _moved(net, caps, state, i, core)
            else:
                done = _partnered(net, caps, state, i, core, gain, stale)
            if done:
                made += 1
                break
            rating[core] = FORBIDDEN
    return made
