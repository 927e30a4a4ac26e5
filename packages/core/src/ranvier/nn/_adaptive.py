"""Neurons with adaptation: AdaptiveLIF, AdEx."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ._loop import fire
from ._neuron import Values
from ._stepwise import StepwiseNeuron
from .functional import decay_factor
from .surrogates import Surrogate, Window

_LARGEST_EXPONENT = 30.0


class AdaptiveLIF(StepwiseNeuron):
    """Neurons whose threshold and refractory variable grow with every spike; no reset.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the layer.
    tau_mem, tau_syn : float or array
        Membrane and synaptic time constants, in s, > dt.
    threshold : float or array
        Threshold at rest, > 0.
    threshold_step : float or array
        Rise of the threshold per spike, >= 0.
    tau_threshold, tau_refractory : float or array
        Time constants of the threshold's and the refractory variable's decay, in s, > dt.
    bias : float or array
        Constant input of every step.
    train_tau, train_threshold, train_bias : bool
        What is trained: membrane and synaptic time constants, threshold at rest, bias.
    surrogate : Surrogate
        Derivative of the spikes at the adapted threshold; a window of half-width 0.5 by default.
    dt, stateful, readout
        See `Neuron`.

    Notes
    -----
    Per step: ``I = beta*I + x``; ``V = alpha*V + I + bias``; ``r = rho*r``;
    ``th = threshold + delta*(th - threshold)``; ``S = V >= th + r``; ``r += 2*th*S``;
    ``th += threshold_step*S``. The adaptation itself carries no gradient; the threshold at rest
    receives that of ``S``.

    References
    ----------
    lava-dl documentation, neuron ``alif``.
    """

    synaptic = True
    trace_names = ("current", "membrane", "spikes", "threshold", "refractory")

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        tau_mem: Values = 20e-3,
        tau_syn: Values = 10e-3,
        threshold: Values = 1.0,
        threshold_step: Values = 0.1,
        tau_threshold: Values = 100e-3,
        tau_refractory: Values = 10e-3,
        bias: Values = 0.0,
        train_tau: bool = False,
        train_threshold: bool = False,
        train_bias: bool = False,
        surrogate: Surrogate | None = None,
        dt: float = 1e-3,
        stateful: bool = False,
        readout: Literal["spikes", "vmem"] = "spikes",
    ) -> None:
        super().__init__(shape, dt=dt, stateful=stateful, readout=readout)
        self.surrogate = surrogate if surrogate is not None else Window()
        self.add_values("tau_mem", tau_mem, train=train_tau)
        self.add_values("tau_syn", tau_syn, train=train_tau)
        self.add_values("tau_threshold", tau_threshold)
        self.add_values("tau_refractory", tau_refractory)
        for name in ("tau_mem", "tau_syn", "tau_threshold", "tau_refractory"):
            self.check(name, above=self.dt)
        self.add_values("threshold", threshold, train=train_threshold)
        self.check("threshold", above=0.0)
        self.add_values("threshold_step", threshold_step)
        self.add_values("bias", bias, train=train_bias)

    def rest(self, x: Tensor) -> tuple[Tensor, ...]:
        """Give current, membrane, threshold above rest, refractory variable: all zero."""
        return tuple(self.zeros(x) for _ in range(4))

    def constants(self) -> tuple[Tensor, ...]:
        """Give the four decay factors, bias, threshold and its step."""
        taus = ("tau_syn", "tau_mem", "tau_threshold", "tau_refractory")
        decays = (decay_factor(self.flat_values(tau), dt=self.dt) for tau in taus)
        rest = (self.flat_values(name) for name in ("bias", "threshold", "threshold_step"))
        return (*decays, *rest)

    def step(
        self, x: Tensor, state: tuple[Tensor, ...], constants: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Advance by one step."""
        current, v, raised, r = state
        beta, alpha, delta, rho, bias, threshold, rise = constants
        current = beta * current + x
        v = alpha * v + current + bias
        raised, r = delta * raised, rho * r
        if self.readout == "vmem":
            spikes = torch.zeros_like(v)
        else:
            spikes = fire(v, threshold + (raised + r), surrogate=self.surrogate)
        fired = spikes.detach()
        adapted = threshold.detach() + raised
        r = r + 2.0 * adapted * fired
        raised = raised + rise * fired
        out = v if self.readout == "vmem" else spikes
        seen = (current, v, spikes, threshold.detach() + raised, r)
        return out, (current, v, raised, r), seen

    def extra_repr(self) -> str:
        """Describe shape and parameters."""
        return self.describe("tau_mem", "tau_syn", "threshold", "threshold_step")


