"""The codes of the four weight biases, chosen together for the smallest error they can reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..biases import WEIGHT_BIASES, BiasCode, BiasTable
from ._assignment import N_BASES
from ._checks import checked_magnitudes, checked_scale
from ._neighbours import OFF, shift_codes
from .candidates import Candidates, find_candidates
from .levels import DEFAULT_STARTS, Levels, assign_masks, squared_error

NEAR, FAR = 1, 2
UNUSED = BiasCode(0, 0)


@dataclass(frozen=True, eq=False)
class CodedLevels:
    """Codes of the four weight biases of a core, and a mask for each magnitude.

    Attributes
    ----------
    codes : tuple of BiasCode
        In order of `ranvier_dynapse2.biases.WEIGHT_BIASES`; (0, 0) for a base without use.
    bases : array, (4,) float64
        Currents that these codes give, in A. A base without use has one too: nothing is exactly 0.
    masks : array, (n,) uint8
        0..15; bit k stands for base k.
    error : float
        Sum of squared errors, in units of the magnitudes, with the currents of the codes.
    i_scale : float
        Current of a magnitude of 1, in A.
    """

    codes: tuple[BiasCode, BiasCode, BiasCode, BiasCode]
    bases: NDArray[np.float64]
    masks: NDArray[np.uint8]
    error: float
    i_scale: float

    @property
    def levels(self) -> Levels:
        """The same in units of the magnitudes."""
        return Levels(self.bases / self.i_scale, self.masks, self.error)

    @property
    def mse(self) -> float:
        """Mean squared error in units of the magnitudes; 0 without magnitudes."""
        return self.levels.mse


def solve_codes(
    magnitudes: ArrayLike,
    *,
    table: BiasTable,
    i_scale: float,
    seed: int = 0,
    starts: int = DEFAULT_STARTS,
) -> CodedLevels:
    """Find the codes of the weight biases, and the masks, with the smallest sum of squared errors.

    The levels are solved first, within the largest current of the biases. From each of the best
    local optima all four codes are then moved together among the neighbouring reachable currents,
    and every trial assigns the masks anew: the error that is minimised is that of the chip's
    currents.

    Parameters
    ----------
    magnitudes : array, (n,)
        Absolute values of the weights of a core, finite, >= 0, unitless.
    table : BiasTable
        Currents of the codes.
    i_scale : float
        Current of a magnitude of 1, in A, > 0.
    seed, starts : int
        See `solve_levels`.

    Returns
    -------
    CodedLevels

    Raises
    ------
    QuantizationError
        A magnitude is negative or not finite, the scale is not positive, or there is no start.

    Examples
    --------
    >>> from ranvier_dynapse2.biases import published_table
    >>> coded = solve_codes(range(1, 16), table=published_table(), i_scale=1e-8)
    >>> [round(float(base) * 1e9, 2) for base in coded.bases]
    [9.95, 19.81, 39.88, 80.47]
    """
    values = checked_magnitudes(magnitudes)
    scale = checked_scale(i_scale)
    rows = table.row(WEIGHT_BIASES[0])
    currents, codes = np.unique(rows, return_index=True)
    places = np.full(N_BASES, OFF)
    if values.any():
        limit = np.full(N_BASES, currents[-1] / scale)
        found = find_candidates(values, limit=limit, seed=seed, starts=starts)
        places = _best_places(found, np.ldexp(currents / scale, -found.exponent))
    bases = np.where(places == OFF, 0.0, currents[places])
    masks = assign_masks(values, bases / scale)
    used = Levels(bases, masks, 0.0).used
    chosen = [
        BiasCode(*map(int, divmod(codes[place], rows.shape[1]))) if use else UNUSED
        for place, use in zip(places, used, strict=True)
    ]
    realised = np.array([table.current(WEIGHT_BIASES[0], *code) for code in chosen])
    error = squared_error(values, realised / scale, masks)
    return CodedLevels((chosen[0], chosen[1], chosen[2], chosen[3]), realised, masks, error, scale)


def _best_places(found: Candidates, reachable: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place of each base in the ascending list of reachable values, or `OFF`."""
    data = found.values, found.sums, found.squares
    best, best_cost = np.full(N_BASES, OFF), np.inf
    for bases in found.bases:
        places = _nearest(reachable, bases)
        places[~Levels(bases, assign_masks(found.values, bases), 0.0).used] = OFF
        cost = shift_codes(places, reachable, *data, NEAR)
        if cost < best_cost:
            best, best_cost = places, cost
    shift_codes(best, reachable, *data, FAR)
    return np.sort(best)


def _nearest(reachable: NDArray[np.float64], bases: NDArray[np.float64]) -> NDArray[np.int64]:
    above = np.searchsorted(reachable, bases).clip(1, reachable.size - 1)
    lower = bases - reachable[above - 1] <= reachable[above] - bases
    return np.asarray(above - lower, dtype=np.int64)
