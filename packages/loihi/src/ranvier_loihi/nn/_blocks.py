"""Blocks: synapse, neurons, one step to the next layer, axonal delay, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar

from torch import Tensor, nn

from ranvier.errors import GraphError

from ._axon import Delay, StepDelay
from ._quantize import quantize_8bit
from ._synapse import Complex, Dense, Quantizer, Shape, Synapse

Parameters = Mapping[str, Any]


class Block(nn.Module):
    """Common part of the blocks; the families of `ranvier_loihi.nn` fix the neuron.

    Attributes
    ----------
    in_shape, out_shape : tuple of int or None
        Shapes without batch and time; None where the block takes any.
    synapse : Synapse, Complex or None
        Linear map in front of the neurons.
    neuron : torch.nn.Module or None
        Neurons.
    shift : StepDelay or None
        The step to the next layer.
    delay : Delay or None
        Trainable delay per channel.
    count_log : bool
        Whether a call also gives the share of spikes.
    """

    neuron_class: ClassVar[Any] = None
    family: ClassVar[str] = ""
    shifts: ClassVar[bool] = True

    in_shape: Shape | None
    out_shape: Shape | None
    synapse: Synapse | Complex | None
    neuron: Any
    shift: StepDelay | None
    delay: Delay | None

    def __init__(
        self,
        neuron_params: Parameters | None,
        synapse: type[Synapse] | None = None,
        *arguments: Any,
        shape: Shape | None = None,
        delay: bool = False,
        delay_shift: bool | None = None,
        count_log: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        cls = self.neuron_class
        self.synapse = None
        self.in_shape = self.out_shape = shape
        if synapse is not None:
            is_complex = cls is not None and bool(cls.complex)
            made = (
                Complex(synapse, *arguments, **options)
                if is_complex
                else synapse(*arguments, **options)
            )
            self.synapse = made
            self.in_shape, self.out_shape = made.in_shape, made.out_shape
        self.neuron = None
        if neuron_params is not None:
            self.neuron = self._make_neuron(neuron_params)
        lasting = bool(getattr(self.neuron, "persistent_state", False))
        shifting = self.shifts if delay_shift is None else delay_shift
        self.shift = StepDelay(persistent_state=lasting) if shifting else None
        self.delay = Delay(self._channels(), persistent_state=lasting) if delay else None
        self.count_log = count_log

    def _make_neuron(self, params: Parameters) -> Any:
        if self.neuron_class is None:
            raise GraphError(
                f"{type(self).__name__}: no family; use one of ranvier_loihi.nn, cuba.Dense"
            )
        if self.out_shape is None:
            raise GraphError(
                f"{type(self).__name__}: neurons need a shape; pass in_shape=(channels, ...)"
            )
        own = {**params}
        for name in ("norm", "dropout"):  # one dictionary serves many layers, each with its own
            if isinstance(own.get(name), nn.Module):
                own[name] = deepcopy(own[name])
        if own.get("norm") is not None and not isinstance(own["norm"], nn.Module):
            own["norm"] = own["norm"](self.out_shape[0])
        return self.neuron_class(self.out_shape, **own)

    def _channels(self) -> int:
        if self.out_shape is None:
            raise GraphError(f"{type(self).__name__}: a delay needs in_shape=(channels, ...)")
        return self.out_shape[0]

    def shape_after(self, shape: Shape) -> Shape:
        """Return the shape of the output, given the one of the input.

        Raises
        ------
        GraphError
            The block takes another shape.
        """
        if self.in_shape is not None and tuple(shape) != self.in_shape:
            raise GraphError(
                f"{type(self).__name__}: input has shape {tuple(shape)} per step, the block takes "
                f"{self.in_shape}; change in_shape, in_neurons or the block before"
            )
        return tuple(shape) if self.out_shape is None else self.out_shape

    def reset_state(self) -> None:
        """Set neurons and delays back to rest."""
        for part in (self.neuron, self.shift, self.delay):
            if part is not None:
                part.reset_state()

    def respond(self, x: Tensor) -> Tensor:
        """Give the output of the neurons, before any delay."""
        z = x if self.synapse is None else self.synapse(x)
        out: Tensor = z if self.neuron is None else self.neuron(z)
        return out

    def forward(self, x: Tensor) -> Any:
        """Run ``(batch, time, *in_shape)``.

        Returns
        -------
        Tensor or (Tensor, Tensor)
            ``(batch, time, *out_shape)``; with ``count_log`` also the share of values above zero.
        """
        self.shape_after(tuple(x.shape[2:]))
        return self.emit(self.respond(x))

    def emit(self, spikes: Tensor) -> Any:
        """Pass the delays, and count."""
        for part in (self.shift, self.delay):
            if part is not None:
                spikes = part(spikes)
        return (spikes, (spikes > 0).to(spikes.dtype).mean()) if self.count_log else spikes


class DenseBlock(Block):
    """All-to-all synapses and neurons.

    Parameters
    ----------
    neuron_params : mapping
        Arguments of the family's neuron.
    in_neurons : int or tuple of int
        Sources; a shape (c, h, w) is flattened, channels first.
    out_neurons : int
        Neurons.
    weight_scale, weight_norm, pre_hook
        See `ranvier_loihi.nn.synapse.Dense`.
    delay : bool
        Whether every neuron gets a trainable axonal delay.
    delay_shift : bool or None
        Whether the output comes one step later, as on the chip; None takes the family's habit.
    count_log : bool
        Whether a call also gives the share of spikes.
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

    def respond(self, x: Tensor) -> Tensor:
        """Give the output of the neurons; synapse and neurons run fused where they can."""
        if isinstance(self.synapse, Dense):
            out: Tensor = self.neuron.run_dense(x.flatten(2), self.synapse.used_weight)
            return out
        return super().respond(x)
