"""Convolutions and pools on channel-first maps ``(c, h, w)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from ._fields import array
from .maps import checked_shape
from .node import Node, Shape, register_node


def output_length(n: int, *, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return ``floor((n + 2 p - d (k - 1) - 1) / s + 1)``, the length after a convolution."""
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Windowed(Node):
    """A node that slides a window over the spatial axes of ``shape`` = (c, *spatial)."""

    shape: Shape

    def input_shape(self, port: str = "in") -> Shape:
        """Return (c, *spatial)."""
        return self.shape

    def _tuples(self, axes: int, **minimum: int) -> None:
        """Make window settings tuples with one entry per spatial axis and check their range."""
        object.__setattr__(self, "shape", checked_shape(self.shape, where=self.kind))
        if len(self.shape) != axes + 1:
            raise GraphError(f"{self.kind}: shape {self.shape} must have {axes + 1} axes (c, ...)")
        for name, low in minimum.items():
            value = getattr(self, name)
            given = (value,) * axes if np.ndim(value) == 0 else tuple(int(v) for v in value)
            if len(given) != axes or any(v < low for v in given):
                raise GraphError(f"{self.kind}: {name} {value!r} needs {axes} integers >= {low}")
            object.__setattr__(self, name, tuple(int(v) for v in given))

    def _check_output(self) -> None:
        if any(s < 1 for s in self.output_shape):
            raise GraphError(
                f"{self.kind}: window is larger than the padded input {self.shape}; "
                f"the output would have shape {self.output_shape}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution(Windowed):
    """Common part of the convolutions; weight ``(c_out, c_in / groups, *kernel)``."""

    axes: ClassVar[int] = 2
    weight: NDArray[np.float64] = array(axes="free")
    bias: NDArray[np.float64] | None = array(None, axes="free", optional=True)
    stride: Shape = (1,)
    padding: Shape = (0,)
    dilation: Shape = (1,)
    groups: int = 1

    def check(self) -> None:
        """Check weight, bias and window against the input shape."""
        for name in ("stride", "padding", "dilation"):
            value = getattr(self, name)
            if np.ndim(value) == 1 and len(value) == 1:
                object.__setattr__(self, name, value[0])
        self._tuples(self.axes, stride=1, padding=0, dilation=1)
        if self.weight.ndim != self.axes + 2:
            raise GraphError(
                f"{self.kind}: weight has shape {self.weight.shape}, expected {self.axes + 2} axes"
            )
        if self.groups < 1 or self.weight.shape[0] % self.groups:
            raise GraphError(f"{self.kind}: groups = {self.groups} does not divide the channels")
        if self._channels_in() != self.shape[0]:
            raise GraphError(
                f"{self.kind}: weight {self.weight.shape} with groups = {self.groups} takes "
                f"{self._channels_in()} channels, the input shape {self.shape} has {self.shape[0]}"
            )
        if self.bias is not None and self.bias.shape != self.output_shape[:1]:
            raise GraphError(
                f"{self.kind}: bias has shape {self.bias.shape}, expected {self.output_shape[:1]}"
            )
        self._check_output()

    def _channels_in(self) -> int:
        return int(self.weight.shape[1]) * self.groups

    @property
    def output_shape(self) -> Shape:
        """(c_out, *spatial_out)."""
        spatial = tuple(
            output_length(n, kernel=k, stride=s, padding=p, dilation=d)
            for n, k, s, p, d in zip(
                self.shape[1:],
                self.weight.shape[2:],
                self.stride,
                self.padding,
                self.dilation,
                strict=True,
            )
        )
        return (self.weight.shape[0], *spatial)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Conv1d(Convolution):
    """Cross-correlation over one axis, as in torch.

    Parameters
    ----------
    shape : tuple of int
        Input, (c_in, n).
    weight : array, (c_out, c_in / groups, k)
        Kernels.
    bias, stride, padding, dilation, groups
        As `Conv2d`, over one axis.
    """

    kind: ClassVar[str] = "Conv1d"
    axes: ClassVar[int] = 1


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class Conv2d(Convolution):
    """Cross-correlation over two axes, as in torch.

    Parameters
    ----------
    shape : tuple of int
        Input, (c_in, h, w).
    weight : array, (c_out, c_in / groups, kh, kw)
        Kernels.
    bias : array, (c_out,), or None
        Added in every step.
    stride, padding, dilation : int or pair of int
        Step between windows >= 1, zeros on both sides >= 0, step between taps >= 1.
    groups : int
        Groups of channels that are convolved alone, >= 1.
    """

    kind: ClassVar[str] = "Conv2d"


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class ConvTranspose2d(Convolution):
    """Transposed convolution over two axes, as in torch.

    Parameters
    ----------
    shape : tuple of int
        Input, (c_in, h, w).
    weight : array, (c_in, c_out / groups, kh, kw)
        Kernels.
    bias, stride, padding, dilation, groups
        As `Conv2d`.
    """

    kind: ClassVar[str] = "ConvTranspose2d"

    def _channels_in(self) -> int:
        return int(self.weight.shape[0])

    @property
    def output_shape(self) -> Shape:
        """(c_out, h_out, w_out)."""
        spatial = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, k, s, p, d in zip(
                self.shape[1:],
                self.weight.shape[2:],
                self.stride,
                self.padding,
                self.dilation,
                strict=True,
            )
        )
        return (self.weight.shape[1] * self.groups, *spatial)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool2d(Windowed):
    """Common part of the pools; padding counts as zeros."""

    kernel_size: Shape
    stride: Shape
    padding: Shape = (0, 0)

    def check(self) -> None:
        """Check the window against the input shape."""
        self._tuples(2, kernel_size=1, stride=1, padding=0)
        self._check_output()

    @property
    def output_shape(self) -> Shape:
        """(c, h_out, w_out)."""
        spatial = tuple(
            output_length(n, kernel=k, stride=s, padding=p, dilation=1)
            for n, k, s, p in zip(
                self.shape[1:], self.kernel_size, self.stride, self.padding, strict=True
            )
        )
        return (self.shape[0], *spatial)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class SumPool2d(Pool2d):
    """Sum over each window.

    Parameters
    ----------
    shape : tuple of int
        Input, (c, h, w).
    kernel_size, stride : int or pair of int
        Window and step between windows, >= 1.
    padding : int or pair of int
        Zeros on both sides, >= 0.
    """

    kind: ClassVar[str] = "SumPool2d"


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class AvgPool2d(Pool2d):
    """Mean over each window, padded zeros counted.

    Parameters
    ----------
    shape, kernel_size, stride, padding
        As `SumPool2d`.
    """

    kind: ClassVar[str] = "AvgPool2d"
