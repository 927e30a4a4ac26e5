"""The loop over time of a population with recurrent synapses, samples side by side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import inputs as feed, neurons as step
from ._jit import Array, jit

N_SCRATCH = 4
"""Rows of intermediate results that a step needs beside those of the state."""


class Constants(NamedTuple):
    """What does not change during a run, float32, (lanes,) each, or (ports, lanes).

    Attributes
    ----------
    i_scale, i_o, i_dc, i_f_nmda, i_spkthr, i_tau_mem, i_gain_mem : array
        Currents in A; the last two not below ``i_o``.
    gain_syn, keep_syn, charge_syn : array, (ports, lanes)
        Gain over leak, decay per step and charge per spike of the synapses.
    keep_ahp, jump_ahp : array
        Decay per step, and current per spike in A, of the adaptation.
    gain_mem : array
        Gain over leak of the membrane.
    tau_leak : array
        Time constant times leak of the membrane, in A s.
    kappa_prime, u_t, slope : array
        Exponent of the feedback, thermal voltage (V), and ``u_t / kappa`` (V).
    t_ref : array
        Refractory period in the unit of ``Clock.tick``.
    """

    i_scale: Array
    i_o: Array
    i_dc: Array
    i_f_nmda: Array
    i_spkthr: Array
    i_tau_mem: Array
    i_gain_mem: Array
    gain_syn: Array
    keep_syn: Array
    charge_syn: Array
    keep_ahp: Array
    jump_ahp: Array
    gain_mem: Array
    tau_leak: Array
    kappa_prime: Array
    u_t: Array
    slope: Array
    t_ref: Array


class Events(NamedTuple):
    """Input spikes: those of row ``sample * time + t`` are ``ends[row]`` to ``ends[row + 1]``."""

    ends: Array
    channels: Array
    values: Array


class Wiring(NamedTuple):
    """Synapses by source; ``rows``, (sources, ports, n) or empty, holds them as full rows."""

    indptr: Array
    target: Array
    port: Array
    weight: Array
    rows: Array


class Traces(NamedTuple):
    """Recorded quantities: the rows of the state, and where they go, (k, batch, time, n)."""

    rows: Array
    values: Array


class Span(NamedTuple):
    """Samples that run side by side, and time.

    Attributes
    ----------
    sample, copies, n : int
        First sample, number of samples, neurons of each.
    dt, tick : float32
        Time step in s, and what a step takes off the refractory timer.
    """

    sample: int
    copies: int
    n: int
    dt: np.float32
    tick: np.float32


@jit
def _advance_merged(rows: Array, drive: Array, x: Array, c: Constants, dt: np.float32) -> None:
    i_syn, i_ahp, i_mem, v_mem, spikes, timer = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
    feedback, leak, current, down = rows[6], rows[7], rows[8], rows[9]
    step.integrate_synapse(
        i_syn, drive[0], x[0], c.i_scale, c.gain_syn[0], c.keep_syn[0], c.charge_syn[0], c.i_o
    )
    step.adapt(i_ahp, spikes, c.keep_ahp, c.jump_ahp, c.i_o)
    step.feed_back(feedback, v_mem, c.i_o, c.kappa_prime, c.u_t)
    step.add_leak(leak, c.i_tau_mem, i_ahp)
    step.drive_merged(current, i_syn, leak, c.i_dc, timer, c.i_o)
    step.settle_merged(current, leak, c.gain_mem)
    step.draw_down(down, i_ahp, c.i_tau_mem)
    step.grow(current, i_mem, c.i_gain_mem, feedback, leak, down)
    step.integrate_membrane(i_mem, current, leak, c.i_gain_mem, c.tau_leak, c.i_o, dt)
    step.membrane_voltage(v_mem, i_mem, c.i_o, c.slope)


@jit
def _advance_four(rows: Array, drive: Array, x: Array, c: Constants, dt: np.float32) -> None:
    i_ampa, i_gaba, i_nmda, i_shunt = rows[0], rows[1], rows[2], rows[3]
    i_ahp, i_mem, v_mem, spikes, timer = rows[4], rows[5], rows[6], rows[7], rows[8]
    feedback, leak, current, down = rows[9], rows[10], rows[11], rows[12]
    for q in range(4):
        step.integrate_synapse(
            rows[q], drive[q], x[q], c.i_scale, c.gain_syn[q], c.keep_syn[q], c.charge_syn[q], c.i_o
        )
    step.adapt(i_ahp, spikes, c.keep_ahp, c.jump_ahp, c.i_o)
    step.feed_back(feedback, v_mem, c.i_o, c.kappa_prime, c.u_t)
    step.add_leak(leak, c.i_tau_mem, i_shunt)
    step.open_nmda(current, i_nmda, c.i_f_nmda, i_mem)
    step.drive_four(current, i_ampa, i_gaba, c.i_dc, timer, c.i_o)
    step.settle_four(current, i_ahp, leak, c.gain_mem)
    step.draw_down(down, i_ahp, leak)
    step.grow(current, i_mem, c.i_gain_mem, feedback, leak, down)
    step.integrate_membrane(i_mem, current, leak, c.i_gain_mem, c.tau_leak, c.i_o, dt)
    step.membrane_voltage(v_mem, i_mem, c.i_o, c.slope)


@jit
def _write_spikes(
    out: Array, span: Span, t: int, n_fired: int, fired: Array, spikes: Array
) -> None:
    for k in range(n_fired):
        lane = fired[k]
        s = lane // span.n
        out[span.sample + s, t, lane - s * span.n] = np.int32(spikes[lane])


@jit
def _write_traces(traces: Traces, span: Span, t: int, rows: Array) -> None:
    for j in range(traces.rows.size):
        row = traces.rows[j]
        for s in range(span.copies):
            for k in range(span.n):
                traces.values[j, span.sample + s, t, k] = rows[row, s * span.n + k]


@jit
def _list_fired(fired: Array, spikes: Array, lanes: int) -> int:
    count = 0
    for k in range(lanes):
        if spikes[k] != 0:
            fired[count] = k
            count += 1
    return count


@jit
def run(
    span: Span,
    constants: Constants,
    state: Array,
    x: Array,
    events: Events,
    wiring_in: Wiring,
    wiring_rec: Wiring,
    spikes_out: Array,
    traces: Traces,
) -> None:
    """Advance the samples of a span over all steps.

    Parameters
    ----------
    span : Span
        Which samples.
    constants : Constants
        For as many lanes as the span fills, rounded up.
    state : array of float32, (ports + 5, batch * n)
        Synapses, adaptation, membrane current, membrane voltage, spikes, timer; is changed.
    x : array of float32, (batch, time, n * ports)
        Real-valued input, or empty: the input are events.
    events : Events
        Input spikes; not read if ``x`` is not empty.
    wiring_in, wiring_rec : Wiring
        Synapses of the input channels and of the neurons.
    spikes_out : array of int32, (batch, time, n)
        Zeros; is filled.
    traces : Traces
        Recorded quantities; is filled.
    """
    n_state, ports = state.shape[0], state.shape[0] - 5
    lanes, width = span.copies * span.n, constants.i_o.size
    begin = span.sample * span.n
    rows = np.ones((n_state + N_SCRATCH, width), dtype=np.float32)
    rows[:n_state, :lanes] = state[:, begin : begin + lanes]
    now = np.zeros((ports, width), dtype=np.float32)
    before = np.zeros((ports, width), dtype=np.float32)
    i_mem, spikes, timer = rows[ports + 1], rows[ports + 3], rows[ports + 4]
    ratio = rows[n_state]
    fired = np.empty(lanes, dtype=np.int64)
    n_fired = _list_fired(fired, spikes, lanes)
    time = spikes_out.shape[1]
    w, r = wiring_in, wiring_rec
    for t in range(time):
        now[:] = 0
        before[:] = 0
        if x.size > 0:
            feed.copy_inputs(now, x, span.sample, span.copies, t)
        else:
            feed.add_events(
                now,
                span.n,
                span.copies,
                span.sample * time + t,
                time,
                events.ends,
                events.channels,
                events.values,
                w.indptr,
                w.target,
                w.port,
                w.weight,
                w.rows,
            )
        feed.add_spikes(
            before, span.n, n_fired, fired, spikes, r.indptr, r.target, r.port, r.weight, r.rows
        )
        if ports == 1:
            _advance_merged(rows, before, now, constants, span.dt)
        else:
            _advance_four(rows, before, now, constants, span.dt)
        n_fired = step.fire(lanes, ratio, i_mem, constants.i_spkthr, constants.i_o, spikes, fired)
        i_mem[lanes:] = 1  # lanes that only fill up a vector must not grow without end
        step.wait(timer, fired, n_fired, constants.t_ref, span.tick)
        _write_spikes(spikes_out, span, t, n_fired, fired, spikes)
        _write_traces(traces, span, t, rows)
    state[:, begin : begin + lanes] = rows[:n_state, :lanes]
