"""Where the search for four bases starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._assignment import N_BASES

WIDTHS = (0.3, 0.6, 1.0)


def start_points(
    values: NDArray[np.float64], limit: NDArray[np.float64], *, seed: int, count: int
) -> NDArray[np.float64]:
    """Return start points, (count, 4), within the limits: structured ones first, then random ones.

    The random ones are, in turn, uniform up to a part of the largest value, and drawn from the
    values themselves.

    Parameters
    ----------
    values : array, (n,)
        Ascending, the last one > 0.
    limit : array, (4,)
        Largest value of each base; may be infinite.
    seed : int
        Of the random points.
    count : int
        Number of points, >= 1.
    """
    rng = np.random.default_rng(seed)
    n_uniform = (count + 1) // 2
    top = np.minimum(values[-1], limit)
    widths = rng.choice(WIDTHS, (n_uniform, 1))
    uniform = np.sort(rng.uniform(0.0, widths, (n_uniform, N_BASES)) * top, axis=1)
    drawn = np.sort(rng.choice(values, (count - n_uniform, N_BASES)), axis=1)
    random = np.empty((count, N_BASES))
    random[0::2], random[1::2] = uniform, drawn
    points = np.concatenate((_structured(values, top), random))[:count]
    return np.ascontiguousarray(np.minimum(points, limit))


def _structured(values: NDArray[np.float64], top: NDArray[np.float64]) -> NDArray[np.float64]:
    different = np.unique(values[values > 0])
    spread = np.zeros(N_BASES)
    if different.size >= N_BASES:
        spread = np.quantile(different, [0.0, 1 / 3, 2 / 3, 1.0])
    else:
        spread[-different.size :] = different
    low, high = different[0], values[-1]
    binary = np.array([1.0, 2.0, 4.0, 8.0])
    return np.stack(
        (
            high * binary / binary.sum(),
            spread,
            np.quantile(values, [0.2, 0.4, 0.6, 0.8]),
            high * binary / binary[-1],
            np.geomspace(low, high, N_BASES),
            top * np.array([0.25, 0.5, 0.75, 1.0]),
        )
    )
