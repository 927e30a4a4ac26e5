"""What every core holds, kept exact while neurons come and go; the true cost of a placement."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._connectivity import Net
from .budget import Budget

TABLE_BYTES = 1 << 29
"""Most memory of the table of segments against cores; larger networks keep their start."""


class Caps(NamedTuple):
    """The limits of a `Budget` that the kernels test."""

    neurons: int
    axons_in: int
    axons_out: int
    words: int
    bits_per_word: int
    bits_per_synapse: int
    overhead: int
    groups: int
    thresholds: int

    @classmethod
    def of(cls, budget: Budget) -> Caps:
        """Return the limits of a budget."""
        return cls(
            budget.neurons,
            budget.axons_in,
            budget.axons_out,
            budget.synapse_words,
            budget.bits_per_word,
            budget.bits_per_synapse,
            budget.overhead_bits_per_axon,
            budget.groups,
            budget.thresholds,
        )


class State(NamedTuple):
    """Counters per core.

    Parameters
    ----------
    core : array of int, (n,)
        Core of each neuron, -1: none.
    synapses : array of int, (segments, cores)
        Synapses of a segment on a core.
    reach : array of int, (sources,)
        Cores that a source reaches.
    neurons, axons_in, axons_out, words, groups, thresholds : arrays of int, (cores,)
        What is in use.
    group_count, threshold_count, kernel_count : arrays of int, (cores, kinds)
        Neurons of each kind on each core.
    kernel_bits : array of int, (cores, shared convolutions)
        Size of the kernels that a core keeps.
    traffic : array of float, (1,)
        Spikes between cores: rate of a neuron times other cores that it reaches.
    over : array of int, (1,)
        Cores with too many output axons.
    """

    core: NDArray[np.int32]
    synapses: NDArray[Any]
    reach: NDArray[np.int32]
    neurons: NDArray[np.int64]
    axons_in: NDArray[np.int64]
    axons_out: NDArray[np.int64]
    words: NDArray[np.int64]
    groups: NDArray[np.int64]
    thresholds: NDArray[np.int64]
    group_count: NDArray[np.int32]
    threshold_count: NDArray[np.int32]
    kernel_count: NDArray[np.int32]
    kernel_bits: NDArray[np.int64]
    traffic: NDArray[np.float64]
    over: NDArray[np.int64]

    @property
    def used(self) -> int:
        """Number of cores with neurons."""
        return int(np.count_nonzero(self.neurons))

    @property
    def cost(self) -> tuple[int, int, float]:
        """Cores beyond the output axons, cores in use, traffic: smaller is better."""
        return int(self.over[0]), self.used, round(float(self.traffic[0]), 6)


def table_bytes(net: Net, cores: int) -> int:
    """Return the memory that the counters of so many cores take."""
    kinds = _kinds(net.group) + _kinds(net.threshold) + net.kernel_bits.size
    return cores * (net.source.size * _count_type(net).itemsize + 4 * kinds)


def state_of(net: Net, caps: Caps, core: NDArray[np.int32]) -> State:
    """Return the counters of a placement, (n,) core numbers from 0."""
    k = int(core.max(initial=0)) + 1
    shared = int(net.kernel_connection.max(initial=-1)) + 1
    state = State(
        core=np.full(net.n, -1, dtype=np.int32),
        synapses=np.zeros((net.source.size, k), dtype=_count_type(net)),
        reach=np.zeros(net.rate.size, dtype=np.int32),
        neurons=np.zeros(k, dtype=np.int64),
        axons_in=np.zeros(k, dtype=np.int64),
        axons_out=np.zeros(k, dtype=np.int64),
        words=np.zeros(k, dtype=np.int64),
        groups=np.zeros(k, dtype=np.int64),
        thresholds=np.zeros(k, dtype=np.int64),
        group_count=np.zeros((k, _kinds(net.group)), dtype=np.int32),
        threshold_count=np.zeros((k, _kinds(net.threshold)), dtype=np.int32),
        kernel_count=np.zeros((k, net.kernel_bits.size), dtype=np.int32),
        kernel_bits=np.zeros((k, shared), dtype=np.int64),
        traffic=np.zeros(1),
        over=np.zeros(1, dtype=np.int64),
    )
    _fill(net, state, caps, core.astype(np.int32))
    return state


def _kinds(numbers: NDArray[np.int32]) -> int:
    return int(numbers.max(initial=-1)) + 1


def _count_type(net: Net) -> np.dtype[Any]:
    most = int(np.bincount(net.segment).max()) if net.segment.size else 0
    return np.dtype(np.uint16 if most < 1 << 16 else np.uint32)


@jit
def words_of(count: int | np.integer[Any], caps: Caps) -> int:
    """Return the words of one axon's synapses on a core."""
    if count == 0:
        return 0
    bits = np.int64(count) * caps.bits_per_synapse + caps.overhead
    return int((bits + caps.bits_per_word - 1) // caps.bits_per_word)


@jit
def reaches(net: Net, state: State, source: int, core: int) -> bool:
    """Say whether a source has a synapse on a core."""
    for e in range(net.first[source], net.first[source + 1]):
        if state.synapses[net.own[e], core] > 0:
            return True
    return False


@jit
def _bump(state: State, caps: Caps, core: int, change: int) -> None:
    """Change the output axons of a core and the number of cores beyond the limit."""
    before = state.axons_out[core] > caps.axons_out
    state.axons_out[core] += change
    state.over[0] += int(state.axons_out[core] > caps.axons_out) - int(before)


@jit
def _count_source(net: Net, state: State, caps: Caps, i: int, core: int, sign: int) -> None:
    """Add or remove what neuron i sends."""
    s = net.n_inputs + i
    _bump(state, caps, core, sign * state.reach[s])
    others = state.reach[s] - int(reaches(net, state, s, core))
    state.traffic[0] += sign * net.rate[s] * others


@jit
def _count_reach(net: Net, state: State, caps: Caps, source: int, core: int, sign: int) -> None:
    """Note that a source begins or ceases to reach a core."""
    state.axons_in[core] += sign
    state.reach[source] += sign
    if source >= net.n_inputs:
        owner = state.core[source - net.n_inputs]
        if owner >= 0:
            _bump(state, caps, owner, sign)
            if owner != core:
                state.traffic[0] += sign * net.rate[source]


@jit
def _count_kinds(net: Net, state: State, caps: Caps, i: int, core: int, sign: int) -> None:
    """Add or remove neuron i in the counters of neurons, groups, thresholds and kernels."""
    state.neurons[core] += sign
    g, t = net.group[i], net.threshold[i]
    state.group_count[core, g] += sign
    state.threshold_count[core, t] += sign
    edge = 1 if sign > 0 else 0
    if state.group_count[core, g] == edge:
        state.groups[core] += sign
    if state.threshold_count[core, t] == edge:
        state.thresholds[core] += sign
    for e in range(net.kernel_row[i], net.kernel_row[i + 1]):
        kernel = net.kernel[e]
        state.kernel_count[core, kernel] += sign
        if state.kernel_count[core, kernel] == edge:
            c = net.kernel_connection[kernel]
            old = state.kernel_bits[core, c]
            new = old + sign * net.kernel_bits[kernel]
            state.kernel_bits[core, c] = new
            w = caps.bits_per_word
            state.words[core] += (new + w - 1) // w - (old + w - 1) // w


@jit
def detach(net: Net, state: State, caps: Caps, i: int) -> None:
    """Take neuron i off its core."""
    core = state.core[i]
    _count_source(net, state, caps, i, core, -1)
    state.core[i] = -1
    for e in range(net.row[i], net.row[i + 1]):
        s = net.segment[e]
        count = np.int64(state.synapses[s, core])
        state.synapses[s, core] = count - 1
        if not net.free[s]:
            state.words[core] += words_of(count - 1, caps) - words_of(count, caps)
        if count == 1 and not reaches(net, state, net.source[s], core):
            _count_reach(net, state, caps, net.source[s], core, -1)
    _count_kinds(net, state, caps, i, core, -1)


@jit
def attach(net: Net, state: State, caps: Caps, i: int, core: int) -> None:
    """Put neuron i, which is nowhere, on a core."""
    for e in range(net.row[i], net.row[i + 1]):
        s = net.segment[e]
        count = np.int64(state.synapses[s, core])
        if count == 0 and not reaches(net, state, net.source[s], core):
            _count_reach(net, state, caps, net.source[s], core, 1)
        state.synapses[s, core] = count + 1
        if not net.free[s]:
            state.words[core] += words_of(count + 1, caps) - words_of(count, caps)
    state.core[i] = core
    _count_source(net, state, caps, i, core, 1)
    _count_kinds(net, state, caps, i, core, 1)


@jit
def holds(state: State, caps: Caps, core: int) -> bool:
    """Say whether a core is within every limit but the output axons, which ``over`` counts."""
    return bool(
        state.neurons[core] <= caps.neurons
        and state.axons_in[core] <= caps.axons_in
        and state.words[core] <= caps.words
        and state.groups[core] <= caps.groups
        and state.thresholds[core] <= caps.thresholds
    )


@jit
def _fill(net: Net, state: State, caps: Caps, core: NDArray[np.int32]) -> None:
    for i in range(core.size):
        attach(net, state, caps, i, core[i])
