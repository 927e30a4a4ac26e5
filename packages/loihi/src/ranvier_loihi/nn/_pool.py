"""Synapses with one fixed weight: sums over windows, and values repeated over windows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as f

from ranvier.errors import GraphError

from ._quantize import quantize_8bit
from ._synapse import Pair, Quantizer, Shape, Synapse, length, map_shape, pair


class Pool(Synapse):
    """Sum over windows, channel by channel, times one fixed weight.

    Parameters
    ----------
    in_shape : tuple of int
        (c, h, w).
    kernel_size : int or pair
        Window.
    stride : int, pair or None
        Step between windows; the window by default. Then a map that the windows do not fill is
        extended by zeros below and to the right, so that every input counts.
    padding : int or pair
        Zeros around the map.
    weight_scale : float
        The fixed weight.
    pre_hook : callable or None
        See `Synapse`.
    """

    def __init__(
        self,
        in_shape: Shape,
        kernel_size: Pair,
        *,
        stride: Pair | None = None,
        padding: Pair = 0,
        weight_scale: float = 1.0,
        pre_hook: Quantizer | None = quantize_8bit,
    ) -> None:
        channels, *sides = map_shape(in_shape, where="Pool")
        kernel = pair(kernel_size, name="Pool: kernel_size", minimum=1)
        step = kernel if stride is None else pair(stride, name="Pool: stride", minimum=1)
        pad = pair(padding, name="Pool: padding", minimum=0)
        rest = [-(n + 2 * p) % k for n, p, k in zip(sides, pad, kernel, strict=True)]
        extension = (rest[0], rest[1]) if step == kernel else (0, 0)
        out = [
            length(n + e, k=k, s=s, p=p, d=1)
            for n, e, k, s, p in zip(sides, extension, kernel, step, pad, strict=True)
        ]
        if min(out) < 1:
            raise GraphError(
                f"Pool: the window {kernel} is larger than the padded input {in_shape}; "
                "use a smaller window"
            )
        super().__init__(in_shape, (channels, *out), pre_hook=pre_hook)
        self.kernel_size, self.stride, self.padding = kernel, step, pad
        self.extension = extension
        self.register_buffer("weight", torch.tensor(float(weight_scale)))

    def maps(self, x: Tensor) -> Tensor:
        """Apply to ``(n, c, h, w)``."""
        low, right = self.extension
        (top, left), n = self.padding, x.shape[:2]
        padded = f.pad(x, (left, left + right, top, top + low)).flatten(0, 1)[:, None]
        window = torch.ones(1, 1, *self.kernel_size, dtype=x.dtype, device=x.device)
        sums = f.conv2d(padded, window * self.used_weight, stride=self.stride)
        return sums.reshape(*n, *self.out_shape[1:])


class Unpool(Synapse):
    """Every value times one fixed weight, repeated over a window.

    Parameters
    ----------
    in_shape : tuple of int
        (c, h, w).
    kernel_size : int or pair
        Window, also the step between windows.
    weight_scale, pre_hook
        See `Pool`.
    """

    def __init__(
        self,
        in_shape: Shape,
        kernel_size: Pair,
        *,
        weight_scale: float = 1.0,
        pre_hook: Quantizer | None = quantize_8bit,
    ) -> None:
        channels, h, w = map_shape(in_shape, where="Unpool")
        kernel = pair(kernel_size, name="Unpool: kernel_size", minimum=1)
        out = (channels, h * kernel[0], w * kernel[1])
        super().__init__(in_shape, out, pre_hook=pre_hook)
        self.kernel_size = kernel
        self.register_buffer("weight", torch.tensor(float(weight_scale)))

    def maps(self, x: Tensor) -> Tensor:
        """Apply to ``(n, c, h, w)``."""
        rows, columns = self.kernel_size
        return (x * self.used_weight).repeat_interleave(rows, -2).repeat_interleave(columns, -1)
