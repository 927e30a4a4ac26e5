"""Event-driven kernels, forward: only the weights of inputs that spike are read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._dense import Constants, Floats, Rule, clear, load_state, save_state
from ._jit import exact, part
from ._surrogate import PIECEWISE, WINDOW

F32 = np.float32
Integers = NDArray[np.int64]
Indices = NDArray[np.int32]


class Events(NamedTuple):
    """Sparse ``(batch, time, n)``: the entries of a step lie between two pointers.

    ``pointer`` is ``(batch, time + 1)``; samples follow each other without a gap in ``channel``
    and ``value``, which have room for dense samples: what lies behind the last is never touched.
    """

    pointer: Integers
    channel: Indices
    value: Floats


class Drive(NamedTuple):
    """Input of a layer: events through ``weight`` ``(n_in, columns)``, or the currents ``x``."""

    source: Events
    weight: Floats
    delay: int
    bias: Floats
    x: Floats


@exact
def find_events(x: Floats, events: Events, first: int, last: int) -> None:
    """List the entries of dense samples that are not zero."""
    pointer, index, value = events
    steps, n = x.shape[1], x.shape[2]
    p = first * steps * n
    for b in range(first, last):
        pointer[b, 0] = p
        for t in range(steps):
            for c in range(n):
                index[p] = c
                value[p] = x[b, t, c]
                p += 1 if x[b, t, c] != F32(0.0) else 0
            pointer[b, t + 1] = p


@exact
def fill_dense(events: Events, out: Floats, delay: int, first: int, last: int) -> None:
    """Write events, delayed, into zeroed samples."""
    pointer, index, value = events
    for b in range(first, last):
        for t in range(out.shape[1] - delay):
            for p in range(pointer[b, t], pointer[b, t + 1]):
                out[b, t + delay, index[p]] = value[p]


@part
def add_rows(
    total: Floats, weight: Floats, index: Indices, value: Floats, start: int, stop: int
) -> None:
    """Add the weight rows of events, four per pass over the targets, in the order of events."""
    blocks = start + (stop - start) // 4 * 4
    for p in range(start, blocks, 4):
        w0, w1 = weight[index[p]], weight[index[p + 1]]
        w2, w3 = weight[index[p + 2]], weight[index[p + 3]]
        c0, c1, c2, c3 = value[p], value[p + 1], value[p + 2], value[p + 3]
        for m in range(total.shape[0]):
            total[m] = (((total[m] + c0 * w0[m]) + c1 * w1[m]) + c2 * w2[m]) + c3 * w3[m]
    for p in range(blocks, stop):
        w, c = weight[index[p]], value[p]
        for m in range(total.shape[0]):
            total[m] += c * w[m]


@part
def collect_drive(row: Floats, drive: Drive, b: int, t: int) -> None:
    """Give the weighted input of a step."""
    x, bias = drive.x, drive.bias
    if x.size:
        for m in range(x.shape[2]):
            row[m] = x[b, t, m]
        return
    for m in range(row.shape[0]):
        row[m] = bias[m]
    if t >= drive.delay:
        pointer, index, value = drive.source
        past = t - drive.delay
        add_rows(row, drive.weight, index, value, pointer[b, past], pointer[b, past + 1])


@part
def add_first_recurrent(row: Floats, weight: Floats, spikes: Floats, b: int) -> None:
    """Add the recurrent input of the spikes that the initial state holds."""
    for n in range(spikes.shape[1]):
        if spikes[b, n] != F32(0.0):
            for m in range(row.shape[0]):
                row[m] += spikes[b, n] * weight[n, m]


@part
def list_active(
    u: Floats,
    threshold: Floats,
    rule: Rule,
    candidates: Indices,
    count: np.uint64,
    active: Events,
    q: int,
) -> Any:
    """List the candidates whose surrogate derivative is not zero; give the end of the list."""
    end = np.uint64(q)
    for c in range(count):
        n = np.uint64(candidates[c])
        active.channel[end] = n
        active.value[end] = u[n]
        if rule.code == WINDOW:
            end += np.uint64(abs(u[n] - threshold[n]) < rule.scale)
        elif rule.code == PIECEWISE:
            end += np.uint64(u[n] >= threshold[n] - rule.scale)
        else:
            end += np.uint64(1)
    return np.int64(end)


@part
def sort_out(
    u: Floats,
    v: Floats,
    low: Floats,
    threshold: Floats,
    v_reset: Floats,
    rule: Rule,
    candidates: Indices,
    emitted: Events,
    p: int,
    active: Events,
    q: int,
    keep: bool,
) -> tuple[Any, Any]:
    """List what fires and what has a gradient, and reset what fires; give the ends of both lists.

    Neurons below ``low`` do neither: one branch-free pass leaves the few that may.
    """
    count = np.uint64(0)
    for n in range(low.shape[0]):
        candidates[count] = n
        count += np.uint64(u[n] >= low[n])
    if keep:
        q = list_active(u, threshold, rule, candidates, count, active, q)
    end = np.uint64(p)
    for c in range(count):
        k = np.uint64(candidates[c])
        emitted.channel[end] = k
        emitted.value[end] = F32(1.0)
        if rule.strict:
            end += np.uint64(u[k] > threshold[k])
        else:
            end += np.uint64(u[k] >= threshold[k])
    last = np.int64(end)
    for e in range(p, last):
        n = emitted.channel[e]
        if rule.max_spikes != F32(1.0):
            emitted.value[e] = min(np.floor(u[n] / threshold[n]), rule.max_spikes)
        v[n] = u[n] - emitted.value[e] * threshold[n] if rule.subtract else v_reset[n]
    return last, q


@part
def membrane_row(
    i: Floats, v: Floats, alpha: Floats, bias: Floats, u: Floats, synapses: int
) -> None:
    """Give the membranes before firing, twice: ``v`` is then reset where it fires."""
    if synapses == 1:
        for n in range(u.shape[0]):
            w = (alpha[n] * v[n] + i[n]) + bias[n]
            u[n] = w
            v[n] = w
    else:
        for n in range(u.shape[0]):
            total = i[n * synapses]
            for s in range(1, synapses):
                total += i[n * synapses + s]
            w = (alpha[n] * v[n] + total) + bias[n]
            u[n] = w
            v[n] = w


@part
def save_spikes(spikes: Floats, emitted: Events, b: int, steps: int) -> None:
    """Keep the spikes of the last step."""
    if steps:
        for n in range(spikes.shape[1]):
            spikes[b, n] = F32(0.0)
        for e in range(emitted.pointer[b, steps - 1], emitted.pointer[b, steps]):
            spikes[b, emitted.channel[e]] = emitted.value[e]


@part
def keep_step(row: Floats, trace: Floats, b: int, t: int) -> None:
    """Copy a row, which may be longer, to a trace that is not empty."""
    if trace.size:
        for m in range(trace.shape[2]):
            trace[b, t, m] = row[m]


@exact
def event_forward(
    drive: Drive,
    weight_rec: Floats,
    k: Constants,
    rule: Rule,
    low: Floats,
    synapses: int,
    current: Floats,
    membrane: Floats,
    spikes: Floats,
    emitted: Events,
    active: Events,
    keep: bool,
    out: Floats,
    currents: Floats,
    membranes: Floats,
    scratch: Floats,
    candidates: Indices,
    first: int,
    last: int,
) -> None:
    """Run samples ``first`` to ``last`` of a layer.

    The state ``current``, ``membrane``, ``spikes`` is updated. ``active`` is filled if ``keep``;
    ``out`` (zeros before), ``currents`` and ``membranes`` unless they are empty.
    """
    alpha, beta, threshold, bias, v_reset = k
    row, i = scratch[0], scratch[1]
    v, u = scratch[2, : alpha.shape[0]], scratch[3, : alpha.shape[0]]
    n, steps = low.shape[0], emitted.pointer.shape[1] - 1
    clear(row)
    clear(i)
    clear(v)
    p, q = first * steps * n, first * steps * n
    for b in range(first, last):
        load_state(i, v, current, membrane, b)
        before = p
        emitted.pointer[b, 0], active.pointer[b, 0] = p, q
        for t in range(steps):
            collect_drive(row, drive, b, t)
            for m in range(i.shape[0]):
                i[m] = beta[m] * i[m] + row[m]
            if weight_rec.size:
                clear(row)
                if t == 0:
                    add_first_recurrent(row, weight_rec, spikes, b)
                else:
                    add_rows(row, weight_rec, emitted.channel, emitted.value, before, p)
                for m in range(i.shape[0]):
                    i[m] += row[m]
            membrane_row(i, v, alpha, bias, u, synapses)
            before = p
            if rule.fires:
                p, q = sort_out(
                    u, v, low, threshold, v_reset, rule, candidates, emitted, p, active, q, keep
                )
                if out.size:
                    for e in range(before, p):
                        out[b, t, emitted.channel[e]] = emitted.value[e]
            else:
                keep_step(u, out, b, t)
            emitted.pointer[b, t + 1], active.pointer[b, t + 1] = p, q
            keep_step(i, currents, b, t)
            keep_step(v, membranes, b, t)
        save_state(i, v, current, membrane, b)
        save_spikes(spikes, emitted, b, steps)
