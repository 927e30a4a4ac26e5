"""The surrogate derivatives in the kernels; codes and formulas of `ranvier.nn.surrogates`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._jit import exact, part

F32 = np.float32
Floats = NDArray[np.float32]

PIECEWISE, WINDOW, PERIODIC, FAST_SIGMOID, SIGMOID, ARCTAN = range(6)


@exact
def derivative(code: int, u: F32, threshold: F32, scale: F32, max_spikes: F32) -> F32:
    """Give dS/dV of one neuron."""
    one = F32(1.0)
    distance = u - threshold
    if code == WINDOW:
        return F32(0.5) / scale if abs(distance) < scale else F32(0.0)
    if code == PIECEWISE:
        return one / threshold if u >= threshold - scale else F32(0.0)
    if code == PERIODIC:
        half = F32(0.5) * threshold
        r = u - half
        if u >= threshold:
            r -= threshold * min(np.floor(r / threshold), max_spikes - one)
        return F32(math.exp(-abs(r - half) / scale)) / threshold
    if code == FAST_SIGMOID:
        root = one + scale * abs(distance)
        return one / (root * root)
    if code == SIGMOID:
        e = F32(math.exp(-abs(scale * distance)))
        return scale * e / ((one + e) * (one + e))
    z = F32(0.5 * math.pi) * scale * distance
    return F32(0.5) * scale / (one + z * z)


@part
def derivative_row(
    code: int,
    u: Floats,
    b: int,
    t: int,
    threshold: Floats,
    scale: F32,
    max_spikes: F32,
    h: Floats,
) -> None:
    """Give dS/dV of sample ``b`` in step ``t``; the cheap formulas have a loop of their own."""
    if code == WINDOW:
        height = F32(0.5) / scale
        for n in range(h.shape[0]):
            h[n] = height if abs(u[b, t, n] - threshold[n]) < scale else F32(0.0)
    elif code == PIECEWISE:
        for n in range(h.shape[0]):
            h[n] = F32(1.0) / threshold[n] if u[b, t, n] >= threshold[n] - scale else F32(0.0)
    elif code == FAST_SIGMOID:
        for n in range(h.shape[0]):
            root = F32(1.0) + scale * abs(u[b, t, n] - threshold[n])
            h[n] = F32(1.0) / (root * root)
    elif code == ARCTAN:
        for n in range(h.shape[0]):
            z = F32(0.5 * math.pi) * scale * (u[b, t, n] - threshold[n])
            h[n] = F32(0.5) * scale / (F32(1.0) + z * z)
    else:
        for n in range(h.shape[0]):
            h[n] = derivative(code, u[b, t, n], threshold[n], scale, max_spikes)
