"""The current that stands for a weight of 1, chosen so that the base currents can be reached."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ranvier.errors import QuantizationError

from ..biases import WEIGHT_BIASES, BiasTable
from ._checks import checked_magnitudes, checked_scale
from .levels import DEFAULT_STARTS, solve_levels

SMALLEST_CURRENT = 100e-12
"""In A. From here on the published table has a current within 1.8 % of every wanted one."""
MARGIN = 1.0 - 1e-12


def choose_scale(
    magnitudes: ArrayLike,
    *,
    table: BiasTable,
    i_scale: float,
    factors: tuple[float, float] = (0.0, np.inf),
    smallest: float = SMALLEST_CURRENT,
    seed: int = 0,
    starts: int = DEFAULT_STARTS,
) -> float:
    """Choose the current scale of a core: the network's own, or the nearest one that works.

    It works when the best levels, found without limits, need no base current above the largest
    one of the table, and the smallest base in use is not below `smallest`. If both cannot be had,
    the largest current counts.

    Parameters
    ----------
    magnitudes : array, (n,)
        Absolute values of the weights of a core, finite, >= 0, unitless.
    table : BiasTable
        Currents of the codes.
    i_scale : float
        The network's own current of a weight of 1, in A, > 0.
    factors : tuple of float
        Smallest and largest factor between the result and `i_scale` that the gain of the synapses
        can compensate; 0 <= low <= 1 <= high. Outside of it the nearest end is taken, and base
        currents may then be cut by the largest one.
    smallest : float
        Smallest good base current, in A, >= 0.
    seed, starts : int
        See `solve_levels`.

    Returns
    -------
    float
        In A.

    Raises
    ------
    QuantizationError
        A magnitude is negative or not finite, or an argument is out of its range.

    Examples
    --------
    >>> from ranvier_dynapse2.biases import published_table
    >>> weights = [1.0, 2.0, 3.0, 4.0, 8.0, 15.0]
    >>> choose_scale(weights, table=published_table(), i_scale=1e-8)
    1e-08
    >>> round(choose_scale(weights, table=published_table(), i_scale=5e-7) * 1e8, 2)
    6.17
    """
    scale = checked_scale(i_scale)
    low, high = factors
    if not 0 <= low <= 1 <= high or not smallest >= 0:
        raise QuantizationError(
            f"dynapse2: factors {factors} and smallest current {smallest!r} A; the factors of the "
            "scale include 1 and are >= 0, the current is >= 0"
        )
    levels = solve_levels(checked_magnitudes(magnitudes), seed=seed, starts=starts)
    if not levels.used.any():
        return scale
    currents = levels.bases[levels.used] * scale
    largest = table.largest(WEIGHT_BIASES[0]) / float(currents.max())
    least = smallest / float(currents.min())
    if least <= 1.0 <= largest:
        return scale
    factor = largest * MARGIN if largest < 1.0 else min(least, largest * MARGIN)
    return scale * min(max(factor, low), high)
