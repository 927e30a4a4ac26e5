"""The interpreter: one compiled pass over samples, steps and instructions, all in float64.

Sums and products are rounded one by one in the written order and never contracted, so that a plain
loop gives the same spikes. Zero inputs of a linear map cost nothing: the columns of the others are
added in order of the input.
"""

from __future__ import annotations

import numpy as np

from . import _maps as m, _neurons as neuron, opcodes as op
from ._compiled import Floats, Ints, compiled


@compiled
def plain(c: Ints, val: Floats, row: Floats, par: Floats, x: Floats, b: int, t: int) -> bool:
    """Execute an elementwise instruction; False if it is another."""
    code, n, y = c[0], c[1], c[2]
    if code == op.ZERO:
        for i in range(n):
            val[y + i] = 0.0
    elif code == op.INPUT:
        for i in range(n):
            val[y + i] = x[b, t, c[3] + i]
    elif code == op.ADD:
        for i in range(n):
            val[y + i] += val[c[3] + i]
    elif code == op.FILL:
        for i in range(n):
            val[y + i] = par[c[3] + i]
    elif code == op.MULTIPLY:
        for i in range(n):
            val[y + i] = val[c[3] + i] * par[c[4] + i]
    elif code == op.DIVIDE:
        for i in range(n):
            val[y + i] = val[c[3] + i] / par[c[4] + i]
    elif code == op.EMIT:
        for i in range(n):
            val[y + i] = row[c[3] + i]
    elif code == op.CURRENT:
        for i in range(n):
            val[y + i] = row[c[3] + i] if c[4] else val[y + i] + row[c[3] + i]
    else:
        return False
    return True


@compiled
def connect(
    c: Ints,
    val: Floats,
    row: Floats,
    par: Floats,
    matrices: Floats,
    weights: Floats,
    targets: Ints,
    pointers: Ints,
    t: int,
) -> bool:
    """Execute an instruction that connects or delays; False if it is another."""
    code, n = c[0], c[1]
    if code == op.DENSE:
        m.dense(n, val, c[2], c[3], c[4], matrices, c[5])
    elif code == op.SPARSE:
        m.sparse(val, c[2], c[3], c[4], weights, targets, pointers, c[5])
    elif code == op.RECALL:
        m.recall(n, val, c[2], row, c[3], (t - c[5]) % c[4])
    elif code == op.PUSH:
        m.push(n, val, c[4], row, c[2], t % c[3])
    elif code == op.DELAY:
        m.delay(n, val, c[2], c[5], row, c[3], c[4], t, par, c[6])
    elif code == op.COMPARE:
        m.compare(n, val, c[2], c[3], par, c[4], c[5])
    else:
        return False
    return True


@compiled
def spike(c: Ints, val: Floats, row: Floats, par: Floats) -> None:
    """Execute an instruction of a neuron."""
    code, n = c[0], c[1]
    if code == op.SYNAPSE:
        neuron.synapse(n, val, c[2], c[3], row, c[4], par, c[5], c[6])
    elif code == op.LEAK:
        neuron.leak(n, row, c[2], val, c[3], par, c[4])
    elif code == op.FIRE:
        neuron.fire(n, val, c[2], row, c[3], c[4], par, c[5], c[6])
    elif code == op.ADAPTIVE:
        neuron.adaptive(n, val, c[2], row, c[3], c[4], c[5], c[6], par, c[7], c[8])
    elif code == op.ADEX:
        neuron.adex(n, val, c[2], row, c[3], c[4], c[5], c[6], par, c[7], c[8])
    elif code == op.RESONATE:
        neuron.resonate(n, val, c[2], row, c[3], c[4], c[5], c[6], par, c[7], c[8])
    elif code == op.DELTA:
        neuron.delta(n, val, c[2], row, c[3], c[4], par, c[5], c[6])


@compiled
def grown(events: Ints, used: int, needed: int) -> Ints:
    """Return the events with room for ``needed`` more."""
    if used + needed <= events.shape[0]:
        return events
    larger = np.empty((2 * events.shape[0] + needed, events.shape[1]), dtype=np.int64)
    larger[:used] = events[:used]
    return larger


@compiled
def record_spikes(
    events: Ints, used: int, val: Floats, signal: int, start: int, n: int, b: int, t: int
) -> tuple[Ints, int]:
    """Append the counts of one node; return the events and how many there are."""
    events = grown(events, used, n)
    for i in range(n):
        count = val[start + i]
        if count != 0.0:
            events[used, 0] = signal
            events[used, 1] = b
            events[used, 2] = t
            events[used, 3] = i
            events[used, 4] = int(count)
            used += 1
    return events, used


@compiled
def step(
    code: Ints,
    val: Floats,
    row: Floats,
    par: Floats,
    matrices: Floats,
    weights: Floats,
    targets: Ints,
    pointers: Ints,
    x: Floats,
    b: int,
    t: int,
) -> None:
    """Execute the program once, for one sample and step."""
    for k in range(code.shape[0]):
        c = code[k]
        if plain(c, val, row, par, x, b, t):
            continue
        if not connect(c, val, row, par, matrices, weights, targets, pointers, t):
            spike(c, val, row, par)


@compiled
def interpret(
    code: Ints,
    par: Floats,
    matrices: Floats,
    weights: Floats,
    targets: Ints,
    pointers: Ints,
    plan: Ints,
    x: Floats,
    state: Floats,
    n_values: int,
    traces: Floats,
) -> Ints:
    """Run a program and return the recorded events (n_events, 5).

    Parameters
    ----------
    code : array of int, (instructions, WIDTH)
        The program of one step, see `opcodes`.
    par : array, (n_par,)
        Parameters of all nodes.
    matrices : array
        Dense matrices (n_in, n_out), one after the other.
    weights, targets : arrays, (n_weights,)
        Weights of the sparse maps and the output element of each.
    pointers : array of int
        Starts of the columns of sparse maps.
    plan : array of int, (signals, 4)
        What to record: kind, offset, n, start in ``traces``.
    x : array, (batch, time, n_in)
        Input.
    state : array, (batch, n_state)
        Changed in place; rings start at their first slot.
    n_values : int
        Values that nodes exchange in one step.
    traces : array
        Receives values and states, one ``(batch, time, n)`` block per signal.

    Returns
    -------
    array of int
        Columns signal, sample, step, element, count; in order of sample, step, signal, element.
    """
    n_samples, n_steps = x.shape[0], x.shape[1]
    val = np.zeros(n_values, dtype=np.float64)
    events = np.empty((1024, 5), dtype=np.int64)
    used = 0
    for b in range(n_samples):
        row = state[b]
        for t in range(n_steps):
            step(code, val, row, par, matrices, weights, targets, pointers, x, b, t)
            for s in range(plan.shape[0]):
                kind, start, n = plan[s, 0], plan[s, 1], plan[s, 2]
                if kind == op.RECORD_SPIKES:
                    events, used = record_spikes(events, used, val, s, start, n, b, t)
                    continue
                source = val if kind == op.RECORD_VALUE else row
                base = plan[s, 3] + (b * n_steps + t) * n
                for i in range(n):
                    traces[base + i] = source[start + i]
    return events[:used]
