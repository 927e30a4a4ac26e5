"""SigmaDelta: emits graded changes of an accumulated, rectified input."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor

from ranvier.errors import GraphError

from ._neuron import Values
from ._stepwise import StepwiseNeuron


class _Delta(torch.autograd.Function):
    """Pass a change that reaches the threshold; backward as if it always did."""

    @staticmethod
    def forward(ctx: Any, change: Tensor, threshold: Tensor, width: float) -> Tensor:
        ctx.save_for_backward(change, threshold)
        ctx.width = width
        return torch.where(change.abs() >= threshold, change, torch.zeros_like(change))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        change, threshold = ctx.saved_tensors
        gradient = grad_outputs[0]
        if not ctx.needs_input_grad[1]:
            return gradient, None, None
        over = change.abs() - threshold
        safe = threshold.clamp(min=torch.finfo(threshold.dtype).tiny)
        sent = -change * torch.exp(-over / ctx.width) / safe
        slope = torch.where(over > 0, sent, -torch.sign(change))
        return gradient, (gradient * slope).sum_to_size(threshold.shape), None


class SigmaDelta(StepwiseNeuron):
    """Neurons that sum their input and emit how much their activation has changed.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the layer.
    threshold : float or array
        Smallest change that is emitted, >= 0.
    bias : float or array
        Added to the sum before the activation.
    activation : {"relu", "identity"}
        Applied to the sum.
    train_threshold, train_bias : bool
        What is trained.
    width : float
        Width of the threshold's exponential surrogate, > 0.
    dt, stateful, readout
        See `Neuron`. With ``readout="vmem"`` the output is the activation itself.

    Notes
    -----
    Per step: ``sigma += x``; ``y = activation(sigma + bias)``; ``d = y - y_before + residual``;
    the output is ``d`` where ``|d| >= threshold``, else 0; ``residual = d - output``. The residual
    and the previous activation's share in it carry no gradient beyond ``y - y_before``. Recorded
    are sigma as ``current``, the activation as ``membrane``, the output as ``spikes``.

    References
    ----------
    Lava documentation, process ``SigmaDelta``; lava-dl documentation, neuron ``sigma_delta``.
    """

    trace_names = ("current", "membrane", "spikes", "residual")

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        threshold: Values = 0.1,
        bias: Values = 0.0,
        activation: Literal["relu", "identity"] = "relu",
        train_threshold: bool = False,
        train_bias: bool = False,
        width: float = 1.0,
        dt: float = 1e-3,
        stateful: bool = False,
        readout: Literal["spikes", "vmem"] = "spikes",
    ) -> None:
        super().__init__(shape, dt=dt, stateful=stateful, readout=readout)
        if activation not in ("relu", "identity"):
            raise GraphError(f"SigmaDelta: activation is {activation!r}; use 'relu' or 'identity'")
        if not (math.isfinite(width) and width > 0):
            raise GraphError(f"SigmaDelta: width is {width!r}; it must be finite and > 0")
        self.activation = activation
        self.width = width
        self.add_values("threshold", threshold, train=train_threshold)
        self.check("threshold", above=-1e-30)
        self.add_values("bias", bias, train=train_bias)

    def rest(self, x: Tensor) -> tuple[Tensor, ...]:
        """Give sum, activation and residual zero."""
        return tuple(self.zeros(x) for _ in range(3))

    def constants(self) -> tuple[Tensor, ...]:
        """Give bias and threshold."""
        return self.flat_values("bias"), self.flat_values("threshold")

    def step(
        self, x: Tensor, state: tuple[Tensor, ...], constants: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Advance by one step."""
        sigma, before, residual = state
        bias, threshold = constants
        sigma = sigma + x
        y = sigma + bias
        if self.activation == "relu":
            y = torch.relu(y)
        change = y - before + residual
        if self.readout == "vmem":
            out, sent = y, torch.zeros_like(y)
        else:
            sent = _Delta.apply(  # type: ignore[no-untyped-call]
                change, threshold, self.width
            )
            out = sent
        residual = (change - sent).detach()
        return out, (sigma, y, residual), (sigma, y, sent, residual)

    def extra_repr(self) -> str:
        """Describe shape and parameters."""
        return f"{self.describe('threshold')}, activation={self.activation!r}"
