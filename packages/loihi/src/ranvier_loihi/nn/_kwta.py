"""Layers in which few neurons win."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

from ._blocks import Parameters
from ._quantize import quantize_8bit
from ._recurrent import FeedbackBlock
from ._synapse import Quantizer, Shape


class KWTABlock(FeedbackBlock):
    """Dense layer in which about K neurons win: each excites itself and inhibits the others.

    Parameters
    ----------
    neuron_params, in_neurons, out_neurons
        See `DenseBlock`.
    num_winners : int
        K, 1..out_neurons.
    self_excitation : float
        Weight of a neuron onto itself, 0..1; trainable.
    weight_scale, weight_norm, pre_hook, delay, delay_shift, count_log
        See `DenseBlock`.

    Notes
    -----
    The loop has the weights ``(1 + a) I - 1`` after the hook; every neuron gets the constant
    drive ``threshold (N - 2 K) / (64 N)``. A complex neuron gets both on its real part.
    """

    def __init__(
        self,
        neuron_params: Parameters,
        in_neurons: int | Shape,
        out_neurons: int,
        num_winners: int,
        *,
        self_excitation: float = 0.5,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
        delay: bool = False,
        delay_shift: bool | None = None,
        count_log: bool = False,
    ) -> None:
        if not 1 <= num_winners <= out_neurons:
            raise GraphError(
                f"KWTA: num_winners is {num_winners}; it must be in 1..{out_neurons}, the neurons"
            )
        super().__init__(
            neuron_params,
            in_neurons,
            out_neurons,
            weight_scale=weight_scale,
            weight_norm=weight_norm,
            pre_hook=pre_hook,
            delay=delay,
            delay_shift=delay_shift,
            count_log=count_log,
        )
        self.num_winners = num_winners
        self.pre_hook = pre_hook
        self.self_excitation = nn.Parameter(torch.tensor([float(self_excitation)]))

    @property
    def feedback(self) -> Any:
        """Weights of the competition, ``(n, n)``; a pair for a complex neuron."""
        n = self.synapse.out_shape[0] if self.synapse is not None else 0
        a = self.self_excitation.clamp(0.0, 1.0)
        eye = torch.eye(n, dtype=a.dtype, device=a.device)
        weight = eye * (1.0 + a) - 1.0
        used = weight if self.pre_hook is None else self.pre_hook(weight)
        return (used, torch.zeros_like(used)) if self.neuron.complex else used

    @property
    def drive(self) -> Tensor:
        """Constant drive of every neuron."""
        n = self.synapse.out_shape[0] if self.synapse is not None else 1
        value = (self.neuron.threshold or 0.0) * (n - 2 * self.num_winners) / (n * 64.0)
        return torch.full((n,), value)
