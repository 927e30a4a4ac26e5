"""Maps between neurons as lists of weights, and products of such lists.

What convolutions and pools connect is little compared with the size of their matrices.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.graph import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Linear,
    Node,
    Scale,
    SparseLinear,
    SumPool2d,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 1 << 23
"""Most terms of a product that are held at a time."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights in coordinates: one entry per pair that is connected.

    Parameters
    ----------
    source, target : array of int, (n,)
        Element of the source node and of the target node.
    value : array, (n,)
        Not 0.
    """

    source: Ints
    target: Ints
    value: Floats


def identity(size: int) -> Weights:
    """Return the weights that connect every element to itself."""
    every = np.arange(size)
    return Weights(every, every, np.ones(size))


def weights_of(node: Node) -> Weights | None:
    """Return the weights of a stateless map, sorted by source; None if it only reshapes.

    Parameters
    ----------
    node : Node
        A Linear, SparseLinear, Conv1d, Conv2d, SumPool2d, AvgPool2d, Scale or Flatten.
    """
    if isinstance(node, Linear):
        source, target = np.nonzero(node.weight.T)
        return Weights(source, target, node.weight[target, source])
    if isinstance(node, SparseLinear):
        target = np.repeat(np.arange(node.size), np.diff(node.indptr))
        return summed([Weights(node.indices, target, node.data)])
    if isinstance(node, Scale):
        every = np.arange(node.size)
        return summed([Weights(every, every, np.broadcast_to(node.scale, node.shape).ravel())])
    if isinstance(node, Conv1d | Conv2d):
        return _convolution(node)
    if isinstance(node, SumPool2d | AvgPool2d):
        return _pool(node)
    return None


def _convolution(node: Conv1d | Conv2d) -> Weights:
    channels, per_group, *kernel = node.weight.shape
    weight = node.weight.reshape(channels, per_group, -1, 1)
    group = np.arange(channels) // (channels // node.groups)
    into = (group[:, None] * per_group + np.arange(per_group))[..., None]
    n_in, n_out = (int(np.prod(s[1:])) for s in (node.shape, node.output_shape))
    parts = []
    for tap, seen, shown in _taps(node, kernel, node.dilation):
        source, target, value = np.broadcast_arrays(
            into * n_in + seen,
            np.arange(channels)[:, None, None] * n_out + shown,
            weight[:, :, tap],
        )
        parts.append(Weights(source.ravel(), target.ravel(), value.ravel()))
    return summed(parts)


def _pool(node: SumPool2d | AvgPool2d) -> Weights:
    n_in, n_out = (int(np.prod(s[1:])) for s in (node.shape, node.output_shape))
    channel = np.arange(node.shape[0])[:, None]
    share = 1 / np.prod(node.kernel_size) if isinstance(node, AvgPool2d) else 1.0
    parts = []
    for _, seen, shown in _taps(node, node.kernel_size, [1] * len(node.kernel_size)):
        source, target = (channel * n_in + seen).ravel(), (channel * n_out + shown).ravel()
        parts.append(Weights(source, target, np.full(source.size, share)))
    return summed(parts)


def _taps(
    node: Conv1d | Conv2d | SumPool2d | AvgPool2d, kernel: Sequence[int], dilation: Sequence[int]
) -> Iterator[tuple[int, Ints, Ints]]:
    """Yield every offset of a kernel with the pixels that it sees and those that it adds to."""
    inside, outside = node.shape[1:], node.output_shape[1:]
    for number, offset in enumerate(itertools.product(*map(range, kernel))):
        seen, shown = [], []
        for axis, k in enumerate(offset):
            out = np.arange(outside[axis])
            at = out * node.stride[axis] + k * dilation[axis] - node.padding[axis]
            valid = (at >= 0) & (at < inside[axis])
            seen.append(at[valid])
            shown.append(out[valid])
        yield number, _flat(seen, inside), _flat(shown, outside)


def _flat(axes: Sequence[Ints], shape: Sequence[int]) -> Ints:
    return np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), tuple(shape)).ravel()


def summed(parts: Sequence[Weights]) -> Weights:
    """Return weights with equal ends added up, sorted by source, then target, without zeros."""
    source = np.concatenate([p.source for p in parts])
    target = np.concatenate([p.target for p in parts])
    value = np.concatenate([p.value for p in parts])
    order = np.lexsort((target, source))
    source, target, value = source[order], target[order], value[order]
    new = np.ones(source.size, dtype=np.bool_)
    new[1:] = (np.diff(source) != 0) | (np.diff(target) != 0)
    first = np.flatnonzero(new)
    total = np.add.reduceat(value, first) if first.size else value
    kept = total != 0
    return Weights(source[first][kept], target[first][kept], total[kept])


def product(before: Weights, behind: Weights) -> Weights | None:
    """Return one map after another; None if that takes more than `MOST` terms.

    Parameters
    ----------
    before : Weights
        First map.
    behind : Weights
        Second map, sorted by source.
    """
    low = np.searchsorted(behind.source, before.target, side="left")
    count = np.searchsorted(behind.source, before.target, side="right") - low
    total = int(count.sum())
    if total > MOST:
        return None
    own = np.repeat(np.arange(before.target.size), count)
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])[: count.size]
    other = np.arange(total) + np.repeat(low - starts, count)
    value = before.value[own] * behind.value[other]
    return summed([Weights(before.source[own], behind.target[other], value)])
