"""Gradients of what a layer multiplies by, one step at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...kernels.lanes import WIDTH, add, divide, load, multiply, spread, store, subtract
from ...kernels.layers import (
    EXP_GAIN,
    EXP_SLOPE,
    EXP_THRESHOLD,
    KEEP,
    LEAK,
    RESET,
    SCALE,
    THRESHOLD,
    W_GAIN,
    W_KEEP,
    W_LEAK,
    B,
    Floats,
    G,
    Terms,
)
from ._jit import part

ROWS = 15
"""Gradients per neuron: one per constant, and that of the membrane at the start."""
START = 14
_ZERO = np.float32(0.0)


class Step(NamedTuple):
    """Gradients inside a step that the constants need, one vector each.

    By the drive; by current and adaptation after the step; what reset and refractory time cut off;
    at the threshold.
    """

    drive: Floats
    i: Floats
    w: Floats
    cut: Floats
    at_threshold: Floats


class Before(NamedTuple):
    """States before a step, the exponential term, and membrane and spikes at the threshold."""

    i: Floats
    v: Floats
    w: Floats
    exponential: Floats
    compared: Floats
    z: Floats


@part
def gain(total: Floats, row: int, value: Floats) -> None:
    """Add a vector to one of the gradients."""
    store(total, row * WIDTH, add(load(total, row * WIDTH), value))


@part
def train_step(total: Floats, s: Step, o: Before, c: Floats, terms: Terms, n: int, k: int) -> None:
    """Add a step to the gradients of the constants, ``total`` (15 * WIDTH,)."""
    zero = spread(_ZERO)
    leak, g, scale = load(c, LEAK * n + k), load(c, G * n + k), load(c, SCALE * n + k)
    gap = subtract(leak, o.v)
    inside = add(o.i, multiply(g, gap))
    if terms.exponential:
        slope, pull = load(c, EXP_SLOPE * n + k), multiply(o.exponential, s.drive)
        inside = add(inside, o.exponential)
        gain(total, EXP_GAIN, divide(pull, load(c, EXP_GAIN * n + k)))
        pull = divide(pull, slope)
        far = divide(subtract(o.v, load(c, EXP_THRESHOLD * n + k)), slope)
        gain(total, EXP_SLOPE, subtract(zero, multiply(pull, far)))
        gain(total, EXP_THRESHOLD, subtract(zero, pull))
    if terms.subthreshold | terms.triggered:
        inside = subtract(inside, o.w)
        gain(total, W_KEEP, multiply(s.w, o.w))
    if terms.subthreshold:
        far = subtract(o.compared, load(c, W_LEAK * n + k))
        gain(total, W_GAIN, multiply(s.w, far))
        gain(total, W_LEAK, subtract(zero, multiply(load(c, W_GAIN * n + k), s.w)))
    if terms.triggered:
        gain(total, B, multiply(s.w, o.z))
    gain(total, LEAK, multiply(g, s.drive))
    gain(total, G, multiply(gap, s.drive))
    gain(total, SCALE, divide(multiply(inside, s.drive), scale))
    gain(total, KEEP, multiply(s.i, o.i))
    gain(total, THRESHOLD, subtract(zero, s.at_threshold))
    gain(total, RESET, s.cut)
