"""Options of the simulator."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ranvier.errors import RanvierError

from ..chip import Preset, VirtualChip
from ..emulator.emulator import MAX_SUBSTEPS, Decay


class SimulateOptions(BaseModel):
    """How a configuration is simulated.

    Parameters
    ----------
    level : {"emulator", "numeric"}
        The chip from its registers, with a virtual chip's silicon; or the model's numerics with
        the weights that the registers hold, which no chip and no noise changes.
    preset : {"ideal", "calibrated", "uncalibrated"}
        Variability to start from, see `ranvier_bss2.Variability`. With ``"ideal"`` nothing scatters
        and nothing is noisy.
    chip_seed : int
        Which virtual chip, >= 0: every seed is another piece of silicon.
    variability : dict of str to float or None
        Fields of `ranvier_bss2.Variability` that differ from the preset.
    calibration : path or None
        What `ranvier_bss2.calibration.CalibrationResult.save` wrote: the calibrated chip is used,
        so that preset, chip_seed and variability are left out.
    substeps : int
        Integration steps per time step, 1..255.
    decay : {"euler", "exact"}
        Forward Euler as in the model, or exponential decays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Literal["emulator", "numeric"] = Field(
        "emulator", description="The chip from its registers, or the model's numerics."
    )
    preset: Preset = Field("ideal", description="Variability to start from.")
    chip_seed: int = Field(0, ge=0, description="Which virtual chip.")
    variability: dict[str, float | None] = Field(
        default_factory=dict, description="Single spreads and noises, by name."
    )
    calibration: Path | None = Field(
        None,
        description="Calibration of a virtual chip (.rv), instead of preset, chip_seed and "
        "variability.",
    )
    substeps: int = Field(1, ge=1, le=MAX_SUBSTEPS, description="Integration steps per time step.")
    decay: Decay = Field("euler", description="Forward Euler, or exponential decays.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        drawn = sorted(self.model_fields_set & {"preset", "chip_seed", "variability"})
        if self.calibration is not None and drawn:
            raise ValueError(
                f"calibration names a chip already; leave out {', '.join(drawn)}, or calibration"
            )
        try:
            _ = self.chip
        except ValidationError as error:
            found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ValueError(f"variability: {found}") from error
        except RanvierError as error:
            raise ValueError(f"calibration: {error}") from error
        return self

    @cached_property
    def chip(self) -> VirtualChip:
        """The virtual chip; that of a calibration is read once."""
        if self.calibration is None:
            return VirtualChip.of(self.chip_seed, self.preset, **self.variability)
        from ..calibration import load_calibration

        return load_calibration(self.calibration).chip()
