"""Kernel: the best reachable currents near given bases, all four chosen together."""

from __future__ import annotations

import numpy as np

from ._assignment import N_BASES, Array, cost_of_bases
from ._jit import jit

OFF = -1


@jit
def shift_codes(
    places: Array, reachable: Array, values: Array, sums: Array, squares: Array, radius: int
) -> float:
    """Move the places of the bases in the list of reachable values to the best joint neighbours.

    All combinations of steps up to the radius are tried, masks assigned anew for each, and the
    best one is the next centre, until none is better. A base at `OFF` stays 0. Returns the cost.
    """
    width = 2 * radius + 1
    trial = np.empty(N_BASES, np.int64)
    best = np.empty(N_BASES, np.int64)
    bases = np.empty(N_BASES, np.float64)
    cost = np.inf
    while True:
        improved = False
        best[:] = places
        for combination in range(width**N_BASES):
            rest = combination
            possible = True
            for k in range(N_BASES):
                step = rest % width - radius
                rest //= width
                trial[k] = places[k] + step
                if places[k] == OFF:
                    trial[k], bases[k] = OFF, 0.0
                    possible = possible and step == 0
                elif 0 <= trial[k] < reachable.size:
                    bases[k] = reachable[trial[k]]
                else:
                    possible = False
            if not possible:
                continue
            found = cost_of_bases(bases, values, sums, squares)
            if found < cost:
                cost = found
                best[:] = trial
                improved = True
        places[:] = best
        if not improved:
            return cost
