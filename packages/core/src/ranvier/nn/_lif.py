"""Neuron modules of the CUBA-LIF family: I, IF, LIF, CubaLIF, LI, CubaLI."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

from ._neuron import Advance, Neuron, Values
from .functional import (
    Backend,
    Decay,
    LifParameters,
    LifState,
    Reset,
    cuba_lif,
    decay_factor,
    replace_forward,
)
from .surrogates import Surrogate, Window

_SMALLEST_THRESHOLD = 1e-6


class LifFamily(Neuron):
    """Common part of the modules; use one of the named modules.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the layer.
    tau_mem : float or array, optional
        Membrane time constant, in s, > dt; ``inf`` integrates. Scalar or per neuron; 20 ms by
        default. Models without a leak have none.
    tau_syn : float or array, optional
        Synaptic time constant, in s, > dt. Scalar or per neuron; with several synapses
        broadcastable to ``(*shape, n_synapses)``; 10 ms by default. Models without synaptic
        state have none.
    threshold : float or array
        Firing threshold, > 0.
    bias : float or array
        Constant input of every step.
    v_rest : float or array
        Resting membrane.
    v_reset : float or array
        Membrane after a reset to a value, and while refractory.
    reset : {"subtract", "to_value"}
        What a spike does to the membrane. A reset to a value allows one spike per step.
    max_spikes : int, optional
        Largest number of spikes per step with a subtractive reset; None for no limit.
    refractory : float
        Time without firing after a spike, in s; rounded to steps.
    comparison : {">=", ">"}
        How the membrane is compared with the threshold.
    decay : {"exponential", "euler", "bitshift"}
        How time constants become decay factors; see `decay_factor`.
    n_synapses : int
        Synapses per neuron. The input then has ``n * n_synapses`` columns,
        ``neuron*n_synapses + synapse``.
    recurrent : bool
        Add trainable ``weight_rec`` ``(n * n_synapses, n)``, which deliver the spikes of the
        previous step. Uniform in ±sqrt(1/n) at first.
    train_tau, train_threshold, train_bias : bool
        What is a trainable parameter; the rest are buffers.
    surrogate : Surrogate
        Derivative of the spikes; a window of half-width 0.5 by default.
    dt, stateful, readout
        See `Neuron`.
    backend : {"auto", "loop", "kernel"}
        See `ranvier.nn.functional.cuba_lif`.

    Raises
    ------
    GraphError
        A parameter is out of range, or given to a model that does not have it.
    """

    leaky: ClassVar[bool] = True
    synaptic: ClassVar[bool] = True
    fires: ClassVar[bool] = True
    tau_mem: Tensor
    tau_syn: Tensor | None
    threshold: Tensor
    bias: Tensor
    v_rest: Tensor
    v_reset: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        tau_mem: Values | None = None,
        tau_syn: Values | None = None,
        threshold: Values = 1.0,
        bias: Values = 0.0,
        v_rest: Values = 0.0,
        v_reset: Values = 0.0,
        reset: Reset = "subtract",
        max_spikes: int | None = 1,
        refractory: float = 0.0,
        comparison: Literal[">=", ">"] = ">=",
        decay: Decay = "exponential",
        n_synapses: int = 1,
        recurrent: bool = False,
        train_tau: bool = False,
        train_threshold: bool = False,
        train_bias: bool = False,
        surrogate: Surrogate | None = None,
        dt: float = 1e-3,
        stateful: bool = False,
        readout: Literal["spikes", "vmem"] = "spikes",
        backend: Backend = "auto",
    ) -> None:
        super().__init__(shape, dt=dt, stateful=stateful, readout=readout)
        self.n_synapses = n_synapses
        self.reset: Reset = reset
        self.max_spikes = max_spikes
        self.refractory = float(refractory)
        self.comparison = comparison
        self.decay: Decay = decay
        self.surrogate = surrogate if surrogate is not None else Window()
        self.backend: Backend = backend
        self._check_options(tau_mem, tau_syn, recurrent)
        self._add_time_constants(tau_mem, tau_syn, train_tau)
        self.add_values("threshold", threshold, train=train_threshold)
        self.check("threshold", above=0.0, finite=False)
        self.add_values("bias", bias, train=train_bias)
        self.add_values("v_rest", v_rest)
        self.add_values("v_reset", v_reset)
        self.weight_rec: nn.Parameter | None = None
        if recurrent:
            bound = math.sqrt(1.0 / self.n)
            self.weight_rec = nn.Parameter(
                torch.empty(self.columns, self.n).uniform_(-bound, bound)
            )

    def _check_options(
        self, tau_mem: Values | None, tau_syn: Values | None, recurrent: bool
    ) -> None:
        """Refuse options that are not among the choices, or that the model does not have."""
        problems = []
        if tau_mem is not None and not self.leaky:
            problems.append("the model has no leak; leave tau_mem out")
        if tau_syn is not None and not self.synaptic:
            problems.append("the model has no synaptic state; leave tau_syn out")
        if recurrent and not self.fires:
            problems.append("the model does not fire; leave recurrent out")
        if self.n_synapses < 1:
            problems.append(f"n_synapses is {self.n_synapses}; it must be >= 1")
        if self.reset not in ("subtract", "to_value"):
            problems.append(f"reset is {self.reset!r}; use 'subtract' or 'to_value'")
        if self.max_spikes is not None and not (self.max_spikes >= 1 and self.max_spikes % 1 == 0):
            problems.append(
                f"max_spikes is {self.max_spikes}; it must be a whole number >= 1 or None"
            )
        if self.comparison not in (">=", ">"):
            problems.append(f"comparison is {self.comparison!r}; use '>=' or '>'")
        if not (math.isfinite(self.refractory) and self.refractory >= 0):
            problems.append(f"refractory is {self.refractory!r} s; it must be finite and >= 0")
        if self.decay not in ("exponential", "euler", "bitshift"):
            problems.append(f"decay is {self.decay!r}; use 'exponential', 'euler' or 'bitshift'")
        if self.backend not in ("auto", "loop", "kernel"):
            problems.append(f"backend is {self.backend!r}; use 'auto', 'loop' or 'kernel'")
        if problems:
            raise GraphError(f"{self._where}: " + "; ".join(problems))

    def _add_time_constants(
        self, tau_mem: Values | None, tau_syn: Values | None, train: bool
    ) -> None:
        """Register the time constants of the states that the model has."""
        default = 20e-3 if self.leaky else math.inf
        self.add_values(
            "tau_mem", default if tau_mem is None else tau_mem, train=train and self.leaky
        )
        self.check("tau_mem", above=self.dt, finite=train and self.leaky)
        if not self.synaptic:
            self.tau_syn = None
            return
        values = 10e-3 if tau_syn is None else tau_syn
        self.add_values("tau_syn", values, train=train, tail=self._synapse_axis)
        self.check("tau_syn", above=self.dt, finite=train)

    @property
    def _synapse_axis(self) -> tuple[int, ...]:
        return (self.n_synapses,) if self.n_synapses > 1 else ()

    @property
    def columns(self) -> int:
        """Number of input columns, ``n * n_synapses``."""
        return self.n * self.n_synapses

    @property
    def recurrent(self) -> bool:
        """Whether the layer has recurrent weights."""
        return self.weight_rec is not None

    @property
    def spiking(self) -> bool:
        """Whether the layer fires, and so gives spikes."""
        return self.fires and self.readout == "spikes"

    def parameters_of_step(self) -> LifParameters:
        """Resolve time constants, resting potential and reset to the numbers of one step.

        Returns
        -------
        LifParameters
            Connected to the trainable parameters.
        """
        alpha = decay_factor(self.flat_values("tau_mem"), dt=self.dt, decay=self.decay)
        beta = None
        if self.tau_syn is not None:
            tau_syn = self.flat_values("tau_syn", self._synapse_axis)
            beta = decay_factor(tau_syn, dt=self.dt, decay=self.decay)
        threshold = self.flat_values("threshold")
        if threshold.requires_grad:
            limited = threshold.detach().clamp(min=_SMALLEST_THRESHOLD)
            threshold = replace_forward(threshold, limited)
        limit = math.inf if self.max_spikes is None else float(self.max_spikes)
        return LifParameters(
            alpha=alpha,
            beta=beta,
            threshold=threshold,
            bias=self._constant_input(alpha),
            v_reset=self.flat_values("v_reset"),
            reset=self.reset,
            max_spikes=1.0 if self.reset == "to_value" else limit,
            refractory=round(self.refractory / self.dt),
            strict=self.comparison == ">",
            fires=self.spiking,
            synapses=self.n_synapses,
        )

    def _constant_input(self, alpha: Tensor) -> Tensor | None:
        """Bias and the pull towards the resting potential, None where both are zero."""
        rests = bool(self.v_rest.any())
        if not (self.bias.requires_grad or rests or bool(self.bias.any())):
            return None
        total = self.flat_values("bias")
        return total + (1.0 - alpha) * self.flat_values("v_rest") if rests else total

    def start_state(self, x: Tensor) -> LifState | None:
        """Give the state in which a fresh call starts; None is zero everywhere."""
        if not bool(self.v_rest.any()):
            return None
        rows = x.shape[0]
        membrane = self.flat_values("v_rest").expand(rows, self.n).contiguous()
        rest = x.new_zeros(rows, self.n)
        return LifState(x.new_zeros(rows, self.columns), membrane, rest, rest.clone())

    def _advance(self, x: Tensor, state: tuple[Tensor, ...] | None, *, trace: bool) -> Advance:
        start = LifState(*state) if state is not None else self.start_state(x)
        out, final, traces = cuba_lif(
            x,
            self.parameters_of_step(),
            surrogate=self.surrogate,
            state=start,
            weight_rec=self.weight_rec,
            backend=self.backend,
            record=trace,
        )
        return Advance(out, final, None if traces is None else traces._asdict())

    def extra_repr(self) -> str:
        """Describe shape and parameters."""
        names = ["tau_mem"] * self.leaky + ["tau_syn"] * self.synaptic
        text = self.describe(*names, *["threshold"] * self.fires, "bias")
        flags = [f"decay={self.decay!r}"] if self.decay != "exponential" else []
        flags += ["recurrent"] if self.recurrent else []
        flags += [f"n_synapses={self.n_synapses}"] if self.n_synapses > 1 else []
        flags += [f"readout={self.readout!r}"] if self.readout != "spikes" else []
        return ", ".join([text, *flags])


class CubaLIF(LifFamily):
    """Leaky integrate-and-fire neurons with synaptic currents; see `LifFamily`.

    Examples
    --------
    >>> import torch
    >>> layer = CubaLIF(3, tau_mem=20e-3, tau_syn=10e-3)
    >>> layer(torch.ones(2, 50, 3)).shape
    torch.Size([2, 50, 3])
    """


class LIF(LifFamily):
    """Leaky integrate-and-fire neurons without synaptic state; see `LifFamily`."""

    synaptic = False


class IF(LifFamily):
    """Integrate-and-fire neurons: no leak, no synaptic state; see `LifFamily`."""

    leaky = False
    synaptic = False


class CubaLI(LifFamily):
    """Leaky integrators with synaptic currents: give their membrane; see `LifFamily`."""

    fires = False


class LI(LifFamily):
    """Leaky integrators without synaptic state: give their membrane; see `LifFamily`."""

    synaptic = False
    fires = False


class I(LifFamily):  # noqa: E742 - the name of the integrator in NIR
    """Integrators: no leak, no firing, no synaptic state; see `LifFamily`."""

    leaky = False
    synaptic = False
    fires = False
