"""What a calibration found: codes, success, and the spread before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic

from ..chip import Variability
from .chip import CalibratedChip, calibrated_chip
from .search import Floats, trimmed_std
from .silicon import POTENTIALS, STRENGTHS, TIMES, CodeModel, Silicon
from .targets import CalibrationTargets

QUANTITIES = ("cadc", *POTENTIALS, *TIMES, *STRENGTHS)
"""What is calibrated: LSB for the converter and the potentials, else relative spread."""
CADC_REFERENCE = 120.0
"""Reading that all channels of the converter are calibrated to at mid-range, in LSB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationResult:
    """Settings of one chip, and how well they meet the targets.

    Parameters
    ----------
    chip_seed : int
        Names the virtual chip.
    variability : Variability
        Of the chip as fabricated.
    code_model : CodeModel
        What codes mean on it.
    targets : CalibrationTargets
        What was wanted.
    codes : mapping of str to array of int64
        Per circuit, (512,), 0..1022: ``leak``, ``reset``, ``threshold``, ``tau_mem``,
        ``tau_syn_exc``, ``tau_syn_inh`` (bias currents), ``strength_exc``, ``strength_inh``
        (``i_bias_synin_gm``); ``cadc_offset``, -128..127; ``cadc_ramp``, (4,), per quadrant.
    before, after : mapping of str to array, (512,)
        What the converters measured with nominal codes and with the found ones, by `QUANTITIES`:
        LSB, s, and relative to the expected strength.
    success : mapping of str to array of bool, (512,)
        Which circuits meet the target; the others keep their last codes.
    diagnostics : tuple of Diagnostic
        Failed circuits (BS402), targets that differ between instances (BS403).
    """

    chip_seed: int
    variability: Variability
    code_model: CodeModel
    targets: CalibrationTargets
    codes: Mapping[str, NDArray[np.int64]]
    before: Mapping[str, Floats]
    after: Mapping[str, Floats]
    success: Mapping[str, NDArray[np.bool_]]
    diagnostics: tuple[Diagnostic, ...] = ()

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Circuits that meet all targets, (512,)."""
        passed: NDArray[np.bool_] = np.all([self.success[n] for n in QUANTITIES], axis=0)
        return passed

    def chip(self) -> CalibratedChip:
        """Return the calibrated chip, for the emulator and the alignment."""
        from ..chip import VirtualChip

        silicon = Silicon(
            VirtualChip(seed=self.chip_seed, variability=self.variability),
            self.targets,
            self.code_model,
        )
        return calibrated_chip(silicon, self.codes)

    def deviations(self, quantity: str) -> tuple[Floats, Floats]:
        """Return how far circuits are from their targets before and after, (512,) each.

        Parameters
        ----------
        quantity : str
            One of `QUANTITIES`.

        Returns
        -------
        tuple of array
            LSB for potentials and the converter, logarithms for the others.
        """
        return (
            deviation(quantity, self.before[quantity], self.targets),
            deviation(quantity, self.after[quantity], self.targets),
        )

    def spread(self, quantity: str) -> tuple[float, float]:
        """Return the standard deviation before and after, without the outermost 1 % each side."""
        before, after = self.deviations(quantity)
        return trimmed_std(before), trimmed_std(after)

    def explain(self) -> str:
        """Return a table of the spreads, in words."""
        lines = [
            f"chip {self.chip_seed}: {int(self.mask.sum())} of {self.mask.size} circuits meet all "
            "targets; spread (standard deviation, outermost 2 % left out):"
        ]
        for name in QUANTITIES:
            before, after = self.spread(name)
            factor, unit = (1.0, "LSB") if name in ("cadc", *POTENTIALS) else (100.0, "%")
            lines.append(
                f"  {name:13s} {before * factor:6.2f} -> {after * factor:5.2f} {unit:3s}, "
                f"{int((~self.success[name]).sum())} failed"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.explain()

    __repr__ = __str__

    def save(self, path: str | PathLike[str]) -> None:
        """Write the result to a ``.rv`` file; raises `FileError` if that is not possible."""
        from .file import save_calibration

        save_calibration(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> CalibrationResult:
        """Read what `save` wrote; raises `FileError` for anything else."""
        from .file import load_calibration

        return load_calibration(path)

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays by name and a JSON-able document."""
        arrays: dict[str, NDArray[Any]] = {
            f"targets/{n}": v for n, v in self.targets.arrays().items()
        }
        for part in ("codes", "before", "after", "success"):
            arrays |= {f"{part}/{n}": v for n, v in getattr(self, part).items()}
        document = {
            "chip_seed": self.chip_seed,
            "variability": self.variability.model_dump(),
            "code_model": self.code_model.model_dump(),
            "diagnostics": [d.to_dict() for d in self.diagnostics],
        }
        return arrays, document


def deviation(quantity: str, measured: Floats, targets: CalibrationTargets) -> Floats:
    """Return how far measurements are from their target, (n,).

    Parameters
    ----------
    quantity : str
        One of `QUANTITIES`.
    measured : array, (n,)
        LSB, s, or relative strength.
    targets : CalibrationTargets
        What was wanted; for strengths it is the median of the measurements.

    Returns
    -------
    array, (n,)
        LSB for the converter and potentials, logarithms for the others.
    """
    if quantity == "cadc":
        return measured - CADC_REFERENCE
    if quantity in POTENTIALS:
        distance: Floats = measured - getattr(targets, quantity)
        return distance
    goal = getattr(targets, quantity) if quantity in TIMES else np.median(measured)
    relative: Floats = np.log(np.maximum(measured, 1e-15) / np.maximum(goal, 1e-15))
    return relative
