"""Virtual chips: a seed draws the fixed pattern of every circuit, synapse and converter channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ranvier.diagnostics import Diagnostic

from .targets import limits_of

if TYPE_CHECKING:
    from .config import Bss2Config

Preset = Literal["ideal", "calibrated", "uncalibrated"]
POTENTIAL_FACTOR, TIME_FACTOR = 4.0, 3.0
"""How much wider an uncalibrated chip scatters (our choice; not published)."""


def _spread(default: float, description: str) -> Any:
    return Field(default, ge=0, allow_inf_nan=False, description=description)


class Variability(BaseModel):
    """How much a chip scatters, and how noisy it is.

    Every default is our own conservative preset; published are only upper bounds after calibration
    (calix @e573081: CADC below 3 LSB, offsets below 20 LSB, noise target 1.2 LSB).

    Parameters
    ----------
    sigma_leak, sigma_reset, sigma_threshold : float
        Standard deviation of the potentials, in LSB of the CADC.
    sigma_tau_mem, sigma_tau_syn : float
        Of the logarithm of the time constants.
    sigma_strength : float
        Of the logarithm of the synaptic strength per circuit and receptor.
    sigma_weight : float
        Relative, per synapse.
    sigma_cadc_gain, sigma_cadc_offset : float
        Per channel of the CADC: relative, and in LSB.
    cadc_noise : float
        Read noise, in LSB.
    membrane_noise : float
        Temporal noise of the membrane, in LSB per square root of a microsecond.
    saturation : float or None
        Synaptic drive at which the input saturates, in LSB; None: linear.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma_leak: float = _spread(1.5, "Leak potential, LSB.")
    sigma_reset: float = _spread(1.5, "Reset potential, LSB.")
    sigma_threshold: float = _spread(2.5, "Threshold, LSB.")
    sigma_tau_mem: float = _spread(0.10, "Membrane time constant, log.")
    sigma_tau_syn: float = _spread(0.10, "Synaptic time constants, log.")
    sigma_strength: float = _spread(0.08, "Synaptic strength per circuit and receptor, log.")
    sigma_weight: float = _spread(0.05, "Single synapses, relative.")
    sigma_cadc_gain: float = _spread(0.01, "Gain of a CADC channel, relative.")
    sigma_cadc_offset: float = _spread(1.5, "Offset of a CADC channel, LSB.")
    cadc_noise: float = _spread(1.0, "Read noise of the CADC, LSB.")
    membrane_noise: float = _spread(1.0, "Membrane noise, LSB per sqrt(us).")
    saturation: float | None = Field(
        150.0, gt=0, description="Saturating drive, LSB; none: linear."
    )

    @classmethod
    def preset(cls, name: Preset) -> Self:
        """Return a preset: no variability at all, a calibrated chip, or one that is not."""
        if name == "ideal":
            zero = {n: 0.0 for n in cls.model_fields if n != "saturation"}
            return cls(**zero, saturation=None)
        if name == "calibrated":
            return cls()
        own = cls()
        potentials = {
            n: getattr(own, n) * POTENTIAL_FACTOR
            for n in ("sigma_leak", "sigma_reset", "sigma_threshold")
        }
        times = {n: getattr(own, n) * TIME_FACTOR for n in ("sigma_tau_mem", "sigma_tau_syn")}
        return cls(**potentials, **times)


class VirtualChip(BaseModel):
    """One chip: a seed and a variability. Networks on one virtual chip meet the same silicon.

    Parameters
    ----------
    seed : int
        Names the chip, >= 0.
    variability : Variability
        How much it scatters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(0, ge=0)
    variability: Variability = Variability()

    @classmethod
    def of(cls, seed: int = 0, preset: Preset = "calibrated", **changes: Any) -> VirtualChip:
        """Return a chip by preset, with single spreads changed.

        Parameters
        ----------
        seed : int
            Names the chip.
        preset : {"ideal", "calibrated", "uncalibrated"}
            Where to start from.
        **changes
            Fields of `Variability`.
        """
        own = Variability.preset(preset).model_dump() | changes
        return cls(seed=seed, variability=Variability(**own))

    def foreign_targets(self, config: Bss2Config) -> tuple[Diagnostic, ...]:
        """Return which targets of a configuration the chip was not calibrated to.

        A chip that is drawn deviates from any target in the same way: there are none.

        Parameters
        ----------
        config : Bss2Config
            What shall run.
        """
        del config
        return ()

    def circuits(self, name: str) -> NDArray[np.float64]:
        """Return standard normal numbers of one property of every circuit, (512,).

        Parameters
        ----------
        name : str
            ``"leak"``, ``"tau_syn_exc"``, ...: each name is a draw of its own.
        """
        return self._normal(name, limits_of().neuron_circuits)

    def synapses(self) -> NDArray[np.float64]:
        """Return standard normal numbers of every synapse, (2, 256, 256): array, row, column."""
        limits = limits_of()
        size = limits.arrays * limits.rows * limits.columns
        return self._normal("synapse", size).reshape(limits.arrays, limits.rows, limits.columns)

    def _normal(self, name: str, size: int) -> NDArray[np.float64]:
        key = [self.seed, *name.encode()]
        return np.asarray(np.random.default_rng(key).standard_normal(size))
