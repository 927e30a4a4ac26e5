"""The true cost of a placement, kept up to date while single neurons move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._inner import inner
from ._net import Caps, Net

Ints = NDArray[np.int64]
Small = NDArray[np.int32]

TAG = 1 << 16
"""Cost of one tag of one core; one step of the spread below costs less."""
PACKET = 1 << 25
"""Cost of one packet to another chip: more than all tags that one move can save."""
OVER = 1 << 46
"""Cost of one tag or destination too many: more than all packets that one move can save."""
FORBIDDEN = 1 << 62
"""Rating of a core that cannot take a neuron."""


class State(NamedTuple):
    """A placement and the counters of its cost.

    Parameters
    ----------
    core : array, (n,)
        Core of each neuron on the board; -1: none yet.
    hits, reach : arrays, (groups, cores), (groups, chips)
        Targets of each group on each core and chip.
    senders : array, (groups, chips)
        Neurons of each group on each chip.
    tags : array, (cores,)
        Groups that reach each core.
    chips : array, (groups,)
        Chips that each group reaches.
    held : array, (cores, n_levels)
        Neurons of each core that need at least each level.
    owner : array, (cores,)
        Cluster of each core; -1: empty.
    spread : array, (n + 2,)
        Concave cost of a count: gathers targets where most of them are, when nothing else decides.
    """

    core: Ints
    hits: Small
    reach: Small
    senders: Small
    tags: Ints
    chips: Ints
    held: Ints
    owner: Ints
    spread: Ints


def empty_state(net: Net, caps: Caps) -> State:
    """Return the state with no neuron placed."""
    n, groups, cores = net.own.size, net.size.size, caps.tags.size
    chips = cores // caps.per_chip
    return State(
        core=np.full(n, -1, dtype=np.int64),
        hits=np.zeros((groups, cores), dtype=np.int32),
        reach=np.zeros((groups, chips), dtype=np.int32),
        senders=np.zeros((groups, chips), dtype=np.int32),
        tags=np.zeros(cores, dtype=np.int64),
        chips=np.zeros(groups, dtype=np.int64),
        held=np.zeros((cores, net.levels.size), dtype=np.int64),
        owner=np.full(cores, -1, dtype=np.int64),
        spread=np.round(32 * np.sqrt(np.arange(n + 2))).astype(np.int64),
    )


def state_of(net: Net, caps: Caps, core: Ints) -> State:
    """Return the state of a placement."""
    state = empty_state(net, caps)
    _attach_all(net, caps, state, core)
    return state


def cost_of(net: Net, caps: Caps, state: State) -> tuple[int, int, int, int]:
    """Return what is over the limits, packets between chips, tags, and cores in use."""
    over = (
        np.maximum(0, state.tags - caps.tags).sum() + np.maximum(0, state.chips - net.words).sum()
    )
    packets = np.sum((net.size[:, None] - state.senders) * (state.reach > 0))
    return int(over), int(packets), int(state.tags.sum()), int(np.count_nonzero(state.owner >= 0))


@jit
def _attach_all(net: Net, caps: Caps, state: State, core: Ints) -> None:
    for i in range(core.size):
        if core[i] >= 0:
            attach(net, caps, state, i, core[i])


@inner
def fits(net: Net, caps: Caps, state: State, i: int, core: int) -> bool:
    """Say whether a core has a slot for neuron i."""
    if state.owner[core] >= 0 and state.owner[core] != net.cluster[i]:
        return False
    for level in range(net.level[i] + 1):
        if state.held[core, level] >= caps.room[core, level]:
            return False
    return True


@jit
def attach(net: Net, caps: Caps, state: State, i: int, core: int) -> int:
    """Put neuron i on a core; return by how much the cost grows."""
    chip, cost = core // caps.per_chip, 0
    for e in range(net.row[i], net.row[i + 1]):
        g = net.sources[e]
        count, reach = state.hits[g, core], state.reach[g, chip]
        cost += state.spread[count + 1] - state.spread[count]
        cost += state.spread[reach + 1] - state.spread[reach]
        if count == 0:
            cost += TAG + (OVER if state.tags[core] >= caps.tags[core] else 0)
            state.tags[core] += 1
        if reach == 0:
            cost += PACKET * (net.size[g] - state.senders[g, chip])
            cost += OVER if state.chips[g] >= net.words[g] else 0
            state.chips[g] += 1
        state.hits[g, core] = count + 1
        state.reach[g, chip] = reach + 1
    own = net.own[i]
    if own >= 0:
        state.senders[own, chip] += 1
        cost -= PACKET if state.reach[own, chip] > 0 else 0
    for level in range(net.level[i] + 1):
        state.held[core, level] += 1
    state.owner[core] = net.cluster[i]
    state.core[i] = core
    return cost


@jit
def detach(net: Net, caps: Caps, state: State, i: int) -> int:
    """Take neuron i off its core; return by how much the cost grows (less than 0: falls)."""
    core = state.core[i]
    chip, cost = core // caps.per_chip, 0
    own = net.own[i]
    if own >= 0:
        state.senders[own, chip] -= 1
        cost += PACKET if state.reach[own, chip] > 0 else 0
    for e in range(net.row[i], net.row[i + 1]):
        g = net.sources[e]
        count, reach = state.hits[g, core] - 1, state.reach[g, chip] - 1
        cost -= state.spread[count + 1] - state.spread[count]
        cost -= state.spread[reach + 1] - state.spread[reach]
        state.hits[g, core] = count
        state.reach[g, chip] = reach
        if count == 0:
            state.tags[core] -= 1
            cost -= TAG + (OVER if state.tags[core] >= caps.tags[core] else 0)
        if reach == 0:
            state.chips[g] -= 1
            cost -= PACKET * (net.size[g] - state.senders[g, chip])
            cost -= OVER if state.chips[g] >= net.words[g] else 0
    for level in range(net.level[i] + 1):
        state.held[core, level] -= 1
    if state.held[core, 0] == 0:
        state.owner[core] = -1
    state.core[i] = -1
    return cost


@jit
def rate(net: Net, caps: Caps, state: State, i: int, rating: Ints) -> None:
    """Write what neuron i, on no core now, would cost on each core; its own packets in full."""
    per_chip, chips = caps.per_chip, state.reach.shape[1]
    rating[:] = 0
    fresh = np.zeros(rating.size, dtype=np.int64)
    for e in range(net.row[i], net.row[i + 1]):
        g = net.sources[e]
        for chip in range(chips):
            reach = state.reach[g, chip]
            cost = state.spread[reach + 1] - state.spread[reach]
            if reach == 0:
                cost += PACKET * (net.size[g] - state.senders[g, chip])
                cost += OVER if state.chips[g] >= net.words[g] else 0
            for core in range(chip * per_chip, (chip + 1) * per_chip):
                count = state.hits[g, core]
                rating[core] += cost + state.spread[count + 1] - state.spread[count]
                fresh[core] += 1 if count == 0 else 0
    own = net.own[i]
    for core in range(rating.size):
        rating[core] += TAG * fresh[core]
        free = max(0, caps.tags[core] - state.tags[core])
        rating[core] += OVER * max(0, fresh[core] - free)
        if own >= 0 and state.reach[own, core // per_chip] > 0:
            rating[core] -= PACKET
