"""Blocks over maps: convolutions, pools, and their transposes."""

from __future__ import annotations

from typing import ClassVar

from ._blocks import Block, Parameters
from ._pool import Pool, Unpool
from ._quantize import quantize_8bit
from ._synapse import Conv, ConvT, Pair, Quantizer, Shape


class _ConvolutionBlock(Block):
    """Common part of convolution and transposed convolution."""

    map_class: ClassVar[type[Conv]] = Conv

    def __init__(
        self,
        neuron_params: Parameters,
        in_shape: Shape,
        out_features: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
        delay: bool = False,
        delay_shift: bool | None = None,
        count_log: bool = False,
    ) -> None:
        super().__init__(
            neuron_params,
            self.map_class,
            tuple(in_shape),
            out_features,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            weight_scale=weight_scale,
            weight_norm=weight_norm,
            pre_hook=pre_hook,
            delay=delay,
            delay_shift=delay_shift,
            count_log=count_log,
        )


class ConvBlock(_ConvolutionBlock):
    """Convolution and neurons.

    Parameters
    ----------
    neuron_params : mapping
        Arguments of the family's neuron.
    in_shape : tuple of int
        (c, h, w).
    out_features : int
        Channels of the output.
    kernel_size, stride, padding, dilation : int or pair
        Window.
    groups : int
        Groups of channels.
    weight_scale, weight_norm, pre_hook, delay, delay_shift, count_log
        See `DenseBlock`.
    """


class ConvTBlock(_ConvolutionBlock):
    """Transposed convolution and neurons.

    Parameters
    ----------
    neuron_params, in_shape, out_features, kernel_size, stride, padding, dilation, groups
        See `ConvBlock`.
    weight_scale, weight_norm, pre_hook, delay, delay_shift, count_log
        See `DenseBlock`.
    """

    map_class = ConvT


class PoolBlock(Block):
    """Sum over windows and neurons.

    Parameters
    ----------
    neuron_params : mapping
        Arguments of the family's neuron.
    in_shape : tuple of int
        (c, h, w).
    kernel_size, stride, padding : int or pair
        Window; it does not overlap by default.
    weight_scale : float
        The fixed weight.
    pre_hook, delay, delay_shift, count_log
        See `DenseBlock`.
    """

    def __init__(
        self,
        neuron_params: Parameters,
        in_shape: Shape,
        kernel_size: Pair,
        *,
        stride: Pair | None = None,
        padding: Pair = 0,
        weight_scale: float = 1.0,
        pre_hook: Quantizer | None = quantize_8bit,
        delay: bool = False,
        delay_shift: bool | None = None,
        count_log: bool = False,
    ) -> None:
        super().__init__(
            neuron_params,
            Pool,
            tuple(in_shape),
            kernel_size,
            stride=stride,
            padding=padding,
            weight_scale=weight_scale,
            pre_hook=pre_hook,
            delay=delay,
            delay_shift=delay_shift,
            count_log=count_log,
        )


class UnpoolBlock(Block):
    """Every value repeated over a window, and neurons.

    Parameters
    ----------
    neuron_params, in_shape, kernel_size, weight_scale
        See `PoolBlock`.
    pre_hook, delay, delay_shift, count_log
        See `DenseBlock`.
    """

    def __init__(
        self,
        neuron_params: Parameters,
        in_shape: Shape,
        kernel_size: Pair,
        *,
        weight_scale: float = 1.0,
        pre_hook: Quantizer | None = quantize_8bit,
        delay: bool = False,
        delay_shift: bool | None = None,
        count_log: bool = False,
    ) -> None:
        super().__init__(
            neuron_params,
            Unpool,
            tuple(in_shape),
            kernel_size,
            weight_scale=weight_scale,
            pre_hook=pre_hook,
            delay=delay,
            delay_shift=delay_shift,
            count_log=count_log,
        )
