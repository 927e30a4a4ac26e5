"""The same core for 64 samples at once, one sample per vector lane.

A synapse is visited once for all samples and nothing is done per spike, so this wins for networks
with few synapses per neuron. The values are those of the time loop for one sample.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import Array, jit
from ._neurons import leak, rise, saturate
from .arrays import MAX_SPIKES
from .lanes import N_LANES


class Lanes(NamedTuple):
    """Working state of 64 samples, ``(n, 64)``, all in 16 bits."""

    i_syn: NDArray[np.int16]
    i_syn2: NDArray[np.int16]
    v_mem: NDArray[np.int16]
    spikes: NDArray[np.int16]
    i_syn_out: NDArray[np.int16]
    v_mem_out: NDArray[np.int16]


@jit
def run_lanes(net: Any, counts: Array, s: Any, spikes_out: Array) -> None:
    """Run 64 samples from the state in ``s``.

    ``counts`` is (time * n_in, 64), ``spikes_out`` (time, n_out, 64).
    """
    hidden, out, fan, fan2 = net.hidden, net.out, net.fan, net.fan2
    i_syn, i_syn2, v_mem, spikes = s.i_syn, s.i_syn2, s.v_mem, s.spikes
    i_syn_out, v_mem_out, shift, most = s.i_syn_out, s.v_mem_out, net.shift, net.most
    pointers, targets, weights = fan.pointers, fan.targets, fan.weights
    pointers2, targets2, weights2 = fan2.pointers, fan2.targets, fan2.weights
    threshold, dash_syn, dash_syn2 = hidden.threshold, hidden.dash_syn, hidden.dash_syn2
    dash_mem, bias, aliases, out_rows = hidden.dash_mem, hidden.bias, hidden.aliases, net.out_rows
    threshold_out, dash_mem_out = out.threshold, out.dash_mem
    dash_syn_out, bias_out = out.dash_syn, out.bias
    n_in, n_hidden, first_out, version = net.n_in, net.n_hidden, net.first_out, net.version
    has_second, shift_out = net.has_second, net.shift_out
    second = has_second or np.any(i_syn2)
    for t in range(spikes_out.shape[0]):
        for c in range(n_in):
            peak, row, fits = _peak(counts, t * n_in + c), t * n_in + c, most[c]
            _add(i_syn, pointers, targets, weights, c, shift[c], fits, counts, row, peak)
            if has_second:
                _add(i_syn2, pointers2, targets2, weights2, c, shift[c], fits, counts, row, peak)
        for h in range(n_hidden):
            peak, n = _peak(spikes, h), n_in + h
            if peak == 0:
                continue
            _add(i_syn, pointers, targets, weights, n, shift[n], most[n], spikes, h, peak)
            if has_second:
                _add(i_syn2, pointers2, targets2, weights2, n, shift[n], most[n], spikes, h, peak)
            if h >= first_out:
                _add_out(i_syn_out, out_rows, spikes, h, shift_out, spikes_out.shape[1])
        spikes[:] = 0
        for h in range(n_hidden):
            _decay(i_syn, h, dash_syn[h])
            if second:
                _decay(i_syn2, h, dash_syn2[h])
                _charge_from_two(v_mem, i_syn, i_syn2, h, bias[h], dash_mem[h], version)
            else:
                _charge(v_mem, i_syn, h, bias[h], dash_mem[h], version)
            _fire(v_mem, spikes, h, threshold[h])
            if aliases[h] >= 0:
                _copy_spikes(spikes, h, aliases[h])
        for o in range(spikes_out.shape[1]):
            _decay(i_syn_out, o, dash_syn_out[o])
            _charge(v_mem_out, i_syn_out, o, bias_out[o], dash_mem_out[o], version)
            _fire_out(v_mem_out, spikes_out, t, o, threshold_out[o])


@jit
def _peak(counts: Array, row: int) -> Any:
    """Bound the counts of all lanes; 0 only if all are. Joined bits vectorise, a maximum not."""
    peak = np.int16(0)
    for k in range(N_LANES):
        peak = np.int16(peak | counts[row, k])
    return peak


@jit
def _add(
    i_syn: Array,
    pointers: Array,
    targets: Array,
    weights: Array,
    source: int,
    shift: int,
    most: int,
    counts: Array,
    row: int,
    peak: int,
) -> None:
    """Add a source to its targets; products beyond 16 bits take a slower loop."""
    if peak == 0:
        return
    for entry in range(pointers[source], pointers[source + 1]):
        j = targets[entry]
        weight = np.int16(weights[entry] << shift)
        if peak <= most:
            for k in range(N_LANES):
                i_syn[j, k] = saturate(i_syn[j, k] + np.int16(weight * counts[row, k]))
        else:
            for k in range(N_LANES):
                i_syn[j, k] = saturate(i_syn[j, k] + np.int32(weight) * np.int32(counts[row, k]))


@jit
def _add_out(i_syn: Array, rows: Array, spikes: Array, h: int, shift: int, n_out: int) -> None:
    """Add a hidden neuron to all output neurons."""
    for o in range(n_out):
        weight = np.int32(np.int32(rows[h, o]) << shift)
        if weight != 0:
            for k in range(N_LANES):
                i_syn[o, k] = saturate(i_syn[o, k] + weight * np.int32(spikes[h, k]))


@jit
def _decay(i_syn: Array, j: int, dash: int) -> None:
    for k in range(N_LANES):
        i_syn[j, k] = leak(i_syn[j, k], dash)


@jit
def _charge(v_mem: Array, i_syn: Array, j: int, bias: int, dash: int, version: int) -> None:
    """Update one membrane from its only current."""
    if version == 1:
        for k in range(N_LANES):
            v_mem[j, k] = saturate(leak(v_mem[j, k], dash) + i_syn[j, k])
    else:
        for k in range(N_LANES):
            v_mem[j, k] = rise(v_mem[j, k], i_syn[j, k], bias, dash)


@jit
def _charge_from_two(
    v_mem: Array, i_syn: Array, i_syn2: Array, j: int, bias: int, dash: int, version: int
) -> None:
    """Update one membrane from its two currents."""
    if version == 1:
        for k in range(N_LANES):
            current = np.int32(i_syn[j, k]) + np.int32(i_syn2[j, k])
            v_mem[j, k] = saturate(leak(v_mem[j, k], dash) + current)
    else:
        for k in range(N_LANES):
            current = np.int32(i_syn[j, k]) + np.int32(i_syn2[j, k])
            v_mem[j, k] = rise(v_mem[j, k], current, bias, dash)


@jit
def _fire(v_mem: Array, spikes: Array, h: int, threshold: int) -> None:
    """Subtract the threshold in all lanes that reach it, until none does or all are at the cap."""
    for _ in range(MAX_SPIKES):
        again = False
        for k in range(N_LANES):
            again |= (v_mem[h, k] >= threshold) & (spikes[h, k] < MAX_SPIKES)
        if not again:
            break
        for k in range(N_LANES):
            fires = (v_mem[h, k] >= threshold) & (spikes[h, k] < MAX_SPIKES)
            v_mem[h, k] = np.int16(v_mem[h, k] - (threshold if fires else np.int16(0)))
            spikes[h, k] = np.int16(spikes[h, k] + fires)


@jit
def _copy_spikes(spikes: Array, source: int, target: int) -> None:
    """Add the spikes of an alias source to its target's, up to the cap."""
    for k in range(N_LANES):
        spikes[target, k] = np.int16(min(spikes[target, k] + spikes[source, k], MAX_SPIKES))


@jit
def _fire_out(v_mem: Array, spikes_out: Array, t: int, o: int, threshold: int) -> None:
    for k in range(N_LANES):
        fires = v_mem[o, k] >= threshold
        spikes_out[t, o, k] = fires
        v_mem[o, k] = np.int16(v_mem[o, k] - (threshold if fires else np.int16(0)))
