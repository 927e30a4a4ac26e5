"""Weights at the few entries of a spike matrix that are not 0."""

from __future__ import annotations

import numpy as np

from ...kernels.lanes import (
    WIDTH,
    add,
    bits_of,
    differs,
    load,
    lowest_of,
    multiply,
    spread,
    store,
)
from ...kernels.layers import Events, Floats
from ._jit import exact, part

_ZERO = np.float32(0.0)
_NONE, _ONE = np.uint64(0), np.uint64(1)


@exact
def list_events(flat: Floats, n_in: int, events: Events) -> int:
    """List the entries of ``(rows, n_in)``, flat, that are not 0; give their number.

    Give -1 as soon as there are more than ``events`` has room for.
    """
    pointer, channel, value = events
    size, most = flat.shape[0], channel.shape[0]
    zero = spread(_ZERO)
    pointer[0] = 0
    p, row, after = 0, 0, n_in
    for first in range(0, size, WIDTH):
        bits = _NONE
        if first + WIDTH <= size:
            bits = bits_of(differs(load(flat, first), zero))
        else:
            for k in range(first, size):
                bits |= (_ONE if flat[k] != _ZERO else _NONE) << np.uint64(k - first)
        while bits != _NONE:
            k = first + lowest_of(bits)
            bits &= bits - _ONE
            while k >= after:
                row += 1
                after += n_in
                pointer[row] = p
            if p >= most:
                return -1
            channel[p] = k - after + n_in
            value[p] = flat[k]
            p += 1
    for r in range(row + 1, pointer.shape[0]):
        pointer[r] = p
    return p


@exact
def sum_weights(events: Events, weight: Floats, out: Floats) -> None:
    """Give ``x @ weight`` with ``weight`` (n_in, n), row by row, in the order of the channels."""
    n = weight.shape[1]
    for r in range(out.shape[0]):
        row = out[r]
        for m in range(n):
            row[m] = _ZERO
        for p in range(events.pointer[r], events.pointer[r + 1]):
            value, added = events.value[p], weight[events.channel[p]]
            for m in range(n):
                row[m] += value * added[m]


@exact
def sum_outer(events: Events, g: Floats, total: Floats) -> None:
    """Add ``x.T @ g`` to ``total`` (n_in, n)."""
    n = total.shape[1]
    for r in range(g.shape[0]):
        row = g[r]
        for p in range(events.pointer[r], events.pointer[r + 1]):
            value, target = events.value[p], total[events.channel[p]]
            for m in range(n):
                target[m] += value * row[m]


@exact
def sum_weights_beside(
    events: Events, weight: Floats, out: Floats, shape: tuple[int, int, int], columns: int
) -> None:
    """Add ``x @ weight.T`` to ``out``, (time, columns), flat, with the samples side by side."""
    batch, time, n = shape
    for b in range(batch):
        for t in range(time):
            first = t * columns + b * n
            for p in range(events.pointer[b * time + t], events.pointer[b * time + t + 1]):
                value, source = events.value[p], events.channel[p]
                for m in range(n):
                    out[first + m] += value * weight[m, source]


@exact
def sum_outer_beside(
    events: Events, g: Floats, total: Floats, shape: tuple[int, int, int], columns: int
) -> None:
    """Add ``g.T @ x`` to ``total`` (n, n_in) with ``g`` as ``out`` of `sum_weights_beside`."""
    batch, time, n = shape
    for b in range(batch):
        for t in range(time):
            first = t * columns + b * n
            for p in range(events.pointer[b * time + t], events.pointer[b * time + t + 1]):
                value, target = events.value[p], events.channel[p]
                for m in range(n):
                    total[m, target] += value * g[first + m]


@exact
def untile_weights(totals: Floats, out: Floats) -> None:
    """Give gradients of weights (n, n_in) of tiles (tiles, n_in * WIDTH); the last overlaps."""
    n, n_in = out.shape
    for first in range(0, n, WIDTH):
        k, tile = min(first, n - WIDTH), totals[first // WIDTH]
        for m in range(first, min(first + WIDTH, n)):
            for c in range(n_in):
                out[m, c] = tile[c * WIDTH + m - k]


@part
def _mix(g: Floats, weight: Floats, first: int, n: int, n_in: int, k: int) -> Floats:
    """Give ``sum_m g[first + m] weight[m, k:k + WIDTH]``."""
    total = multiply(spread(g[first]), load(weight, k))
    for m in range(1, n):
        total = add(total, multiply(spread(g[first + m]), load(weight, m * n_in + k)))
    found: Floats = total
    return found


@exact
def to_spikes_beside(
    g: Floats, weight: Floats, out: Floats, shape: tuple[int, int, int], columns: int
) -> None:
    """Give ``g @ weight``, (batch, time, n_in), flat; ``weight`` (n, n_in) is flat.

    ``g`` is as in `sum_outer_beside`; ``n_in >= WIDTH``. The last tile overlaps the one before it.
    """
    batch, time, n = shape
    n_in = weight.shape[0] // n
    for b in range(batch):
        for t in range(time):
            row = (b * time + t) * n_in
            for start in range(0, n_in, WIDTH):
                k = min(start, n_in - WIDTH)
                store(out, row + k, _mix(g, weight, t * columns + b * n, n, n_in, k))
