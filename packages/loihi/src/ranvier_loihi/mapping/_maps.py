"""Linear maps between flattened signals, in the layout that the chip can keep."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from ranvier.graph import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Linear,
    Node,
    Scale,
    SparseLinear,
    SumPool2d,
)

from ..nodes import Average, Unpool

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Csr: TypeAlias = Any  # scipy publishes no types


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """A cross-correlation over two axes, as in torch."""

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearMap:
    """``y = matrix x`` of ``n_source`` to ``n_target`` values, kept as it was written down.

    Parameters
    ----------
    kind : {"identity", "dense", "sparse", "conv"}
        Layout.
    n_source, n_target : int
        Size.
    weight : array
        "dense": (n_target, n_source); "sparse": (n_synapses,); "conv": (c_out, c_in / groups, kh,
        kw); "identity": (), the factor.
    indices, indptr : array of int
        "sparse": a CSR matrix.
    window : Window or None
        "conv".
    """

    kind: str
    n_source: int
    n_target: int
    weight: Floats
    indices: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    indptr: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    window: Window | None = None

    @classmethod
    def identity(cls, size: int) -> LinearMap:
        """Return the map that changes nothing."""
        return cls(kind="identity", n_source=size, n_target=size, weight=np.array(1.0))

    @classmethod
    def of_csr(cls, matrix: Csr) -> LinearMap:
        """Keep a CSR matrix: as dense weights where most of them are not zero."""
        n_target, n_source = matrix.shape
        if 2 * matrix.nnz > n_target * n_source:
            dense = np.ascontiguousarray(matrix.toarray())
            return cls(kind="dense", n_source=n_source, n_target=n_target, weight=dense)
        return cls(
            kind="sparse",
            n_source=n_source,
            n_target=n_target,
            weight=np.asarray(matrix.data, dtype=np.float64),
            indices=np.asarray(matrix.indices, dtype=np.int64),
            indptr=np.asarray(matrix.indptr, dtype=np.int64),
        )

    def scaled(self, factor: float) -> LinearMap:
        """Return the map times a number."""
        if factor == 1.0:
            return self
        return dataclasses.replace(self, weight=self.weight * factor)

    def as_sparse(self) -> LinearMap:
        """Return the same map in the layout "sparse"."""
        if self.kind == "sparse":
            return self
        matrix = self.csr()
        return LinearMap(
            kind="sparse",
            n_source=self.n_source,
            n_target=self.n_target,
            weight=np.asarray(matrix.data, dtype=np.float64),
            indices=np.asarray(matrix.indices, dtype=np.int64),
            indptr=np.asarray(matrix.indptr, dtype=np.int64),
        )

    def csr(self) -> Csr:
        """Return the matrix, (n_target, n_source)."""
        shape = (self.n_target, self.n_source)
        if self.window is not None:
            return _convolution(self.weight, self.window)
        if self.kind == "dense":
            return sparse.csr_array(self.weight)
        if self.kind == "sparse":
            return sparse.csr_array((self.weight, self.indices, self.indptr), shape=shape)
        diagonal = np.full(self.n_source, float(self.weight))
        return sparse.diags_array(diagonal, format="csr")


def map_of(node: Node) -> LinearMap:
    """Return the linear part of a stateless node; a Delay or Flatten is the identity."""
    if isinstance(node, Linear):
        n_target, n_source = node.weight.shape
        return LinearMap(kind="dense", n_source=n_source, n_target=n_target, weight=node.weight)
    if isinstance(node, SparseLinear):
        return LinearMap(
            kind="sparse",
            n_source=node.n_in,
            n_target=node.size,
            weight=node.data,
            indices=node.indices,
            indptr=node.indptr,
        )
    if isinstance(node, Scale):
        scale = np.broadcast_to(node.scale, node.shape).ravel()
        if np.all(scale == scale[0]):
            return LinearMap.identity(node.size).scaled(float(scale[0]))
        return LinearMap.of_csr(sparse.diags_array(scale, format="csr"))
    if isinstance(node, Conv1d | Conv2d | SumPool2d | AvgPool2d):
        return _windowed(node)
    if isinstance(node, ConvTranspose2d):
        window = Window(
            input_shape=node.output_shape,
            output_shape=node.shape,
            stride=node.stride,
            padding=node.padding,
            dilation=node.dilation,
            groups=node.groups,
        )
        return LinearMap.of_csr(_convolution(node.weight, window).T.tocsr())
    if isinstance(node, Unpool):
        return LinearMap.of_csr(_unpool(node))
    if isinstance(node, Average):
        return LinearMap.of_csr(_average(node))
    return LinearMap.identity(node.size)


def bias_of(node: Node) -> Floats | None:
    """Return the flattened bias of a stateless node, or None."""
    bias = getattr(node, "bias", None)
    if bias is None:
        return None
    return np.repeat(np.asarray(bias, dtype=np.float64), node.size // bias.size)


def _windowed(node: Conv1d | Conv2d | SumPool2d | AvgPool2d) -> LinearMap:
    """Return convolutions and pools as one over two axes; a Conv1d gets a height of one."""
    channels = node.shape[0]
    dilation: tuple[int, ...] = (1, 1)
    if isinstance(node, SumPool2d | AvgPool2d):
        area = int(np.prod(node.kernel_size)) if isinstance(node, AvgPool2d) else 1
        weight = np.full((channels, 1, *node.kernel_size), 1.0 / area)
        groups = channels
    else:
        weight, dilation, groups = node.weight, node.dilation, node.groups
    one = isinstance(node, Conv1d)

    def pair(values: tuple[int, ...], first: int) -> tuple[int, ...]:
        return (first, *values) if one else values

    window = Window(
        input_shape=(channels, *pair(node.shape[1:], 1)),
        output_shape=(node.output_shape[0], *pair(node.output_shape[1:], 1)),
        stride=pair(node.stride, 1),
        padding=pair(node.padding, 0),
        dilation=pair(dilation, 1),
        groups=groups,
    )
    return LinearMap(
        kind="conv",
        n_source=int(np.prod(window.input_shape)),
        n_target=node.size,
        weight=weight[:, :, None] if one else weight,
        window=window,
    )


def _convolution(weight: Floats, window: Window) -> Csr:
    """Return a cross-correlation as a CSR matrix, one tap of the kernel at a time."""
    c_out, per_group, *kernel = weight.shape
    inside = window.groups * per_group
    size_in, size_out = window.input_shape[1:], window.output_shape[1:]
    out_channel = np.arange(c_out)[:, None]
    in_channel = out_channel // (c_out // window.groups) * per_group + np.arange(per_group)
    rows, columns, values = [], [], []
    for tap in itertools.product(*map(range, kernel)):
        seen, wanted = _tap_positions(tap, window)
        shape = (c_out, per_group, seen.size)
        row = out_channel[:, :, None] * int(np.prod(size_out)) + wanted
        column = in_channel[:, :, None] * int(np.prod(size_in)) + seen
        rows.append(np.broadcast_to(row, shape).ravel())
        columns.append(np.broadcast_to(column, shape).ravel())
        values.append(np.broadcast_to(weight[:, :, *tap, None], shape).ravel())
    matrix = sparse.coo_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(c_out * int(np.prod(size_out)), inside * int(np.prod(size_in))),
    ).tocsr()
    matrix.eliminate_zeros()
    return matrix


def _tap_positions(tap: tuple[int, ...], window: Window) -> tuple[Ints, Ints]:
    """Return flat positions that a tap sees, and the output positions that see them."""
    seen, wanted = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for offset, n, m, s, p, d in zip(
        tap,
        window.input_shape[1:],
        window.output_shape[1:],
        window.stride,
        window.padding,
        window.dilation,
        strict=True,
    ):
        out = np.arange(m)
        at = out * s + offset * d - p
        good = (at >= 0) & (at < n)
        seen = (seen[:, None] * n + at[good]).ravel()
        wanted = (wanted[:, None] * m + out[good]).ravel()
    return seen, wanted


def _unpool(node: Unpool) -> Csr:
    kh, kw = node.kernel_size
    positions = np.arange(int(np.prod(node.shape))).reshape(node.shape)
    column = np.repeat(np.repeat(positions, kh, axis=1), kw, axis=2).ravel()
    size = column.size
    return sparse.csr_array(
        (np.ones(size), column, np.arange(size + 1)), shape=(size, positions.size)
    )


def _average(node: Average) -> Csr:
    size = int(np.prod(node.shape))
    group = size // node.num_outputs
    return sparse.csr_array(
        (np.full(size, 1.0 / group), np.arange(size), np.arange(0, size + 1, group)),
        shape=(node.num_outputs, size),
    )
