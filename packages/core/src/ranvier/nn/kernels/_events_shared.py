"""Gradients through recurrent weights: every weight row is fetched once for a group of samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._dense import Floats
from ._events import Events
from ._jit import part, reassociated
from ._lanes import WIDTH, add, fused, load, spread, store_sums4

F32 = np.float32


class Sharing(NamedTuple):
    """Scratch to sort the active neurons of a group of samples: who has them, and where from."""

    starts: NDArray[np.int64]
    who: NDArray[np.int32]
    home: NDArray[np.int32]
    dots: Floats


@reassociated
def add_shared_dots(
    gi: Floats,
    weight: Floats,
    active: Events,
    b: int,
    samples: int,
    t: int,
    gs: Floats,
    sort: Sharing,
) -> None:
    """Add the products of ``weight`` rows with ``gi`` of a group of samples where they are active.

    The active neurons of all samples are sorted, so that a weight row is fetched once per group.
    """
    starts, who, home, dots = sort.starts, sort.who, sort.home, sort.dots
    n = weight.shape[0]
    for j in range(n + 2):
        starts[j] = 0
    for g in range(samples):
        for q in range(active.pointer[b + g, t], active.pointer[b + g, t + 1]):
            starts[np.uint64(active.channel[q]) + np.uint64(2)] += 1
    for j in range(2, n + 2):
        starts[j] += starts[j - 1]
    for g in range(samples):
        first = active.pointer[b + g, t]
        for q in range(active.pointer[b + g, t + 1] - first):
            cell = np.uint64(active.channel[first + q]) + np.uint64(1)
            place = starts[cell]
            who[place] = g
            home[g, q] = place
            starts[cell] = place + 1
    for j in range(n):
        for e in range(starts[j], starts[j + 1], 4):
            put_shared(weight[j], gi, who, e, starts[j + 1] - 1, dots)
    for g in range(samples):
        for q in range(active.pointer[b + g, t + 1] - active.pointer[b + g, t]):
            gs[g, q] += dots[np.uint64(home[g, q])]


@part
def put_shared(
    w: Floats, gi: Floats, who: NDArray[np.int32], e: int, last: int, dots: Floats
) -> None:
    """Give the products of a weight row with those of four samples, or fewer at the end."""
    r0, r1 = gi[who[e]], gi[who[min(e + 1, last)]]
    r2, r3 = gi[who[min(e + 2, last)]], gi[who[min(e + 3, last)]]
    zero = spread(F32(0.0))
    a0, a1, a2, a3 = zero, zero, zero, zero
    b0, b1, b2, b3 = zero, zero, zero, zero
    pairs = w.shape[0] // (2 * WIDTH) * (2 * WIDTH)
    for m in range(0, pairs, 2 * WIDTH):
        c, d = load(w, m), load(w, m + WIDTH)
        a0, b0 = fused(load(r0, m), c, a0), fused(load(r0, m + WIDTH), d, b0)
        a1, b1 = fused(load(r1, m), c, a1), fused(load(r1, m + WIDTH), d, b1)
        a2, b2 = fused(load(r2, m), c, a2), fused(load(r2, m + WIDTH), d, b2)
        a3, b3 = fused(load(r3, m), c, a3), fused(load(r3, m + WIDTH), d, b3)
    if pairs < w.shape[0]:
        c = load(w, pairs)
        a0, a1 = fused(load(r0, pairs), c, a0), fused(load(r1, pairs), c, a1)
        a2, a3 = fused(load(r2, pairs), c, a2), fused(load(r3, pairs), c, a3)
    store_sums4(dots, e, add(a0, b0), add(a1, b1), add(a2, b2), add(a3, b3))
