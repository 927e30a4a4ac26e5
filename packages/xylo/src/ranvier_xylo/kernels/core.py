"""Run a prepared network on spike counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from .arrays import MAX_INPUT_COUNT, MAX_SPIKES, CoreState, IntArray
from .lanes import prefers_lanes, run_in_lanes
from .prepared import Prepared

if TYPE_CHECKING:
    from ._loop import Scratch, Traces

TRACES = ("spikes", "i_syn", "i_syn2", "v_mem", "i_syn_out", "v_mem_out")


@dataclass(frozen=True, eq=False)
class CoreRun:
    """What a core answered.

    Parameters
    ----------
    spikes : array, shape (batch, time, n_out), uint8, 0 or 1
        Spikes of the output neurons.
    state : CoreState
        State after the last step; give it to the next run to go on.
    traces : dict of str to array
        The recorded quantities of :data:`TRACES`, ``(batch, time, n_hidden or n_out)``: currents
        after their decay, membranes after the reset (int16), spikes of the hidden neurons with
        aliases (uint8).
    """

    spikes: NDArray[np.uint8]
    state: CoreState
    traces: dict[str, NDArray[Any]]


def run(
    net: Prepared,
    counts: IntArray,
    *,
    state: CoreState | None = None,
    record: Collection[str] = (),
) -> CoreRun:
    """Simulate a core, bit for bit.

    Parameters
    ----------
    net : Prepared
        From :func:`~ranvier_xylo.kernels.prepare`.
    counts : array, shape (batch, time, n_in), integer ≥ 0
        Input spikes per channel and step. The chip counts to 15; more act as 15.
    state : CoreState, optional
        Where the samples start; at zero if absent. It is not changed.
    record : collection of str, optional
        Names of :data:`TRACES` to record. Recording costs more time than a quiet step.

    Returns
    -------
    CoreRun

    Raises
    ------
    InputError
        Counts are no integers, negative or of another width than the network; the state does not
        fit; a trace is unknown.

    Notes
    -----
    In each step the input is added first, then the last step's hidden spikes, sources ascending and
    every addition saturating at 16 bits; then currents decay, membranes decay and charge, and
    neurons fire ascending, so that an alias reaches a higher neuron before that fires itself.

    References
    ----------
    SynSense rockpool documentation, "Overview of the Xylo family"; the arithmetic was measured
    against xylosim 0.1.3.
    """
    counts = _checked_counts(net, counts)
    unknown = sorted(set(record) - set(TRACES))
    if unknown:
        raise InputError(f"xylo core: cannot record {unknown}, there are {list(TRACES)}")
    batch, time = counts.shape[:2]
    sizes = (batch, net.n_hidden, net.n_out)
    after = CoreState.zeros(*sizes) if state is None else state.checked(*sizes)
    spikes = np.zeros((batch, time, net.n_out), np.uint8)
    traces = _new_traces(net, batch, time, record)
    done = 0
    while done < batch:
        events = _run_one(net, counts, after, spikes, traces, done)
        done += 1
        if not record and prefers_lanes(net, batch - done, events / max(time, 1)):
            run_in_lanes(net, counts[done:], after, spikes, done)
            done = batch
    return CoreRun(spikes, after, {name: getattr(traces, name) for name in record})


def _checked_counts(net: Prepared, counts: IntArray) -> NDArray[np.uint8]:
    """Return counts as the chip's input registers hold them."""
    counts = np.asarray(counts)
    if not (np.issubdtype(counts.dtype, np.integer) or counts.dtype == np.bool_):
        raise InputError(f"xylo core: spike counts have dtype {counts.dtype}, give integers")
    if counts.ndim != 3 or counts.shape[2] != net.n_in:
        raise InputError(
            f"xylo core: spike counts have shape {counts.shape}, "
            f"needed is (batch, time, {net.n_in})"
        )
    if counts.size and counts.min() < 0:
        raise InputError(f"xylo core: spike counts go down to {counts.min()}, allowed is 0 or more")
    return np.ascontiguousarray(np.minimum(counts, MAX_INPUT_COUNT), dtype=np.uint8)


def _new_traces(net: Prepared, batch: int, time: int, record: Collection[str]) -> Traces:
    """Allocate what is recorded; the rest gets no steps."""
    from ._loop import Traces

    arrays = {}
    for name in TRACES:
        width = net.n_out if name.endswith("_out") else net.n_hidden
        dtype = np.uint8 if name == "spikes" else np.int16
        arrays[name] = np.zeros((batch, time if name in record else 0, width), dtype)
    return Traces(**arrays)


def _new_scratch(net: Prepared) -> Scratch:
    """Allocate the working state of one sample and lists for the busiest possible step."""
    from ._loop import Scratch

    hidden, out = net.hidden.threshold.size, net.out.threshold.size
    spikes, reached = np.zeros(hidden, np.uint8), np.zeros(hidden, np.uint8)
    events = net.n_in * MAX_INPUT_COUNT + net.n_hidden * MAX_SPIKES
    return Scratch(
        i_syn=np.zeros(hidden, np.int16),
        i_syn2=np.zeros(hidden, np.int16),
        v_mem=np.zeros(hidden, np.int16),
        spikes=spikes,
        spike_words=spikes.view(np.uint64),
        reached=reached,
        reached_words=reached.view(np.uint64),
        i_syn_out=np.zeros(out, np.int16),
        v_mem_out=np.zeros(out, np.int16),
        active=np.zeros(hidden + 8, np.int64),
        sources=np.empty(events, np.int64),
        factors=np.empty(events, np.int16),
    )


def _run_one(
    net: Prepared,
    counts: NDArray[np.uint8],
    state: CoreState,
    spikes: NDArray[np.uint8],
    traces: Traces,
    b: int,
) -> int:
    """Run sample ``b``, update its state, and return how often a source was added."""
    from ._loop import run_sample

    scratch = _new_scratch(net)
    for field in fields(state):
        row = getattr(state, field.name)[b]
        getattr(scratch, field.name)[: row.size] = row
    events = int(run_sample(net, counts, scratch, spikes, b, traces))
    for field in fields(state):
        row = getattr(state, field.name)[b]
        row[:] = getattr(scratch, field.name)[: row.size]
    return events
