"""Greedy filling of cores in a given order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._connectivity import Net
from ._cost import Caps, words_of


class _Open(NamedTuple):
    """Counters of the core that is being filled; ``used`` as in `_fits`."""

    synapses: NDArray[np.int32]
    axons: NDArray[np.int32]
    groups: NDArray[np.int32]
    thresholds: NDArray[np.int32]
    kernels: NDArray[np.int32]
    bits: NDArray[np.int64]
    used: NDArray[np.int64]


def fill(
    net: Net, caps: Caps, order: NDArray[np.int64], units: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Put neurons on cores in order; a unit stays together where an empty core can hold it.

    Parameters
    ----------
    net, caps : Net, Caps
        Network and limits; output axons are not looked at, they depend on what comes later.
    order : array of int, (m,)
        Neurons.
    units : array of int, (m,)
        Unit of each place in the order; equal numbers are neighbours.

    Returns
    -------
    array of int32, (m,)
        Core of each place in the order, from 0.
    """

    def counters(size: int) -> NDArray[np.int32]:
        return np.zeros(size, dtype=np.int32)

    opened = _Open(
        synapses=counters(net.source.size),
        axons=counters(net.rate.size),
        groups=counters(int(net.group.max(initial=-1)) + 1),
        thresholds=counters(int(net.threshold.max(initial=-1)) + 1),
        kernels=counters(net.kernel_bits.size),
        bits=np.zeros(int(net.kernel_connection.max(initial=-1)) + 1, dtype=np.int64),
        used=np.zeros(5, dtype=np.int64),
    )
    return _fill_units(net, caps, opened, order, units)


@jit
def _bump(counters: NDArray[np.int32], item: int, sign: int) -> int:
    """Count an item; return the change of the number of different items."""
    counters[item] += sign
    return sign if counters[item] == (1 if sign > 0 else 0) else 0


@jit
def _count(net: Net, caps: Caps, opened: _Open, i: int, sign: int) -> None:
    """Add a neuron to the open core, or remove it."""
    used = opened.used
    used[0] += sign
    for e in range(net.row[i], net.row[i + 1]):
        s = net.segment[e]
        count = opened.synapses[s] + sign
        if not net.free[s]:
            used[2] += words_of(count, caps) - words_of(opened.synapses[s], caps)
        opened.synapses[s] = count
        used[1] += _bump(opened.axons, net.source[s], sign)
    used[3] += _bump(opened.groups, net.group[i], sign)
    used[4] += _bump(opened.thresholds, net.threshold[i], sign)
    for e in range(net.kernel_row[i], net.kernel_row[i + 1]):
        k = net.kernel[e]
        change = _bump(opened.kernels, k, sign)
        c, w = net.kernel_connection[k], caps.bits_per_word
        old = opened.bits[c]
        opened.bits[c] = old + change * net.kernel_bits[k]
        used[2] += (opened.bits[c] + w - 1) // w - (old + w - 1) // w


@jit
def _fits(caps: Caps, used: NDArray[np.int64]) -> bool:
    """Test neurons, input axons, words, groups, thresholds."""
    return bool(
        used[0] <= caps.neurons
        and used[1] <= caps.axons_in
        and used[2] <= caps.words
        and used[3] <= caps.groups
        and used[4] <= caps.thresholds
    )


@jit
def _fill_units(
    net: Net, caps: Caps, opened: _Open, order: NDArray[np.int64], units: NDArray[np.int64]
) -> NDArray[np.int32]:
    core = np.empty(order.size, dtype=np.int32)
    number, first, start = 0, 0, 0  # core, its first place, first place of the unit
    whole = True  # whether the unit still has to stay together
    p = 0
    while p < order.size:
        if p == 0 or units[p] != units[p - 1]:
            start, whole = p, True
        _count(net, caps, opened, order[p], 1)
        if _fits(caps, opened.used) or p == first:
            core[p] = number
            p += 1
            continue
        if start <= first:
            whole = False  # an empty core is too small for the unit
        for q in range(first, p + 1):
            _count(net, caps, opened, order[q], -1)
        number += 1
        p = start if whole else p
        first = p
    return core
