"""Stateless nodes as matrices: each kind applied to a batch of rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .convolution import AvgPool2d, Conv1d, Conv2d, SumPool2d
from .maps import Flatten, Linear, Output, Scale, SparseLinear
from .node import Node

Array = NDArray[np.float64]

STATELESS = (Linear, SparseLinear, Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten, Scale, Output)
"""Kinds that fold into weights; an Output hands on what arrives."""


def apply_linear(node: Node, rows: Array) -> Array:
    """Return the linear part of a stateless node for many inputs at once.

    Parameters
    ----------
    node : Node
        One of `STATELESS`.
    rows : array, (n, node's input size)
        Flattened inputs, C-major.

    Returns
    -------
    array, (n, node's output size)
    """
    if isinstance(node, Linear):
        return rows @ node.weight.T
    if isinstance(node, SparseLinear):
        return rows @ _dense(node).T
    if isinstance(node, Scale):
        return rows * np.broadcast_to(node.scale, node.shape).ravel()
    if isinstance(node, Conv1d | Conv2d):
        maps = rows.reshape(-1, *node.shape)
        return _convolve(node, maps).reshape(len(rows), -1)
    if isinstance(node, SumPool2d | AvgPool2d):
        maps = rows.reshape(-1, *node.shape)
        return _pool(node, maps).reshape(len(rows), -1)
    return rows


def bias_of(node: Node) -> Array | None:
    """Return the flattened bias of a stateless node, or None."""
    bias = getattr(node, "bias", None)
    if bias is None:
        return None
    if isinstance(node, Conv1d | Conv2d):
        return np.repeat(bias, node.size // bias.size)
    return np.asarray(bias, dtype=np.float64)


def _dense(node: SparseLinear) -> Array:
    weight = np.zeros((node.output_shape[0], node.n_in))
    np.add.at(
        weight, (np.repeat(np.arange(len(weight)), np.diff(node.indptr)), node.indices), node.data
    )
    return weight


def _convolve(node: Conv1d | Conv2d, maps: Array) -> Array:
    """Cross-correlate (n, c, *spatial), one kernel offset at a time."""
    padded = _padded(maps, node.padding)
    spatial = node.output_shape[1:]
    result = np.zeros((len(maps), node.groups, node.output_shape[0] // node.groups, *spatial))
    window = node.weight.shape[2:]
    weight = node.weight.reshape(node.groups, -1, node.weight.shape[1], int(np.prod(window)))
    for number, offset in enumerate(itertools.product(*map(range, window))):
        start = [o * d for o, d in zip(offset, node.dilation, strict=True)]
        seen = _window(padded, start, node.stride, spatial)
        grouped = seen.reshape(len(maps), node.groups, -1, *spatial)
        result += np.einsum("ngi...,goi->ngo...", grouped, weight[..., number])
    return result


def _pool(node: SumPool2d | AvgPool2d, maps: Array) -> Array:
    padded = _padded(maps, node.padding)
    spatial = node.output_shape[1:]
    result = np.zeros((len(maps), *node.output_shape))
    for offset in itertools.product(*map(range, node.kernel_size)):
        result += _window(padded, offset, node.stride, spatial)
    return result / np.prod(node.kernel_size) if isinstance(node, AvgPool2d) else result


def _padded(maps: Array, padding: Sequence[int]) -> Array:
    return np.pad(maps, [(0, 0), (0, 0), *((p, p) for p in padding)])


def _window(
    padded: Array, start: Sequence[int], stride: Sequence[int], spatial: Sequence[int]
) -> Array:
    """Return what one kernel offset sees, (n, c, *spatial)."""
    cuts = [
        slice(a, a + s * (n - 1) + 1, s) for a, s, n in zip(start, stride, spatial, strict=True)
    ]
    return padded[(slice(None), slice(None), *cuts)]
