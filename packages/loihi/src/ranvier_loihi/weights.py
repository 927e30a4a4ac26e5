"""Weight formats of Loihi's synapses: clipping, truncation, and the fewest bits that are exact.

References
----------
Lava 0.10.0 documentation, process Dense (sign modes, weight bits); lava-dl 0.6.0 netx.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

SignMode = Literal["mixed", "excitatory", "inhibitory"]
Ints = NDArray[np.int64]


def sign_mode_of(weights: NDArray[np.generic]) -> SignMode:
    """Return the mode that Lava's Dense derives: an all-zero matrix is excitatory."""
    if not weights.size or weights.min() >= 0:
        return "excitatory"
    return "inhibitory" if weights.max() <= 0 else "mixed"


def stored_weights(
    weights: Ints, *, num_weight_bits: int = 8, sign_mode: SignMode | None = None
) -> Ints:
    """Return weights as the chip keeps them: clipped to the mode's range, low bits cut (floor).

    Parameters
    ----------
    weights : array of int
        Any shape.
    num_weight_bits : int, 1..8
        Bits of a weight.
    sign_mode : {"mixed", "excitatory", "inhibitory"} or None
        None derives it.

    Returns
    -------
    array of int64
        Multiples of ``2**(8 - num_weight_bits)``, twice that in mode "mixed".

    Examples
    --------
    >>> stored_weights(np.array([-5, 3, 300])).tolist()
    [-6, 2, 254]
    """
    mode = sign_mode or sign_mode_of(weights)
    values = np.asarray(weights, dtype=np.int64)
    mixed = mode == "mixed"
    if mode == "inhibitory":
        values = -values
    values = np.clip(values, -256 if mixed else 0, 255)
    cut = 8 - num_weight_bits + mixed
    values = (values >> cut) << cut
    return -values if mode == "inhibitory" else values


def optimized_weights(weights: Ints) -> tuple[Ints, int, int]:
    """Return weights shifted to the top of their range, their exponent and the bits they need.

    It is what lava-dl's reader does with dense weights; ``shifted * 2**exponent`` are the weights.
    That reader scales weights without a positive one to -256, which its synapses then cut; here
    they stay within -255, so that the way back is exact.

    Parameters
    ----------
    weights : array of int
        Within [-256, 255].

    Returns
    -------
    shifted : array of int64
        ``weights << b``.
    weight_exp : int
        ``-b``; 0 where all weights are zero.
    num_weight_bits : int
        Bits that hold them exactly.

    Examples
    --------
    >>> shifted, exponent, bits = optimized_weights(np.array([1, 3, -3]))
    >>> shifted.tolist(), exponent, bits
    ([64, 192, -192], -6, 3)
    """
    values = np.asarray(weights, dtype=np.int64)
    if not values.any():
        return values.copy(), 0, 8
    high, low = int(values.max()), int(values.min())
    mixed = sign_mode_of(values) == "mixed"
    scale = min(127 / high, -128 / low) if mixed else 255 / max(high, -low)
    b = int(np.floor(np.log2(scale))) + mixed
    common = int(np.bitwise_or.reduce(np.abs(values), axis=None))
    n = min(8, (common & -common).bit_length() - 1) - mixed
    shifted = values << b if b >= 0 else values >> -b
    return shifted, -b, 8 - b - n
