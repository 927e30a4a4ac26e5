"""Four base currents per core and four bits per synapse: the best levels for given magnitudes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._assignment import N_BASES, nearest_masks
from ._checks import checked_limit, checked_magnitudes
from .candidates import find_candidates

DEFAULT_STARTS = 64
"""Enough for errors within three per cent of those of a thousand starts, mostly equal ones."""
_BITS = np.arange(N_BASES)


def sums_of_masks(bases: ArrayLike) -> NDArray[np.float64]:
    """Return the sum of the bases that each mask selects, (16,): entry m for mask m."""
    chosen = np.arange(2**N_BASES)[:, np.newaxis] >> _BITS & 1
    return np.asarray(chosen @ np.asarray(bases, dtype=np.float64))


def assign_masks(magnitudes: ArrayLike, bases: ArrayLike) -> NDArray[np.uint8]:
    """Return the mask whose sum of bases is nearest to each magnitude; the smaller sum at a tie.

    Parameters
    ----------
    magnitudes : array, (n,)
        Finite, >= 0.
    bases : array, (4,)
        Same unit, >= 0.

    Returns
    -------
    array, (n,) uint8
        Masks 0..15; bit k stands for base k.

    Examples
    --------
    >>> assign_masks([3.1, 8.9], [1, 2, 4, 8]).tolist()
    [3, 9]
    """
    values = checked_magnitudes(magnitudes)
    masks = np.zeros(values.size, np.uint8)
    nearest_masks(np.ascontiguousarray(bases, dtype=np.float64), values, masks)
    return masks


def squared_error(
    magnitudes: NDArray[np.float64], bases: ArrayLike, masks: NDArray[np.uint8]
) -> float:
    """Return the sum of squared differences between magnitudes and the sums of their masks."""
    difference = np.sort(np.abs(magnitudes - sums_of_masks(bases)[masks]))
    return float(difference @ difference)


@dataclass(frozen=True, eq=False)
class Levels:
    """Four bases, and for each magnitude the subset of bases whose sum stands for it.

    Attributes
    ----------
    bases : array, (4,) float64
        In the unit of the magnitudes, >= 0. They ascend when the limits do, as equal ones do.
    masks : array, (n,) uint8
        0..15; bit k stands for base k.
    error : float
        Sum of squared errors over all magnitudes.
    """

    bases: NDArray[np.float64]
    masks: NDArray[np.uint8]
    error: float

    @property
    def mse(self) -> float:
        """Mean squared error; 0 without magnitudes."""
        return self.error / max(self.masks.size, 1)

    @property
    def values(self) -> NDArray[np.float64]:
        """What stands for each magnitude, (n,)."""
        return np.asarray(sums_of_masks(self.bases)[self.masks])

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which bases some mask selects, (4,)."""
        return np.asarray((self.masks[:, np.newaxis] >> _BITS & 1).any(axis=0))


def solve_levels(
    magnitudes: ArrayLike,
    *,
    limit: ArrayLike = np.inf,
    seed: int = 0,
    starts: int = DEFAULT_STARTS,
) -> Levels:
    """Find the four bases, and the masks, with the smallest sum of squared errors.

    Alternates between the exact assignment (every magnitude takes the nearest of the 16 sums of
    bases) and the exact least-squares fit of the bases within their limits. This starts from many
    points; from the best results the bases are then moved one at a time over a grid. Matrices that
    four bases can represent come out with an error at the level of rounding.

    Parameters
    ----------
    magnitudes : array, (n,)
        Absolute values of the weights of a core, finite, >= 0, any unit. Weights of 0 need no
        synapse and are usually left out.
    limit : float or array, (4,)
        Largest value of each base, same unit, >= 0. Kept inside the optimisation: no level is
        promised that cannot be reached.
    seed : int
        Seed of the random starts. Equal arguments give equal results, whatever their order.
    starts : int
        Number of starts, >= 1. An eighth of them is searched further.

    Returns
    -------
    Levels

    Raises
    ------
    QuantizationError
        A magnitude or a limit is negative, infinite (magnitudes) or not a number, or there is no
        start.

    Notes
    -----
    Minimises ``sum_i (v_i - sum_k bit_k(m_i) c_k)**2`` over ``0 <= c_k <= limit_k`` and masks
    ``m_i`` in 0..15. Only the four bases are searched: for given bases the best masks are known.
    With sorted magnitudes the cost of four bases takes 15 bisections, whatever n is.

    Examples
    --------
    >>> levels = solve_levels([1.0, 2.0, 3.0, 4.0, 8.0, 15.0, 10.0, 6.0, 5.0])
    >>> levels.bases.round(9).tolist()
    [1.0, 2.0, 4.0, 8.0]
    """
    values = checked_magnitudes(magnitudes)
    limits = checked_limit(limit)
    bases = np.zeros(N_BASES)
    if values.any():
        found = find_candidates(values, limit=np.sort(limits), seed=seed, starts=starts)
        bases[np.argsort(limits, kind="stable")] = np.ldexp(found.bases[0], found.exponent)
    masks = assign_masks(values, bases)
    return Levels(bases, masks, squared_error(values, bases, masks))
