"""CUBA neurons that hear their own spikes one step later: compiled time loops both ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .kernels._jit import exact, reassociated

F32 = np.float32
UNIT = np.float32(4096.0)
LSB = np.float32(1.0 / 4096.0)
LIMIT = float(1 << 23)
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@exact
def forward(
    z: Floats,
    weight: Floats,
    keep_u: Doubles,
    keep_v: Doubles,
    threshold: float,
    graded: bool,
    u: Doubles,
    v: Doubles,
    last: Floats,
    out_u: Floats,
    out_v: Floats,
    out: Floats,
) -> int:
    """Drive by ``z[t] + weight^T s[t-1]``; give how many states left 24 bits.

    ``weight`` is (source, target). ``u``, ``v`` and ``last`` ``(batch, n)`` are updated.
    """
    batch, time, n = z.shape
    drive = np.zeros(n, dtype=np.float32)
    over = 0
    for b in range(batch):
        before = last[b]
        for t in range(time):
            for i in range(n):
                drive[i] = F32(0.0)
            for j in range(n):
                value = before[j]
                if value != F32(0.0):
                    row = weight[j]
                    for i in range(n):
                        drive[i] += value * row[i]
            for i in range(n):
                a = np.trunc(u[b, i] * keep_u[i]) + np.trunc(UNIT * (z[b, t, i] + drive[i]))
                y = np.trunc(v[b, i] * keep_v[i]) + a
                fired = y > threshold
                size = F32(y) * LSB if graded else F32(1.0)
                u[b, i] = a
                v[b, i] = 0.0 if fired else y
                out_u[b, t, i] = F32(a) * LSB
                out_v[b, t, i] = F32(y) * LSB
                out[b, t, i] = size if fired else F32(0.0)
                over += 0 if (abs(a) < LIMIT) & (abs(y) < LIMIT) else 1
            before = out[b, t]
        last[b] = before
    return over


@reassociated
def backward(
    g: Floats,
    slope: Floats,
    weight: Floats,
    keep_u: Doubles,
    keep_v: Doubles,
    out_u: Floats,
    out_v: Floats,
    gz: Floats,
    grad_u: Doubles,
    grad_v: Doubles,
) -> None:
    """Go back in time: ``gs[t] = g[t] + R^T gz[t+1]``; ``weight`` is (source, target)."""
    batch, time, n = g.shape
    gu = np.zeros(n, dtype=np.float32)
    gv = np.zeros(n, dtype=np.float32)
    for b in range(batch):
        gu[:] = F32(0.0)
        gv[:] = F32(0.0)
        for t in range(time - 1, -1, -1):
            for i in range(n):
                gs = g[b, t, i]
                if t + 1 < time:
                    later = gz[b, t + 1]
                    row = weight[i]
                    total = F32(0.0)
                    for j in range(n):
                        total += row[j] * later[j]
                    gs += total
                gv[i] = F32(keep_v[i]) * gv[i] + slope[b, t, i] * gs
            for i in range(n):
                gu[i] = F32(keep_u[i]) * gu[i] + gv[i]
                gz[b, t, i] = gu[i]
                if t > 0:
                    grad_v[i] += gv[i] * out_v[b, t - 1, i]
                    grad_u[i] += gu[i] * out_u[b, t - 1, i]
