"""Functions that a compiler can put into vector lanes: hyperbolic tangent and normal numbers.

They hold no branch and no call, and give the same on every machine. Rounding to whole numbers adds
a power of two so large that the sum has no fraction bits left.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._jit import Array, jit

_ROUNDER = 6755399441055744.0
"""1.5 * 2**52: adding it rounds to a whole number, which then is in the low bits."""
_LOG2_E = 1.4426950408889634
_LN_2 = 0.6931471805599453
_ONE_BITS = 0x3FF0000000000000
_HALF_ROOT_BITS = 0x3FE6A09E667F3BCD
"""Bits of sqrt(1/2)."""
_TWO_M32 = 2.3283064365386963e-10
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@jit
def mix(x: Any) -> Any:
    """Return 64 bits that depend on 64 bits, well mixed (the finaliser of splitmix64)."""
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


@jit
def child(key: Any, number: int) -> Any:
    """Return the key of one of many numbered things below a key."""
    return mix(key + np.uint64(number) * _GOLDEN)


@jit
def saturate(out: Array, x: Array, limit: float) -> None:
    """Write ``limit * tanh(x / limit)`` of numbers >= 0; off by 1e-11 ``limit`` at most."""
    for k in range(x.size):
        wide = x[k] * (2.0 / limit)
        y = (40.0 if wide > 40.0 else wide) * _LOG2_E
        shifted = np.float64(y + _ROUNDER)
        r = (y - (shifted - _ROUNDER)) * _LN_2
        p = 1.0 + r * (1.0 / 9)
        p = 1.0 + p * (r * (1.0 / 8))
        p = 1.0 + p * (r * (1.0 / 7))
        p = 1.0 + p * (r * (1.0 / 6))
        p = 1.0 + p * (r * (1.0 / 5))
        p = 1.0 + p * (r * (1.0 / 4))
        p = 1.0 + p * (r * (1.0 / 3))
        p = 1.0 + p * (r * (1.0 / 2))
        p = 1.0 + p * r
        bits = (shifted.view(np.int64) << np.int64(52)) + np.int64(_ONE_BITS)
        e = p * np.int64(bits).view(np.float64)
        out[k] = limit * ((e - 1.0) / (e + 1.0))


@jit
def normals(out: Array, key: Any, count: int) -> None:
    """Write standard normal numbers that depend on the key, their place and ``count`` alone.

    ``out`` holds ``count`` rounded up to an even number. Pairs are made by the method of Box and
    Muller from two uniform numbers of 32 bits, so that none is beyond 6.7.
    """
    half = (count + 1) // 2
    for j in range(half):
        bits = mix(key + np.uint64(j + 1) * _GOLDEN)
        u = (np.float64(np.int64(bits >> _S32)) + 0.5) * _TWO_M32
        phi = (np.float64(np.int64(bits & _LOW)) * _TWO_M32 - 0.5) * math.pi
        word = np.float64(u).view(np.int64)
        e = (word - np.int64(_HALF_ROOT_BITS)) >> np.int64(52)
        m = np.int64(word - (e << np.int64(52))).view(np.float64)
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        q = (1.0 / 13) + z * (1.0 / 15)
        q = (1.0 / 11) + z * q
        q = (1.0 / 9) + z * q
        q = (1.0 / 7) + z * q
        q = (1.0 / 5) + z * q
        q = (1.0 / 3) + z * q
        log_u = np.float64(e) * _LN_2 + 2.0 * (s + s * (z * q))
        radius = math.sqrt(-2.0 * log_u)
        f = phi * phi
        sine = 1.0 - f * (1.0 / 210)
        sine = 1.0 - f * (1.0 / 156) * sine
        sine = 1.0 - f * (1.0 / 110) * sine
        sine = 1.0 - f * (1.0 / 72) * sine
        sine = 1.0 - f * (1.0 / 42) * sine
        sine = 1.0 - f * (1.0 / 20) * sine
        sine = phi * (1.0 - f * (1.0 / 6) * sine)
        cosine = 1.0 - f * (1.0 / 240)
        cosine = 1.0 - f * (1.0 / 182) * cosine
        cosine = 1.0 - f * (1.0 / 132) * cosine
        cosine = 1.0 - f * (1.0 / 90) * cosine
        cosine = 1.0 - f * (1.0 / 56) * cosine
        cosine = 1.0 - f * (1.0 / 30) * cosine
        cosine = 1.0 - f * (1.0 / 12) * cosine
        cosine = 1.0 - f * (1.0 / 2) * cosine
        out[j] = radius * (1.0 - 2.0 * sine * sine)
        out[half + j] = radius * (2.0 * sine * cosine)
