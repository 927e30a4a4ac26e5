"""A calibrated virtual chip: the same silicon, with what its calibration left over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ranvier.artifacts import Array
from ranvier.diagnostics import Diagnostic

from ..chip import VirtualChip
from ..config.ranges import RANGES, applies
from ..diagnostics import OTHER_TARGETS
from .silicon import POTENTIALS, STRENGTHS, TIMES, Codes, Silicon

if TYPE_CHECKING:
    from ..config import Bss2Config

Floats = NDArray[np.float64]
_SIGMA = {
    **{n: f"sigma_{n}" for n in POTENTIALS},
    "tau_mem": "sigma_tau_mem",
    "tau_syn_exc": "sigma_tau_syn",
    "tau_syn_inh": "sigma_tau_syn",
    **dict.fromkeys(STRENGTHS, "sigma_strength"),
    "cadc_gain": "sigma_cadc_gain",
    "cadc_offset": "sigma_cadc_offset",
}
CALIBRATED_TO = (*POTENTIALS, *TIMES, "i_synin_gm", "membrane_capacitance", "synapse_dac_bias")
"""Targets on which the codes of a calibration depend; the times after a spike are digital."""


class CalibratedChip(VirtualChip):
    """A virtual chip whose circuits deviate by what a calibration left over.

    It goes wherever a `VirtualChip` goes. Its variability holds the root mean square of the
    deviations, its circuits the deviations in that unit; synapses are those of the silicon.

    Parameters
    ----------
    seed : int
        Names the silicon.
    variability : Variability
        Residual spreads; noise as before.
    residuals : dict of str to array, (512,)
        Deviations over residual spread, by name of the draw.
    targets : dict of str to array, (512,)
        What it was calibrated to, by `CALIBRATED_TO`.
    """

    residuals: dict[str, Array] = Field(default_factory=dict)
    targets: dict[str, Array] = Field(default_factory=dict)

    def foreign_targets(self, config: Bss2Config) -> tuple[Diagnostic, ...]:
        """Return BS404 for every target that the chip was not calibrated to, by population.

        Parameters
        ----------
        config : Bss2Config
            What shall run.
        """
        found = []
        for number, p in enumerate(config.populations):
            mine = np.asarray(config.neuron_population) == number
            circuit = np.asarray(config.neuron_circuit)[mine].astype(np.int64)
            neuron = np.asarray(config.neuron_index)[mine].astype(np.int64)
            for name in (n for n in self.targets if applies(n, p.switches)):
                wanted = np.asarray(p.targets[name], np.float64)[neuron]
                made_for = np.asarray(self.targets[name], np.float64)[circuit]
                other = np.flatnonzero(~np.isclose(wanted, made_for, rtol=1e-6, atol=0.0))
                if other.size:
                    shown = RANGES[name].shown
                    message = (
                        f"{name} of {other.size} circuits, first {shown(wanted[other[0]])}, "
                        f"calibrated to {shown(made_for[other[0]])}"
                    )
                    value, limit = float(wanted[other[0]]), float(made_for[other[0]])
                    found.append(OTHER_TARGETS.at(p.name, message, value=value, limit=limit))
        return tuple(found)

    def circuits(self, name: str) -> Floats:
        """Return what replaces the normal numbers of a property, (512,).

        Parameters
        ----------
        name : str
            As `VirtualChip.circuits`; properties that no calibration touches are drawn.
        """
        if name in self.residuals:
            return np.asarray(self.residuals[name], dtype=np.float64)
        return super().circuits(name)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CalibratedChip)
            and (self.seed, self.variability) == (other.seed, other.variability)
            and _equal(self.residuals, other.residuals)
            and _equal(self.targets, other.targets)
        )

    def __hash__(self) -> int:
        return hash((self.seed, self.variability))


def _equal(first: dict[str, Array], second: dict[str, Array]) -> bool:
    return first.keys() == second.keys() and all(
        np.array_equal(values, second[name]) for name, values in first.items()
    )


def residuals_of(silicon: Silicon, codes: Codes) -> dict[str, Floats]:
    """Return how far a chip with given codes is from its targets, by name of the draw.

    Parameters
    ----------
    silicon : Silicon
        The chip and its targets.
    codes : mapping of str to array
        Settings.

    Returns
    -------
    dict of str to array, (512,)
        LSB for potentials and the converter's offset, logarithms for times and strengths,
        relative for the converter's gain.
    """
    targets = silicon.targets
    own = {n: silicon.potential(n, codes) - getattr(targets, n) for n in POTENTIALS}
    own |= {n: np.log(silicon.time(n, codes) / getattr(targets, n)) for n in TIMES}
    own |= {n: np.log(np.maximum(silicon.strength(n, codes), 1e-6)) for n in STRENGTHS}
    gain, offset = silicon.converter(codes)
    return own | {"cadc_gain": gain - 1.0, "cadc_offset": offset}


def calibrated_chip(silicon: Silicon, codes: Codes) -> CalibratedChip:
    """Return the chip that an emulator runs on.

    Parameters
    ----------
    silicon : Silicon
        The chip and its targets.
    codes : mapping of str to array
        Settings that the calibration found.
    """
    deviations = residuals_of(silicon, codes)
    squares: dict[str, list[float]] = {}
    for name, values in deviations.items():
        squares.setdefault(_SIGMA[name], []).append(float(np.mean(values**2)))
    spreads = {field: float(np.sqrt(np.mean(values))) for field, values in squares.items()}
    residuals: dict[str, Any] = {
        name: values / spreads[_SIGMA[name]] if spreads[_SIGMA[name]] > 0 else 0.0 * values
        for name, values in deviations.items()
    }
    return CalibratedChip(
        seed=silicon.chip.seed,
        variability=silicon.chip.variability.model_copy(update=spreads),
        residuals=residuals,
        targets={name: getattr(silicon.targets, name) for name in CALIBRATED_TO},
    )
