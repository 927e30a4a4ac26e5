"""Recurrent blocks: dense layers whose neurons hear their own spikes one step later."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from ._blocks import Block, Parameters
from ._feedback import run_with_feedback
from ._quantize import quantize_8bit
from ._synapse import Complex, Dense, Quantizer, Shape


class FeedbackBlock(Block):
    """Common part of the blocks whose neurons hear their own spikes of the step before."""

    last: Tensor | None

    def __init__(
        self,
        neuron_params: Parameters,
        in_neurons: int | Shape,
        out_neurons: int,
        *,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
        delay: bool = False,
        delay_shift: bool | None = None,
        count_log: bool = False,
    ) -> None:
        super().__init__(
            neuron_params,
            Dense,
            in_neurons,
            out_neurons,
            weight_scale=weight_scale,
            weight_norm=weight_norm,
            pre_hook=pre_hook,
            delay=delay,
            delay_shift=delay_shift,
            count_log=count_log,
        )
        self.register_buffer("last", None, persistent=False)

    @property
    @abstractmethod
    def feedback(self) -> Any:
        """Weights of the loop, ``(n, n)``, targets first; a pair for a complex neuron."""

    @property
    def drive(self) -> Tensor | None:
        """What is added to the (real) input of every neuron in every step."""
        return None

    def reset_state(self) -> None:
        """Set neurons, delays and the loop back to rest."""
        super().reset_state()
        self.last = None

    def respond(self, x: Tensor) -> Tensor:
        """Give the output of the neurons."""
        z: Any = x if self.synapse is None else self.synapse(x)
        drive = self.drive
        if drive is not None:
            z = (z[0] + drive, z[1]) if self.neuron.complex else z + drive
        some = z[0] if self.neuron.complex else z
        start, keep = some.new_zeros(some[:, 0].shape), self.neuron.persistent_state
        if keep and self.last is not None and self.last.shape == start.shape:
            start = self.last
        spikes, last = run_with_feedback(self.neuron, z, self.feedback, last=start)
        self.last = last if keep else None
        return spikes


class RecurrentBlock(FeedbackBlock):
    """Dense layer whose neurons are also driven by each other: ``z[t] + R s[t-1]``.

    Parameters
    ----------
    neuron_params, in_neurons, out_neurons
        See `DenseBlock`.
    weight_scale, weight_norm, pre_hook
        Of the forward and the recurrent synapses.
    delay, delay_shift, count_log
        See `DenseBlock`.

    Notes
    -----
    The loop takes one step, as on the chip, whatever ``delay_shift`` and ``delay`` do to the
    output. Gradients run back through time. For CUBA neurons without norm they pass the leaky
    states as well; the other neurons keep their state from step to step without gradient, so that
    it passes the spikes of the loop only. Norm and per-channel statistics are those of one step.
    """

    def __init__(
        self,
        neuron_params: Parameters,
        in_neurons: int | Shape,
        out_neurons: int,
        *,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
        delay: bool = False,
        delay_shift: bool | None = None,
        count_log: bool = False,
    ) -> None:
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
        options: dict[str, Any] = {
            "weight_scale": weight_scale, "weight_norm": weight_norm, "pre_hook": pre_hook,
        }  # fmt: skip
        self.recurrent_synapse: Dense | Complex = (
            Complex(Dense, out_neurons, out_neurons, **options)
            if self.neuron.complex
            else Dense(out_neurons, out_neurons, **options)
        )

    @property
    def feedback(self) -> Any:
        """Recurrent weights after the hook, ``(n, n)``; a pair for a complex neuron."""
        loop = self.recurrent_synapse
        if isinstance(loop, Complex):
            return loop.real.used_weight, loop.imag.used_weight
        return loop.used_weight
