"""The block at the start of a network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

from ._blocks import Block, Parameters
from ._quantize import quantize_8bit
from ._sigma_delta import Delta, SigmaDelta
from ._synapse import Quantizer, Shape


class InputBlock(Block):
    """Input of a network: values become spikes of neurons, or only take one step.

    Parameters
    ----------
    neuron_params : mapping or None
        Arguments of the family's neuron; None hands the input on.
    in_shape : int, tuple of int or None
        Shape of the input; needed with neurons.
    weight, bias : float or None
        ``z = q(x) q(weight) + q(bias)`` drives the neurons, with q the hook: values are rounded
        to steps of 1/32 and clipped to [-4, 3.97] by the default one. Trainable.
    pre_hook, delay_shift, count_log
        See `DenseBlock`.
    """

    def __init__(
        self,
        neuron_params: Parameters | None = None,
        in_shape: int | Shape | None = None,
        *,
        weight: float | None = None,
        bias: float | None = None,
        pre_hook: Quantizer | None = quantize_8bit,
        delay_shift: bool | None = None,
        count_log: bool = False,
    ) -> None:
        shape = (in_shape,) if isinstance(in_shape, int) else in_shape
        super().__init__(
            neuron_params,
            shape=None if shape is None else tuple(shape),
            delay_shift=delay_shift,
            count_log=count_log,
        )
        if neuron_params is None and (weight is not None or bias is not None):
            raise GraphError("Input: weight and bias need neurons; pass neuron_params")
        self.pre_hook = pre_hook
        self.weight = None if weight is None else nn.Parameter(torch.tensor([float(weight)]))
        self.bias = None if bias is None else nn.Parameter(torch.tensor([float(bias)]))

    def _make_neuron(self, params: Parameters) -> Any:
        """Make the neurons; a sigma-delta input only encodes, without sum and activation."""
        if self.neuron_class is not SigmaDelta:
            return super()._make_neuron(params)
        if self.out_shape is None:
            raise GraphError("Input: neurons need a shape; pass in_shape=(channels, ...)")
        own = {k: v for k, v in params.items() if k not in ("activation", "bias", "norm")}
        return Delta(self.out_shape, **own)

    def quantized(self, x: Tensor) -> Tensor:
        """Apply the hook."""
        return x if self.pre_hook is None else self.pre_hook(x)

    def respond(self, x: Tensor) -> Tensor:
        """Give the output of the neurons."""
        if self.neuron is None:
            return x
        z = self.quantized(x)
        if self.weight is not None:
            z = z * self.quantized(self.weight)
        if self.bias is not None:
            z = z + self.quantized(self.bias)
        out: Tensor = self.neuron((z, torch.zeros_like(z)) if self.neuron.complex else z)
        return out
