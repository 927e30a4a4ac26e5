"""ResonateAndFire: a damped rotation that fires on phase or on amplitude."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor

from ranvier.errors import GraphError

from ._loop import fire
from ._neuron import Values
from ._stepwise import StepwiseNeuron
from .surrogates import Surrogate, Window


class _PhaseSpike(torch.autograd.Function):
    """Spike where the phase passes zero above the threshold; smooth in both parts backward."""

    @staticmethod
    def forward(
        ctx: Any, re: Tensor, im: Tensor, im_before: Tensor, threshold: Tensor, width: float
    ) -> Tensor:
        ctx.save_for_backward(re, im, threshold)
        ctx.width = width
        return ((re >= threshold) & (im >= 0) & (im_before < 0)).to(re.dtype)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        re, im, threshold = ctx.saved_tensors
        width = ctx.width
        d_re = torch.exp(-(re - threshold).abs() / width) / (2.0 * width)
        d_im = torch.exp(-im.abs() / width) / (2.0 * width)
        above = 0.5 * (1.0 + torch.sign(re - threshold) * (1.0 - 2.0 * width * d_re))
        grad_re = grad_outputs[0] * d_re * d_im
        grad_im = -grad_outputs[0] / width * torch.sign(im) * d_im * above
        grad_threshold = None
        if ctx.needs_input_grad[3]:
            grad_threshold = (-grad_re).sum_to_size(threshold.shape)
        return grad_re, grad_im, None, grad_threshold, None


class ResonateAndFire(StepwiseNeuron):
    """Resonators: each step damps and rotates a complex state and adds a complex input.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the layer.
    frequency : float or array
        In Hz, > 0.
    tau : float or array
        Damping time constant, in s, > dt.
    threshold : float or array
        Firing threshold, > 0.
    bias : float or array
        Constant input of the imaginary part.
    trigger : {"phase", "amplitude"}
        Fire where the phase passes zero with the real part at the threshold, without a reset; or
        where the imaginary part reaches the threshold, which sets the real part to zero and the
        imaginary one just below the threshold.
    train_tau, train_frequency, train_threshold, train_bias : bool
        What is trained.
    width : float
        Width of the exponential surrogate of the phase trigger, > 0.
    surrogate : Surrogate
        Derivative of the spikes of the amplitude trigger; a window of half-width 0.5 by default.
    dt, stateful, readout
        See `Neuron`. With ``readout="vmem"`` the output is the imaginary part.

    Notes
    -----
    With ``k = exp(-dt/tau)`` and ``phi = 2*pi*frequency*dt``:
    ``re' = k*(cos(phi)*re - sin(phi)*im) + x_re``; ``im' = k*(sin(phi)*re + cos(phi)*im) + x_im +
    bias``. The input has the columns ``neuron*2`` (real) and ``neuron*2 + 1`` (imaginary), or the
    shape ``(batch, time, *shape, 2)``. Recorded are the real part as ``current`` and the imaginary
    part as ``membrane``.

    References
    ----------
    E. M. Izhikevich, Neural Networks 14 (2001); lava-dl documentation, neurons ``rf``, ``rf_iz``.
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        frequency: Values = 10.0,
        tau: Values = 100e-3,
        threshold: Values = 1.0,
        bias: Values = 0.0,
        trigger: Literal["phase", "amplitude"] = "phase",
        train_tau: bool = False,
        train_frequency: bool = False,
        train_threshold: bool = False,
        train_bias: bool = False,
        width: float = 0.5,
        surrogate: Surrogate | None = None,
        dt: float = 1e-3,
        stateful: bool = False,
        readout: Literal["spikes", "vmem"] = "spikes",
    ) -> None:
        super().__init__(shape, dt=dt, stateful=stateful, readout=readout)
        if trigger not in ("phase", "amplitude"):
            raise GraphError(f"ResonateAndFire: trigger is {trigger!r}; use 'phase' or 'amplitude'")
        if not (math.isfinite(width) and width > 0):
            raise GraphError(f"ResonateAndFire: width is {width!r}; it must be finite and > 0")
        self.trigger = trigger
        self.width = width
        self.surrogate = surrogate if surrogate is not None else Window()
        self.add_values("frequency", frequency, train=train_frequency)
        self.check("frequency", above=0.0)
        self.add_values("tau", tau, train=train_tau)
        self.check("tau", above=self.dt)
        self.add_values("threshold", threshold, train=train_threshold)
        self.check("threshold", above=0.0)
        self.add_values("bias", bias, train=train_bias)

    @property
    def columns(self) -> int:
        """Number of input columns: a real and an imaginary one per neuron."""
        return 2 * self.n

    def rest(self, x: Tensor) -> tuple[Tensor, ...]:
        """Give both parts zero."""
        return self.zeros(x), self.zeros(x)

    def constants(self) -> tuple[Tensor, ...]:
        """Give the rotation, bias, threshold, and the imaginary part after a reset."""
        radius = torch.exp(-self.dt / self.flat_values("tau"))
        phase = (2.0 * math.pi * self.dt) * self.flat_values("frequency")
        threshold = self.flat_values("threshold")
        below = torch.nextafter(threshold.detach(), torch.zeros_like(threshold))
        cos, sin = radius * torch.cos(phase), radius * torch.sin(phase)
        return cos, sin, self.flat_values("bias"), threshold, below

    def step(
        self, x: Tensor, state: tuple[Tensor, ...], constants: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Advance by one step."""
        re_before, im_before = state
        cos, sin, bias, threshold, below = constants
        re = cos * re_before - sin * im_before + x[:, 0::2]
        im = sin * re_before + cos * im_before + x[:, 1::2] + bias
        if self.readout == "vmem":
            return im, (re, im), (re, im, torch.zeros_like(im))
        spikes: Tensor
        if self.trigger == "phase":
            spikes = _PhaseSpike.apply(  # type: ignore[no-untyped-call]
                re, im, im_before, threshold, self.width
            )
        else:
            spikes = fire(im, threshold, surrogate=self.surrogate)
            fired = spikes.detach() > 0
            re = torch.where(fired, torch.zeros_like(re), re)
            im = torch.where(fired, below, im)
        return spikes, (re, im), (re, im, spikes)

    def extra_repr(self) -> str:
        """Describe shape and parameters."""
        return f"{self.describe('frequency', 'tau', 'threshold')}, trigger={self.trigger!r}"
