"""The time loop of one core: what happens in a step, and in which order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _neurons as neurons
from ._fan import add_mixed, add_rows
from ._jit import Array, jit
from .arrays import MAX_SPIKES


class Scratch(NamedTuple):
    """Working state of one sample, padded, and the lists of the step. Views share their memory."""

    i_syn: NDArray[np.int16]
    i_syn2: NDArray[np.int16]
    v_mem: NDArray[np.int16]
    spikes: NDArray[np.uint8]
    spike_words: NDArray[np.uint64]
    reached: NDArray[np.uint8]
    reached_words: NDArray[np.uint64]
    i_syn_out: NDArray[np.int16]
    v_mem_out: NDArray[np.int16]
    active: NDArray[np.int64]
    sources: NDArray[np.int64]
    factors: NDArray[np.int16]


class Traces(NamedTuple):
    """Recordings, ``(batch, time, n)``; an array without steps is not recorded."""

    spikes: NDArray[np.uint8]
    i_syn: NDArray[np.int16]
    i_syn2: NDArray[np.int16]
    v_mem: NDArray[np.int16]
    i_syn_out: NDArray[np.int16]
    v_mem_out: NDArray[np.int16]


@jit
def run_sample(net: Any, counts: Array, s: Any, spikes_out: Array, b: int, traces: Any) -> Any:
    """Run sample ``b`` from the state in ``s``: counts and spikes_out are (batch, time, n).

    Returns how often a source was added, for the choice of the faster loop.
    """
    hidden, out, fan, fan2 = net.hidden, net.out, net.fan, net.fan2
    mixed, mixed2, has_second, has_aliases = (
        fan.any_sparse,
        fan2.any_sparse,
        net.has_second,
        net.has_aliases,
    )
    n_in, first_out, shift_out, version = net.n_in, net.first_out, net.shift_out, net.version
    i_syn, i_syn2, v_mem, spikes, active = s.i_syn, s.i_syn2, s.v_mem, s.spikes, s.active
    i_syn_out, v_mem_out, sources, factors = s.i_syn_out, s.v_mem_out, s.sources, s.factors
    reached, reached_words, spike_words = s.reached, s.reached_words, s.spike_words
    shift, most, rows, rows2, out_rows = net.shift, net.most, fan.rows, fan2.rows, net.out_rows
    threshold, aliases, bias, dash_mem = (
        hidden.threshold,
        hidden.aliases,
        hidden.bias,
        hidden.dash_mem,
    )
    dash_syn, dash_syn2 = hidden.dash_syn, hidden.dash_syn2
    threshold_out, bias_out, dash_mem_out, dash_syn_out = (
        out.threshold,
        out.bias,
        out.dash_mem,
        out.dash_syn,
    )
    second = has_second or np.any(i_syn2)
    recording = _is_recording(traces)
    n_events = 0
    n_active = neurons.list_nonzero(spike_words, active)
    for t in range(counts.shape[1]):
        n = _list_inputs(counts, b, t, shift, most, sources, factors)
        n = _list_spikes(spikes, active, n_active, n_in, shift, most, sources, factors, n)
        _add_outputs(i_syn_out, out_rows, first_out, shift_out, spikes, active, n_active)
        for a in range(n_active):
            spikes[active[a]] = 0
        n_events += n
        if mixed:
            add_mixed(i_syn, fan, sources, factors, n)
        else:
            add_rows(i_syn, rows, sources, factors, 0, n)
        neurons.decay(i_syn, dash_syn)
        if second:
            if mixed2:
                add_mixed(i_syn2, fan2, sources, factors, n)
            elif has_second:
                add_rows(i_syn2, rows2, sources, factors, 0, n)
            neurons.decay(i_syn2, dash_syn2)
            _charge_from_two(v_mem, i_syn, i_syn2, bias, dash_mem, version)
        else:
            _charge(v_mem, i_syn, bias, dash_mem, version)
        neurons.compare(reached, v_mem, threshold)
        if has_aliases:
            _fire_with_aliases(v_mem, threshold, aliases, spikes, reached, reached_words)
            n_active = neurons.list_nonzero(spike_words, active)
        else:
            n_active = neurons.list_nonzero(reached_words, active)
            _fire(v_mem, threshold, spikes, active, n_active)
        neurons.decay(i_syn_out, dash_syn_out)
        _charge(v_mem_out, i_syn_out, bias_out, dash_mem_out, version)
        _fire_out(v_mem_out, threshold_out, spikes_out, b, t)
        if recording:
            _record(net, s, traces, b, t)
    return n_events


@jit
def _list_inputs(
    counts: Array, b: int, t: int, shift: Array, most: Array, sources: Array, factors: Array
) -> Any:
    """List the input channels with spikes and what their weights are multiplied by."""
    n = 0
    for c in range(counts.shape[2]):
        if counts[b, t, c]:
            n = _list_parts(c, counts[b, t, c], shift, most, sources, factors, n)
    return n


@jit
def _list_spikes(
    spikes: Array,
    active: Array,
    n_active: int,
    n_in: int,
    shift: Array,
    most: Array,
    sources: Array,
    factors: Array,
    n: int,
) -> Any:
    """Append the hidden neurons that spiked in the last step."""
    for a in range(n_active):
        h = active[a]
        n = _list_parts(n_in + h, spikes[h], shift, most, sources, factors, n)
    return n


@jit
def _list_parts(
    source: int, count: int, shift: Array, most: Array, sources: Array, factors: Array, n: int
) -> Any:
    """Append one source, in parts whose products stay within 16 bits."""
    left, largest = np.int64(count), np.int64(most[source])
    while left > 0:
        part = min(left, largest)
        sources[n] = source
        factors[n] = np.int16(part << shift[source])
        left -= part
        n += 1
    return n


@jit
def _add_outputs(
    i_syn_out: Array,
    out_rows: Array,
    first_out: int,
    shift_out: int,
    spikes: Array,
    active: Array,
    n_active: int,
) -> None:
    """Add the last step's hidden spikes to the currents of the output neurons."""
    for start in range(0, i_syn_out.size, 8):
        for a in range(n_active):
            h = active[a]
            if h >= first_out:
                factor = np.int32(np.int32(spikes[h]) << shift_out)
                for o in range(start, start + 8):
                    i_syn_out[o] = neurons.saturate(i_syn_out[o] + out_rows[h, o] * factor)


