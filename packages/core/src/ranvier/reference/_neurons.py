"""Instructions of the neurons: one line of a node kind's definition each, or all of it."""

from __future__ import annotations

import math

import numpy as np

from ._compiled import Floats, compiled
from .opcodes import AMPLITUDE, RELU, STRICT, SUBTRACT


@compiled
def reaches(v: float, threshold: float, flags: int) -> bool:
    """Say whether a membrane fires."""
    return v > threshold or (v == threshold and not flags & STRICT)


@compiled
def synapse(
    n: int, val: Floats, y: int, x: int, row: Floats, i_syn: int, par: Floats, beta: int, first: int
) -> None:
    """Decay a current, add its input, and collect it."""
    for i in range(n):
        current = par[beta + i] * row[i_syn + i] + val[x + i]
        row[i_syn + i] = current
        val[y + i] = current if first else val[y + i] + current


@compiled
def leak(n: int, row: Floats, v: int, val: Floats, x: int, par: Floats, base: int) -> None:
    """Decay a membrane towards rest, add current and bias. Parameters: alpha, rest, bias."""
    for i in range(n):
        rest = par[base + n + i]
        decayed = rest + par[base + i] * (row[v + i] - rest)
        row[v + i] = decayed + val[x + i] + par[base + 2 * n + i]


@compiled
def fire_one(
    v: float, threshold: float, v_reset: float, most: float, flags: int
) -> tuple[float, float]:
    """Return the spikes of one membrane and its value after the reset."""
    if not reaches(v, threshold, flags):
        return 0.0, v
    if flags & SUBTRACT:
        count = min(np.floor(v / threshold), most)
        return count, v - count * threshold
    return 1.0, v_reset


@compiled
def fire(
    n: int, val: Floats, y: int, row: Floats, v: int, left: int, par: Floats, base: int, flags: int
) -> None:
    """Spike and reset. Parameters: threshold, v_reset, steps without firing, spike limit."""
    most = par[base + 3 * n]
    for i in range(n):
        v_reset = par[base + n + i]
        if left >= 0 and row[left + i] > 0.0:
            row[left + i] -= 1.0
            row[v + i] = v_reset
            val[y + i] = 0.0
            continue
        count, after = fire_one(row[v + i], par[base + i], v_reset, most, flags)
        val[y + i] = count
        row[v + i] = after
        if left >= 0 and count > 0.0:
            row[left + i] = par[base + 2 * n + i]


@compiled
def adaptive(
    n: int,
    val: Floats,
    y: int,
    row: Floats,
    v: int,
    th: int,
    r: int,
    left: int,
    par: Floats,
    base: int,
    flags: int,
) -> None:
    """Spike against an adapted threshold, without reset.

    Parameters: threshold, v_reset, steps without firing, step of the threshold, delta, rho.
    """
    for i in range(n):
        rest = par[base + i]
        refractory = par[base + 5 * n + i] * row[r + i]
        threshold = rest + par[base + 4 * n + i] * (row[th + i] - rest)
        spike = 0.0
        if left >= 0 and row[left + i] > 0.0:
            row[left + i] -= 1.0
            row[v + i] = par[base + n + i]
        elif reaches(row[v + i], threshold + refractory, flags):
            spike = 1.0
            if left >= 0:
                row[left + i] = par[base + 2 * n + i]
        row[r + i] = refractory + 2.0 * threshold * spike
        row[th + i] = threshold + par[base + 3 * n + i] * spike
        val[y + i] = spike


@compiled
def adex(
    n: int,
    val: Floats,
    y: int,
    row: Floats,
    v: int,
    w: int,
    left: int,
    current: int,
    par: Floats,
    base: int,
    flags: int,
) -> None:
    """Advance an AdEx membrane by forward Euler, driven by the current of the step before.

    Parameters: threshold, v_reset, steps without firing, m, rest, bias, slope, v_exp, a_w, a, b,
    spike limit.
    """
    most = par[base + 11 * n]
    for i in range(n):
        p = base + i
        m, rest, slope, a_w = par[p + 3 * n], par[p + 4 * n], par[p + 6 * n], par[p + 8 * n]
        held = left >= 0 and row[left + i] > 0.0
        before = row[v + i]
        drift = rest - before
        if slope > 0.0:
            drift = drift + slope * math.exp((before - par[p + 7 * n]) / slope)
        drive = val[current + i] + par[p + 5 * n] - row[w + i]
        moved = before + (m * drift + m * drive)
        count, after = 0.0, par[p + n]
        if held:
            moved = after
            row[left + i] -= 1.0
        else:
            count, after = fire_one(moved, par[p], par[p + n], most, flags)
            if left >= 0 and count > 0.0:
                row[left + i] = par[p + 2 * n]
        adapted = (1.0 - a_w) * row[w + i] + a_w * par[p + 9 * n] * (moved - rest)
        row[w + i] = adapted + par[p + 10 * n] * count
        row[v + i] = after
        val[y + i] = count


@compiled
def resonate(
    n: int,
    val: Floats,
    y: int,
    row: Floats,
    state: int,
    x_re: int,
    x_im: int,
    left: int,
    par: Floats,
    base: int,
    flags: int,
) -> None:
    """Rotate, add the input, and spike on phase or amplitude.

    Parameters: threshold, value after an amplitude spike, steps without firing, cos, sin, k, bias.
    """
    for i in range(n):
        p = base + i
        threshold, k = par[p], par[p + 5 * n]
        re, im = row[state + i], row[state + n + i]
        cos, sin = par[p + 3 * n], par[p + 4 * n]
        new_re = k * (cos * re - sin * im) + val[x_re + i]
        new_im = k * (sin * re + cos * im) + val[x_im + i] + par[p + 6 * n]
        if flags & AMPLITUDE:
            spike = reaches(new_im, threshold, flags)
        else:
            spike = reaches(new_re, threshold, flags) and new_im >= 0.0 and im < 0.0
        if left >= 0 and row[left + i] > 0.0:
            row[left + i] -= 1.0
            spike = False
        elif left >= 0 and spike:
            row[left + i] = par[p + 2 * n]
        if spike and flags & AMPLITUDE:
            new_re, new_im = 0.0, par[p + n]
        row[state + i], row[state + n + i] = new_re, new_im
        val[y + i] = 1.0 if spike else 0.0


@compiled
def delta(
    n: int,
    val: Floats,
    y: int,
    row: Floats,
    state: int,
    x: int,
    par: Floats,
    base: int,
    flags: int,
) -> None:
    """Sum the input and emit changes of the activation. Parameters: threshold, bias."""
    for i in range(n):
        sigma = row[state + i] + val[x + i]
        activation = sigma + par[base + n + i]
        if flags & RELU:
            activation = max(activation, 0.0)
        change = activation - row[state + n + i] + row[state + 2 * n + i]
        out = change if abs(change) >= par[base + i] else 0.0
        row[state + i] = sigma
        row[state + n + i] = activation
        row[state + 2 * n + i] = change - out
        val[y + i] = out
