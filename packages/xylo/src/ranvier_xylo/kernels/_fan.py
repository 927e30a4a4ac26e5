"""Addition of weight rows to synaptic currents: saturating, in the order of the sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._jit import Array, jit
from ._neurons import saturate


@jit
def add_mixed(i_syn: Array, fan: Any, sources: Array, factors: Array, n: int) -> None:
    """Add ``factors[e] * weights`` for ``n`` events in their order, sources sparse or dense."""
    start = 0
    while start < n:
        sparse = fan.sparse[sources[start]]
        end = start + 1
        while end < n and fan.sparse[sources[end]] == sparse:
            end += 1
        if sparse:
            _add_entries(
                i_syn, fan.pointers, fan.targets, fan.weights, sources, factors, start, end
            )
        else:
            add_rows(i_syn, fan.rows, sources, factors, start, end)
        start = end


@jit
def _add_entries(
    i_syn: Array,
    pointers: Array,
    targets: Array,
    weights: Array,
    sources: Array,
    factors: Array,
    start: int,
    end: int,
) -> None:
    """Visit the targets of sparse sources one by one."""
    for e in range(start, end):
        factor = factors[e]
        for k in range(pointers[sources[e]], pointers[sources[e] + 1]):
            j = targets[k]
            i_syn[j] = saturate(i_syn[j] + np.int16(weights[k] * factor))


@jit
def add_rows(
    i_syn: Array, rows: Array, sources: Array, factors: Array, start: int, end: int
) -> None:
    """Add whole rows: eight, then four in one pass over the currents, the rest singly."""
    e = start
    while e + 8 <= end and _all_one(factors, e, e + 8):
        _add_eight(i_syn, rows, sources, e)
        e += 8
    while e + 4 <= end:
        _add_four_times(i_syn, rows, sources, factors, e)
        e += 4
    while e < end:
        _add_one_times(i_syn, rows, sources[e], factors[e])
        e += 1


@jit
def _all_one(factors: Array, start: int, end: int) -> Any:
    one = True
    for e in range(start, end):
        one &= factors[e] == 1
    return one


@jit
def _add_eight(i_syn: Array, rows: Array, sources: Array, start: int) -> None:
    """Add eight rows; each current is loaded and stored once."""
    a, b, c, d = sources[start], sources[start + 1], sources[start + 2], sources[start + 3]
    e, f, g, h = sources[start + 4], sources[start + 5], sources[start + 6], sources[start + 7]
    for j in range(i_syn.size):
        x = saturate(i_syn[j] + rows[a, j])
        x = saturate(x + rows[b, j])
        x = saturate(x + rows[c, j])
        x = saturate(x + rows[d, j])
        x = saturate(x + rows[e, j])
        x = saturate(x + rows[f, j])
        x = saturate(x + rows[g, j])
        i_syn[j] = saturate(x + rows[h, j])


@jit
def _add_four_times(i_syn: Array, rows: Array, sources: Array, factors: Array, start: int) -> None:
    """Add four rows, each times its factor."""
    a, b, c, d = sources[start], sources[start + 1], sources[start + 2], sources[start + 3]
    fa, fb, fc, fd = factors[start], factors[start + 1], factors[start + 2], factors[start + 3]
    for j in range(i_syn.size):
        x = saturate(i_syn[j] + np.int16(rows[a, j] * fa))
        x = saturate(x + np.int16(rows[b, j] * fb))
        x = saturate(x + np.int16(rows[c, j] * fc))
        i_syn[j] = saturate(x + np.int16(rows[d, j] * fd))


@jit
def _add_one_times(i_syn: Array, rows: Array, source: int, factor: int) -> None:
    """Add one row times its factor."""
    for j in range(i_syn.size):
        i_syn[j] = saturate(i_syn[j] + np.int16(rows[source, j] * factor))
