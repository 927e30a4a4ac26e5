"""Instructions without state of their own: sums, linear maps, delays."""

from __future__ import annotations

from ._compiled import Floats, Ints, compiled
from .opcodes import STRICT


@compiled
def recall(n: int, val: Floats, y: int, row: Floats, ring: int, slot: int) -> None:
    """Add what a ring holds in one slot."""
    base = ring + slot * n
    for i in range(n):
        val[y + i] += row[base + i]


@compiled
def push(n: int, val: Floats, x: int, row: Floats, ring: int, slot: int) -> None:
    """Put values into a slot of a ring."""
    base = ring + slot * n
    for i in range(n):
        row[base + i] = val[x + i]


@compiled
def delay(
    n: int,
    val: Floats,
    y: int,
    x: int,
    row: Floats,
    ring: int,
    depth: int,
    step: int,
    par: Floats,
    delays: int,
) -> None:
    """Hand on each element with its own delay in steps, then remember the present."""
    for i in range(n):
        steps = int(par[delays + i])
        if steps == 0:
            val[y + i] = val[x + i]
        else:
            val[y + i] = row[ring + ((step - steps) % depth) * n + i]
    push(n, val, x, row, ring, step % depth)


@compiled
def dense(n: int, val: Floats, y: int, x: int, n_in: int, weights: Floats, base: int) -> None:
    """Add the columns of a matrix (n_in, n) for inputs that are not zero."""
    for j in range(n_in):
        value = val[x + j]
        if value != 0.0:
            column = base + j * n
            for i in range(n):
                val[y + i] += value * weights[column + i]


@compiled
def sparse(
    val: Floats,
    y: int,
    x: int,
    n_in: int,
    weights: Floats,
    targets: Ints,
    pointers: Ints,
    base: int,
) -> None:
    """Add the non-zero weights of inputs that are not zero."""
    for j in range(n_in):
        value = val[x + j]
        if value != 0.0:
            for k in range(pointers[base + j], pointers[base + j + 1]):
                val[y + targets[k]] += value * weights[k]


@compiled
def compare(n: int, val: Floats, y: int, x: int, par: Floats, level: int, flags: int) -> None:
    """Give one where the input reaches the threshold."""
    for i in range(n):
        value, threshold = val[x + i], par[level + i]
        above = value > threshold or (value == threshold and not flags & STRICT)
        val[y + i] = 1.0 if above else 0.0