class AdEx(StepwiseNeuron):
    """Adaptive exponential integrate-and-fire neurons, by the forward Euler method.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the layer.
    tau_mem, tau_syn, tau_adaptation : float or array
        Time constants of membrane, synapse and adaptation, in s, > dt.
    threshold : float or array
        The neuron fires where the membrane is above it.
    v_rest, v_reset : float or array
        Resting membrane, and membrane after a spike.
    slope, v_exp : float or array
        Width and onset of the exponential term; ``slope = 0`` switches it off for that neuron.
    a, b : float or array
        Subthreshold adaptation, and adaptation per spike.
    bias : float or array
        Constant input of every step.
    train_tau, train_threshold, train_bias : bool
        What is trained; ``train_tau`` is membrane and synapse.
    surrogate : Surrogate
        Derivative of the spikes; a window of half-width 0.5 by default.
    dt, stateful, readout
        See `Neuron`.

    Notes
    -----
    Per step, with ``m = dt/tau_mem``: ``dV = m*(v_rest - V + slope*exp((V - v_exp)/slope) + I +
    bias - w)`` with the old current; ``I = (1 - dt/tau_syn)*I + x``; ``V += dV``;
    ``S = V > threshold``; ``w = (1 - c)*w + c*a*(V - v_rest) + b*S`` with
    ``c = dt/tau_adaptation``; ``V = v_reset`` where ``S``. No gradient passes the reset. The
    exponent is limited to 30, far above any threshold, so that no step overflows.

    References
    ----------
    R. Brette, W. Gerstner, J. Neurophysiology 94 (2005); hxtorch documentation, ``AELIF``.
    """

    synaptic = True
    trace_names = ("current", "membrane", "spikes", "adaptation")

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        tau_mem: Values = 20e-3,
        tau_syn: Values = 10e-3,
        tau_adaptation: Values = 100e-3,
        threshold: Values = 1.0,
        v_rest: Values = 0.0,
        v_reset: Values = 0.0,
        slope: Values = 0.0,
        v_exp: Values = 0.0,
        a: Values = 0.0,
        b: Values = 0.0,
        bias: Values = 0.0,
        train_tau: bool = False,
        train_threshold: bool = False,
        train_bias: bool = False,
        surrogate: Surrogate | None = None,
        dt: float = 1e-3,
        stateful: bool = False,
        readout: Literal["spikes", "vmem"] = "spikes",
    ) -> None:
        super().__init__(shape, dt=dt, stateful=stateful, readout=readout)
        self.surrogate = surrogate if surrogate is not None else Window()
        self.add_values("tau_mem", tau_mem, train=train_tau)
        self.add_values("tau_syn", tau_syn, train=train_tau)
        self.add_values("tau_adaptation", tau_adaptation)
        for name in ("tau_mem", "tau_syn", "tau_adaptation"):
            self.check(name, above=self.dt)
        self.add_values("threshold", threshold, train=train_threshold)
        self.add_values("bias", bias, train=train_bias)
        fixed = {"v_rest": v_rest, "v_reset": v_reset, "slope": slope, "v_exp": v_exp}
        for name, values in (fixed | {"a": a, "b": b}).items():
            self.add_values(name, values)
        self.check("slope", above=-1e-30)

    def rest(self, x: Tensor) -> tuple[Tensor, ...]:
        """Give current and adaptation zero, and the membrane at rest."""
        membrane = self.flat_values("v_rest").expand(x.shape[0], self.n)
        return self.zeros(x), membrane, self.zeros(x)

    def constants(self) -> tuple[Tensor, ...]:
        """Give the three step ratios, then the parameters of the equation."""
        taus = ("tau_mem", "tau_syn", "tau_adaptation")
        ratios = (self.dt / self.flat_values(tau) for tau in taus)
        names = ("threshold", "v_rest", "v_reset", "slope", "v_exp", "a", "b", "bias")
        return (*ratios, *(self.flat_values(name) for name in names))

    def step(
        self, x: Tensor, state: tuple[Tensor, ...], constants: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Advance by one step."""
        current, v, w = state
        m, s, c, threshold, v_rest, v_reset, slope, v_exp, a, b, bias = constants
        safe = torch.where(slope > 0, slope, torch.ones_like(slope))
        push = slope * torch.exp(((v - v_exp) / safe).clamp(max=_LARGEST_EXPONENT))
        push = torch.where(slope > 0, push, torch.zeros_like(push))
        drive = v_rest - v + push + current + bias - w
        current = (1.0 - s) * current + x
        v = v + m * drive
        if self.readout == "vmem":
            spikes = torch.zeros_like(v)
        else:
            spikes = fire(v, threshold, surrogate=self.surrogate, strict=True)
        w = (1.0 - c) * w + c * a * (v - v_rest) + b * spikes
        v = torch.where(spikes.detach() > 0, v_reset, v)
        out = v if self.readout == "vmem" else spikes
        return out, (current, v, w), (current, v, spikes, w)

    def extra_repr(self) -> str:
        """Describe shape and parameters."""
        return self.describe("tau_mem", "tau_syn", "tau_adaptation", "threshold", "slope")
