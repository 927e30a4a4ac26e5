"""The objective of the published quantiser, for comparison."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._checks import checked_magnitudes
from .levels import sums_of_masks

PENALTY = 1000.0


def autoencoder_objective(magnitudes: ArrayLike, *, bases: ArrayLike, masks: ArrayLike) -> float:
    """Return what the autoencoder quantisation of rockpool reports as its loss, for any result.

    Parameters
    ----------
    magnitudes : array, (n,)
        Finite, >= 0.
    bases : array, (4,)
        Same unit. Negative ones are penalised.
    masks : array, (n,)
        0..15.

    Returns
    -------
    float
        Mean squared error of the magnitudes times s, with s = 1 / (max - min + 1), plus
        1000 (exp(-s c) - 1) for each negative base c. Unitless only if the magnitudes are; it is
        not comparable between matrices. 0 without magnitudes.

    References
    ----------
    Method: rockpool 3.1.0, devices/dynapse/quantization (autoencoder).
    """
    values = checked_magnitudes(magnitudes)
    if not values.size:
        return 0.0
    factor = 1.0 / (values.max() - values.min() + 1.0)
    codes = np.asarray(bases, dtype=np.float64) * factor
    reconstruction = sums_of_masks(codes)[np.asarray(masks, dtype=np.int64)]
    error = np.mean((reconstruction - values * factor) ** 2)
    penalty = PENALTY * np.sum(np.exp(-np.minimum(codes, 0.0)) - 1.0)
    return float(error + penalty)
