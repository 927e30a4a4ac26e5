"""Integer leaky integrators over the whole time loop, forward and backward.

States and outputs are integers held in float64: ``trunc(state * (4096 - D) / 4096)`` is the chip's
"multiply, shift right by 12, round toward zero" without an error while ``|state| < 2**41``, and
float64 has lanes where int64 products have none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._jit import exact, part, reassociated

F32 = np.float32
UNIT = np.float32(4096.0)
LSB = np.float32(1.0 / 4096.0)
LIMIT = float(1 << 23)
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Codes = NDArray[np.int32]


@exact
def find_events(x: Floats, pointer: Codes, channel: Codes) -> bool:
    """List the non-zero entries of ``(rows, n_in)``; say whether all of them are 1."""
    p, others = 0, 0
    for r in range(x.shape[0]):
        pointer[r] = p
        row = x[r]
        for c in range(row.shape[0]):
            others += 1 if (row[c] != F32(0.0)) & (row[c] != F32(1.0)) else 0
        for c in range(row.shape[0]):
            channel[p] = c
            p += 1 if row[c] != F32(0.0) else 0
    pointer[x.shape[0]] = p
    return others == 0


@part
def add_weights(row: Codes, weight: Codes, channel: Codes, start: int, stop: int) -> None:
    """Sum the weight rows of the events of a step, four per pass over the targets."""
    n = row.shape[0]
    for m in range(n):
        row[m] = 0
    blocks = start + (stop - start) // 4 * 4
    for p in range(start, blocks, 4):
        w0, w1 = weight[channel[p]], weight[channel[p + 1]]
        w2, w3 = weight[channel[p + 2]], weight[channel[p + 3]]
        for m in range(n):
            row[m] += w0[m] + w1[m] + w2[m] + w3[m]
    for p in range(blocks, stop):
        w0 = weight[channel[p]]
        for m in range(n):
            row[m] += w0[m]


@exact
def cuba_forward(
    z: Floats,
    pointer: Codes,
    channel: Codes,
    weight: Codes,
    keep_u: Doubles,
    keep_v: Doubles,
    threshold: float,
    graded: bool,
    u: Doubles,
    v: Doubles,
    out_u: Floats,
    out_v: Floats,
    out_s: Floats,
) -> int:
    """Run current, voltage, spikes and reset; give how many states left 24 bits.

    The drive is ``z`` ``(batch, time, n)`` or, where ``weight`` ``(n_in, n)`` is not empty, the
    events. ``u``, ``v`` ``(batch, n)`` are updated. ``out_u``, ``out_v`` may be empty.
    """
    batch, time, n = out_s.shape
    row = np.zeros(n, dtype=np.int32)
    drive = np.zeros(n, dtype=np.float64)
    over = 0
    for b in range(batch):
        cu, cv = u[b], v[b]
        for t in range(time):
            if weight.size:
                step = b * time + t
                add_weights(row, weight, channel, pointer[step], pointer[step + 1])
                for m in range(n):
                    drive[m] = row[m]
            else:
                x = z[b, t]
                for m in range(n):
                    drive[m] = np.trunc(UNIT * x[m])
            s = out_s[b, t]
            for m in range(n):
                a = np.trunc(cu[m] * keep_u[m]) + drive[m]
                y = np.trunc(cv[m] * keep_v[m]) + a
                cu[m] = a
                drive[m] = y
                s[m] = F32(1.0) if y > threshold else F32(0.0)
                cv[m] = 0.0 if y > threshold else y
                inside = (abs(a) < LIMIT) & (abs(y) < LIMIT)
                over += 0 if inside else 1
            if out_u.size:
                for m in range(n):
                    out_u[b, t, m] = F32(cu[m]) * LSB
            if out_v.size:
                for m in range(n):
                    out_v[b, t, m] = F32(drive[m]) * LSB
            if graded:
                for m in range(n):
                    s[m] = F32(drive[m]) * LSB if s[m] != F32(0.0) else F32(0.0)
    return over


@exact
def integrate_forward(x: Floats, keep: Doubles, threshold: float, y: Doubles, out: Floats) -> int:
    """Run one leaky integrator, reset above the threshold; give how many states left 24 bits."""
    batch, time, n = out.shape
    over = 0
    for b in range(batch):
        state = y[b]
        for t in range(time):
            for m in range(n):
                value = np.trunc(state[m] * keep[m]) + np.trunc(UNIT * x[b, t, m])
                out[b, t, m] = F32(value) * LSB
                state[m] = 0.0 if value > threshold else value
                over += 0 if abs(value) < LIMIT else 1
    return over


@reassociated
def cuba_backward(
    gs: Floats,
    keep_u: Doubles,
    keep_v: Doubles,
    out_u: Floats,
    out_v: Floats,
    gz: Floats,
    grad_u: Doubles,
    grad_v: Doubles,
) -> None:
    """Run both integrators backward: ``gs`` is the gradient of the voltages.

    ``grad_u``, ``grad_v`` ``(n,)`` gain the gradients of the decays where ``out_u`` is not empty.
    """
    batch, time, n = gz.shape
    gu, gv = np.zeros(n), np.zeros(n)
    for b in range(batch):
        gu[:] = 0.0
        gv[:] = 0.0
        for t in range(time - 1, -1, -1):
            for m in range(n):
                voltage = keep_v[m] * gv[m] + gs[b, t, m]
                current = keep_u[m] * gu[m] + voltage
                gv[m] = voltage
                gu[m] = current
                gz[b, t, m] = F32(current)
            if out_u.size and t > 0:
                for m in range(n):
                    grad_u[m] += gu[m] * out_u[b, t - 1, m]
                    grad_v[m] += gv[m] * out_v[b, t - 1, m]


@reassociated
def integrate_backward(g: Floats, keep: Doubles, out: Floats, gx: Floats, grad: Doubles) -> None:
    """Run one integrator backward; ``grad`` ``(n,)`` gains the gradient of the decay."""
    batch, time, n = gx.shape
    carried = np.zeros(n)
    for b in range(batch):
        carried[:] = 0.0
        for t in range(time - 1, -1, -1):
            for m in range(n):
                carried[m] = keep[m] * carried[m] + g[b, t, m]
                gx[b, t, m] = F32(carried[m])
            if t > 0:
                for m in range(n):
                    grad[m] += carried[m] * out[b, t - 1, m]


@reassociated
def outer_events(gz: Floats, pointer: Codes, channel: Codes, gradient: Floats) -> None:
    """Add the rows of ``gz`` ``(rows, n)`` to those of ``gradient`` ``(n_in, n)`` at the events."""
    for r in range(gz.shape[0]):
        row = gz[r]
        for p in range(pointer[r], pointer[r + 1]):
            target = gradient[channel[p]]
            for m in range(row.shape[0]):
                target[m] += row[m]
