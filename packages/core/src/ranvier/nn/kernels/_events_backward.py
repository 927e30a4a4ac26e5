"""Event-driven kernels, backward: only where the surrogate derivative is not zero."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._dense import Constants, Doubles, Floats, Rule, clear
from ._events import Events, Indices
from ._jit import part, reassociated
from ._surrogate import WINDOW, derivative

F32 = np.float32


class Demand(NamedTuple):
    """Where the gradient of a layer's output comes from: ``gout``, or the next layer.

    The next layer's input gradients ``gx`` ``(batch, time, columns)`` are multiplied with its
    ``weight`` ``(n, columns)`` only where they are needed.
    """

    gout: Floats
    gx: Floats
    weight: Floats
    delay: int


class Memory(NamedTuple):
    """What the forward pass left: events, state at the start, traces if time constants train."""

    emitted: Events
    active: Events
    current: Floats
    membrane: Floats
    spikes: Floats
    currents: Floats
    membranes: Floats


class Sums(NamedTuple):
    """Parameter gradients to fill; empty where not wanted.

    ``weight`` is ``(n_in, columns)``, ``weight_rec`` ``(n, columns)``; ``rows`` are alpha, beta,
    threshold, bias and the bias of the weights.
    """

    weight: Floats
    weight_rec: Floats
    rows: Doubles


class Rows(NamedTuple):
    """Scratch of a group of samples: gradients of currents, membranes, listed outputs."""

    gi: Floats
    gu: Floats
    gs: Floats


class Sorting(NamedTuple):
    """Scratch to sort the events of a sample, or the active neurons of a group, by channel."""

    starts: NDArray[np.int64]
    when: Indices
    value: Floats
    who: Indices
    where: Indices


@part
def add_dots(
    row: Floats, weight: Floats, index: Indices, start: int, stop: int, total: Floats
) -> None:
    """Add the products of a row with the weight rows of listed neurons, four at once."""
    blocks = start + (stop - start) // 4 * 4
    for q in range(start, blocks, 4):
        w0, w1 = weight[index[q]], weight[index[q + 1]]
        w2, w3 = weight[index[q + 2]], weight[index[q + 3]]
        a0, a1, a2, a3 = F32(0.0), F32(0.0), F32(0.0), F32(0.0)
        for m in range(row.shape[0]):
            g = row[m]
            a0 += g * w0[m]
            a1 += g * w1[m]
            a2 += g * w2[m]
            a3 += g * w3[m]
        total[q - start] += a0
        total[q - start + 1] += a1
        total[q - start + 2] += a2
        total[q - start + 3] += a3
    for q in range(blocks, stop):
        w = weight[index[q]]
        a = F32(0.0)
        for m in range(row.shape[0]):
            a += row[m] * w[m]
        total[q - start] += a


@part
def collect_demand(
    demand: Demand, active: Events, b: int, t: int, start: int, stop: int, gs: Floats
) -> None:
    """Give the gradients of the listed outputs of a step."""
    gout = demand.gout
    if gout.size:
        for q in range(start, stop):
            gs[q - start] = gout[b, t, active.channel[q]]
        return
    for q in range(start, stop):
        gs[q - start] = F32(0.0)
    later = t + demand.delay
    if later < demand.gx.shape[1]:
        add_dots(demand.gx[b, later], demand.weight, active.channel, start, stop, gs)


@part
def jump_row(
    active: Events,
    start: int,
    stop: int,
    gs: Floats,
    gu: Floats,
    threshold: Floats,
    v_reset: Floats,
    rule: Rule,
    rows: Doubles,
    wanted: bool,
) -> None:
    """Turn output gradients into what firing adds to the membrane's; ``gu`` holds the carried."""
    for q in range(start, stop):
        n, u = active.channel[q], active.value[q]
        target = -threshold[n] if rule.subtract else v_reset[n] - u
        jump = gs[q - start] + target * gu[n]
        h = derivative(rule.code, u, threshold[n], rule.scale, rule.max_spikes)
        gs[q - start] = h * jump
        if wanted:
            rows[2, n] -= h * u / threshold[n] * jump


@part
def jump_subtract(
    active: Events, start: int, stop: int, gs: Floats, gu: Floats, threshold: Floats, rule: Rule
) -> None:
    """Add what firing adds to the membrane's gradient, for a subtractive reset."""
    if rule.code == WINDOW:
        h = F32(0.5) / rule.scale
        for q in range(stop - start):
            n = np.uint64(active.channel[start + q])
            gu[n] += h * (gs[q] - threshold[n] * gu[n])
    else:
        for q in range(start, stop):
            n = active.channel[q]
            h = derivative(rule.code, active.value[q], threshold[n], rule.scale, rule.max_spikes)
            gu[n] += h * (gs[q - start] - threshold[n] * gu[n])


