"""Modules between neuron layers, all over ``(batch, time, *shape)``."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as f
from torch.nn.utils import parametrizations

from ranvier.errors import GraphError, InputError

from ._neuron import require_tensor

Pair = int | tuple[int, int]


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


class Linear(nn.Module):
    """Synaptic weights: ``y = x @ weight.T + bias`` at every step.

    Parameters
    ----------
    n_in, n_out : int
        Sizes. A target with several synapses per neuron needs ``n_out = n * n_synapses``.
    bias : bool
        Add a trainable ``bias`` ``(n_out,)``, uniform in ±sqrt(1/n_in) at first.
    weight_norm : bool
        Train direction and length of every row of ``weight`` apart
        (`torch.nn.utils.parametrizations.weight_norm`).

    Attributes
    ----------
    weight : Tensor
        ``(n_out, n_in)``, uniform in ±sqrt(6/n_in) at first.

    Raises
    ------
    GraphError
        A size is below one.
    """

    def __init__(
        self, n_in: int, n_out: int, *, bias: bool = False, weight_norm: bool = False
    ) -> None:
        super().__init__()
        if min(n_in, n_out) < 1:
            raise GraphError(f"Linear: sizes are {n_in} and {n_out}; both must be >= 1")
        self.n_in = n_in
        self.n_out = n_out
        bound = math.sqrt(6.0 / n_in)
        self.weight = nn.Parameter(torch.empty(n_out, n_in).uniform_(-bound, bound))
        self.bias: nn.Parameter | None = None
        if bias:
            bound = math.sqrt(1.0 / n_in)
            self.bias = nn.Parameter(torch.empty(n_out).uniform_(-bound, bound))
        if weight_norm:
            parametrizations.weight_norm(self, "weight", dim=0)

    @property
    def weight_norm(self) -> bool:
        """Whether direction and length of the weights are trained apart."""
        return hasattr(self, "parametrizations")

    def check_input(self, x: Tensor) -> None:
        """Refuse an input that is not ``(batch, time, n_in)``."""
        require_tensor(x, "Linear")
        if x.ndim < 3 or x.shape[-1] != self.n_in:
            raise InputError(
                f"Linear: the input has shape {tuple(x.shape)}; expected (batch, time, {self.n_in})"
            )

    def forward(self, x: Tensor) -> Tensor:
        """Weigh ``(batch, time, n_in)``; give ``(batch, time, n_out)``."""
        self.check_input(x)
        return f.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Describe the sizes."""
        norm = ", weight_norm" if self.weight_norm else ""
        return f"{self.n_in} → {self.n_out}, bias={self.bias is not None}{norm}"


def _over_time(x: Tensor, where: str, channels: int | None) -> Tensor:
    """Merge batch and time of ``(batch, time, channels, height, width)``."""
    if x.ndim != 5 or (channels is not None and x.shape[2] != channels):
        wanted = "channels" if channels is None else str(channels)
        raise InputError(
            f"{where}: the input has shape {tuple(x.shape)}; "
            f"expected (batch, time, {wanted}, height, width)"
        )
    return x.flatten(0, 1)


