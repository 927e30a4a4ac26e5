"""Convolutions, pools and sparse maps as lists of weights per input element."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..graph import ConvTranspose2d, Node, Shape, SparseLinear
from ..graph.convolution import Convolution, Pool2d

Triplets = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
Side = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Channels, and places in their maps."""


@dataclass(frozen=True)
class Columns:
    """A sparse matrix by input element.

    Parameters
    ----------
    pointers : array of int, (n_in + 1,)
        Start of each input's weights.
    targets : array of int32, (n_weights,)
        Output element of each weight, ascending per input.
    weights : array, (n_weights,)
        Never zero.
    """

    pointers: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.float64]


def sparse_columns(node: Node) -> Columns:
    """Return the linear part of a SparseLinear, convolution or pool; a pool sums."""
    outputs, inputs, weights = _triplets(node)
    used = weights != 0.0
    outputs, inputs, weights = outputs[used], inputs[used], weights[used]
    order = np.lexsort((outputs, inputs))
    size = int(np.prod(node.input_shape()))
    pointers = np.zeros(size + 1, dtype=np.int64)
    np.cumsum(np.bincount(inputs, minlength=size), out=pointers[1:])
    return Columns(pointers, outputs[order].astype(np.int32), weights[order])


def _triplets(node: Node) -> Triplets:
    """Return output element, input element and weight of every connection."""
    if isinstance(node, SparseLinear):
        rows = np.repeat(np.arange(node.indptr.size - 1), np.diff(node.indptr))
        return rows, node.indices, node.data
    if isinstance(node, Pool2d):
        return _pool(node)
    if isinstance(node, Convolution):
        return _convolution(node)
    raise TypeError(f"{node.kind} has no sparse form")


def _convolution(node: Convolution) -> Triplets:
    """Return the connections of a convolution; a transposed one swaps windows and field."""
    windows, field = node.output_shape[1:], node.shape[1:]
    transposed = isinstance(node, ConvTranspose2d)
    if transposed:
        windows, field = field, windows
    n_window, n_field = node.weight.shape[:2]  # channels; of the field: those of one group
    window_channel = np.repeat(np.arange(n_window), n_field)
    group = window_channel // (n_window // node.groups)
    field_channel = group * n_field + np.tile(np.arange(n_field), n_window)
    parts = []
    for tap in itertools.product(*(range(k) for k in node.weight.shape[2:])):
        pairs = _windows(windows, field, tap, node.stride, node.padding, node.dilation)
        sides = ((window_channel, pairs[0]), (field_channel, pairs[1]))
        outputs, inputs = reversed(sides) if transposed else sides
        parts.append(_spread(node, outputs, inputs, _tap(node, tap)))
    return _joined(parts)


def _tap(node: Convolution, tap: Shape) -> NDArray[np.float64]:
    """Return the weights of one tap of the kernel, for every pair of channels."""
    channels: NDArray[np.float64] = np.moveaxis(node.weight, (0, 1), (-2, -1))[tap]
    return channels.ravel()


def _pool(node: Pool2d) -> Triplets:
    channels = np.arange(node.shape[0])
    parts = []
    for tap in itertools.product(*(range(k) for k in node.kernel_size)):
        outputs, inputs = _windows(
            node.output_shape[1:], node.shape[1:], tap, node.stride, node.padding, (1, 1)
        )
        ones = np.ones(channels.size)
        parts.append(_spread(node, (channels, outputs), (channels, inputs), ones))
    return _joined(parts)


def _windows(
    windows: Shape, field: Shape, tap: Shape, stride: Shape, padding: Shape, dilation: Shape
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return flat (window, field) pairs that one tap of the kernel connects."""
    window: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
    place: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
    for axis, k in enumerate(tap):
        steps = np.arange(windows[axis])
        at = steps * stride[axis] - padding[axis] + k * dilation[axis]
        inside = (at >= 0) & (at < field[axis])
        window = (window[:, None] * windows[axis] + steps[inside]).ravel()
        place = (place[:, None] * field[axis] + at[inside]).ravel()
    return window, place


def _spread(
    node: Convolution | Pool2d, outputs: Side, inputs: Side, values: NDArray[np.float64]
) -> Triplets:
    """Repeat the pairs of one tap for every pair of channels."""
    rows = _elements(outputs, int(np.prod(node.output_shape[1:])))
    columns = _elements(inputs, int(np.prod(node.shape[1:])))
    return rows, columns, np.repeat(values, outputs[1].size)


def _elements(side: Side, size: int) -> NDArray[np.int64]:
    """Return flat elements of maps with ``size`` places, channel by channel."""
    channel, place = side
    elements: NDArray[np.int64] = (channel[:, None] * size + place).ravel()
    return elements


def _joined(parts: list[Triplets]) -> Triplets:
    rows, columns, values = zip(*parts, strict=True)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
