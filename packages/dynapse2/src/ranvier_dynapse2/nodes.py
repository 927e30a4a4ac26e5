"""The chip's own neuron: a current-mode adaptive exponential integrator with DPI synapses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import GraphError
from ranvier.graph import Neuron, Node, array

from .layout import LAYOUT, Layout
from .translation import SYNAPSES, currents_from_times

MODELS = ("merged_synapse", "four_synapse")
PORTS = ("ampa", "gaba", "nmda", "shunt")
"""Input ports of the four-synapse model, in this order everywhere."""
_DEFAULT = {name: float(values) for name, values in currents_from_times().items()}
CURRENTS = (
    "i_dc",
    "i_f_nmda",
    "i_gain_ahp",
    "i_gain_ampa",
    "i_gain_gaba",
    "i_gain_nmda",
    "i_gain_shunt",
    "i_gain_mem",
    "i_pulse_ahp",
    "i_pulse",
    "i_ref",
    "i_spkthr",
    "i_tau_ahp",
    "i_tau_ampa",
    "i_tau_gaba",
    "i_tau_nmda",
    "i_tau_shunt",
    "i_tau_mem",
    "i_w_ahp",
)
"""Currents that a bias sets; all shared by the neurons of a core."""
CONSTANTS = tuple(Layout.model_fields)
"""Capacitances and transistor constants."""


def _current(default: float) -> Any:
    return array(default, unit="A", minimum=0.0)


def _constant(name: str, unit: str) -> Any:
    return array(getattr(LAYOUT, name), unit=unit, minimum=0.0, exclusive=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dpi(Neuron):
    """Adaptive exponential neuron of the DYNAP-SE2 in currents, with DPI synapses.

    Parameters
    ----------
    shape : tuple of int
        Shape of the population.
    model : {"merged_synapse", "four_synapse"}
        One synapse of signed input (port ``in``; what rockpool's DynapSim computes), or AMPA,
        GABA, NMDA and shunt apart (ports of these names, input >= 0). The merged synapse uses the
        currents and the capacitance of ``ampa``.
    i_scale : array
        Synaptic current of a weight of 1, in A, > 0.
    i_dc : array
        Constant input, in A.
    i_f_nmda : array
        Membrane current at which NMDA opens by half, in A; four-synapse model only.
    i_tau_mem, i_tau_ahp, i_tau_ampa, i_tau_gaba, i_tau_nmda, i_tau_shunt : array
        Leak currents, in A: they set time constants, see `ranvier_dynapse2.translation`.
    i_gain_mem, i_gain_ahp, i_gain_ampa, i_gain_gaba, i_gain_nmda, i_gain_shunt : array
        Gain currents, in A.
    i_pulse, i_pulse_ahp, i_ref : array
        Pulse extenders of synapses and adaptation, and the refractory period, in A.
    i_spkthr : array
        Membrane current above which the neuron fires, in A.
    i_w_ahp : array
        Adaptation per spike, in A.
    c_mem, c_ampa, c_gaba, c_nmda, c_shunt, c_ahp, c_pulse, c_pulse_ahp, c_ref : array
        Capacitances, in F.
    i_o, kappa_n, kappa_p, u_t, v_th : array
        Dark current (A), slope factors, thermal voltage (V), pulse threshold (V).
    v_rest, bias, decay
        Unused, must keep their defaults: a constant input is ``i_dc``.

    Raises
    ------
    GraphError
        An unknown model, a bias or resting potential, values that are negative or not finite.

    References
    ----------
    Chicca et al., Proc. IEEE 102 (2014); Livi and Indiveri, ISCAS 2009; equations and defaults of
    rockpool 3.1.0, devices/dynapse/simulation.
    """

    kind: ClassVar[str] = "dynapse2.dpi"
    spiking: ClassVar[bool] = True
    model: str = "merged_synapse"
    i_scale: NDArray[np.float64] = array(1e-8, unit="A", minimum=0.0, exclusive=True)
    i_dc: NDArray[np.float64] = _current(LAYOUT.i_o)
    i_f_nmda: NDArray[np.float64] = _current(LAYOUT.i_o)
    i_gain_ahp: NDArray[np.float64] = _current(_DEFAULT["i_gain_ahp"])
    i_gain_ampa: NDArray[np.float64] = _current(_DEFAULT["i_gain_ampa"])
    i_gain_gaba: NDArray[np.float64] = _current(_DEFAULT["i_gain_gaba"])
    i_gain_nmda: NDArray[np.float64] = _current(_DEFAULT["i_gain_nmda"])
    i_gain_shunt: NDArray[np.float64] = _current(_DEFAULT["i_gain_shunt"])
    i_gain_mem: NDArray[np.float64] = _current(_DEFAULT["i_gain_mem"])
    i_pulse_ahp: NDArray[np.float64] = _current(_DEFAULT["i_pulse_ahp"])
    i_pulse: NDArray[np.float64] = _current(_DEFAULT["i_pulse"])
    i_ref: NDArray[np.float64] = _current(_DEFAULT["i_ref"])
    i_spkthr: NDArray[np.float64] = _current(1e-7)
    i_tau_ahp: NDArray[np.float64] = _current(_DEFAULT["i_tau_ahp"])
    i_tau_ampa: NDArray[np.float64] = _current(_DEFAULT["i_tau_ampa"])
    i_tau_gaba: NDArray[np.float64] = _current(_DEFAULT["i_tau_gaba"])
    i_tau_nmda: NDArray[np.float64] = _current(_DEFAULT["i_tau_nmda"])
    i_tau_shunt: NDArray[np.float64] = _current(_DEFAULT["i_tau_shunt"])
    i_tau_mem: NDArray[np.float64] = _current(_DEFAULT["i_tau_mem"])
    i_w_ahp: NDArray[np.float64] = _current(LAYOUT.i_o)
    c_mem: NDArray[np.float64] = _constant("c_mem", "F")
    c_ampa: NDArray[np.float64] = _constant("c_ampa", "F")
    c_gaba: NDArray[np.float64] = _constant("c_gaba", "F")
    c_nmda: NDArray[np.float64] = _constant("c_nmda", "F")
    c_shunt: NDArray[np.float64] = _constant("c_shunt", "F")
    c_ahp: NDArray[np.float64] = _constant("c_ahp", "F")
    c_pulse: NDArray[np.float64] = _constant("c_pulse", "F")
    c_pulse_ahp: NDArray[np.float64] = _constant("c_pulse_ahp", "F")
    c_ref: NDArray[np.float64] = _constant("c_ref", "F")
    i_o: NDArray[np.float64] = _constant("i_o", "A")
    kappa_n: NDArray[np.float64] = _constant("kappa_n", "")
    kappa_p: NDArray[np.float64] = _constant("kappa_p", "")
    u_t: NDArray[np.float64] = _constant("u_t", "V")
    v_th: NDArray[np.float64] = _constant("v_th", "V")

    def check(self) -> None:
        """Check the model and that nothing is asked for that the neuron does not have."""
        super().check()
        self._one_of("model", MODELS)
        positive = [
            n for n in ("i_pulse", "i_pulse_ahp", "i_ref", "i_spkthr") if _has_zero(self, n)
        ]
        if positive:
            raise GraphError(f"{self.kind}: {', '.join(positive)} must be > 0 A")
        if np.any(self.bias) or np.any(self.v_rest) or self.decay != "exponential":
            raise GraphError(
                f"{self.kind}: bias, v_rest and decay do not exist on this neuron; use i_dc for a "
                "constant input"
            )

    @property
    def ports(self) -> tuple[str, ...]:
        """``("in",)``, or the four synapses."""
        return ("in",) if self.model == "merged_synapse" else PORTS

    @property
    def states(self) -> tuple[str, ...]:  # type: ignore[override]
        """Currents that can be recorded: synapse(s), adaptation, membrane; membrane voltage."""
        synapses = ("i_syn",) if self.model == "merged_synapse" else synapse_states()
        return (*synapses, "i_ahp", "i_mem", "v_mem")


def synapse_states() -> tuple[str, ...]:
    """Return the names of the synaptic currents of the four-synapse model."""
    return tuple(f"i_{name}" for name in SYNAPSES)


def _has_zero(node: Dpi, name: str) -> bool:
    return float(getattr(node, name).min()) <= 0.0


KINDS: tuple[type[Node], ...] = (Dpi,)
"""All kinds that the plugin registers."""
