"""Exponential and logarithm of float32 numbers that a compiler can put into vector lanes.

Both are evaluated in float64 and rounded once, so results are the correctly rounded float32 value
but for about one argument in a million, and the same on every machine. They hold no branch and no
call. Rounding to whole numbers adds a power of two so large that the sum has no fraction bits left.
"""

from __future__ import annotations

import numpy as np

from ._jit import Array, jit

_ROUNDER = 6755399441055744.0
"""1.5 * 2**52: adding it rounds to a whole number, which then is in the low bits."""
_ROUNDER_BITS = 0x4338000000000000
_LOG2_E = 1.4426950408889634
_LN_2 = 0.6931471805599453
_LOWEST, _HIGHEST = -104.0, 89.0
"""Beyond these the exponential rounds to 0, or is infinite, in float32."""
_HALF_ROOT_BITS = 0x3FE6A09E667F3BCD
"""Bits of sqrt(1/2)."""


@jit
def exp32(x: np.float32) -> np.float32:
    """Return the exponential of a float32, as float32; 0 below -104, infinite above 88.7."""
    wide = np.float64(x)
    above = np.float64(_LOWEST if wide < _LOWEST else wide)
    y = np.float64(_HIGHEST if above > _HIGHEST else above)
    shifted = np.float64(y * _LOG2_E + _ROUNDER)
    r = y - (shifted - _ROUNDER) * _LN_2
    p = 1.0 + r * (1.0 / 10)
    p = 1.0 + p * (r * (1.0 / 9))
    p = 1.0 + p * (r * (1.0 / 8))
    p = 1.0 + p * (r * (1.0 / 7))
    p = 1.0 + p * (r * (1.0 / 6))
    p = 1.0 + p * (r * (1.0 / 5))
    p = 1.0 + p * (r * (1.0 / 4))
    p = 1.0 + p * (r * (1.0 / 3))
    p = 1.0 + p * (r * (1.0 / 2))
    p = 1.0 + p * r
    power = (shifted.view(np.int64) << np.int64(52)) + np.int64(0x3FF0000000000000)
    return np.float32(p * np.int64(power).view(np.float64))


@jit
def log32(x: np.float32) -> np.float32:
    """Return the natural logarithm of a finite float32 above 0, as float32."""
    bits = np.float64(x).view(np.int64)
    e = (bits - np.int64(_HALF_ROOT_BITS)) >> np.int64(52)
    m = np.int64(bits - (e << np.int64(52))).view(np.float64)
    exponent = np.int64(e + np.int64(_ROUNDER_BITS)).view(np.float64) - _ROUNDER
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = (1.0 / 13) + z * (1.0 / 15)
    p = (1.0 / 11) + z * p
    p = (1.0 / 9) + z * p
    p = (1.0 / 7) + z * p
    p = (1.0 / 5) + z * p
    p = (1.0 / 3) + z * p
    p = s + s * (z * p)
    return np.float32(exponent * _LN_2 + 2.0 * p)


@jit
def exp32_of(x: Array, out: Array) -> None:
    """Write the exponentials of a float32 array, (n,)."""
    for i in range(x.size):
        out[i] = exp32(x[i])


@jit
def log32_of(x: Array, out: Array) -> None:
    """Write the logarithms of a float32 array, (n,), finite and above 0."""
    for i in range(x.size):
        out[i] = log32(x[i])
