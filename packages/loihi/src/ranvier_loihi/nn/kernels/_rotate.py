"""Integer resonators and adaptive thresholds over the whole time loop.

Integers are held in float64, as in the leaky integrators; products of states and 13-bit factors
are exact while states stay below 2**40.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._jit import exact, reassociated
from ._leaky import F32, LIMIT, LSB, UNIT, Doubles, Floats


class Adaptation(NamedTuple):
    """Threshold and refractory state of a layer; ``threshold`` is that at rest, as an integer."""

    threshold: float
    step: float
    keep_threshold: Doubles
    keep_refractory: Doubles


class Resonance(NamedTuple):
    """Kind of a resonator: phase crossing or threshold on ``im``, adaptation, reset."""

    phase: bool
    adaptive: bool
    reset: bool


@exact
def adapt_forward(
    v: Floats, rule: Adaptation, high: Doubles, refractory: Doubles, out_th: Floats, out_s: Floats
) -> None:
    """Fire where ``v`` reaches the threshold plus the refractory state; both grow with a spike.

    ``high`` ``(batch, n)`` is the threshold above rest. ``out_th`` gets the sum that was compared.
    """
    batch, time, n = v.shape
    for b in range(batch):
        for t in range(time):
            for m in range(n):
                r = np.trunc(refractory[b, m] * rule.keep_refractory[m])
                h = np.trunc(high[b, m] * rule.keep_threshold[m])
                total = rule.threshold + h + r
                fired = F32(v[b, t, m]) * UNIT >= total
                out_th[b, t, m] = F32(total) * LSB
                out_s[b, t, m] = F32(1.0) if fired else F32(0.0)
                high[b, m] = h + rule.step if fired else h
                refractory[b, m] = r + 2.0 * (rule.threshold + h) if fired else r


@exact
def rotate_forward(
    x_re: Floats,
    x_im: Floats,
    cos: Doubles,
    sin: Doubles,
    kind: Resonance,
    rule: Adaptation,
    re: Doubles,
    im: Doubles,
    high: Doubles,
    refractory: Doubles,
    out_re: Floats,
    out_im: Floats,
    out_th: Floats,
    out_s: Floats,
) -> int:
    """Rotate, fire and reset; give how many states left 24 bits.

    ``cos``, ``sin`` ``(n,)`` are integers over 4096; the states ``(batch, n)`` are updated.
    """
    batch, time, n = x_re.shape
    over = 0
    for b in range(batch):
        for t in range(time):
            for m in range(n):
                old_re, old_im = re[b, m], im[b, m]
                new_re = np.trunc(cos[m] * old_re) - np.trunc(sin[m] * old_im)
                new_im = np.trunc(sin[m] * old_re) + np.trunc(cos[m] * old_im)
                new_re += np.trunc(UNIT * x_re[b, t, m])
                new_im += np.trunc(UNIT * x_im[b, t, m])
                total, h, r = rule.threshold, 0.0, 0.0
                if kind.adaptive:
                    r = np.trunc(refractory[b, m] * rule.keep_refractory[m])
                    h = np.trunc(high[b, m] * rule.keep_threshold[m])
                    total = rule.threshold + h + r
                if kind.phase:
                    fired = (new_re >= total) and (new_im >= 0.0) and (old_im < 0.0)
                else:
                    fired = new_im >= total
                out_re[b, t, m] = F32(new_re) * LSB
                out_im[b, t, m] = F32(new_im) * LSB
                out_th[b, t, m] = F32(total) * LSB
                out_s[b, t, m] = F32(1.0) if fired else F32(0.0)
                over += 0 if (abs(new_re) < LIMIT) and (abs(new_im) < LIMIT) else 1
                if fired and kind.adaptive:
                    r += 2.0 * (rule.threshold + h)
                    h += rule.step
                if fired and kind.reset:
                    new_re, new_im = 0.0, rule.threshold - 1.0
                re[b, m], im[b, m] = new_re, new_im
                high[b, m], refractory[b, m] = h, r
    return over


@reassociated
def rotate_backward(
    g_re: Floats,
    g_im: Floats,
    cos: Doubles,
    sin: Doubles,
    out_re: Floats,
    out_im: Floats,
    gx_re: Floats,
    gx_im: Floats,
    grad_cos: Doubles,
    grad_sin: Doubles,
) -> None:
    """Rotate gradients back; ``grad_cos``, ``grad_sin`` ``(n,)`` gain those of the factors."""
    batch, time, n = gx_re.shape
    a, c = np.zeros(n), np.zeros(n)
    for b in range(batch):
        a[:] = 0.0
        c[:] = 0.0
        for t in range(time - 1, -1, -1):
            for m in range(n):
                real = g_re[b, t, m] + cos[m] * a[m] + sin[m] * c[m]
                imag = g_im[b, t, m] - sin[m] * a[m] + cos[m] * c[m]
                a[m], c[m] = real, imag
                gx_re[b, t, m], gx_im[b, t, m] = F32(real), F32(imag)
            if t > 0:
                for m in range(n):
                    re, im = out_re[b, t - 1, m], out_im[b, t - 1, m]
                    grad_cos[m] += a[m] * re + c[m] * im
                    grad_sin[m] += c[m] * re - a[m] * im
