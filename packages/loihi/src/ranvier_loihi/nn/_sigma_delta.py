"""Sigma-delta neurons: messages carry changes, receivers sum them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Unpack

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

from ._neuron import DeviceValue, LoihiNeuron, NeuronOptions, Shape
from .kernels import encode_delta


class Delta(LoihiNeuron):
    """Delta encoder: sends a change where it reaches the threshold, and keeps what it did not send.

    Parameters
    ----------
    shape : int, tuple of int, or None
        Neurons of a sample, channels first.
    threshold : float
        >= 0; cut to a multiple of ``1/scale`` and kept at ``1/scale`` or more.
    cum_error : bool
        Test the sum of changes since the last message, instead of the last change.
    **options
        See `LoihiNeuron`; ``requires_grad`` trains the threshold, ``delta_threshold``.

    Notes
    -----
    ``d = x[t] - x[t-1] + residual``; ``y = d`` where ``|d| >= threshold``, else 0; ``residual =
    d - y``; sent is ``floor(4096 y) / 4096``. Residual and previous value carry no gradient.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer axon ``Delta``.
    """

    device_type: ClassVar[str] = "SDNN"
    delta_threshold: nn.Parameter

    def __init__(
        self,
        shape: Shape,
        *,
        threshold: float,
        cum_error: bool = False,
        **options: Unpack[NeuronOptions],
    ) -> None:
        super().__init__(shape, threshold=threshold, **options)
        if self.threshold is None:
            raise GraphError(f"{type(self).__name__}: threshold is {threshold}; it must be >= 0")
        if not self.tau_grad > 0:
            raise GraphError(f"{type(self).__name__}: tau_grad is {self.tau_grad}; it must be > 0")
        if not self.shared_param:
            raise GraphError(f"{type(self).__name__}: the threshold is shared; drop shared_param")
        self.cum_error = cum_error
        self._add_parameter(
            "delta_threshold",
            torch.tensor([max(self.threshold, 1.0 / self.scale)]),
            trained=self.requires_grad_decays,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Turn values ``(batch, time, *shape)`` into messages of the same shape."""
        flat = self._flat(x)
        states = self._held(3, flat)
        out, new = self._encode(flat, states)
        self._finish(new, 0)
        return self._emit(out.view(x.shape))

    def _held(self, count: int, flat: Tensor) -> tuple[Tensor, ...]:
        states = self._start(count, flat.shape[0], flat.shape[2])
        return tuple(state.to(torch.float32) for state in states)

    def _encode(self, x: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        with torch.no_grad():
            self.delta_threshold.clamp_(min=1.0 / self.scale)
        run = encode_delta(
            x,
            self.delta_threshold,
            surrogate=(self.tau_grad, self.scale_grad),
            cumulative=self.cum_error,
            states=states,
        )
        return run.output, run.states

    def _threshold_code(self) -> int:
        return max(1, int(float(self.delta_threshold.detach()) * 64))

    def device_params(self) -> Mapping[str, DeviceValue]:
        """Give type and threshold mantissa as a network file keeps them."""
        return {"type": self.device_type, "vThMant": self._threshold_code()}


class SigmaDelta(Delta):
    """Sigma-delta neuron: sums its input over time, activates, and sends changes.

    Parameters
    ----------
    shape, threshold, cum_error
        See `Delta`.
    activation : callable or None
        On tensors; None is ReLU, the only one that a network file names.
    bias : bool
        Add a trained bias per channel before the activation.
    **options
        See `LoihiNeuron`; ``norm`` acts on the sum.

    Raises
    ------
    GraphError
        A bias without a shape.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``sigma_delta``.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        shape: Shape,
        *,
        threshold: float,
        activation: Callable[[Tensor], Tensor] | None = None,
        cum_error: bool = False,
        bias: bool = False,
        **options: Unpack[NeuronOptions],
    ) -> None:
        super().__init__(shape, threshold=threshold, cum_error=cum_error, **options)
        if bias and self.shape is None:
            raise GraphError("SigmaDelta: bias=True needs a shape; shape is None")
        self.activation: Callable[[Tensor], Tensor] = activation or torch.relu
        self.register_parameter("bias", nn.Parameter(torch.zeros(self.channels)) if bias else None)

    def forward(self, z: Tensor) -> Tensor:
        """Turn synaptic input ``(batch, time, *shape)`` into messages of the same shape."""
        flat = self._flat(z)
        first, *rest = self._held(4, flat)
        total = torch.cumsum(flat, dim=1) + first.unsqueeze(1)
        out, new = self._encode(self._activate(total, z), tuple(rest))
        held = total[:, -1].detach().clone() if flat.shape[1] else first
        self._finish((held, *new), 0)
        return self._emit(out.view(z.shape))

    def _activate(self, total: Tensor, z: Tensor) -> Tensor:
        value = total.view(z.shape)
        if self.norm is not None:
            value = self.norm(value)
        if self.bias is not None:
            value = value + self.bias.view(-1, *([1] * (z.ndim - 3)))
        return self.activation(value).reshape(total.shape)

    def device_params(self) -> Mapping[str, DeviceValue]:
        """Give type, activation and threshold mantissa as a network file keeps them.

        Raises
        ------
        GraphError
            The activation is not ReLU.
        """
        known = self.activation is torch.relu or isinstance(self.activation, nn.ReLU)
        if not known and self.activation is not nn.functional.relu:
            raise GraphError(
                "SigmaDelta: a network file names only the activation 'relu'; "
                f"this neuron has {self.activation!r}"
            )
        return {**super().device_params(), "activation": "relu"}
