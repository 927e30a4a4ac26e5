"""Ranges to which neurons can be calibrated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Range:
    """What a calibration target may be.

    Parameters
    ----------
    least, most : float
        Both allowed.
    unit : str
        ``"s"``, ``"LSB"`` or ``"code"``.
    """

    least: float
    most: float
    unit: str

    def outside(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which values are outside, but for rounding."""
        slack = 1e-9 * max(abs(self.least), abs(self.most))
        return ~((values >= self.least - slack) & (values <= self.most + slack))

    def shown(self, value: float) -> str:
        """Return a value with its unit; times in us."""
        return f"{value * 1e6:.4g} us" if self.unit == "s" else f"{value:.4g} {self.unit}"

    def __str__(self) -> str:
        return f"{self.shown(self.least)} to {self.shown(self.most)}"


RANGES = {
    "leak": Range(50, 160, "LSB"),
    "reset": Range(50, 160, "LSB"),
    "threshold": Range(50, 220, "LSB"),
    "tau_mem": Range(0.5e-6, 60e-6, "s"),
    "tau_syn_exc": Range(0.3e-6, 30e-6, "s"),
    "tau_syn_inh": Range(0.3e-6, 30e-6, "s"),
    "refractory": Range(0.04e-6, 32e-6, "s"),
    "holdoff": Range(0, 4e-6, "s"),
    "i_synin_gm": Range(30, 800, "code"),
    "membrane_capacitance": Range(1, 63, "code"),
    "synapse_dac_bias": Range(30, 1022, "code"),
}
"""By `ranvier_bss2.network.TARGETS`: accepted targets of calix @e573081. A capacitance of 0 is left
out: the strength of synapses is inverse to it."""

CADC_RELIABLE = Range(20, 220, "LSB")
"""What the CADC reads between the end points of its calibration (calix @e573081)."""

SWITCHED = {
    "leak": (),
    "reset": ("fire",),
    "threshold": ("fire",),
    "refractory": ("fire",),
    "holdoff": ("fire",),
    "tau_mem": ("leaky",),
}
"""Switches without which a target means nothing."""


def applies(target: str, switches: tuple[str, ...]) -> bool:
    """Say whether a target means something for a neuron with some switches on."""
    return all(s in switches for s in SWITCHED.get(target, ()))
