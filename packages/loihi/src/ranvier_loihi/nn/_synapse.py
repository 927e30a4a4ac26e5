"""Synapses: linear maps whose weights pass a quantiser before use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as f
from torch.nn.utils import parametrizations

from ranvier.errors import GraphError

from ._quantize import quantize_8bit

Pair: TypeAlias = "int | tuple[int, int]"
Quantizer: TypeAlias = Callable[[Tensor], Tensor]
Shape: TypeAlias = tuple[int, ...]


def pair(value: Pair, *, name: str, minimum: int) -> tuple[int, int]:
    """Return a window setting as (vertical, horizontal).

    Raises
    ------
    GraphError
        It is neither an integer nor two of them, or below the minimum.
    """
    both = (value, value) if isinstance(value, int) else tuple(int(v) for v in value)
    if len(both) != 2 or min(both) < minimum:
        raise GraphError(f"{name} is {value!r}; it must be one or two integers >= {minimum}")
    return both[0], both[1]


def map_shape(shape: Shape, *, where: str) -> tuple[int, int, int]:
    """Check that a shape is (channels, height, width)."""
    if len(shape) != 3 or min(shape) < 1:
        raise GraphError(f"{where}: in_shape is {shape}; it must be (channels, height, width)")
    return shape


class Synapse(nn.Module):
    """Common part of the synapses.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
        Shapes without batch and time.
    pre_hook : callable or None
        Applied to the weights before use: ``pre_hook(weight) -> weight``; None uses them as
        they are.
    """

    weight: Tensor

    def __init__(self, in_shape: Shape, out_shape: Shape, *, pre_hook: Quantizer | None) -> None:
        super().__init__()
        self.in_shape = in_shape
        self.out_shape = out_shape
        self.pre_hook = pre_hook

    @property
    def used_weight(self) -> Tensor:
        """The weights after the hook, as the forward pass and an export take them."""
        return self.weight if self.pre_hook is None else self.pre_hook(self.weight)

    def _make_weight(self, *shape: int, weight_scale: float, weight_norm: bool) -> None:
        """Draw the weights as torch's convolutions do, U(-1, 1) / sqrt(fan-in), times a scale."""
        weight = torch.empty(shape)
        nn.init.kaiming_uniform_(weight, a=5**0.5)
        self.weight = nn.Parameter(weight * weight_scale)
        if weight_norm:
            parametrizations.weight_norm(self, "weight")

    @abstractmethod
    def maps(self, x: Tensor) -> Tensor:
        """Apply to ``(n, *in_shape)``."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply to every step: ``(batch, time, *in_shape)`` to ``(batch, time, *out_shape)``."""
        if tuple(x.shape[2:]) != self.in_shape:
            raise GraphError(
                f"{type(self).__name__}: input has shape {tuple(x.shape[2:])} per step, "
                f"the synapse takes {self.in_shape}"
            )
        z = self.maps(x.flatten(0, 1))
        return z.reshape(*x.shape[:2], *self.out_shape)

    def extra_repr(self) -> str:
        """Say the shapes."""
        return f"{self.in_shape} -> {self.out_shape}"


class Dense(Synapse):
    """All-to-all synapses, ``weight`` (out, in).

    Parameters
    ----------
    in_neurons : int or tuple of int
        Sources; a shape (c, h, w) is flattened, channels first.
    out_neurons : int
        Targets.
    weight_scale : float
        Factor of the initial weights.
    weight_norm : bool
        Train direction and length of every target's weights separately.
    pre_hook : callable or None
        See `Synapse`.
    """

    def __init__(
        self,
        in_neurons: int | Shape,
        out_neurons: int,
        *,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
    ) -> None:
        shape = (in_neurons,) if isinstance(in_neurons, int) else tuple(in_neurons)
        super().__init__(shape, (out_neurons,), pre_hook=pre_hook)
        if min(*shape, out_neurons) < 1:
            raise GraphError(f"Dense: {in_neurons} to {out_neurons} neurons; both must be >= 1")
        n_in = int(torch.Size(shape).numel())
        self._make_weight(out_neurons, n_in, weight_scale=weight_scale, weight_norm=weight_norm)

    def maps(self, x: Tensor) -> Tensor:
        """Apply to ``(n, *in_shape)``."""
        return f.linear(x.flatten(1), self.used_weight)