@part
def reset_row(
    emitted: Events, start: int, stop: int, gu: Floats, rule: Rule, rows: Doubles, wanted: bool
) -> None:
    """Pass the carried gradient through the reset of what fired."""
    for e in range(start, stop):
        n = emitted.channel[e]
        if not rule.subtract:
            gu[n] = F32(0.0)
        elif wanted:
            rows[2, n] -= emitted.value[e] * gu[n]


@part
def current_row(gu: Floats, gi: Floats, beta: Floats, synapses: int, gx: Floats) -> None:
    """Give the gradient of the currents of a step, which is that of its input."""
    if synapses == 1:
        for m in range(gi.shape[0]):
            g = gu[m] + beta[m] * gi[m]
            gi[m] = g
            gx[m] = g
    else:
        for m in range(gi.shape[0]):
            neuron = min(m // synapses, gu.shape[0] - 1)
            g = gu[neuron] + beta[m] * gi[m]
            gi[m] = g
            gx[m] = g


@part
def add_parameters(
    gu: Floats,
    gi: Floats,
    memory: Memory,
    b: int,
    t: int,
    rows: Doubles,
    wanted: tuple[bool, bool, bool, bool, bool],
) -> None:
    """Add the gradients of alpha, beta and the two biases."""
    if wanted[0]:
        for n in range(memory.membrane.shape[1]):
            v = memory.membranes[b, t - 1, n] if t > 0 else memory.membrane[b, n]
            rows[0, n] += gu[n] * v
    if wanted[1]:
        for m in range(memory.current.shape[1]):
            i = memory.currents[b, t - 1, m] if t > 0 else memory.current[b, m]
            rows[1, m] += gi[m] * i
    if wanted[3]:
        for n in range(gu.shape[0]):
            rows[3, n] += gu[n]
    if wanted[4]:
        for m in range(gi.shape[0]):
            rows[4, m] += gi[m]


@reassociated
def add_shared_dots(
    gi: Floats,
    weight: Floats,
    active: Events,
    b: int,
    samples: int,
    t: int,
    gs: Floats,
    sort: Sorting,
) -> None:
    """Add the products of ``weight`` rows with ``gi`` of a group of samples where they are active.

    The active neurons of all samples are sorted, so that a weight row is fetched once per group.
    """
    starts, who, where = sort.starts, sort.who, sort.where
    n = weight.shape[0]
    for j in range(n + 1):
        starts[j] = 0
    for g in range(samples):
        for q in range(active.pointer[b + g, t], active.pointer[b + g, t + 1]):
            starts[active.channel[q] + 1] += 1
    for j in range(n):
        starts[j + 1] += starts[j]
    for g in range(samples):
        first = active.pointer[b + g, t]
        for q in range(first, active.pointer[b + g, t + 1]):
            place = starts[active.channel[q]]
            who[place] = g
            where[place] = q - first
            starts[active.channel[q]] = place + 1
    begin = 0
    for j in range(n):
        end = starts[j]
        w = weight[j]
        blocks = begin + (end - begin) // 4 * 4
        for e in range(begin, blocks, 4):
            r0, r1, r2, r3 = gi[who[e]], gi[who[e + 1]], gi[who[e + 2]], gi[who[e + 3]]
            a0, a1, a2, a3 = F32(0.0), F32(0.0), F32(0.0), F32(0.0)
            for m in range(w.shape[0]):
                c = w[m]
                a0 += c * r0[m]
                a1 += c * r1[m]
                a2 += c * r2[m]
                a3 += c * r3[m]
            gs[who[e], where[e]] += a0
            gs[who[e + 1], where[e + 1]] += a1
            gs[who[e + 2], where[e + 2]] += a2
            gs[who[e + 3], where[e + 3]] += a3
        for e in range(blocks, end):
            r0 = gi[who[e]]
            a0 = F32(0.0)
            for m in range(w.shape[0]):
                a0 += w[m] * r0[m]
            gs[who[e], where[e]] += a0
        begin = end


@part
def fire_gradient(
    memory: Memory,
    b: int,
    t: int,
    gs: Floats,
    gu: Floats,
    k: Constants,
    rule: Rule,
    rows: Doubles,
    wanted: bool,
) -> None:
    """Pass the gradient of a step through firing and reset; ``gu`` holds the carried one."""
    _, _, threshold, _, v_reset = k
    active, emitted = memory.active, memory.emitted
    start, stop = active.pointer[b, t], active.pointer[b, t + 1]
    if rule.subtract and not wanted:
        jump_subtract(active, start, stop, gs, gu, threshold, rule)
        return
    jump_row(active, start, stop, gs, gu, threshold, v_reset, rule, rows, wanted)
    reset_row(emitted, emitted.pointer[b, t], emitted.pointer[b, t + 1], gu, rule, rows, wanted)
    for q in range(start, stop):
        gu[active.channel[q]] += gs[q - start]


@part
def through_time(
    demand: Demand,
    memory: Memory,
    weight_rec: Floats,
    k: Constants,
    rule: Rule,
    synapses: int,
    gx: Floats,
    place: int,
    sums: Sums,
    wanted: tuple[bool, bool, bool, bool, bool],
    scratch: Rows,
    sort: Sorting,
    b: int,
    samples: int,
) -> None:
    """Run a group of samples back through time; input gradients go to ``gx`` from ``place`` on."""
    alpha, beta = k.alpha, k.beta
    steps = gx.shape[1]
    active = memory.active
    for g in range(samples):
        clear(scratch.gi[g])
        clear(scratch.gu[g])
    for t in range(steps - 1, -1, -1):
        for g in range(samples):
            gu = scratch.gu[g]
            for m in range(gu.shape[0]):
                gu[m] *= alpha[m]
            if rule.fires:
                start, stop = active.pointer[b + g, t], active.pointer[b + g, t + 1]
                collect_demand(demand, active, b + g, t, start, stop, scratch.gs[g])
            else:
                for m in range(demand.gout.shape[2]):
                    gu[m] += demand.gout[b + g, t, m]
        if weight_rec.size and t + 1 < steps:
            add_shared_dots(scratch.gi, weight_rec, active, b, samples, t, scratch.gs, sort)
        for g in range(samples):
            gu, gi = scratch.gu[g], scratch.gi[g]
            if rule.fires:
                fire_gradient(memory, b + g, t, scratch.gs[g], gu, k, rule, sums.rows, wanted[2])
            current_row(gu, gi, beta, synapses, gx[place + g, t])
            add_parameters(gu, gi, memory, b + g, t, sums.rows, wanted)


@reassociated
def add_outer(
    events: Events,
    delay: int,
    gx: Floats,
    place: int,
    b: int,
    total: Floats,
    sort: Sorting,
) -> None:
    """Add input events times input gradients to a weight gradient, one row after the other.

    The events of the sample are sorted by channel first, so that a row stays in the cache while
    all its events are added, four per pass.
    """
    starts, when, value = sort.starts, sort.when, sort.value
    steps, channels = gx.shape[1], total.shape[0]
    for j in range(channels + 1):
        starts[j] = 0
    last = max(steps - delay, 0)
    for e in range(events.pointer[b, 0], events.pointer[b, last]):
        starts[events.channel[e] + 1] += 1
    for j in range(channels):
        starts[j + 1] += starts[j]
    for t in range(last):
        for e in range(events.pointer[b, t], events.pointer[b, t + 1]):
            j = events.channel[e]
            when[starts[j]] = t + delay
            value[starts[j]] = events.value[e]
            starts[j] += 1
    begin = 0
    for j in range(channels):
        end = starts[j]
        row = total[j]
        blocks = begin + (end - begin) // 4 * 4
        for e in range(begin, blocks, 4):
            g0, g1 = gx[place, when[e]], gx[place, when[e + 1]]
            g2, g3 = gx[place, when[e + 2]], gx[place, when[e + 3]]
            c0, c1, c2, c3 = value[e], value[e + 1], value[e + 2], value[e + 3]
            for m in range(row.shape[0]):
                row[m] += (c0 * g0[m] + c1 * g1[m]) + (c2 * g2[m] + c3 * g3[m])
        for e in range(blocks, end):
            g0, c0 = gx[place, when[e]], value[e]
            for m in range(row.shape[0]):
                row[m] += c0 * g0[m]
        begin = end


@reassociated
def event_backward(
    demand: Demand,
    memory: Memory,
    source: Events,
    delay: int,
    weight_rec: Floats,
    k: Constants,
    rule: Rule,
    synapses: int,
    gx: Floats,
    sums: Sums,
    wanted: tuple[bool, bool, bool, bool, bool],
    scratch: Rows,
    sort: Sorting,
    group: int,
    first: int,
    last: int,
) -> None:
    """Run the gradient of samples ``first`` to ``last`` back, ``group`` of them at a time.

    ``gx`` receives the input gradients of all samples, or, if it holds fewer, is scratch for one
    group.
    """
    for b in range(first, last, group):
        samples = min(group, last - b)
        place = b if gx.shape[0] >= last else 0
        through_time(
            demand,
            memory,
            weight_rec,
            k,
            rule,
            synapses,
            gx,
            place,
            sums,
            wanted,
            scratch,
            sort,
            b,
            samples,
        )
        for g in range(samples):
            if sums.weight.size:
                add_outer(source, delay, gx, place + g, b + g, sums.weight, sort)
            if sums.weight_rec.size:
                add_outer(memory.emitted, 1, gx, place + g, b + g, sums.weight_rec, sort)
                for n in range(memory.spikes.shape[1]):
                    if memory.spikes[b + g, n] != F32(0.0) and gx.shape[1] > 0:
                        for m in range(gx.shape[2]):
                            sums.weight_rec[n, m] += memory.spikes[b + g, n] * gx[place + g, 0, m]
