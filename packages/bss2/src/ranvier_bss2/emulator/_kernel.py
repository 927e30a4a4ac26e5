"""The loop over time of one execution instance: synapses, membranes, noise and converters."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ._elementary import child, normals, saturate
from ._jit import Array, jit

_READ = np.uint64(0xD1B54A32D192ED03)
"""Separates read noise of the converter from noise of the membrane."""
_TINY = 1e-30
"""Synaptic currents below it, in LSB, are 0: they would end as slow subnormal numbers."""


class Neurons(NamedTuple):
    """Realised parameters of n neurons with c circuits, in LSB and substeps; float64.

    Attributes
    ----------
    first : array of int64, (n + 1,)
        Where the circuits of a neuron start.
    leaky, leak, reset, threshold, gain : array, (n,)
        Potentials; ``gain`` is ``h / tau_mem``, ``threshold`` infinite without firing.
    refractory : array of int64, (n,)
        Masked substeps after a spike.
    passed : array of uint8, (n,)
        Whether spikes are passed on.
    slope, exp_threshold : array, (n,)
        Exponential term, slope 0: none.
    adapts : array of uint8, (n,)
        Whether there is any adaptation.
    keep_w, pull_w, leak_w, jump_w : array, (n,)
        ``w <- keep_w w + pull_w (v - leak_w) + jump_w z``.
    keep, strength : array, (2, c)
        Decay per substep and strength of the exciting and the inhibiting input.
    saturation : float
        Synaptic drive at which an input saturates; infinite: linear.
    """

    first: Array
    leaky: Array
    leak: Array
    reset: Array
    threshold: Array
    gain: Array
    refractory: Array
    passed: Array
    slope: Array
    exp_threshold: Array
    adapts: Array
    keep_w: Array
    pull_w: Array
    leak_w: Array
    jump_w: Array
    keep: Array
    strength: Array
    saturation: float


class Noise(NamedTuple):
    """Temporal noise: a key per sample, uint64, (batch,), and deviations in LSB (per substep)."""

    keys: Array
    membrane: float
    read: float


class Clock(NamedTuple):
    """First step of the run since reset, and substeps per step."""

    start: int
    substeps: int


class Events(NamedTuple):
    """Spikes from outside: row ``sample * time + t`` has ``ends[row]`` to ``ends[row + 1]``."""

    ends: Array
    source: Array


class Weights(NamedTuple):
    """Weights in LSB of drive, (sources, 2, c): from outside, to the same and the next step."""

    outside: Array
    forward: Array
    recurrent: Array
    has_forward: Array
    has_recurrent: Array


class State(NamedTuple):
    """State of all samples: (batch, n), synapses (batch, 2, c)."""

    v: Array
    i: Array
    w: Array
    ref: Array
    fired: Array


class Sampling(NamedTuple):
    """When and what a converter samples.

    Attributes
    ----------
    step : array of int64, (samples,)
        Step at whose end, or during which, a sample falls.
    share : array, (samples,)
        Part of the step that is over by then, in (0, 1].
    number : array of int64, (samples,)
        Number of the sample since reset.
    neuron : array of int64, (k,)
        What is sampled.
    gain, offset : array, (k,)
        Of the converter.
    """

    step: Array
    share: Array
    number: Array
    neuron: Array
    gain: Array
    offset: Array


@jit
def _drive(drive: Array, i: Array, flat: Array, p: Neurons) -> None:
    """Write the synaptic drive of every neuron: the sum over its circuits."""
    c = i.shape[1]
    if math.isinf(p.saturation):
        flat[:c] = i[0]
        flat[c:] = i[1]
    else:
        saturate(flat[:c], i[0], p.saturation)
        saturate(flat[c:], i[1], p.saturation)
    up, down, strong, weak = flat[:c], flat[c:], p.strength[0], p.strength[1]
    if c == drive.size:
        for n in range(c):
            drive[n] = strong[n] * up[n] - weak[n] * down[n]
        return
    for n in range(drive.size):
        total = 0.0
        for k in range(p.first[n], p.first[n + 1]):
            total += strong[k] * up[k] - weak[k] * down[k]
        drive[n] = total


@jit
def _extra(drive: Array, v: Array, w: Array, p: Neurons) -> None:
    """Add the exponential term and the adaptation to the drive."""
    for n in range(drive.size):
        if p.slope[n] > 0.0:
            drive[n] += p.slope[n] * math.exp((v[n] - p.exp_threshold[n]) / p.slope[n])
        if p.adapts[n]:
            drive[n] -= w[n]


@jit
def _step(v: Array, crossed: Array, drive: Array, eta: Array, p: Neurons) -> None:
    """Advance the membranes by one substep; potentials that are above threshold stay there."""
    gain, leaky, leak, threshold = p.gain, p.leaky, p.leak, p.threshold
    for n in range(v.size):
        v[n] += gain[n] * (leaky[n] * (leak[n] - v[n]) + drive[n]) + eta[n]
    for n in range(v.size):
        crossed[n] = v[n] > threshold[n]


@jit
def _adapt(w: Array, v: Array, crossed: Array, p: Neurons) -> None:
    for n in range(w.size):
        if p.adapts[n]:
            w[n] = p.keep_w[n] * w[n] + p.pull_w[n] * (v[n] - p.leak_w[n])
            if crossed[n]:
                w[n] += p.jump_w[n]


@jit
def _fire(
    v: Array, ref: Array, crossed: Array, waiting: Array, n_waiting: int, fired: Array, p: Neurons
) -> tuple[int, int]:
    """Reset what fires and what is refractory; return how many wait and how many spikes pass.

    ``waiting`` lists the neurons with ``ref > 0``, ``fired`` gets those whose spikes pass.
    """
    kept = 0
    for j in range(n_waiting):
        n = waiting[j]
        v[n] = p.reset[n]
        crossed[n] = 0
        ref[n] -= 1
        if ref[n] > 0:
            waiting[kept] = n
            kept += 1
    count = 0
    words = crossed.view(np.uint64)
    for word in range(words.size):
        if words[word] == 0:
            continue
        for n in range(8 * word, min(8 * word + 8, v.size)):
            if crossed[n]:
                v[n] = p.reset[n]
                ref[n] = p.refractory[n]
                if p.passed[n]:
                    fired[count] = n
                    count += 1
                if ref[n] > 0:
                    waiting[kept] = n
                    kept += 1
    return kept, count


@jit
def _decay(i: Array, keep: Array) -> None:
    for r in range(2):
        for c in range(i.shape[1]):
            x = i[r, c] * keep[r, c]
            i[r, c] = x if x > _TINY else 0.0


@jit
def _add(i: Array, row: Array) -> None:
    for r in range(2):
        for c in range(i.shape[1]):
            i[r, c] += row[r, c]


@jit
def _draw(eta: Array, scale: float, key: Any, number: int, count: int) -> None:
    """Write the noise of one instant."""
    if scale > 0.0:
        normals(eta, child(key, number), count)
        for n in range(count):
            eta[n] *= scale


@jit
def _list(places: Array, flags: Array) -> int:
    """List where flags are above 0; return how many there are."""
    count = 0
    for n in range(flags.size):
        if flags[n] > 0:
            places[count] = n
            count += 1
    return count


@jit
def _send(out: Array, sent: Array, n_sent: int, fired: Array, n_fired: int, mark: int) -> int:
    """Note the first spike of each neuron in a step; return how many are noted so far."""
    for j in range(n_fired):
        n = fired[j]
        if out[n] == 0:
            out[n] = mark
            sent[n_sent] = n
            n_sent += 1
    return n_sent


@jit
def _pass_on(i: Array, sent: Array, n_sent: int, has: Array, weights: Array) -> None:
    for j in range(n_sent):
        if has[sent[j]]:
            _add(i, weights[sent[j]])


@jit
def _convert(
    out: Array,
    first: int,
    t: int,
    s: Sampling,
    before: Array,
    v: Array,
    key: Any,
    sigma: float,
    eta: Array,
    top: float,
) -> int:
    """Write the samples of a step, rounded and clipped; return the next one."""
    number = first
    while number < s.step.size and s.step[number] == t:
        share = s.share[number]
        _draw(eta, sigma, key, s.number[number], s.neuron.size)
        for k in range(s.neuron.size):
            n = s.neuron[k]
            level = (1.0 - share) * before[n] + share * v[n]
            code = math.floor(s.gain[k] * level + s.offset[k] + eta[k] + 0.5)
            out[number, k] = min(max(code, 0.0), top)
        number += 1
    return number


@jit
def run(
    p: Neurons,
    noise: Noise,
    clock: Clock,
    events: Events,
    weights: Weights,
    state: State,
    spikes: Array,
    slow: Sampling,
    slow_out: Array,
    fast: Sampling,
    fast_out: Array,
) -> None:
    """Advance all samples over all steps.

    Parameters
    ----------
    p : Neurons
        Realised parameters.
    noise : Noise
        Temporal noise.
    clock : Clock
        Steps since reset.
    events : Events
        Spikes from outside.
    weights : Weights
        In LSB of drive.
    state : State
        Is changed.
    spikes : array of uint8, (batch, time, n)
        Zeros; filled with the number of the substep, from 1, in which a neuron fires first.
    slow, fast : Sampling
        Converters.
    slow_out : array of uint8, (batch, samples, k)
        Is filled.
    fast_out : array of uint16, (batch, samples, k)
        Is filled.
    """
    batch, time, size = spikes.shape
    drive, eta, before = np.zeros(size), np.zeros(size + 1), np.zeros(size)
    read, silence, flat = np.zeros(size + 1), np.zeros(size + 1), np.zeros(p.keep.size)
    crossed = np.zeros((size + 7) // 8 * 8, dtype=np.uint8)
    waiting, fired, sent, sent_before = np.zeros((4, size), dtype=np.int64)
    extra = p.adapts.any() or (p.slope > 0.0).any()
    for b in range(batch):
        v, i, w, ref, last = state.v[b], state.i[b], state.w[b], state.ref[b], state.fired[b]
        key, n_slow, n_fast = noise.keys[b], 0, 0
        n_waiting, n_before = _list(waiting, ref), _list(sent_before, last)
        for t in range(time):
            before[:] = v
            n_sent, out = 0, spikes[b, t]
            for k in range(clock.substeps):
                _drive(drive, i, flat, p)
                if extra:
                    _extra(drive, v, w, p)
                _draw(eta, noise.membrane, key, (clock.start + t) * clock.substeps + k, size)
                _step(v, crossed, drive, eta, p)
                if extra:
                    _adapt(w, v, crossed, p)
                n_waiting, n_fired = _fire(v, ref, crossed, waiting, n_waiting, fired, p)
                n_sent = _send(out, sent, n_sent, fired, n_fired, k + 1)
                _decay(i, p.keep)
            row = b * time + t
            for e in range(events.ends[row], events.ends[row + 1]):
                _add(i, weights.outside[events.source[e]])
            _pass_on(i, sent_before, n_before, weights.has_recurrent, weights.recurrent)
            _pass_on(i, sent, n_sent, weights.has_forward, weights.forward)
            sent, sent_before, n_before = sent_before, sent, n_sent
            n_slow = _convert(
                slow_out[b], n_slow, t, slow, before, v, key ^ _READ, noise.read, read, 255.0
            )
            n_fast = _convert(
                fast_out[b], n_fast, t, fast, before, v, key ^ _READ, 0.0, silence, 1023.0
            )
        last[:] = 0
        for j in range(n_before):
            last[sent_before[j]] = 1
