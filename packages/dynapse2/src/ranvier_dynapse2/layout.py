"""Capacitances and transistor constants of the chip, and the currents that they tie to times.

Sources: defaults of rockpool 3.1.0, devices/dynapse/parameters; equations of Chicca et al., Proc.
IEEE 102 (2014), and Bartolozzi and Indiveri, Neural Computation 19 (2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field


def _positive(default: float, description: str) -> Any:
    return Field(default, gt=0, allow_inf_nan=False, description=description)


class Layout(BaseModel):
    """What the chip's layout fixes; every value is typical, and uncertain by mismatch.

    Parameters
    ----------
    c_mem, c_ampa, c_gaba, c_nmda, c_shunt, c_ahp, c_pulse, c_pulse_ahp, c_ref : float
        Capacitances of membrane, synapses, adaptation, pulse extenders and refractory block, in F.
    i_o : float
        Dark current: the smallest current that a transistor passes, in A.
    kappa_n, kappa_p : float
        Subthreshold slope factors.
    u_t : float
        Thermal voltage, in V.
    v_th : float
        Voltage at which a pulse ends, in V.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    c_mem: float = _positive(3e-12, "Membrane, F.")
    c_ampa: float = _positive(24.5e-12, "AMPA synapse, F.")
    c_gaba: float = _positive(25e-12, "GABA synapse, F.")
    c_nmda: float = _positive(25e-12, "NMDA synapse, F.")
    c_shunt: float = _positive(24.5e-12, "Shunting synapse, F.")
    c_ahp: float = _positive(40e-12, "Adaptation, F.")
    c_pulse: float = _positive(0.5e-12, "Pulse extender of the synapses, F.")
    c_pulse_ahp: float = _positive(0.5e-12, "Pulse extender of the adaptation, F.")
    c_ref: float = _positive(1.5e-12, "Refractory block, F.")
    i_o: float = _positive(5e-13, "Dark current, A.")
    kappa_n: float = _positive(0.75, "Subthreshold slope factor, n-type.")
    kappa_p: float = _positive(0.66, "Subthreshold slope factor, p-type.")
    u_t: float = _positive(0.025, "Thermal voltage, V.")
    v_th: float = _positive(0.7, "Threshold of the pulse extenders, V.")

    @property
    def kappa(self) -> float:
        """Mean of both slope factors."""
        return (self.kappa_n + self.kappa_p) / 2

    def leak_current(self, tau: ArrayLike, capacitance: float) -> NDArray[np.float64]:
        """Return the current that gives a time constant: ``(u_t / kappa) C / tau``, in A."""
        return np.asarray(self.u_t / self.kappa * capacitance / np.asarray(tau, dtype=np.float64))

    def time_constant(self, current: ArrayLike, capacitance: float) -> NDArray[np.float64]:
        """Return the time constant of a leak current: ``(u_t / kappa) C / I``, in s."""
        return np.asarray(
            self.u_t / self.kappa * capacitance / np.asarray(current, dtype=np.float64)
        )

    def pulse_current(self, width: ArrayLike, capacitance: float) -> NDArray[np.float64]:
        """Return the current that gives a pulse width: ``v_th C / width``, in A."""
        return np.asarray(self.v_th * capacitance / np.asarray(width, dtype=np.float64))

    def pulse_width(self, current: ArrayLike, capacitance: float) -> NDArray[np.float64]:
        """Return the width of a pulse: ``v_th C / I``, in s."""
        return np.asarray(self.v_th * capacitance / np.asarray(current, dtype=np.float64))


LAYOUT = Layout()
"""Typical layout."""
