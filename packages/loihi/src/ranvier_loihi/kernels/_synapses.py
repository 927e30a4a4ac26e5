"""Events of the steps of a chunk added to a ring of arrival slots, and slots handed over.

A ring is a flat array of ``slots`` times ``width``. The event of step t with an axon delay of a
goes to slot ``t + lead + a``. A synaptic delay of d moves it by another d slots (``spread`` 1), or
into plane d of its slot (``spread`` 0), where sums of different delays must stay apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._jit import Array, jit
from ._prefetch import prefetch

AHEAD = 8  # events between asking for a row of synapses and adding it


@jit
def scatter_dense(rows: Array, ring: Array, e: Any, s: Any, axon: Array, span: Any) -> None:
    """Add whole rows: eight in one pass where all arrive together and count once."""
    n = rows.shape[1]
    together = s.even and not s.graded
    for i in range(span.n):
        a, b = e.ends[e.first + i], e.ends[e.first + i + 1]
        if together:
            base = np.uint64(((span.t + i + s.lead + axon[0]) % s.slots) * s.width)
            while a + 8 <= b:
                _add_eight(rows, ring, e.ids, a, base)
                a += 8
        while a < b:
            source = e.ids[a]
            base = np.uint64(((span.t + i + s.lead + axon[source]) % s.slots) * s.width)
            if s.graded:
                _add_times(rows, ring, source, e.values[a], base)
            else:
                for j in range(n):
                    ring[base + np.uint64(j)] += rows[source, j]
            a += 1


@jit
def _add_times(rows: Array, ring: Array, source: int, factor: int, base: np.uint64) -> None:
    for j in range(rows.shape[1]):
        ring[base + np.uint64(j)] += rows[source, j] * factor


@jit
def _add_eight(rows: Array, ring: Array, ids: Array, first: int, base: np.uint64) -> None:
    """Add eight rows; their sum of at most eight times 256 fits into 16 bits."""
    a, b, c, d = ids[first], ids[first + 1], ids[first + 2], ids[first + 3]
    e, f, g, h = ids[first + 4], ids[first + 5], ids[first + 6], ids[first + 7]
    for j in range(rows.shape[1]):
        x = np.int16(rows[a, j] + rows[b, j])
        y = np.int16(rows[c, j] + rows[d, j])
        z = np.int16(rows[e, j] + rows[f, j])
        w = np.int16(rows[g, j] + rows[h, j])
        ring[base + np.uint64(j)] += np.int16(np.int16(x + y) + np.int16(z + w))


@jit
def scatter_delayed(
    rows: Array, delays: Array, ring: Array, e: Any, s: Any, axon: Array, span: Any
) -> None:
    """Add rows whose entries arrive at different times."""
    for i in range(span.n):
        for a in range(e.ends[e.first + i], e.ends[e.first + i + 1]):
            source = e.ids[a]
            factor = e.values[a] if s.graded else 1
            start = span.t + i + s.lead + axon[source]
            for j in range(rows.shape[1]):
                d = np.int64(delays[source, j])
                slot = (start + s.spread * d) % s.slots
                ring[slot * s.width + (1 - s.spread) * d * rows.shape[1] + j] += (
                    rows[source, j] * factor
                )


@jit
def scatter_sparse(net: Any, ring: Array, e: Any, s: Any, axon: Array, span: Any) -> None:
    """Add listed synapses block by block, so that the block's slots stay in the cache."""
    pointers, targets, weights = net.pointers, net.targets, net.weights
    for i in range(span.n):
        a, b = e.ends[e.first + i], e.ends[e.first + i + 1]
        t = span.t + i + s.lead
        common = ((t + axon[0]) % s.slots) * s.width  # dividing takes as long as ten synapses
        for block in range(pointers.shape[0]):
            for k in range(a, b):
                source = e.ids[k]
                base = common if s.even else ((t + axon[source]) % s.slots) * s.width
                place = np.uint64(base + block * net.block)
                start = np.uint64(pointers[block, source])
                stop = np.uint64(pointers[block, source + 1])
                if k + AHEAD < b:
                    soon = pointers[block, e.ids[k + AHEAD]]
                    prefetch(targets, soon)
                    prefetch(weights, soon)
                if s.graded:
                    for q in range(start, stop):
                        ring[place + np.uint64(targets[q])] += weights[q] * e.values[k]
                else:
                    _add_listed(ring, place, targets, weights, start, stop)


@jit
def _add_listed(
    ring: Array, place: np.uint64, targets: Array, weights: Array, start: np.uint64, stop: np.uint64
) -> None:
    """Add synapses four at a time; indices without sign spare the test for negative ones."""
    one, two, three, q = np.uint64(1), np.uint64(2), np.uint64(3), start
    while q + three < stop:
        a, b = place + np.uint64(targets[q]), place + np.uint64(targets[q + one])
        c, d = place + np.uint64(targets[q + two]), place + np.uint64(targets[q + three])
        u, v, w, x = weights[q], weights[q + one], weights[q + two], weights[q + three]
        ring[a] += u
        ring[b] += v
        ring[c] += w
        ring[d] += x
        q += np.uint64(4)
    while q < stop:
        ring[place + np.uint64(targets[q])] += weights[q]
        q += one


