"""Event-driven gradient of weights: input events times input gradients, sorted by channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._dense import Floats
from ._events import Events
from ._jit import part, reassociated
from ._lanes import WIDTH, add, fused, load, spread, store

F32 = np.float32
_BLOCK = 4 * WIDTH


class Sorting(NamedTuple):
    """Scratch to sort the events of a sample by channel."""

    starts: NDArray[np.int64]
    when: NDArray[np.int32]
    value: Floats


@part
def sort_by_channel(events: Events, delay: int, steps: int, b: int, n: int, sort: Sorting) -> None:
    """List the steps and values of a sample's events channel by channel.

    The events of channel ``j`` then lie between ``starts[j]`` and ``starts[j + 1]``.
    """
    starts, when, value = sort.starts, sort.when, sort.value
    for j in range(n + 2):
        starts[j] = 0
    last = max(steps - delay, 0)
    for e in range(events.pointer[b, 0], events.pointer[b, last]):
        starts[np.uint64(events.channel[e]) + np.uint64(2)] += 1
    for j in range(2, n + 2):
        starts[j] += starts[j - 1]
    for t in range(last):
        for e in range(events.pointer[b, t], events.pointer[b, t + 1]):
            cell = np.uint64(events.channel[e]) + np.uint64(1)
            place = starts[cell]
            when[place] = t + delay
            value[place] = events.value[e]
            starts[cell] = place + 1


@part
def add_block(row: Floats, m: int, gx: Floats, sort: Sorting, begin: int, end: int) -> None:
    """Add the events of a channel to 64 columns of its row, which stay in registers."""
    when, value = sort.when, sort.value
    zero = spread(F32(0.0))
    a0, a1, a2, a3 = load(row, m), load(row, m + 16), load(row, m + 32), load(row, m + 48)
    b0, b1, b2, b3 = zero, zero, zero, zero
    pairs = begin + (end - begin) // 2 * 2
    for e in range(begin, pairs, 2):
        g, c = gx[when[e]], spread(value[e])
        a0 = fused(load(g, m), c, a0)
        a1 = fused(load(g, m + 16), c, a1)
        a2 = fused(load(g, m + 32), c, a2)
        a3 = fused(load(g, m + 48), c, a3)
        g, c = gx[when[e + 1]], spread(value[e + 1])
        b0 = fused(load(g, m), c, b0)
        b1 = fused(load(g, m + 16), c, b1)
        b2 = fused(load(g, m + 32), c, b2)
        b3 = fused(load(g, m + 48), c, b3)
    if pairs < end:
        g, c = gx[when[pairs]], spread(value[pairs])
        a0 = fused(load(g, m), c, a0)
        a1 = fused(load(g, m + 16), c, a1)
        a2 = fused(load(g, m + 32), c, a2)
        a3 = fused(load(g, m + 48), c, a3)
    store(row, m, add(a0, b0))
    store(row, m + 16, add(a1, b1))
    store(row, m + 32, add(a2, b2))
    store(row, m + 48, add(a3, b3))


@part
def add_lanes(row: Floats, m: int, gx: Floats, sort: Sorting, begin: int, end: int) -> None:
    """Add the events of a channel to 16 columns of its row."""
    when, value = sort.when, sort.value
    a, b = load(row, m), spread(F32(0.0))
    pairs = begin + (end - begin) // 2 * 2
    for e in range(begin, pairs, 2):
        a = fused(load(gx[when[e]], m), spread(value[e]), a)
        b = fused(load(gx[when[e + 1]], m), spread(value[e + 1]), b)
    if pairs < end:
        a = fused(load(gx[when[pairs]], m), spread(value[pairs]), a)
    store(row, m, add(a, b))


@reassociated
def add_outer(events: Events, delay: int, gx: Floats, b: int, total: Floats, sort: Sorting) -> None:
    """Add a sample's events times its input gradients ``(time, columns)`` to a weight gradient.

    Column block by column block, so that what is read of ``gx`` stays in the cache.
    """
    channels, width = total.shape
    starts = sort.starts
    sort_by_channel(events, delay, gx.shape[0], b, channels, sort)
    blocks = width // _BLOCK * _BLOCK
    for m in range(0, blocks, _BLOCK):
        for j in range(channels):
            if starts[j] < starts[j + 1]:
                add_block(total[j], m, gx, sort, starts[j], starts[j + 1])
    for m in range(blocks, width, WIDTH):
        for j in range(channels):
            if starts[j] < starts[j + 1]:
                add_lanes(total[j], m, gx, sort, starts[j], starts[j + 1])
