"""Kernels: the sixteen levels of four bases, and what each magnitude costs at its nearest level.

Magnitudes are sorted once. The magnitudes of a level are then one segment, found by bisection at
the middle between two levels, and sums over a segment are differences of running sums: the cost of
four bases takes the same time for a hundred magnitudes as for a million, and is exact.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._jit import jit

Array: TypeAlias = NDArray[Any]
N_BASES, N_LEVELS = 4, 16


@jit
def fill_levels(bases: Array, levels: Array, masks: Array) -> None:
    """Write the sums of all subsets of the bases, in ascending order, and a subset for each.

    Equal sums get the same subset: a base of 0 is in none.
    """
    old = np.empty(N_LEVELS, np.float64)
    old_masks = np.empty(N_LEVELS, np.uint8)
    levels[0], masks[0] = 0.0, 0
    size = 1
    for k in range(N_BASES):
        base, bit = bases[k], 1 << k
        for i in range(size):
            old[i], old_masks[i] = levels[i], masks[i]
        without, with_ = 0, 0
        for i in range(2 * size):
            take = without < size and (with_ == size or old[without] <= old[with_] + base)
            if take:
                levels[i], masks[i] = old[without], old_masks[without]
                without += 1
            else:
                levels[i], masks[i] = old[with_] + base, old_masks[with_] | bit
                with_ += 1
        size *= 2
    for i in range(1, N_LEVELS):
        if levels[i] == levels[i - 1]:
            masks[i] = masks[i - 1]


@jit
def fill_cuts(values: Array, levels: Array, cuts: Array) -> bool:
    """Write where the segment of each level starts, (17,); return whether a start has moved."""
    changed = False
    low = 0
    for level in range(1, N_LEVELS):
        middle = 0.5 * (levels[level - 1] + levels[level])
        high = values.size
        while low < high:
            at = (low + high) >> 1
            if values[at] <= middle:
                low = at + 1
            else:
                high = at
        changed = changed or cuts[level] != low
        cuts[level] = low
    cuts[0], cuts[N_LEVELS] = 0, values.size
    return changed


@jit
def cost_of_cuts(levels: Array, cuts: Array, sums: Array, squares: Array) -> float:
    """Return the sum of squared errors of the segments, from running sums of length n + 1."""
    cost = 0.0
    for level in range(N_LEVELS):
        first, last = cuts[level], cuts[level + 1]
        if last > first:
            value = levels[level]
            total = sums[last] - sums[first]
            square = squares[last] - squares[first]
            cost += max(square - value * (2.0 * total - value * (last - first)), 0.0)
    return cost


@jit
def cost_of_bases(bases: Array, values: Array, sums: Array, squares: Array) -> float:
    """Return the sum of squared errors when every value takes its nearest level."""
    levels = np.empty(N_LEVELS, np.float64)
    masks = np.empty(N_LEVELS, np.uint8)
    cuts = np.empty(N_LEVELS + 1, np.int64)
    fill_levels(bases, levels, masks)
    fill_cuts(values, levels, cuts)
    return cost_of_cuts(levels, cuts, sums, squares)


@jit
def nearest_masks(bases: Array, values: Array, out: Array) -> None:
    """Write the subset whose sum is nearest, for values in any order; the smaller sum at a tie."""
    levels = np.empty(N_LEVELS, np.float64)
    masks = np.empty(N_LEVELS, np.uint8)
    fill_levels(bases, levels, masks)
    for i in range(values.size):
        low, high = 0, N_LEVELS - 1
        while low < high:
            at = (low + high) >> 1
            if values[i] <= 0.5 * (levels[at] + levels[at + 1]):
                high = at
            else:
                low = at + 1
        out[i] = masks[low]
