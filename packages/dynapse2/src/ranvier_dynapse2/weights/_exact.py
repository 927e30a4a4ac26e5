"""Bases of values that are sums of subsets of four numbers, found by trying the subsets.

Four bases have 15 sums besides 0, so only few different values can be represented. The two smallest
different values belong to linearly independent subsets; a third one depends on them only if it is
their sum; and a subspace of three dimensions holds seven subsets at most. Hence the two smallest,
the third or fourth, and one of the eight smallest have independent subsets, and the bases follow
from the right choice of these. If fewer bases are enough, bits of a base of 0 make them
independent.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ._assignment import N_BASES, N_LEVELS, Array, cost_of_bases
from ._jit import jit

SAME_VALUE = 1e-13
MOST_NEEDED = 8


@cache
def inverse_choices() -> NDArray[np.float64]:
    """Return the inverses, (choices, 4, 4), of all regular choices of subsets for four values.

    Rows of a choice are the subsets of the values; choices that differ in the order of the bases
    count once.
    """
    rows = np.array(list(itertools.permutations(range(1, N_LEVELS), N_BASES)))
    bits = rows[:, :, np.newaxis] >> np.arange(N_BASES) & 1
    columns = (bits << np.arange(N_BASES)[:, np.newaxis]).sum(axis=1)
    ordered = np.all(np.diff(columns, axis=1) > 0, axis=1)
    matrices = bits[ordered].astype(np.float64)
    return np.asarray(np.linalg.inv(matrices[np.abs(np.linalg.det(matrices)) > 0.5]))


@jit
def cheapest(choices: Array, values: Array, sums: Array, squares: Array) -> int:
    """Return the index of the bases with the smallest cost."""
    best, best_cost = 0, np.inf
    for i in range(choices.shape[0]):
        cost = cost_of_bases(choices[i], values, sums, squares)
        if cost < best_cost:
            best, best_cost = i, cost
    return best


def guess_exact_bases(
    values: NDArray[np.float64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    *,
    limit: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Return the best bases, (4,) ascending, that four of the smallest values determine.

    None when there are fewer than four different values, or more than four bases can represent.

    Parameters
    ----------
    values : array, (n,)
        Ascending, the last one > 0.
    sums, squares : array, (n + 1,)
        Running sums of the values and of their squares.
    limit : array, (4,)
        Largest values of the bases, ascending.
    """
    gaps = np.diff(values, prepend=0.0) > SAME_VALUE * values[-1]
    if not N_BASES <= np.count_nonzero(gaps) < N_LEVELS:
        return None
    different = values[gaps][:MOST_NEEDED]
    choices = [
        inverse_choices() @ different[[0, 1, third, fourth]]
        for third in (2, 3)
        for fourth in range(third + 1, different.size)
    ]
    bases = np.sort(np.concatenate(choices), axis=1)
    tolerance = SAME_VALUE * values[-1]
    bases = bases[((bases >= -tolerance) & (bases <= limit + tolerance)).all(axis=1)]
    if not len(bases):
        return None
    bases = np.ascontiguousarray(np.clip(bases, 0.0, limit))
    return np.asarray(bases[cheapest(bases, values, sums, squares)])
