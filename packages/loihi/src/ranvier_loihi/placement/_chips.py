"""Cores onto chips, so that few spikes leave a chip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._connectivity import Net

_SWEEPS = 20


def core_traffic(net: Net, core: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the spikes from core to core, (cores, cores), source first; one per reached core."""
    return _pairs(net, core)[0]


def axons_out(net: Net, core: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the output axons of each core, (cores,)."""
    return _pairs(net, core)[1]


def _pairs(net: Net, core: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    k = int(core.max(initial=0)) + 1
    traffic, axons = np.zeros((k, k)), np.zeros(k, dtype=np.int64)
    _count_pairs(net, core, np.argsort(core, kind="stable"), traffic, axons)
    return traffic, axons


@jit
def _count_pairs(
    net: Net,
    core: NDArray[np.int32],
    order: NDArray[np.int64],
    traffic: NDArray[np.float64],
    axons: NDArray[np.int64],
) -> None:
    """Visit the synapses core by core; each source counts when a core meets it first."""
    met = np.full(net.rate.size, -1, dtype=np.int32)
    for i in order:
        for e in range(net.row[i], net.row[i + 1]):
            s = net.source[net.segment[e]]
            if s >= net.n_inputs and met[s] != core[i]:
                met[s] = core[i]
                owner = core[s - net.n_inputs]
                axons[owner] += 1
                traffic[owner, core[i]] += net.rate[s]


def chips_of(traffic: NDArray[np.float64], *, cores_per_chip: int) -> NDArray[np.int64]:
    """Return the chip of each core: as few chips as possible, neighbours in order together.

    Parameters
    ----------
    traffic : array of float, (cores, cores)
        Spikes from core to core.
    cores_per_chip : int
        Most cores of one chip.

    Returns
    -------
    array of int64, (cores,)
        Swaps and moves that lower the spikes between chips are made until there is none.
    """
    chip = (np.arange(len(traffic)) // cores_per_chip).astype(np.int64)
    chips = -(-len(traffic) // cores_per_chip)
    if chips > 1:
        both = traffic + traffic.T
        np.fill_diagonal(both, 0.0)
        _exchange(both, chip, chips, cores_per_chip)
    return chip


@jit
def _exchange(
    both: NDArray[np.float64], chip: NDArray[np.int64], chips: int, cores_per_chip: int
) -> None:
    """Greedy moves and swaps; ``pull[c, d]`` is what core c exchanges with chip d."""
    n = chip.size
    pull = np.zeros((n, chips))
    size = np.zeros(chips, dtype=np.int64)
    for c in range(n):
        size[chip[c]] += 1
        for d in range(n):
            pull[c, chip[d]] += both[c, d]
    for _ in range(_SWEEPS):
        changed = False
        for c in range(n):
            best, gain = -1, 1e-9
            target = -1
            for d in range(chips):
                move = pull[c, d] - pull[c, chip[c]]
                if d != chip[c] and size[d] < cores_per_chip and move > gain:
                    target, best, gain = d, -1, move
            for e in range(n):
                if chip[e] != chip[c]:
                    swap = pull[c, chip[e]] - pull[c, chip[c]] + pull[e, chip[c]]
                    swap -= pull[e, chip[e]] + 2.0 * both[c, e]
                    if swap > gain:
                        target, best, gain = chip[e], e, swap
            if target < 0:
                continue
            changed = True
            old = chip[c]
            _reassign(both, pull, size, chip, c, target)
            if best >= 0:
                _reassign(both, pull, size, chip, best, old)
        if not changed:
            return


@jit
def _reassign(
    both: NDArray[np.float64],
    pull: NDArray[np.float64],
    size: NDArray[np.int64],
    chip: NDArray[np.int64],
    core: int,
    target: int,
) -> None:
    old = chip[core]
    chip[core] = target
    size[old] -= 1
    size[target] += 1
    for d in range(chip.size):
        pull[d, old] -= both[d, core]
        pull[d, target] += both[d, core]