class Conv2d(nn.Module):
    """Convolution of every step of ``(batch, time, c_in, height, width)``.

    Parameters
    ----------
    c_in, c_out : int
        Channels.
    kernel_size, stride, padding, dilation : int or pair of int
        As in `torch.nn.Conv2d`.
    groups : int
        Groups of channels.
    bias : bool
        Add a trainable ``bias`` ``(c_out,)``.
    weight_norm : bool
        Train direction and length of the weights of every output channel apart.

    Attributes
    ----------
    weight : Tensor
        ``(c_out, c_in/groups, kh, kw)``, uniform in ±sqrt(6/fan_in) at first.

    Raises
    ------
    GraphError
        Channels are not divisible by the groups.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = False,
        weight_norm: bool = False,
    ) -> None:
        super().__init__()
        if groups < 1 or c_in % groups or c_out % groups:
            raise GraphError(
                f"Conv2d: {c_in} and {c_out} channels are not divisible by groups={groups}"
            )
        self.c_in = c_in
        self.c_out = c_out
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.dilation = _pair(dilation)
        self.groups = groups
        fan_in = c_in // groups * math.prod(self.kernel_size)
        bound = math.sqrt(6.0 / fan_in)
        weight = torch.empty(c_out, c_in // groups, *self.kernel_size)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound))
        self.bias: nn.Parameter | None = None
        if bias:
            bound = math.sqrt(1.0 / fan_in)
            self.bias = nn.Parameter(torch.empty(c_out).uniform_(-bound, bound))
        if weight_norm:
            parametrizations.weight_norm(self, "weight", dim=0)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve; give ``(batch, time, c_out, height', width')``."""
        flat = _over_time(x, "Conv2d", self.c_in)
        y = f.conv2d(
            flat, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def extra_repr(self) -> str:
        """Describe channels and kernel."""
        return (
            f"{self.c_in} → {self.c_out}, kernel={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}, "
            f"bias={self.bias is not None}"
        )


class _Pool2d(nn.Module):
    """Pooling of every step; see the subclasses."""

    def __init__(self, kernel_size: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.kernel_size = _pair(kernel_size)
        self.stride = self.kernel_size if stride is None else _pair(stride)
        self.padding = _pair(padding)
        if min(*self.kernel_size, *self.stride) < 1:
            raise GraphError(
                f"{type(self).__name__}: kernel {self.kernel_size} and stride {self.stride} "
                f"must be >= 1"
            )

    def _average(self, x: Tensor) -> Tensor:
        flat = _over_time(x, type(self).__name__, None)
        y = f.avg_pool2d(flat, self.kernel_size, self.stride, self.padding)
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def extra_repr(self) -> str:
        """Describe the window."""
        return f"kernel={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class SumPool2d(_Pool2d):
    """Sum of spikes in windows of ``(batch, time, channels, height, width)``.

    Parameters
    ----------
    kernel_size : int or pair of int
        Window.
    stride : int or pair of int, optional
        Step between windows; the window itself by default.
    padding : int or pair of int
        Zeros around the map.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Pool; give ``(batch, time, channels, height', width')``."""
        flat = _over_time(x, "SumPool2d", None)
        y = f.avg_pool2d(flat, self.kernel_size, self.stride, self.padding, divisor_override=1)
        return y.reshape(*x.shape[:2], *y.shape[1:])


class AvgPool2d(_Pool2d):
    """Mean of spikes in windows of ``(batch, time, channels, height, width)``, padding counted in.

    Parameters
    ----------
    kernel_size, stride, padding
        As `SumPool2d`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Pool; give ``(batch, time, channels, height', width')``."""
        return self._average(x)


class Flatten(nn.Module):
    """Flatten the map of every step, channel-major: ``(batch, time, n)``."""

    def forward(self, x: Tensor) -> Tensor:
        """Flatten all axes after time."""
        return x.flatten(2)


class Delay(nn.Module):
    """Delay of spikes by whole steps, per channel; steps before the first are empty.

    Parameters
    ----------
    steps : int or array of int
        Delay of every channel, >= 0; scalar or broadcastable to the shape of the input after time.
    stateful : bool
        Carry what is still under way into the next call.

    Raises
    ------
    GraphError
        A delay is negative or not whole.
    """

    steps: Tensor

    def __init__(self, steps: Any, *, stateful: bool = False) -> None:
        super().__init__()
        given = torch.as_tensor(steps)
        whole = given.to(torch.int64)
        if bool((whole != given).any()) or bool((whole < 0).any()):
            raise GraphError(f"Delay: steps are {given.tolist()}; they must be integers >= 0")
        self.register_buffer("steps", whole)
        self.stateful = stateful
        self.state: Tensor | None = None

    def reset_state(self) -> None:
        """Forget what is under way."""
        self.state = None

    def forward(self, x: Tensor) -> Tensor:
        """Delay ``(batch, time, *shape)``; the result has the same shape."""
        longest = int(self.steps.max())
        past = self.state if self.stateful else None
        if past is None:
            past = x.new_zeros(x.shape[0], longest, *x.shape[2:])
        padded = torch.cat([past, x], 1)
        self.state = padded[:, padded.shape[1] - longest :].detach()
        if self.steps.ndim == 0:
            return padded[:, : x.shape[1]]
        time = torch.arange(x.shape[1], device=x.device).view(-1, *[1] * (x.ndim - 2))
        source = (time + (longest - self.steps)).expand(x.shape[1:])
        return padded.gather(1, source.unsqueeze(0).expand(x.shape))

    def extra_repr(self) -> str:
        """Describe the range of delays."""
        low, high = int(self.steps.min()), int(self.steps.max())
        return f"steps={low}" if low == high else f"steps={low}…{high}"
