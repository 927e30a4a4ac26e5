"""One pass over the steps of a chunk: resonators, delta encoders and sums, all in 64 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._jit import Array, jit
from ._neurons import TOP, collect


@jit
def _scaled(value: int, factor: int) -> Any:
    """``value * factor / 4096`` rounded toward zero."""
    product = value * factor
    return product >> 12 if product >= 0 else -((-product) >> 12)


@jit
def resonate(
    x_re: Array, x_im: Array, re: Array, im: Array, p: Any, izhikevich: bool, out: Any, span: Any
) -> None:
    """Rotate and damp, add, clip, compare; the second kind resets."""
    for i in range(span.n):
        k = span.first + i
        t = span.t + i
        for j in range(re.size):
            a, b = re[j], im[j]
            c, s = p.cosine[j], p.sine[j]
            new_re = _scaled(a, c) - _scaled(b, s) + (x_re[k, j] << p.state_exp)
            new_im = _scaled(a, s) + _scaled(b, c) + (x_im[k, j] << p.state_exp)
            out.lost[1] += abs(new_re) > TOP or abs(new_im) > TOP
            new_re = min(max(new_re, -TOP), TOP)
            new_im = min(max(new_im, -TOP), TOP)
            if izhikevich:
                fire = new_im >= p.high[j]
                if fire:
                    new_re, new_im = 0, p.high[j] - 1
            else:
                fire = new_re >= p.high[j] and new_im >= 0 and b < 0
            re[j], im[j] = new_re, new_im
            out.fired[j] = fire
        collect(out.fired, out.words, out.ids, out.values, out.ends, k)
        if out.first_trace.shape[0]:
            out.first_trace[t, :] = re
        if out.second_trace.shape[0]:
            out.second_trace[t, :] = im


@jit
def delta(
    x: Array,
    sigma: Array,
    activation: Array,
    residual: Array,
    p: Any,
    drive: Array,
    out: Any,
    span: Any,
) -> None:
    """Send changes of the activation that reach the threshold; the rest waits.

    With ``p.sums`` the input adds up in ``sigma`` first, else it is the activation itself.
    ``drive`` is empty or holds a message for every step of the run.
    """
    whole = p.spike_exp + p.state_exp
    for i in range(span.n):
        k = span.first + i
        t = span.t + i
        m = out.ends[k]
        for j in range(activation.size):
            if p.sums:
                sigma[j] += x[k, j]
                new = sigma[j] + p.bias[j]
                if p.rectified and new < 0:
                    new = np.int64(0)
            else:
                new = x[k, j] << whole
                if drive.shape[0]:
                    new += drive[t, j] << p.state_exp
            d = new - activation[j] + residual[j]
            sent = d if abs(d) >= p.high[j] else np.int64(0)
            residual[j] = d - sent
            activation[j] = new
            message = sent >> p.state_exp
            if message != 0:
                out.ids[m] = j
                out.values[m] = message
                m += 1
            if out.value_trace.shape[0]:
                out.value_trace[t, j] = message
        out.ends[k + 1] = m
        if out.first_trace.shape[0]:
            out.first_trace[t, :] = sigma
        if out.second_trace.shape[0]:
            out.second_trace[t, :] = activation
        if out.third_trace.shape[0]:
            out.third_trace[t, :] = residual


@jit
def add_up(x: Array, sigma: Array, out: Any, span: Any) -> None:
    """Emit the running sum of the input."""
    for i in range(span.n):
        k = span.first + i
        t = span.t + i
        m = out.ends[k]
        for j in range(sigma.size):
            sigma[j] += x[k, j]
            if sigma[j] != 0:
                out.ids[m] = j
                out.values[m] = sigma[j]
                m += 1
        out.ends[k + 1] = m
        if out.first_trace.shape[0]:
            out.first_trace[t, :] = sigma
        if out.value_trace.shape[0]:
            out.value_trace[t, :] = sigma
