"""Making a placement better on the true cost: cores first, then spikes between cores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._connectivity import Net
from ._cost import Caps, State, attach, detach, holds

WORK = 200_000_000
"""Most synapse updates of one refinement: counted, not timed, so that results repeat."""
_PASSES = 8


def compact(net: Net, state: State, caps: Caps, *, work: int = WORK) -> None:
    """Empty cores, the smallest first, by moving their neurons into gaps of others."""
    left = np.array([work], dtype=np.int64)
    for core in np.argsort(state.neurons, kind="stable"):
        if state.neurons[core] and left[0] > 0:
            _empty(net, state, caps, int(core), left)


def refine(net: Net, state: State, caps: Caps, *, seed: int, work: int = WORK) -> None:
    """Move and swap neurons while that lowers the traffic and every limit holds."""
    left = np.array([work], dtype=np.int64)
    random = np.random.default_rng(seed)
    for _ in range(_PASSES):
        members = np.argsort(state.core, kind="stable")
        first = np.searchsorted(state.core[members], np.arange(state.neurons.size + 1))
        order = random.permutation(net.n)
        gained = _improve(net, state, caps, order, members, first, left)
        if gained == 0 or left[0] <= 0:
            return


@jit
def _vote(net: Net, state: State, i: int, votes: NDArray[np.float64]) -> None:
    """Rate cores by how many sources and targets they share with neuron i."""
    votes[:] = 0.0
    begin, end = net.row[i], net.row[i + 1]
    step = max(1, (end - begin) // 16)
    for e in range(begin, end, step):
        s = net.segment[e]
        source = net.source[s]
        if source >= net.n_inputs and state.core[source - net.n_inputs] >= 0:
            votes[state.core[source - net.n_inputs]] += net.rate[source]
        for k in range(votes.size):
            if state.synapses[s, k] > 0:
                votes[k] += 0.5
    own = net.n_inputs + i
    for e in range(net.first[own], net.first[own + 1]):
        for k in range(votes.size):
            if state.synapses[net.own[e], k] > 0:
                votes[k] += net.rate[own]


@jit
def _better(net: Net, state: State, caps: Caps, i: int, core: int) -> bool:
    """Move neuron i; say whether the traffic fell (undone unless it did, limits not looked at)."""
    before, home = state.traffic[0], state.core[i]
    detach(net, state, caps, i)
    attach(net, state, caps, i, core)
    if state.traffic[0] < before - 1e-9:
        return True
    detach(net, state, caps, i)
    attach(net, state, caps, i, home)
    state.traffic[0] = before
    return False


@jit
def _valid(state: State, caps: Caps, a: int, b: int, over: int) -> bool:
    return state.over[0] <= over and holds(state, caps, a) and holds(state, caps, b)


@jit
def _try(
    net: Net,
    state: State,
    caps: Caps,
    i: int,
    core: int,
    members: NDArray[np.int64],
    first: NDArray[np.int64],
    left: NDArray[np.int64],
) -> bool:
    """Move neuron i to a core, alone or in exchange for one of up to four neurons there."""
    before, home, over = state.traffic[0], state.core[i], state.over[0]
    left[0] -= 4 * (net.row[i + 1] - net.row[i]) + 8
    if not _better(net, state, caps, i, core):
        return False
    if _valid(state, caps, home, core, over):
        return True
    count = first[core + 1] - first[core]
    for attempt in range(min(4, count)):
        j = members[first[core] + (i * 7919 + attempt * 104729) % count]
        if state.core[j] != core or j == i:
            continue
        left[0] -= 4 * (net.row[j + 1] - net.row[j]) + 8
        detach(net, state, caps, j)
        attach(net, state, caps, j, home)
        if state.traffic[0] < before - 1e-9 and _valid(state, caps, home, core, over):
            return True
        detach(net, state, caps, j)
        attach(net, state, caps, j, core)
    detach(net, state, caps, i)
    attach(net, state, caps, i, home)
    state.traffic[0] = before
    return False


@jit
def _improve(
    net: Net,
    state: State,
    caps: Caps,
    order: NDArray[np.int64],
    members: NDArray[np.int64],
    first: NDArray[np.int64],
    left: NDArray[np.int64],
) -> int:
    """Visit every neuron once; return how many moves or swaps were made."""
    votes = np.empty(state.neurons.size)
    made = 0
    for i in order:
        if left[0] <= 0:
            break
        _vote(net, state, i, votes)
        left[0] -= votes.size * 18
        votes[state.core[i]] = 0.0
        for _ in range(3):
            core = int(np.argmax(votes))
            if votes[core] <= 0.0:
                break
            votes[core] = 0.0
            if state.neurons[core] > 0 and _try(net, state, caps, i, core, members, first, left):
                made += 1
                break
    return made


@jit
def _settle(
    net: Net, state: State, caps: Caps, i: int, votes: NDArray[np.float64], left: NDArray[np.int64]
) -> bool:
    """Move neuron i to some other core in use that holds it, the best rated first."""
    home, over = state.core[i], state.over[0]
    _vote(net, state, i, votes)
    left[0] -= votes.size * 18
    votes[home] = -1.0
    for _ in range(min(votes.size, 16)):
        core = int(np.argmax(votes))
        if votes[core] < 0.0:
            return False
        votes[core] = -1.0
        if state.neurons[core] == 0 or state.neurons[core] >= caps.neurons:
            continue
        left[0] -= 2 * (net.row[i + 1] - net.row[i]) + votes.size
        detach(net, state, caps, i)
        attach(net, state, caps, i, core)
        if state.over[0] <= over and holds(state, caps, core):
            return True
        detach(net, state, caps, i)
        attach(net, state, caps, i, home)
    return False


@jit
def _empty(net: Net, state: State, caps: Caps, core: int, left: NDArray[np.int64]) -> bool:
    """Move all neurons off a core, or none."""
    room = 0
    for k in range(state.neurons.size):
        if k != core and state.neurons[k] > 0:
            room += caps.neurons - state.neurons[k]
    if room < state.neurons[core]:
        return False
    votes = np.empty(state.neurons.size)
    moved = np.flatnonzero(state.core == core)
    before = state.traffic[0]
    for position in range(moved.size):
        if left[0] > 0 and _settle(net, state, caps, moved[position], votes, left):
            continue
        for back in range(position):
            detach(net, state, caps, moved[back])
            attach(net, state, caps, moved[back], core)
        state.traffic[0] = before
        return False
    return True
