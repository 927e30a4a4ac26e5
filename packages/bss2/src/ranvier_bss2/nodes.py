"""The chip's own nodes: neurons with targets of their calibration, and event generators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import GraphError
from ranvier.graph import Input, Neuron, Node, array

MODEL = (
    "leak",
    "reset",
    "threshold",
    "tau_mem",
    "tau_syn",
    "capacitance",
    "refractory",
    "exp_slope",
    "exp_threshold",
    "a",
    "b",
    "tau_adaptation",
    "leak_adaptation",
)
"""Parameters of the numerics, in model units; times in s of the graph."""
POTENTIALS = ("leak_lsb", "reset_lsb", "threshold_lsb")
"""Calibration targets in LSB of the CADC."""
CODES = ("i_synin_gm", "membrane_capacitance", "synapse_dac_bias")
"""Calibration targets in codes: CapMem, 6 bits, CapMem."""
SWITCHES = ("leaky", "fire", "exponential", "subthreshold_adaptation", "spike_triggered_adaptation")
"""What a neuron does, and what it leaves out."""


def _time(default: float) -> Any:
    return array(default, unit="s", minimum=0.0, exclusive=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class AnalogNeuron(Neuron):
    """Neurons of BrainScaleS-2, forward Euler, membrane driven by the current of the last step.

    Per step, with ``g = capacitance / tau_mem``::

        s  = i + g (leak - v) + g exp_slope exp((v - exp_threshold) / exp_slope) - w
        i <- i (1 - dt / tau_syn) + x;   v <- v + dt / capacitance s
        z  = v > threshold
        w <- w (1 - dt / tau_adaptation) + dt / tau_adaptation a (v - leak_adaptation) + b z
        v <- reset where z, and while refractory

    Parameters
    ----------
    shape : tuple of int
        Shape of the population.
    leaky, fire, exponential, subthreshold_adaptation, spike_triggered_adaptation : bool
        Terms that are there; without ``fire`` the layer shows its membrane.
    leak, reset, threshold : array
        Potentials of the model.
    tau_mem, tau_syn : array
        Time constants, in s, > 0.
    capacitance : array
        In s, > 0: with ``capacitance = tau_mem`` a constant current i lifts the membrane by i.
    refractory : array
        Time after a spike, in s, >= 0; masked steps are ``ceil(refractory / dt)``.
    exp_slope, exp_threshold, a, b, tau_adaptation, leak_adaptation : array
        Exponential term and adaptation.
    leak_lsb, reset_lsb, threshold_lsb : array
        Potentials that the chip is calibrated to, in LSB of the CADC.
    i_synin_gm, membrane_capacitance, synapse_dac_bias : array
        Calibration targets, codes.
    trace_scale : array
        Model units per LSB of the CADC, > 0.
    v_rest, bias, decay
        Unused, must keep their defaults: the resting potential is ``leak``.

    References
    ----------
    hxtorch @3bfc7aa, spiking functionals; Billaudelle et al., arXiv 2209.09280.
    """

    kind: ClassVar[str] = "bss2.neuron"
    states: ClassVar[tuple[str, ...]] = ("i_syn", "v_mem", "w_adaptation")
    decay: str = "euler"
    leaky: bool = True
    fire: bool = True
    exponential: bool = False
    subthreshold_adaptation: bool = False
    spike_triggered_adaptation: bool = False
    leak: NDArray[np.float64] = array(0.0)
    reset: NDArray[np.float64] = array(0.0)
    threshold: NDArray[np.float64] = array(1.0)
    tau_mem: NDArray[np.float64] = _time(10e-6)
    tau_syn: NDArray[np.float64] = _time(10e-6)
    capacitance: NDArray[np.float64] = _time(10e-6)
    refractory: NDArray[np.float64] = array(0.0, unit="s", minimum=0.0)
    exp_slope: NDArray[np.float64] = array(1.0, minimum=0.0, exclusive=True)
    exp_threshold: NDArray[np.float64] = array(0.0)
    a: NDArray[np.float64] = array(0.0)
    b: NDArray[np.float64] = array(0.0)
    tau_adaptation: NDArray[np.float64] = _time(100e-6)
    leak_adaptation: NDArray[np.float64] = array(0.0)
    leak_lsb: NDArray[np.float64] = array(80.0, unit="LSB", minimum=0.0)
    reset_lsb: NDArray[np.float64] = array(80.0, unit="LSB", minimum=0.0)
    threshold_lsb: NDArray[np.float64] = array(125.0, unit="LSB", minimum=0.0)
    i_synin_gm: NDArray[np.float64] = array(500.0, unit="code", minimum=0.0)
    membrane_capacitance: NDArray[np.float64] = array(63.0, unit="code", minimum=0.0)
    synapse_dac_bias: NDArray[np.float64] = array(600.0, unit="code", minimum=0.0)
    trace_scale: NDArray[np.float64] = array(1.0 / 45.0, minimum=0.0, exclusive=True)

    def check(self) -> None:
        """Check that nothing is asked for that the neuron does not have."""
        super().check()
        if np.any(self.bias) or np.any(self.v_rest):
            raise GraphError(
                f"{self.kind}: bias and v_rest do not exist on this neuron; use leak for the "
                "resting potential"
            )

    @property
    def emits_spikes(self) -> bool:
        """Whether the layer fires."""
        return self.fire


@dataclass(frozen=True, kw_only=True, eq=False)
class Background(Input):
    """A background generator of the chip: a source of events that needs no host.

    A regular generator emits an event every ``period``. The other one draws a number of 1..255
    every ``period`` and emits if it is at most ``rate_code``: on average every
    ``period * 255 / rate_code``, 0 switches it off. Each event goes to one of n channels, drawn
    anew; projections from the node are the same as from an input.

    It is an `Input` for the graph, since it has no edge into it; a run takes no spikes for it.

    Parameters
    ----------
    shape : tuple of int
        Shape; n channels, a power of two up to 32, 1 for a regular generator.
    regular : bool
        Whether events come at even distances.
    period : float
        Time between two events or draws, in s of the graph, > 0; a whole number of 8 ns of the
        chip, 1..65535.
    rate_code : int
        0..255; unused by a regular generator.
    seed : int
        Of the draws, 32 bits.
    generator : int or None
        Which of the 8 generators: 0-3 reach neurons of the upper row, 4-7 of the lower one. None:
        a free one.

    Notes
    -----
    A generator drives one bus of one array, so that all of its targets lie in one row of circuits.

    References
    ----------
    haldls @838548a, background spike source; halco @065e894.
    """

    kind: ClassVar[str] = "bss2.background"
    regular: bool = False
    period: float = 1e-3
    rate_code: int = 255
    seed: int = 1
    generator: int | None = None

    def check(self) -> None:
        """Check types; what the chip has is left to *map*."""
        super().check()
        numbers = {"rate_code": self.rate_code, "seed": self.seed}
        if self.generator is not None:
            numbers["generator"] = self.generator
        bad = [f"{n} {v!r}" for n, v in numbers.items() if isinstance(v, bool) or int(v) != v]
        if bad:
            raise GraphError(f"{self.kind}: {', '.join(bad)} must be whole numbers")
        if not (np.isfinite(self.period) and self.period > 0):
            raise GraphError(f"{self.kind}: period is {self.period!r} s, must be finite and > 0")

    @property
    def ports(self) -> tuple[str, ...]:
        """None: nothing leads to a generator."""
        return ()


KINDS: tuple[type[Node], ...] = (AnalogNeuron, Background)
"""All kinds that the plugin registers."""
