"""Event-driven kernels, forward: only the weights of inputs that spike are read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._dense import Constants, Floats, Rule, clear, load_state, save_state
from ._jit import exact, part
from ._lanes import (
    WIDTH,
    above,
    absolute,
    add,
    append,
    append_index,
    at_least,
    choose,
    count,
    differs,
    divide,
    floor,
    load,
    multiply,
    smaller,
    spread,
    store,
    subtract,
)
from ._surrogate import PIECEWISE, WINDOW

F32 = np.float32
Integers = NDArray[np.int64]
Indices = NDArray[np.uint16] | NDArray[np.int32]


class Events(NamedTuple):
    """Sparse ``(batch, time, n)``: the entries of a step lie between two pointers.

    ``pointer`` is ``(batch, time + 1)``; samples follow each other without a gap in ``channel``
    and ``value``, which have room for dense samples and a vector more: what lies behind the last is
    never touched. ``value`` is empty where nobody needs it.
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
    whole = n // WIDTH * WIDTH
    p = first * steps * n
    for b in range(first, last):
        pointer[b, 0] = p
        for t in range(steps):
            row = x[b, t]
            for c in range(0, whole, WIDTH):
                values = load(row, c)
                found = differs(values, spread(F32(0.0)))
                append_index(index, p, c, found)
                append(value, p, values, found)
                p += count(found)
            for c in range(whole, n):
                index[p] = c
                value[p] = row[c]
                p += 1 if row[c] != F32(0.0) else 0
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
        c0, c1 = spread(value[p]), spread(value[p + 1])
        c2, c3 = spread(value[p + 2]), spread(value[p + 3])
        for m in range(0, total.shape[0], WIDTH):
            a = add(load(total, m), multiply(c0, load(w0, m)))
            a = add(a, multiply(c1, load(w1, m)))
            a = add(a, multiply(c2, load(w2, m)))
            store(total, m, add(a, multiply(c3, load(w3, m))))
    for p in range(blocks, stop):
        w, c = weight[index[p]], spread(value[p])
        for m in range(0, total.shape[0], WIDTH):
            store(total, m, add(load(total, m), multiply(c, load(w, m))))


@part
def collect_drive(row: Floats, drive: Drive, b: int, t: int) -> None:
    """Give the weighted input of a step."""
    x, bias = drive.x, drive.bias
    if x.size:
        for m in range(x.shape[2]):
            row[m] = x[b, t, m]
        return
    for m in range(0, row.shape[0], WIDTH):
        store(row, m, load(bias, m))
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
def decay_and_add(i: Floats, beta: Floats, row: Floats) -> None:
    """Let the currents decay and add the input of a step."""
    for m in range(0, i.shape[0], WIDTH):
        store(i, m, add(multiply(load(beta, m), load(i, m)), load(row, m)))


@part
def sum_synapses(i: Floats, total: Floats, n: int, synapses: int) -> None:
    """Sum the currents of every neuron."""
    for k in range(n):
        value = i[k * synapses]
        for s in range(1, synapses):
            value += i[k * synapses + s]
        total[k] = value


@part
def membrane_lanes(total: Floats, v: Floats, k: Constants, n: int) -> Any:
    """Give sixteen membranes before firing."""
    decayed = multiply(load(k.alpha, n), load(v, n))
    return add(add(decayed, load(total, n)), load(k.bias, n))


@part
def surrogate_mask(u: Any, threshold: Any, rule: Rule) -> Any:
    """Say which of sixteen neurons have a gradient; padding, with a threshold of inf, has none."""
    if rule.code == WINDOW:
        mask = above(spread(rule.scale), absolute(subtract(u, threshold)))
    elif rule.code == PIECEWISE:
        mask = at_least(u, subtract(threshold, spread(rule.scale)))
    else:
        mask = above(spread(F32(np.inf)), threshold)
    return mask


@part
def fire_step(
    total: Floats,
    v: Floats,
    k: Constants,
    rule: Rule,
    emitted: Events,
    p: int,
    active: Events,
    q: int,
    keep: bool,
) -> tuple[Any, Any]:
    """List what fires and what has a gradient, and reset; give the ends of both lists."""
    one = spread(F32(1.0))
    for n in range(0, v.shape[0], WIDTH):
        u = membrane_lanes(total, v, k, n)
        threshold = load(k.threshold, n)
        if keep:
            mask = surrogate_mask(u, threshold, rule)
            append_index(active.channel, q, n, mask)
            if active.value.size:
                append(active.value, q, u, mask)
            q += count(mask)
        fired = above(u, threshold) if rule.strict else at_least(u, threshold)
        spikes = one
        if rule.max_spikes != F32(1.0):
            spikes = smaller(floor(divide(u, threshold)), spread(rule.max_spikes))
        append_index(emitted.channel, p, n, fired)
        append(emitted.value, p, spikes, fired)
        p += count(fired)
        after = load(k.v_reset, n)
        if rule.subtract:
            after = subtract(u, multiply(spikes, threshold))
        store(v, n, choose(fired, after, u))
    return p, q


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
    first: int,
    last: int,
) -> None:
    """Run samples ``first`` to ``last`` of a layer.

    The state ``current``, ``membrane``, ``spikes`` is updated. ``active`` is filled if ``keep``;
    ``out`` (zeros before), ``currents`` and ``membranes`` unless they are empty.
    """
    row, i = scratch[0], scratch[1]
    v = scratch[2, : k.alpha.shape[0]]
    total = i if synapses == 1 else scratch[3]
    n, steps = membrane.shape[1], emitted.pointer.shape[1] - 1
    for r in range(4):
        clear(scratch[r])
    p, q = first * steps * n, first * steps * n
    for b in range(first, last):
        load_state(i, v, current, membrane, b)
        before = p
        emitted.pointer[b, 0], active.pointer[b, 0] = p, q
        for t in range(steps):
            collect_drive(row, drive, b, t)
            decay_and_add(i, k.beta, row)
            if weight_rec.size:
                clear(row)
                if t == 0:
                    add_first_recurrent(row, weight_rec, spikes, b)
                else:
                    add_rows(row, weight_rec, emitted.channel, emitted.value, before, p)
                for m in range(0, i.shape[0], WIDTH):
                    store(i, m, add(load(i, m), load(row, m)))
            if synapses > 1:
                sum_synapses(i, total, n, synapses)
            before = p
            if rule.fires:
                p, q = fire_step(total, v, k, rule, emitted, p, active, q, keep)
                if out.size:
                    for e in range(before, p):
                        out[b, t, emitted.channel[e]] = emitted.value[e]
            else:
                for m in range(0, v.shape[0], WIDTH):
                    store(v, m, membrane_lanes(total, v, k, m))
                keep_step(v, out, b, t)
            emitted.pointer[b, t + 1], active.pointer[b, t + 1] = p, q
            keep_step(i, currents, b, t)
            keep_step(v, membranes, b, t)
        save_state(i, v, current, membrane, b)
        save_spikes(spikes, emitted, b, steps)
