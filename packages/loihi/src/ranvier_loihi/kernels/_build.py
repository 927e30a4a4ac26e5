"""Compiled loops that bring synapses into blocks of targets, sorted by source."""

from __future__ import annotations

import numpy as np

from ._jit import Array, jit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)


@jit
def count_rows(indptr: Array, indices: Array, block: int, pointers: Array) -> None:
    """Count the synapses of every block and source into ``pointers[b, s + 1]``."""
    for row in range(indptr.size - 1):
        b = row // block
        for k in range(indptr[row], indptr[row + 1]):
            pointers[b, indices[k] + 1] += 1


@jit
def chain(pointers: Array) -> None:
    """Turn counts into places: running sums through all blocks."""
    total = 0
    for b in range(pointers.shape[0]):
        pointers[b, 0] = total
        for s in range(1, pointers.shape[1]):
            total += pointers[b, s]
            pointers[b, s] = total


@jit
def place_rows(
    indptr: Array, indices: Array, values: Array, block: int, pointers: Array, out: Array
) -> None:
    """Write ``values`` of a CSR matrix (rows are targets) to their places."""
    place = pointers.copy()
    for row in range(indptr.size - 1):
        b = row // block
        for k in range(indptr[row], indptr[row + 1]):
            s = indices[k]
            out[place[b, s]] = values[k]
            place[b, s] += 1


@jit
def place_targets(indptr: Array, indices: Array, block: int, pointers: Array, out: Array) -> None:
    """Write the target within its block of every synapse to its place."""
    place = pointers.copy()
    for row in range(indptr.size - 1):
        b = row // block
        for k in range(indptr[row], indptr[row + 1]):
            s = indices[k]
            out[place[b, s]] = row - b * block
            place[b, s] += 1


@jit
def mixed(counter: np.uint64) -> np.uint64:
    """Return 64 well mixed bits of a counter (finaliser of SplitMix64)."""
    z = counter * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_A
    z = (z ^ (z >> np.uint64(27))) * _MIX_B
    return z ^ (z >> np.uint64(31))


@jit
def random_counts(seed: np.uint64, n_target: int, fan_out: int, block: int, counts: Array) -> None:
    """Share ``fan_out`` of every source among the blocks, in proportion to their targets.

    What does not divide evenly goes to blocks that start at a random one.
    """
    blocks, n_source = counts.shape[0], counts.shape[1] - 1
    for s in range(n_source):
        left = fan_out
        for b in range(blocks):
            width = min(block, n_target - b * block)
            share = fan_out * width // n_target
            counts[b, s + 1] = share
            left -= share
        first = np.int64(mixed(seed ^ np.uint64(s)) % np.uint64(blocks))
        for k in range(left):
            counts[(first + k) % blocks, s + 1] += 1


@jit
def random_fill(
    seed: np.uint64,
    n_target: int,
    block: int,
    pointers: Array,
    grid: Array,
    targets: Array,
    weights: Array,
) -> None:
    """Draw targets and weights of all synapses; the draw depends on the place only."""
    n_grid = np.uint64(grid.size)
    for b in range(pointers.shape[0]):
        width = np.uint64(min(block, n_target - b * block))
        for k in range(pointers[b, 0], pointers[b, pointers.shape[1] - 1]):
            bits = mixed(seed + np.uint64(k) + np.uint64(1))
            low, high = bits & np.uint64(0xFFFFFFFF), bits >> np.uint64(32)
            targets[k] = (low * width) >> np.uint64(32)
            weights[k] = grid[np.int64((high * n_grid) >> np.uint64(32))]
