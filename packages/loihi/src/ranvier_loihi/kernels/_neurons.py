"""One pass over the steps of a chunk: LIF neurons with two or three output values.

States are int32 where the largest possible input keeps every intermediate below 2**31, else int64;
the loops are the same. Each function writes the events of its steps behind those of earlier ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._jit import Array, jit

WRAP = 1 << 23
TOP = WRAP - 1


@jit
def lif(
    x: Array, u: Array, v: Array, p: Any, waiting: Array, bias: Array, out: Any, span: Any
) -> None:
    """Advance by ``span.n`` steps; ``x`` is what arrives, (steps of the chunk, n).

    ``bias`` is (1, n) or has a row for every step of the run; ``waiting`` is empty or counts what
    is left of the refractory steps, (n,).
    """
    single = bias.shape[0] == 1
    for i in range(span.n):
        k = span.first + i
        t = span.t + i
        if span.interval > 0 and (span.step + t + 1 - span.offset) % span.interval == 0:
            u[:] = 0
            v[:] = 0
        _update(x, k, u, v, p, bias, 0 if single else t, out.fired, out.lost)
        if waiting.size:
            _wait(v, waiting, p.refractory, out.fired)
        collect(out.fired, out.words, out.ids, out.values, out.ends, k)
        if out.first_trace.shape[0]:
            out.first_trace[t, :] = u
        if out.second_trace.shape[0]:
            out.second_trace[t, :] = v


@jit
def _update(
    x: Array, k: int, u: Array, v: Array, p: Any, bias: Array, row: int, fired: Array, lost: Array
) -> None:
    """Decay, add, wrap the current, clip the voltage, compare, reset."""
    cast = u.dtype.type
    keep_u, keep_v, high, low = p.keep_u, p.keep_v, p.high, p.low
    wrapped = np.int32(0)
    clipped = np.int32(0)
    for j in range(u.size):
        old = u[j]
        size = cast(abs(old))
        part = cast(cast(size & cast(4095)) * keep_u[j])
        left = cast(cast(cast(size >> cast(12)) * keep_u[j]) + cast(part >> cast(12)))
        new = cast((cast(-left) if old < 0 else left) + cast(x[k, j] << cast(6)))
        over = new > WRAP
        under = new <= -WRAP
        new = cast(new - cast(2 * WRAP)) if over else new
        new = cast(new + cast(2 * WRAP)) if under else new
        wrapped += np.int32(over | under)
        u[j] = new
        old = v[j]
        size = cast(abs(old))
        part = cast(cast(size & cast(4095)) * keep_v[j])
        left = cast(cast(cast(size >> cast(12)) * keep_v[j]) + cast(part >> cast(12)))
        w = cast(cast((cast(-left) if old < 0 else left) + new) + bias[row, j])
        clipped += np.int32((w > TOP) | (w < -TOP))
        w = min(max(w, cast(-TOP)), cast(TOP))
        s = np.int8(np.int8(w > high[j]) - np.int8(w < low[j]))
        fired[j] = s
        v[j] = w if s == 0 else cast(0)
    lost[0] += wrapped
    lost[1] += clipped


@jit
def _wait(v: Array, waiting: Array, refractory: Array, fired: Array) -> None:
    """Hold neurons at zero that fired less than ``refractory`` steps ago."""
    for j in range(v.size):
        if waiting[j] > 0:
            waiting[j] -= 1
            v[j] = 0
            fired[j] = 0
        elif fired[j] != 0:
            waiting[j] = refractory[j] - 1


@jit
def collect(fired: Array, words: Array, ids: Array, values: Array, ends: Array, k: int) -> None:
    """Append the neurons that fired in step ``k`` of the chunk, eight quiet ones at a time."""
    m = ends[k]
    for w in range(words.size):
        if words[w] != 0:
            for j in range(8 * w, 8 * w + 8):
                if fired[j] != 0:
                    ids[m] = j
                    values[m] = fired[j]
                    m += 1
    ends[k + 1] = m


@jit
def count_events(counts: Array, ends: Array) -> None:
    """Count the channels with input of every step, ``counts`` (time, n)."""
    for t in range(counts.shape[0]):
        m = 0
        for j in range(counts.shape[1]):
            m += counts[t, j] != 0
        ends[t + 1] = ends[t] + m


@jit
def list_events(counts: Array, ids: Array, values: Array) -> None:
    """List channels and counts of every step in order."""
    m = 0
    for t in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            if counts[t, j] != 0:
                ids[m] = j
                values[m] = counts[t, j]
                m += 1
