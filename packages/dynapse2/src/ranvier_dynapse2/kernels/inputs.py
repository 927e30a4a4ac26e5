"""What reaches the synapses in a step: events of the input, and spikes of the step before.

Contributions are added source by source in ascending order, each ``count * weight`` rounded to
float32, so a sum does not depend on how synapses are stored.
"""

from __future__ import annotations

import numpy as np

from ._jit import Array, jit


@jit
def count_events(counts: Array, ends: Array) -> int:
    """Write where the events of every row of counts end; return the lowest count.

    Parameters
    ----------
    counts : array of int, (rows, n_channels)
        Spikes.
    ends : array of int64, (rows + 1,)
        Is filled.
    """
    lowest = 0
    ends[0] = 0
    for row in range(counts.shape[0]):
        found = np.int64(0)
        for c in range(counts.shape[1]):
            value = int(counts[row, c])
            found += value != 0
            lowest = value if value < lowest else lowest
        ends[row + 1] = ends[row] + found
    return lowest


@jit
def list_events(counts: Array, ends: Array, channels: Array, values: Array) -> None:
    """List the channels with spikes, and how many, row by row."""
    for row in range(counts.shape[0]):
        k = ends[row]
        if k == ends[row + 1]:
            continue
        for c in range(counts.shape[1]):
            value = counts[row, c]
            if value != 0:
                channels[k] = c
                values[k] = np.float32(value)
                k += 1


@jit
def add_dense(out: Array, first: int, source: int, value: np.float32, rows: Array) -> None:
    """Add a whole row of weights, (ports, n), to the lanes from ``first`` on."""
    for q in range(rows.shape[1]):
        lanes = out[q, first : first + rows.shape[2]]
        row = rows[source, q]
        for k in range(row.size):
            lanes[k] += value * row[k]


@jit
def add_events(
    out: Array,
    n: int,
    copies: int,
    row: int,
    stride: int,
    ends: Array,
    channels: Array,
    values: Array,
    indptr: Array,
    target: Array,
    port: Array,
    weight: Array,
    rows: Array,
) -> None:
    """Add the input events of one step; those of the next sample are ``stride`` rows further."""
    if rows.size > 0:
        for s in range(copies):
            at = row + s * stride
            for k in range(ends[at], ends[at + 1]):
                add_dense(out, s * n, channels[k], values[k], rows)
        return
    for s in range(copies):
        at = row + s * stride
        for k in range(ends[at], ends[at + 1]):
            for j in range(indptr[channels[k]], indptr[channels[k] + 1]):
                out[port[j], s * n + target[j]] += values[k] * weight[j]


@jit
def add_spikes(
    out: Array,
    n: int,
    n_fired: int,
    fired: Array,
    spikes: Array,
    indptr: Array,
    target: Array,
    port: Array,
    weight: Array,
    rows: Array,
) -> None:
    """Add the spikes of the step before over the recurrent synapses."""
    for k in range(n_fired):
        lane = fired[k]
        first = lane // n * n
        if rows.size > 0:
            add_dense(out, first, lane - first, spikes[lane], rows)
            continue
        for j in range(indptr[lane - first], indptr[lane - first + 1]):
            out[port[j], first + target[j]] += spikes[lane] * weight[j]


@jit
def copy_inputs(out: Array, x: Array, sample: int, copies: int, t: int) -> None:
    """Copy real-valued input, (batch, time, n * ports), to the lanes of ``copies`` samples."""
    ports = out.shape[0]
    n = x.shape[2] // ports
    for s in range(copies):
        for k in range(n):
            for q in range(ports):
                out[q, s * n + k] = x[sample + s, t, k * ports + q]