@jit
def scatter_sparse_delayed(
    net: Any, delays: Array, ring: Array, e: Any, s: Any, axon: Array, span: Any
) -> None:
    """Add listed synapses that arrive at different times."""
    for i in range(span.n):
        for block in range(net.pointers.shape[0]):
            for k in range(e.ends[e.first + i], e.ends[e.first + i + 1]):
                source = e.ids[k]
                start = span.t + i + s.lead + axon[source]
                factor = e.values[k] if s.graded else 1
                for q in range(net.pointers[block, source], net.pointers[block, source + 1]):
                    d = np.int64(delays[q])
                    slot = (start + s.spread * d) % s.slots
                    j = block * net.block + net.targets[q] + (1 - s.spread) * d * net.n_target
                    ring[slot * s.width + j] += net.weights[q] * factor


@jit
def scatter_conv(net: Any, ring: Array, e: Any, s: Any, axon: Array, span: Any) -> None:
    """Add the kernels around each event; the ring holds channels last, (h, w, c)."""
    weights = net.weights  # (c_in, kh, kw, c_out / groups)
    width = weights.shape[3]
    plane, columns = net.size[0] * net.size[1], net.size[1]
    for i in range(span.n):
        for a in range(e.ends[e.first + i], e.ends[e.first + i + 1]):
            source = e.ids[a]
            c, y, x = source // plane, source % plane // columns, source % columns
            factor = e.values[a] if s.graded else 1
            base = ((span.t + i + s.lead + axon[source]) % s.slots) * s.width
            base += c // net.per_group * width
            for q in range(net.row_ptr[y], net.row_ptr[y + 1]):
                ky, line = net.row_tap[q], base + net.row_out[q] * net.columns_out * net.c_out
                for r in range(net.col_ptr[x], net.col_ptr[x + 1]):
                    kx, place = net.col_tap[r], np.uint64(line + net.col_out[r] * net.c_out)
                    if s.graded:
                        for j in range(width):
                            ring[place + np.uint64(j)] += weights[c, ky, kx, j] * factor
                    else:
                        for j in range(width):
                            ring[place + np.uint64(j)] += weights[c, ky, kx, j]


@jit
def hand_over(ring: Array, x: Array, s: Any, span: Any) -> None:
    """Add the slots of the chunk's steps, shifted, to ``x`` and clear them."""
    cast = x.dtype.type
    for i in range(span.n):
        base = np.uint64(((span.t + i) % s.slots) * s.width)
        k = span.first + i
        if s.left >= 0:
            for j in range(x.shape[1]):
                x[k, j] = cast(x[k, j] + cast(cast(ring[base + np.uint64(j)]) << cast(s.left)))
                ring[base + np.uint64(j)] = 0
        else:
            for j in range(x.shape[1]):
                x[k, j] = cast(x[k, j] + cast(ring[base + np.uint64(j)] >> (-s.left)))
                ring[base + np.uint64(j)] = 0


@jit
def hand_over_conv(ring: Array, x: Array, s: Any, span: Any, channels: int, lost: Array) -> None:
    """Hand over channels-last slots as channels first, each value wrapped to 24 bits."""
    half = 1 << 23
    pixels = x.shape[1] // channels
    cast = x.dtype.type
    for i in range(span.n):
        base = np.uint64(((span.t + i) % s.slots) * s.width)
        k = span.first + i
        for c in range(channels):
            for q in range(pixels):
                value = np.int64(ring[base + np.uint64(q * channels + c)])
                wrapped = ((value + half) & (2 * half - 1)) - half
                lost[0] += wrapped != value
                x[k, c * pixels + q] = cast(x[k, c * pixels + q] + cast(wrapped))
        for j in range(s.width):
            ring[base + np.uint64(j)] = 0


@jit
def spread_planes(first: Array, s: Any, ring: Array, r: Any, span: Any) -> None:
    """Shift each plane of the first ring and pass it on to the slot of its delay."""
    n = r.width
    for i in range(span.n):
        base = ((span.t + i) % s.slots) * s.width
        for d in range(s.width // n):
            to = ((span.t + i + 1 + d) % r.slots) * n
            for j in range(n):
                ring[to + j] += first[base + d * n + j] >> (-s.left)
                first[base + d * n + j] = 0


@jit
def fan_in_sparse(pointers: Array, targets: Array, weights: Array, block: int, sums: Array) -> None:
    """Add up the sizes of the weights of every target, (n_target,)."""
    for b in range(pointers.shape[0]):
        for k in range(pointers[b, 0], pointers[b, pointers.shape[1] - 1]):
            sums[b * block + targets[k]] += abs(np.int64(weights[k]))
