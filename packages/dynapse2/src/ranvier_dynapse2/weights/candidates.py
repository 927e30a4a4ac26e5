"""The local optima that a search for four bases finds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

from ._assignment import N_BASES
from ._exact import guess_exact_bases
from ._search import search
from ._starts import start_points

STARTS_PER_CANDIDATE = 8
GRID = 32
EXACT = 1e-26


class Candidates(NamedTuple):
    """The best local optima of a search, for magnitudes scaled by ``2**-exponent`` and sorted."""

    bases: NDArray[np.float64]
    """(candidates, 4), ascending within a candidate; the best candidate first."""
    values: NDArray[np.float64]
    """(n,), ascending, the largest in [0.5, 1)."""
    sums: NDArray[np.float64]
    """(n + 1,), running sums of the values."""
    squares: NDArray[np.float64]
    """(n + 1,), running sums of their squares."""
    exponent: int


def find_candidates(
    magnitudes: NDArray[np.float64], *, limit: NDArray[np.float64], seed: int, starts: int
) -> Candidates:
    """Search from seeded starts and return the best local optima.

    Parameters
    ----------
    magnitudes : array, (n,)
        Finite, >= 0, not all 0.
    limit : array, (4,)
        Largest value of each base, same unit, ascending; may be infinite.
    seed, starts : int
        See `ranvier_dynapse2.weights.solve_levels`.

    Raises
    ------
    QuantizationError
        There is no start.
    """
    if starts < 1:
        raise QuantizationError(f"dynapse2: {starts} starts; the search needs at least 1")
    exponent = int(np.frexp(magnitudes.max())[1])
    values = np.ldexp(np.sort(magnitudes), -exponent)
    bounds = np.ldexp(limit, -exponent)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    squares = np.concatenate(([0.0], np.cumsum(values * values)))
    data = values, sums, squares, bounds
    points = start_points(values, bounds, seed=seed, count=starts)
    bases, costs = _optima(points, *data, keep=max(starts // STARTS_PER_CANDIDATE, 1))
    if costs.min() > EXACT * squares[-1]:
        guess = guess_exact_bases(values, sums, squares, limit=bounds)
        if guess is not None:
            more = _optima(guess[np.newaxis], *data, keep=1)
            bases, costs = np.concatenate((bases, more[0])), np.concatenate((costs, more[1]))
    best = np.argsort(costs, kind="stable")
    return Candidates(np.sort(bases[best], axis=1), values, sums, squares, exponent)


def _optima(
    points: NDArray[np.float64],
    values: NDArray[np.float64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    limit: NDArray[np.float64],
    *,
    keep: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Search from points; return at most `keep` different optima, (kept, 4), and their costs."""
    found, costs = np.empty((keep, N_BASES)), np.empty(keep)
    kept = search(points, values, sums, squares, limit, GRID, found, costs)
    return found[:kept], costs[:kept]