class Conv(Synapse):
    """Convolution (cross-correlation) over maps, ``weight`` (c_out, c_in / groups, kh, kw).

    Parameters
    ----------
    in_shape : tuple of int
        (c, h, w).
    out_channels : int
        Channels of the output.
    kernel_size, stride, padding, dilation : int or pair
        Window.
    groups : int
        Groups of channels.
    weight_scale, weight_norm, pre_hook
        See `Dense`.
    """

    transposed = False

    def __init__(
        self,
        in_shape: Shape,
        out_channels: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
    ) -> None:
        where = type(self).__name__
        channels = map_shape(in_shape, where=where)[0]
        if groups < 1 or channels % groups or out_channels % groups:
            raise GraphError(
                f"{where}: groups is {groups}; it must divide the {channels} input and "
                f"{out_channels} output channels"
            )
        kernel = pair(kernel_size, name=f"{where}: kernel_size", minimum=1)
        step = pair(stride, name=f"{where}: stride", minimum=1)
        pad = pair(padding, name=f"{where}: padding", minimum=0)
        spread = pair(dilation, name=f"{where}: dilation", minimum=1)
        sides_after = transposed_length if self.transposed else length
        sides = [
            sides_after(n, k=k, s=s, p=p, d=d)
            for n, k, s, p, d in zip(in_shape[1:], kernel, step, pad, spread, strict=True)
        ]
        if min(sides) < 1:
            raise GraphError(
                f"{where}: the window {kernel} is larger than the padded input {in_shape}; "
                "use a smaller kernel or more padding"
            )
        super().__init__(in_shape, (out_channels, *sides), pre_hook=pre_hook)
        self.kernel_size, self.stride, self.padding, self.dilation = (
            kernel, step, pad, spread,
        )  # fmt: skip
        self.groups = groups
        ends = (channels, out_channels) if self.transposed else (out_channels, channels)
        self._make_weight(
            ends[0], ends[1] // groups, *kernel, weight_scale=weight_scale, weight_norm=weight_norm
        )

    def maps(self, x: Tensor) -> Tensor:
        """Apply to ``(n, c, h, w)``."""
        return f.conv2d(x, self.used_weight, None, self.stride, self.padding, self.dilation,
                        self.groups)  # fmt: skip


class ConvT(Conv):
    """Transposed convolution over maps, ``weight`` (c_in, c_out / groups, kh, kw).

    Parameters
    ----------
    in_shape, out_channels, kernel_size, stride, padding, dilation, groups
        See `Conv`.
    weight_scale, weight_norm, pre_hook
        See `Dense`.
    """

    transposed = True

    def maps(self, x: Tensor) -> Tensor:
        """Apply to ``(n, c, h, w)``."""
        return f.conv_transpose2d(
            x, self.used_weight, None, self.stride, self.padding, 0, self.groups, self.dilation
        )


def length(n: int, *, k: int, s: int, p: int, d: int) -> int:
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def transposed_length(n: int, *, k: int, s: int, p: int, d: int) -> int:
    return (n - 1) * s - 2 * p + d * (k - 1) + 1


class Complex(nn.Module):
    """Two synapses of one kind, for the real and the imaginary input of a resonator.

    Parameters
    ----------
    kind : subclass of Synapse
        Kind of both.
    *arguments, **options
        Those of the kind.
    """

    def __init__(self, kind: type[Synapse], *arguments: Any, **options: Any) -> None:
        super().__init__()
        self.real = kind(*arguments, **options)
        self.imag = kind(*arguments, **options)

    @property
    def in_shape(self) -> Shape:
        """Shape of the input without batch and time."""
        return self.real.in_shape

    @property
    def out_shape(self) -> Shape:
        """Shape of each part of the output without batch and time."""
        return self.real.out_shape

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give real and imaginary part."""
        return self.real(x), self.imag(x)