@jit
def _charge(v_mem: Array, i_syn: Array, bias: Array, dash: Array, version: int) -> None:
    if version == 1:
        neurons.charge_v1(v_mem, i_syn, dash)
    else:
        neurons.charge_v2(v_mem, i_syn, bias, dash)


@jit
def _charge_from_two(
    v_mem: Array, i_syn: Array, i_syn2: Array, bias: Array, dash: Array, version: int
) -> None:
    if version == 1:
        neurons.charge_v1_from_two(v_mem, i_syn, i_syn2, dash)
    else:
        neurons.charge_v2_from_two(v_mem, i_syn, i_syn2, bias, dash)


@jit
def _fire(v_mem: Array, threshold: Array, spikes: Array, active: Array, n_active: int) -> None:
    """Reset the neurons that reached threshold and count their spikes."""
    for a in range(n_active):
        h = active[a]
        spikes[h] = _discharge(v_mem, h, threshold[h], MAX_SPIKES)


@jit
def _fire_with_aliases(
    v_mem: Array,
    threshold: Array,
    aliases: Array,
    spikes: Array,
    reached: Array,
    reached_words: Array,
) -> None:
    """Fire, neurons ascending; one that receives spikes from a lower one is visited in any case."""
    for word in range(reached_words.size):
        if reached_words[word] == 0:
            continue
        for h in range(8 * word, 8 * word + 8):
            n = np.int64(spikes[h])
            if v_mem[h] >= threshold[h]:
                n += _discharge(v_mem, h, threshold[h], int(MAX_SPIKES - n))
            spikes[h] = n
            target = aliases[h]
            if n and target >= 0:
                spikes[target] = min(MAX_SPIKES, spikes[target] + n)
                reached[target] = 1


@jit
def _discharge(v_mem: Array, h: int, threshold: Any, most: int) -> Any:
    """Subtract the threshold as often as it fits, at most ``most`` times; return how often."""
    if threshold == 0:
        return np.int64(most)
    v = np.int64(v_mem[h])
    n = np.int64(1) if v < 2 * threshold else v // threshold
    n = min(n, np.int64(most))
    v_mem[h] = v - n * threshold
    return n


@jit
def _fire_out(v_mem: Array, threshold: Array, spikes: Array, b: int, t: int) -> None:
    """Fire the output neurons: one spike a step, the rest stays on the membrane."""
    for o in range(spikes.shape[2]):
        if v_mem[o] >= threshold[o]:
            v_mem[o] -= threshold[o]
            spikes[b, t, o] = 1


@jit
def _is_recording(traces: Any) -> Any:
    hidden = traces.spikes.size + traces.i_syn.size + traces.i_syn2.size + traces.v_mem.size
    return hidden + traces.i_syn_out.size + traces.v_mem_out.size > 0


@jit
def _record(net: Any, s: Any, traces: Any, b: int, t: int) -> None:
    """Copy what is recorded."""
    n = net.n_hidden
    if traces.spikes.size:
        traces.spikes[b, t] = s.spikes[:n]
    if traces.i_syn.size:
        traces.i_syn[b, t] = s.i_syn[:n]
    if traces.i_syn2.size:
        traces.i_syn2[b, t] = s.i_syn2[:n]
    if traces.v_mem.size:
        traces.v_mem[b, t] = s.v_mem[:n]
    if traces.i_syn_out.size:
        traces.i_syn_out[b, t] = s.i_syn_out[: net.n_out]
    if traces.v_mem_out.size:
        traces.v_mem_out[b, t] = s.v_mem_out[: net.n_out]
