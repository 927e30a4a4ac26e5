"""Kernel: least squares for four unknowns that are bounded from both sides, solved exactly."""

from __future__ import annotations

import numpy as np

from ._assignment import N_BASES, Array
from ._jit import jit

FREE, ZERO, LIMIT = 0, 1, 2
N_SIDES = 3


@jit
def solve_free(matrix: Array, right: Array, side: Array, out: Array) -> bool:
    """Solve for the unknowns whose side is free, by elimination; the others of `out` are given.

    Returns False when the system is singular.
    """
    a = np.empty((N_BASES, N_BASES), np.float64)
    b = np.empty(N_BASES, np.float64)
    rows = np.empty(N_BASES, np.int64)
    n = 0
    for k in range(N_BASES):
        if side[k] == FREE:
            rows[n] = k
            n += 1
    for i in range(n):
        b[i] = right[rows[i]]
        for k in range(N_BASES):
            if side[k] != FREE:
                b[i] -= matrix[rows[i], k] * out[k]
        for j in range(n):
            a[i, j] = matrix[rows[i], rows[j]]
    for i in range(n):
        if not a[i, i] > 0.0:
            return False
        for j in range(i + 1, n):
            factor = a[j, i] / a[i, i]
            for k in range(i, n):
                a[j, k] -= factor * a[i, k]
            b[j] -= factor * b[i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            b[i] -= a[i, j] * out[rows[j]]
        out[rows[i]] = b[i] / a[i, i]
    return True


@jit
def inside(bases: Array, side: Array, limit: Array) -> bool:
    """Whether the free unknowns keep their bounds."""
    good = True
    for k in range(N_BASES):
        good = good and (side[k] != FREE or 0.0 <= bases[k] <= limit[k])
    return good


@jit
def solve_bounded(matrix: Array, right: Array, limit: Array, out: Array) -> None:
    """Minimise c'Mc / 2 - r'c for 0 <= c <= limit and positive definite M.

    Without an active bound one elimination is enough. Otherwise every combination of free, zero
    and limit is solved, at most 81, and the best point that keeps the bounds is the optimum.
    """
    side = np.zeros(N_BASES, np.int64)
    trial = np.zeros(N_BASES, np.float64)
    if solve_free(matrix, right, side, trial) and inside(trial, side, limit):
        out[:] = trial
        return
    best = np.inf
    for combination in range(1, N_SIDES**N_BASES):
        rest = combination
        possible = True
        for k in range(N_BASES):
            side[k] = rest % N_SIDES
            rest //= N_SIDES
            trial[k] = limit[k] if side[k] == LIMIT else 0.0
            possible = possible and not (side[k] == LIMIT and limit[k] == np.inf)
        if not possible or not solve_free(matrix, right, side, trial):
            continue
        if not inside(trial, side, limit):
            continue
        value = 0.0
        for k in range(N_BASES):
            row = 0.0
            for j in range(N_BASES):
                row += matrix[k, j] * trial[j]
            value += trial[k] * (0.5 * row - right[k])
        if value < best:
            best = value
            out[:] = trial
