"""An uncalibrated virtual chip: what its parameter codes mean on each circuit.

The laws are ours: published are the range of the codes, the end points of the converter, and that
potentials are linear in their code and time constants inverse to a bias current. Offsets are the
draws of `ranvier_bss2.chip.VirtualChip`, so that an emulator with the same, uncalibrated chip shows
what this one shows with nominal codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ..chip import VirtualChip
from ..targets import limits_of, target_named
from .targets import CalibrationTargets

Floats = NDArray[np.float64]
Codes = Mapping[str, NDArray[np.int64]]

POTENTIALS = ("leak", "reset", "threshold")
TIMES = ("tau_mem", "tau_syn_exc", "tau_syn_inh")
STRENGTHS = ("strength_exc", "strength_inh")
CIRCUIT_CODES = (*POTENTIALS, *TIMES, *STRENGTHS)
"""CapMem codes of a circuit, 0..1022."""
DIGITAL_MIN, DIGITAL_MAX = -128, 127
"""Range of the digital offset of a CADC channel."""
QUADRANTS = 4


class CodeModel(BaseModel):
    """How codes act on a virtual chip; all values are our model, uncertain as physics.

    Parameters
    ----------
    potential_low_code, potential_high_code : float
        Codes at the end points of the converter's calibration (calix @e573081).
    potential_low, potential_high : float
        What the converter reads there, in LSB.
    sigma_slope : float
        Relative scatter of the slope of a potential, around its target.
    time_code : float
        Code of a bias current that gives a time constant of ``time_normal``.
    time_normal : float
        In s.
    time_switch : tuple of float
        Targets, in s, at which a bias current is multiplied by 8, and divided by 8: below the
        first, above the second. Synaptic inputs have a resistor ten times higher from the third on.
    ramp_code : float
        Code of the converter's ramp at which its gain is nominal; the gain is inverse to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    potential_low_code: float = 70.0
    potential_high_code: float = 550.0
    potential_low: float = 20.0
    potential_high: float = 220.0
    sigma_slope: float = Field(0.03, ge=0)
    time_code: float = Field(150.0, gt=0)
    time_normal: float = Field(10e-6, gt=0)
    time_switch: tuple[float, float, float] = (3e-6, 20e-6, 3e-6)
    ramp_code: float = Field(400.0, gt=0)

    @property
    def slope(self) -> float:
        """LSB per code of a potential."""
        codes = self.potential_high_code - self.potential_low_code
        return (self.potential_high - self.potential_low) / codes

    def potential_code(self, lsb: Floats) -> Floats:
        """Return nominal codes of potentials, not rounded."""
        return self.potential_low_code + (lsb - self.potential_low) / self.slope


@dataclass(frozen=True)
class Silicon:
    """Circuits of one chip with digital switches set for some targets.

    Parameters
    ----------
    chip : VirtualChip
        Draws, and how wide they scatter.
    targets : CalibrationTargets
        They choose the switches (current ranges) and the capacitance.
    model : CodeModel
        What codes mean.
    """

    chip: VirtualChip
    targets: CalibrationTargets
    model: CodeModel = field(default_factory=CodeModel)

    @cached_property
    def _draws(self) -> dict[str, Floats]:
        names = [*CIRCUIT_CODES, "cadc_gain", "cadc_offset"]
        names += [f"{name}_slope" for name in POTENTIALS]
        return {name: self.chip.circuits(name) for name in names}

    @cached_property
    def nominal(self) -> dict[str, NDArray[np.int64]]:
        """Codes that a chip without any scatter needs."""
        own = {n: self.model.potential_code(getattr(self.targets, n)) for n in POTENTIALS}
        own |= {n: self._time_constant(n) / getattr(self.targets, n) for n in TIMES}
        own |= {n: self.targets.i_synin_gm for n in STRENGTHS}
        own["cadc_ramp"] = np.full(QUADRANTS, self.model.ramp_code)
        own["cadc_offset"] = np.zeros(limits_of().neuron_circuits)
        most = limits_of().capmem_max
        return {n: np.clip(np.rint(v), 0, most).astype(np.int64) for n, v in own.items()}

    def potential(self, name: str, codes: Codes) -> Floats:
        """Return a potential of every circuit, in LSB, (512,)."""
        sigma = getattr(self.chip.variability, f"sigma_{name}")
        pivot = self.model.potential_code(np.asarray(getattr(self.targets, name)))
        slope = self.model.slope * (1.0 + self.model.sigma_slope * self._draws[f"{name}_slope"])
        offset = sigma * self._draws[name]
        at: Floats = getattr(self.targets, name) + offset + slope * (codes[name] - pivot)
        return at

    def time(self, name: str, codes: Codes) -> Floats:
        """Return a time constant of every circuit, in s, (512,)."""
        variability = self.chip.variability
        sigma = variability.sigma_tau_mem if name == "tau_mem" else variability.sigma_tau_syn
        current = np.maximum(codes[name], 0.5)
        tau: Floats = self._time_constant(name) / current * np.exp(sigma * self._draws[name])
        return tau

    def strength(self, name: str, codes: Codes) -> Floats:
        """Return the strength of a synaptic input relative to the nominal one, (512,)."""
        scatter = np.exp(self.chip.variability.sigma_strength * self._draws[name])
        relative: Floats = codes[name] / self.targets.i_synin_gm * scatter
        return relative

    def converter(self, codes: Codes) -> tuple[Floats, Floats]:
        """Return gain and offset (LSB) of every channel of the CADC, (512,) each."""
        variability = self.chip.variability
        ramp = self.model.ramp_code / np.maximum(codes["cadc_ramp"], 1.0)
        gain = (1.0 + variability.sigma_cadc_gain * self._draws["cadc_gain"]) * ramp[quadrants()]
        offset = variability.sigma_cadc_offset * self._draws["cadc_offset"] + codes["cadc_offset"]
        return gain, offset

    def _time_constant(self, name: str) -> Floats:
        """Return time constant times code, in s, for the switches that the targets choose."""
        model = self.model
        target = getattr(self.targets, name)
        faster, slower, high = model.time_switch
        one: Floats = np.full(target.shape, model.time_code * model.time_normal)
        if name == "tau_mem":
            factor = np.where(target < faster, 1 / 8, np.where(target > slower, 8.0, 1.0))
            capacitance = np.maximum(self.targets.membrane_capacitance, 1.0)
            return one * factor * capacitance / limits_of().membrane_capacitance_max
        return one * np.where(target < high, 0.1, 1.0)


def assumed_kappa() -> float:
    """Return the drive per weight LSB at nominal targets that the manifest assumes, in LSB."""
    value = target_named().fact("kappa").value
    return float(value) if isinstance(value, int | float) else 1.0


def quadrants() -> NDArray[np.int64]:
    """Return the quadrant of every circuit, 0..3, (512,): two per row of circuits."""
    limits = limits_of()
    circuit = np.arange(limits.neuron_circuits)
    return 2 * (circuit // limits.columns) + (circuit % limits.columns) // (limits.columns // 2)
