"""What a user may choose when a configuration goes to a chip."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..chip import Preset, VirtualChip


class DeployOptions(BaseModel):
    """Options of the verb *deploy*; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Literal["auto", "hxtorch", "pynn"] = Field(
        "auto",
        description="Software stack to use; auto: what the device's id names, else hxtorch, else "
        "PyNN, whichever is installed.",
    )
    calibration: Path | None = Field(
        None,
        description="Calibration file, given to the stack by its name and never opened here. The "
        "stack unpickles files that end in .pkl: use only files from those you trust. None: the "
        "stack calibrates for the configuration's targets, which takes about five minutes. "
        "Loopback: calibration of a virtual chip (.rv), instead of preset, chip_seed and "
        "variability.",
    )
    nightly: bool = Field(
        False, description="Use the calibration that the site makes every night for this chip."
    )
    host: str | None = Field(
        None, min_length=1, description="Remote access: address of the quiggeldy server."
    )
    port: int | None = Field(None, ge=1, le=65535, description="Remote access: its port.")
    user: str | None = Field(
        None, min_length=1, description="Remote access: user name (QUIGGELDY_USER_NO_MUNGE)."
    )
    init: Literal["full", "minimal"] = Field(
        "full", description="hxtorch: how the connection to the chip is initialised."
    )
    ann: bool = Field(
        False,
        description="hxtorch: initialise for matrix multiplication; spiking networks need False.",
    )
    placement: Literal["config", "stack"] = Field(
        "stack",
        description="Where neurons sit: as the stack places them, or on the configuration's "
        "circuits. Events are always routed by the stack.",
    )
    margin: int = Field(
        0,
        ge=0,
        description="Silent steps after the input, run and not recorded: membranes settle before "
        "the next sample of a batch.",
    )
    preset: Preset | None = Field(
        None,
        description="Loopback only: how much the virtual chip scatters; none: as the simulator's "
        "default.",
    )
    chip_seed: int | None = Field(
        None, ge=0, description="Loopback only: seed that names the virtual chip."
    )
    variability: dict[str, float | None] | None = Field(
        None,
        description="Loopback only: single spreads of the virtual chip, fields of "
        "ranvier_bss2.chip.Variability.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = []
        if self.calibration is not None and self.nightly:
            problems.append("calibration and nightly exclude each other; leave one of them out")
        if self.calibration is not None and not self.calibration.is_file():
            problems.append(
                f"calibration: no file {str(self.calibration)!r}; give the file that calix wrote, "
                "or nightly=True, or for the loopback what CalibrationResult.save wrote"
            )
        if (self.host is None) != (self.port is None):
            problems.append("host and port belong together; give both, or none")
        try:
            VirtualChip.of(self.chip_seed or 0, self.preset or "ideal", **(self.variability or {}))
        except ValidationError as error:
            found = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            problems.append(f"variability: {'; '.join(found)}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def given(self, *names: str) -> list[str]:
        """Return which of some fields differ from their defaults."""
        fields = type(self).model_fields
        default: dict[str, Any] = {n: fields[n].default for n in names}
        return [n for n in names if getattr(self, n) != default[n]]
