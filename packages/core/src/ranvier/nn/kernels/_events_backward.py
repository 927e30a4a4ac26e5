"""Event-driven kernels, backward: only where the surrogate derivative is not zero."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._dense import Constants, Doubles, Floats, Rule, clear
from ._events import Events, Indices
from ._events_shared import Sharing, add_shared_dots
from ._events_weights import Sorting, add_outer
from ._jit import part, reassociated
from ._lanes import WIDTH, fused, load, multiply, spread, store, store_sums4
from ._surrogate import PIECEWISE, WINDOW, derivative

F32 = np.float32


class Demand(NamedTuple):
    """Where the gradient of a layer's output comes from: ``gout``, or the next layer.

    Both begin with the first sample of the run. The next layer's input gradients ``gx``
    ``(batch, time, columns)`` are multiplied with its ``weight`` ``(n, columns)`` only where they
    are needed.
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
    """Scratch of a group: gradients of currents, membranes, listed outputs (four more)."""

    gi: Floats
    gu: Floats
    gs: Floats


@part
def put_dots(
    row: Floats, weight: Floats, index: Indices, start: int, stop: int, total: Floats
) -> None:
    """Give the products of a row with the weight rows of listed neurons, four at once.

    The last four may repeat a neuron: ``total`` has room for three more.
    """
    last = stop - 1
    for q in range(start, stop, 4):
        w0, w1 = weight[index[q]], weight[index[min(q + 1, last)]]
        w2, w3 = weight[index[min(q + 2, last)]], weight[index[min(q + 3, last)]]
        zero = spread(F32(0.0))
        a0, a1, a2, a3 = zero, zero, zero, zero
        for m in range(0, row.shape[0], WIDTH):
            g = load(row, m)
            a0 = fused(load(w0, m), g, a0)
            a1 = fused(load(w1, m), g, a1)
            a2 = fused(load(w2, m), g, a2)
            a3 = fused(load(w3, m), g, a3)
        store_sums4(total, q - start, a0, a1, a2, a3)


@part
def collect_demand(demand: Demand, active: Events, b: int, place: int, t: int, gs: Floats) -> None:
    """Give the gradients of the listed outputs of a step."""
    start, stop = active.pointer[b, t], active.pointer[b, t + 1]
    gout = demand.gout
    if gout.size:
        for q in range(start, stop):
            gs[q - start] = gout[place, t, active.channel[q]]
        return
    later = t + demand.delay
    if later < demand.gx.shape[1]:
        row = demand.gx[place, later]
        put_dots(row, demand.weight, active.channel, start, stop, gs)
    else:
        for q in range(start, stop):
            gs[q - start] = F32(0.0)


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
    elif rule.code == PIECEWISE:
        for q in range(stop - start):
            n = np.uint64(active.channel[start + q])
            gu[n] += gs[q] / threshold[n] - gu[n]
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
        for m in range(0, gu.shape[0], WIDTH):
            g = fused(load(beta, m), load(gi, m), load(gu, m))
            store(gi, m, g)
            store(gx, m, g)
        for m in range(gu.shape[0], gi.shape[0]):  # columns that only fill up the row
            gx[m] = 0.0
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
    sharing: Sharing,
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
            for n in range(0, gu.shape[0], WIDTH):
                store(gu, n, multiply(load(alpha, n), load(gu, n)))
            if rule.fires:
                collect_demand(demand, active, b + g, place + g, t, scratch.gs[g])
            else:
                for m in range(demand.gout.shape[2]):
                    gu[m] += demand.gout[place + g, t, m]
        if weight_rec.size and t + 1 < steps:
            add_shared_dots(scratch.gi, weight_rec, active, b, samples, t, scratch.gs, sharing)
        for g in range(samples):
            gu, gi = scratch.gu[g], scratch.gi[g]
            if rule.fires:
                fire_gradient(memory, b + g, t, scratch.gs[g], gu, k, rule, sums.rows, wanted[2])
            current_row(gu, gi, beta, synapses, gx[place + g, t])
            add_parameters(gu, gi, memory, b + g, t, sums.rows, wanted)


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
    sharing: Sharing,
    first: int,
    last: int,
) -> None:
    """Run the gradient of samples ``first`` to ``last`` back, as many at a time as have scratch.

    ``gx`` receives their input gradients, from its beginning.
    """
    group = scratch.gi.shape[0]
    for b in range(first, last, group):
        samples, place = min(group, last - b), b - first
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
            sharing,
            b,
            samples,
        )
        for g in range(samples):
            if sums.weight.size:
                add_outer(source, delay, gx[place + g], b + g, sums.weight, sort)
            if sums.weight_rec.size:
                add_outer(memory.emitted, 1, gx[place + g], b + g, sums.weight_rec, sort)
                add_first_outer(memory.spikes, b + g, gx[place + g], sums.weight_rec)


@part
def add_first_outer(spikes: Floats, b: int, gx: Floats, total: Floats) -> None:
    """Add what the spikes of the initial state contribute to the recurrent weights' gradient."""
    for n in range(spikes.shape[1]):
        if spikes[b, n] != F32(0.0) and gx.shape[0] > 0:
            for m in range(gx.shape[1]):
                total[n, m] += spikes[b, n] * gx[0, m]
