"""Kernels: the search for four bases, by alternation and by moves of one base at a time."""

from __future__ import annotations

import numpy as np

from ._assignment import (
    N_BASES,
    N_LEVELS,
    Array,
    cost_of_bases,
    cost_of_cuts,
    fill_cuts,
    fill_levels,
    nearest_masks,
)
from ._jit import jit
from ._least_squares import solve_bounded

ROUNDS = 100
RIDGE = 1e-11
GAIN = 1e-12
SAME = 1e-9


@jit
def refit(
    bases: Array, masks: Array, cuts: Array, sums: Array, limit: Array, matrix: Array, right: Array
) -> None:
    """Move the bases to the least-squares optimum for fixed subsets.

    A tiny pull towards the old bases keeps the system regular when a base is unused, or two are
    always used together; a fixed point of the alternation does not depend on it.
    """
    matrix[:] = 0.0
    right[:] = 0.0
    for level in range(N_LEVELS):
        first, last = cuts[level], cuts[level + 1]
        if last == first:
            continue
        total = sums[last] - sums[first]
        for k in range(N_BASES):
            if masks[level] >> k & 1:
                right[k] += total
                for j in range(N_BASES):
                    if masks[level] >> j & 1:
                        matrix[k, j] += last - first
    pull = RIDGE * (sums.size - 1)
    for k in range(N_BASES):
        matrix[k, k] += pull
        right[k] += pull * bases[k]
    solve_bounded(matrix, right, limit, bases)


@jit
def alternate(bases: Array, values: Array, sums: Array, squares: Array, limit: Array) -> float:
    """Assign and refit in turn until no value changes its level; return the cost."""
    levels = np.empty(N_LEVELS, np.float64)
    masks = np.empty(N_LEVELS, np.uint8)
    old = np.zeros(N_LEVELS, np.uint8)
    cuts = np.full(N_LEVELS + 1, -1, np.int64)
    matrix = np.empty((N_BASES, N_BASES), np.float64)
    right = np.empty(N_BASES, np.float64)
    for _ in range(ROUNDS):
        fill_levels(bases, levels, masks)
        changed = fill_cuts(values, levels, cuts)
        for level in range(N_LEVELS):
            changed = changed or masks[level] != old[level]
            old[level] = masks[level]
        if not changed:
            break
        refit(bases, masks, cuts, sums, limit, matrix, right)
    fill_levels(bases, levels, masks)
    fill_cuts(values, levels, cuts)
    return cost_of_cuts(levels, cuts, sums, squares)


@jit
def move_one_base(
    bases: Array, cost: float, values: Array, sums: Array, squares: Array, limit: Array, grid: int
) -> float:
    """Scan each base over a grid, alternate from the local minima of the scan, keep what is best.

    Repeats until a round over all four bases brings nothing; returns the cost.
    """
    top = values[-1]
    scan = np.empty(grid + 2, np.float64)
    trial = np.empty(N_BASES, np.float64)
    improved = True
    while improved:
        improved = False
        for k in range(N_BASES):
            scan[0], scan[grid + 1] = np.inf, np.inf
            end = min(top, limit[k])
            trial[:] = bases
            for i in range(grid):
                trial[k] = end * (i + 1) / grid
                scan[i + 1] = cost_of_bases(trial, values, sums, squares)
            start = bases.copy()
            for i in range(1, grid + 1):
                if scan[i] <= scan[i - 1] and scan[i] < scan[i + 1]:
                    trial[:] = start
                    trial[k] = end * i / grid
                    found = alternate(trial, values, sums, squares, limit)
                    if found < cost * (1.0 - SAME) - GAIN * squares[-1]:
                        cost = found
                        bases[:] = trial
                        improved = True
    return cost


@jit
def polish(bases: Array, values: Array, limit: Array) -> float:
    """Refine the bases on residuals, without running sums; return the cost, summed directly.

    Running sums lose about 1e-16 of the largest magnitudes, residuals do not: what four bases can
    represent comes out with an error at the level of rounding.
    """
    masks = np.empty(values.size, np.uint8)
    trial = bases.copy()
    matrix = np.empty((N_BASES, N_BASES), np.float64)
    right = np.empty(N_BASES, np.float64)
    best = np.inf
    for _ in range(ROUNDS):
        nearest_masks(trial, values, masks)
        cost = residual_system(trial, values, masks, matrix, right)
        if not cost < best:
            break
        best = cost
        bases[:] = trial
        for k in range(N_BASES):
            matrix[k, k] += RIDGE * values.size
            for j in range(N_BASES):
                right[k] += matrix[k, j] * bases[j]
        solve_bounded(matrix, right, limit, trial)
    return best


@jit
def residual_system(
    bases: Array, values: Array, masks: Array, matrix: Array, right: Array
) -> float:
    """Write the normal matrix and the gradient of the residuals; return the sum of squares."""
    sums = np.zeros(N_LEVELS, np.float64)
    for mask in range(N_LEVELS):
        for k in range(N_BASES):
            if mask >> k & 1:
                sums[mask] += bases[k]
    counts = np.zeros(N_LEVELS, np.int64)
    residuals = np.zeros(N_LEVELS, np.float64)
    cost = 0.0
    for i in range(values.size):
        residual = values[i] - sums[masks[i]]
        counts[masks[i]] += 1
        residuals[masks[i]] += residual
        cost += residual * residual
    matrix[:] = 0.0
    right[:] = 0.0
    for mask in range(N_LEVELS):
        for k in range(N_BASES):
            if mask >> k & 1:
                right[k] += residuals[mask]
                for j in range(N_BASES):
                    if mask >> j & 1:
                        matrix[k, j] += counts[mask]
    return cost


@jit
def search(
    starts: Array,
    values: Array,
    sums: Array,
    squares: Array,
    limit: Array,
    grid: int,
    found: Array,
    costs: Array,
) -> int:
    """Alternate from all starts, then move the bases of the best distinct ones.

    `found` (keep, 4) and `costs` (keep,) are written; returns how many of them are filled.
    """
    first = np.empty(starts.shape[0], np.float64)
    for s in range(starts.shape[0]):
        first[s] = alternate(starts[s], values, sums, squares, limit)
    kept = 0
    last = -1.0
    for s in np.argsort(first):
        if kept == found.shape[0]:
            break
        if kept and first[s] - last <= SAME * last:
            continue
        last = first[s]
        found[kept] = starts[s]
        move_one_base(found[kept], last, values, sums, squares, limit, grid)
        costs[kept] = polish(found[kept], values, limit)
        kept += 1
    return kept
