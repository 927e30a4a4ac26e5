"""The other neurons once more in Python ints, one neuron at a time, from their equations."""

from __future__ import annotations

import numpy as np


def dz(product):
    """Shift right by 12, rounding toward zero."""
    return -((-product) >> 12) if product < 0 else product >> 12


def units(value):
    """Cut the float32 product with 4096 to an integer."""
    return int(np.float32(4096) * np.float32(value))


class Threshold:
    """Adaptive threshold and refractory state; ``compare`` gives their sum for a step."""

    def __init__(self, rest, step, decay, decay_refractory):
        self.rest, self.step, self.th, self.r = rest, step, rest, 0
        self.keep, self.keep_r = 4096 - decay, 4096 - decay_refractory

    def compare(self):
        self.r = dz(self.r * self.keep_r)
        self.th = dz((self.th - self.rest) * self.keep) + self.rest
        return self.th + self.r

    def spike(self):
        self.r += 2 * self.th
        self.th += self.step


def scalar_alif(z, decay_u, decay_v, threshold):
    """Spikes, and the thresholds that were compared."""
    u, v, spikes, totals = 0, 0, [], []
    for x in z:
        u = dz(u * (4096 - decay_u)) + units(x)
        v = dz(v * (4096 - decay_v)) + u
        total = threshold.compare()
        fired = v >= total
        spikes.append(int(fired))
        totals.append(total)
        if fired:
            threshold.spike()
    return spikes, totals


def scalar_resonator(z, sin, cos, threshold, *, phase, reset):
    """States before a reset and spikes; ``threshold`` is an int or a `Threshold`."""
    re, im, out = 0, 0, []
    for x_re, x_im in z:
        new_re = dz(cos * re) - dz(sin * im) + units(x_re)
        new_im = dz(sin * re) + dz(cos * im) + units(x_im)
        th = threshold if isinstance(threshold, int) else threshold.compare()
        crossed = new_re >= th and new_im >= 0 and im < 0
        fired = crossed if phase else new_im >= th
        out.append((new_re, new_im, int(fired)))
        re, im = new_re, new_im
        if fired and not isinstance(threshold, int):
            threshold.spike()
        if fired and reset:
            re, im = 0, threshold - 1
    return tuple(zip(*out, strict=True))
