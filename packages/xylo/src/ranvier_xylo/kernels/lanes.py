"""Samples of a batch side by side: when it pays, and how their states get in and out."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from .arrays import CoreState
from .prepared import Prepared

N_LANES = 64
MIN_SAMPLES = 16  # below, most lanes would idle


def prefers_lanes(net: Prepared, samples: int, events_per_step: float) -> bool:
    """Whether the remaining samples of a batch run faster side by side than one by one.

    Both give the same values. The estimate counts nanoseconds per step as measured on one core with
    512-bit vectors: a sample alone costs a part per step, per added source and per neuron in it; 64
    samples together cost a part per neuron and per synapse whose source is active in any of them.
    """
    if samples < MIN_SAMPLES or not net.n_listed:
        return False
    n_neurons, n_sources = net.hidden.threshold.size, net.n_in + net.n_hidden
    rate = min(events_per_step / n_sources, 1.0)
    used = 1 - (1 - rate) ** min(samples, N_LANES)
    alone = 300 + 0.1 * n_neurons + events_per_step * (25 + 0.012 * n_neurons)
    together = 30 * n_neurons + 4 * used * net.n_listed
    return bool(together < alone * min(samples, N_LANES))


def run_in_lanes(
    net: Prepared,
    counts: NDArray[np.uint8],
    state: CoreState,
    spikes: NDArray[np.uint8],
    first: int,
) -> None:
    """Run the samples of ``counts`` (samples, time, n_in), rows ``first`` and following."""
    for start in range(0, len(counts), N_LANES):
        part = counts[start : start + N_LANES]
        rows = slice(first + start, first + start + len(part))
        _run_block(net, part, state, spikes, rows)


def _run_block(
    net: Prepared,
    counts: NDArray[np.uint8],
    state: CoreState,
    spikes: NDArray[np.uint8],
    rows: slice,
) -> None:
    """Run up to 64 samples; idle lanes stay without input."""
    from ._lanes import Lanes, run_lanes

    samples, time, n_in = counts.shape
    lanes = np.zeros((time, n_in, N_LANES), np.int16)
    lanes[:, :, :samples] = np.moveaxis(counts, 0, -1)
    inner = {}
    for field in fields(state):
        layer = net.out if field.name.endswith("_out") else net.hidden
        array = np.zeros((layer.threshold.size, N_LANES), np.int16)
        values = getattr(state, field.name)[rows]
        array[: values.shape[1], :samples] = values.T
        inner[field.name] = array
    fired = np.zeros((time, net.n_out, N_LANES), np.uint8)
    run_lanes(net, lanes.reshape(-1, N_LANES), Lanes(**inner), fired)
    spikes[rows] = np.moveaxis(fired[:, :, :samples], -1, 0)
    for field in fields(state):
        values = getattr(state, field.name)
        values[rows] = inner[field.name][: values.shape[1], :samples].T
