"""Neuron kinds: per-neuron parameters in SI units; time steps come from the graph.

The canonical discrete update of a spiking neuron with current-based synapses is

    I[t] = beta I[t-1] + x[t]
    V[t] = v_rest + alpha (V[t-1] - v_rest) + I[t] + bias       (v_reset while refractory)
    S[t] = V >= threshold ? min(floor(V / threshold), max_spikes) : 0       (subtract)
    V <- V - S threshold        or, with reset "to_value":  S in {0, 1}, V <- v_reset

with alpha and beta from `ranvier.graph.decay_factor`. All states start at their rest value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from ._fields import array, array_specs
from .dynamics import DECAYS
from .maps import ShapedNode, check_broadcast
from .node import Shape, register_node

RESETS = ("subtract", "to_value")
COMPARISONS = (">=", ">")


@dataclass(frozen=True, kw_only=True, eq=False)
class Neuron(ShapedNode):
    """Common part of all neuron kinds; parameters broadcast to ``shape``.

    Parameters
    ----------
    shape : tuple of int
        Shape of the population.
    v_rest : array
        Resting value of the membrane.
    bias : array
        Added to the membrane in every step.
    decay : {"exponential", "euler", "bitshift"}
        How time constants become factors.
    """

    v_rest: NDArray[np.float64] = array(0.0)
    bias: NDArray[np.float64] = array(0.0)
    decay: str = "exponential"

    def check(self) -> None:
        """Check that every parameter broadcasts to the population."""
        super().check()
        for name, spec in array_specs(self).items():
            values = getattr(self, name)
            if spec.axes == "neuron":
                check_broadcast(values, self.shape, where=f"{self.kind}: {name}")
            elif spec.axes == "synapse":
                shape = self.shape if self.n_synapses == 1 else (self.n_synapses, *self.shape)
                check_broadcast(values, shape, where=f"{self.kind}: {name}")
        self._one_of("decay", DECAYS)

    def _one_of(self, name: str, allowed: tuple[str, ...]) -> None:
        if getattr(self, name) not in allowed:
            raise GraphError(
                f"{self.kind}: {name} {getattr(self, name)!r} must be one of {allowed}"
            )

    @property
    def n_synapses(self) -> int:
        """Number of synaptic states per neuron."""
        return 1

    @property
    def ports(self) -> tuple[str, ...]:
        """``("in", "in2", ...)``, one per synapse."""
        return ("in", *(f"in{i}" for i in range(2, self.n_synapses + 1)))

    def parameter(self, name: str) -> NDArray[np.float64]:
        """Return a parameter at full size: ``shape``, or ``(n_synapses, *shape)`` for synapses.

        Parameters
        ----------
        name : str
            Name of an array field, ``"tau_mem"``.
        """
        spec = array_specs(self)[name]
        synapse = spec.axes == "synapse"
        shape: Shape = (self.n_synapses, *self.shape) if synapse else self.shape
        return np.broadcast_to(getattr(self, name), shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikingNeuron(Neuron):
    """Common part of the neurons that fire and reset.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    threshold : array
        Firing threshold; > 0 with reset "subtract".
    reset : {"subtract", "to_value"}
        Subtract the threshold per spike, or set the membrane to ``v_reset``.
    v_reset : array
        Value after a spike with reset "to_value", and while refractory.
    refractory : array
        Time after a spike, in s, without firing; rounded to whole steps.
    max_spikes : int
        Most spikes of one neuron in one step, >= 1; 1 with reset "to_value".
    comparison : {">=", ">"}
        Whether the membrane fires at the threshold or only above it.
    """

    spiking: ClassVar[bool] = True
    threshold: NDArray[np.float64] = array(1.0)
    reset: str = "subtract"
    v_reset: NDArray[np.float64] = array(0.0)
    refractory: NDArray[np.float64] = array(0.0, unit="s", minimum=0.0)
    max_spikes: int = 1
    comparison: str = ">="

    def check(self) -> None:
        """Check reset, comparison and spike limit."""
        super().check()
        self._one_of("reset", RESETS)
        self._one_of("comparison", COMPARISONS)
        if isinstance(self.max_spikes, bool) or int(self.max_spikes) != self.max_spikes:
            raise GraphError(f"{self.kind}: max_spikes {self.max_spikes!r} must be an integer")
        object.__setattr__(self, "max_spikes", int(self.max_spikes))
        if self.max_spikes < 1:
            raise GraphError(f"{self.kind}: max_spikes is {self.max_spikes}, must be >= 1")
        if self.reset == "to_value" and self.max_spikes != 1:
            raise GraphError(
                f"{self.kind}: max_spikes is {self.max_spikes}, but reset 'to_value' "
                "emits one spike at most; set max_spikes=1 or reset='subtract'"
            )
        if self.reset == "subtract" and float(self.threshold.min()) <= 0:
            raise GraphError(
                f"{self.kind}: threshold is {float(self.threshold.min()):g}, must be > 0 "
                "with reset 'subtract'"
            )


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class I(Neuron):  # noqa: E742 - the standard's name of the integrator
    """Integrator without leak: ``V[t] = V[t-1] + x[t] + bias``; emits V.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    """

    kind: ClassVar[str] = "I"
    states: ClassVar[tuple[str, ...]] = ("v_mem",)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class LI(Neuron):
    """Leaky integrator: ``V[t] = v_rest + alpha (V[t-1] - v_rest) + x[t] + bias``; emits V.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    tau_mem : array
        Membrane time constant, in s, > 0.
    """

    kind: ClassVar[str] = "LI"
    states: ClassVar[tuple[str, ...]] = ("v_mem",)
    tau_mem: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class _CurrentBased(Neuron):
    """Mixin of exponential current-based synapses; ``tau_syn`` has a leading synapse axis."""

    states: ClassVar[tuple[str, ...]] = ("i_syn", "v_mem")
    tau_mem: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    tau_syn: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True, axes="synapse")
    synapses: int = 1

    @property
    def n_synapses(self) -> int:
        """Number of synaptic currents per neuron, summed into the membrane."""
        return self.synapses

    def check(self) -> None:
        """Check the number of synapses first: shapes depend on it."""
        if int(self.synapses) != self.synapses or self.synapses < 1:
            raise GraphError(f"{self.kind}: synapses is {self.synapses!r}, must be an integer >= 1")
        super().check()


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class CubaLI(_CurrentBased):
    """Leaky integrator behind exponential synapses; emits V.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    tau_mem, tau_syn, synapses
        As `CubaLIF`.
    """

    kind: ClassVar[str] = "CubaLI"


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class IF(SpikingNeuron):
    """Integrate-and-fire without leak (alpha = 1, no synaptic state).

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `SpikingNeuron`.
    """

    kind: ClassVar[str] = "IF"
    states: ClassVar[tuple[str, ...]] = ("v_mem",)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class LIF(SpikingNeuron):
    """Leaky integrate-and-fire without synaptic state (beta = 0).

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `SpikingNeuron`.
    tau_mem : array
        Membrane time constant, in s, > 0.
    """

    kind: ClassVar[str] = "LIF"
    states: ClassVar[tuple[str, ...]] = ("v_mem",)
    tau_mem: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class CubaLIF(_CurrentBased, SpikingNeuron):
    """Leaky integrate-and-fire with exponential current-based synapses, the canonical neuron.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `SpikingNeuron`.
    tau_mem : array
        Membrane time constant, in s, > 0.
    tau_syn : array
        Synaptic time constants, in s, > 0; ``shape``, or ``(synapses, *shape)`` for several.
    synapses : int
        Synaptic currents per neuron, >= 1; the i-th has port ``in``, ``in2``, ``in3``, ...
    """

    kind: ClassVar[str] = "CubaLIF"


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptiveLIF(_CurrentBased, SpikingNeuron):
    """CubaLIF with adaptive threshold and relative refractoriness, without membrane reset.

    Per step, after I and V are updated as in the canonical neuron::

        r  <- rho r;   th <- threshold + delta (th - threshold)
        S  =  V >= th + r
        r  <- r + 2 th S;   th <- th + threshold_step S        (th before its own step)

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    tau_mem, tau_syn, synapses
        As `CubaLIF`.
    threshold : array
        Threshold at rest.
    threshold_step : array
        Rise of the threshold per spike, >= 0.
    tau_threshold, tau_refractory : array
        Time constants of ``delta`` and ``rho``, in s, > 0.

    References
    ----------
    Lava-DL documentation, neuron ``alif``; Shrestha and Orchard, NeurIPS 2018.
    """

    kind: ClassVar[str] = "AdaptiveLIF"
    states: ClassVar[tuple[str, ...]] = ("i_syn", "v_mem", "threshold", "refractory")
    threshold_step: NDArray[np.float64] = array(0.1, minimum=0.0)
    tau_threshold: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    tau_refractory: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class AdEx(_CurrentBased, SpikingNeuron):
    """Adaptive exponential integrate-and-fire, forward Euler, membrane driven by the old current.

    Per step, with ``m = dt / tau_mem``, ``a_w = dt / tau_adaptation``::

        dV = m (v_rest - V + slope exp((V - v_exp) / slope)) + m (I[t-1] + bias - w)
        I  = (1 - dt / tau_syn) I[t-1] + x[t];   V <- V + dV
        S  = V > threshold
        w  <- (1 - a_w) w + a_w a (V - v_rest) + b S;   V <- v_reset where S

    ``slope = 0`` switches the exponential term off, ``a = 0`` and ``b = 0`` the adaptation.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `SpikingNeuron`.
    tau_mem, tau_syn, synapses
        As `CubaLIF`.
    slope, v_exp : array
        Width (>= 0) and onset of the exponential term.
    tau_adaptation : array
        Time constant of the adaptation ``w``, in s, > 0.
    a, b : array
        Adaptation below the threshold, and per spike.

    References
    ----------
    Brette and Gerstner, J. Neurophysiol. 94 (2005); hxtorch documentation, AELIF.
    """

    kind: ClassVar[str] = "AdEx"
    states: ClassVar[tuple[str, ...]] = ("i_syn", "v_mem", "w_adaptation")
    decay: str = "euler"
    reset: str = "to_value"
    comparison: str = ">"
    slope: NDArray[np.float64] = array(0.0, minimum=0.0)
    v_exp: NDArray[np.float64] = array(0.0)
    tau_adaptation: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    a: NDArray[np.float64] = array(0.0)
    b: NDArray[np.float64] = array(0.0)


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class ResonateAndFire(SpikingNeuron):
    """A damped rotation in the complex plane that fires on phase or on amplitude.

    Per step, with ``k = exp(-dt / tau)`` and ``phi = 2 pi frequency dt``::

        re' = k (cos phi re - sin phi im) + x_re
        im' = k (sin phi re + cos phi im) + x_im + bias
        phase:     S = re' >= threshold and im' >= 0 and im < 0        (no reset)
        amplitude: S = im' >= threshold;  re = 0, im just below the threshold where S

    Parameters
    ----------
    shape, bias
        As `Neuron`.
    threshold : array
        See above.
    frequency : array
        In Hz, > 0.
    tau : array
        Damping time constant, in s, > 0.
    trigger : {"phase", "amplitude"}
        When the neuron fires.

    References
    ----------
    Izhikevich, Neural Networks 14 (2001); Lava documentation, processes RF and RF_IZ.
    """

    kind: ClassVar[str] = "ResonateAndFire"
    states: ClassVar[tuple[str, ...]] = ("re", "im")
    frequency: NDArray[np.float64] = array(unit="Hz", minimum=0.0, exclusive=True)
    tau: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    trigger: str = "phase"

    def check(self) -> None:
        """Check the trigger."""
        super().check()
        self._one_of("trigger", ("phase", "amplitude"))

    @property
    def ports(self) -> tuple[str, ...]:
        """Real and imaginary input."""
        return ("re", "im")


@register_node
@dataclass(frozen=True, kw_only=True, eq=False)
class SigmaDelta(Neuron):
    """Accumulates its input, applies an activation and emits graded changes.

    Per step::

        sigma <- sigma + x;   y = activation(sigma + bias)
        d = y - y[t-1] + residual;   out = d where |d| >= threshold else 0
        residual <- d - out

    Parameters
    ----------
    shape, bias
        As `Neuron`.
    threshold : array
        Smallest change that is emitted, >= 0.
    activation : {"relu", "identity"}
        Applied to the sum.

    References
    ----------
    Lava documentation, process SigmaDelta.
    """

    kind: ClassVar[str] = "SigmaDelta"
    states: ClassVar[tuple[str, ...]] = ("sigma", "activation", "residual")
    threshold: NDArray[np.float64] = array(minimum=0.0)
    activation: str = "relu"

    def check(self) -> None:
        """Check the activation."""
        super().check()
        self._one_of("activation", ("relu", "identity"))
