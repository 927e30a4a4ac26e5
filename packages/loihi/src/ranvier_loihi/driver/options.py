"""What a user may choose when a configuration goes to a device."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Generation = Literal["N2A2", "N3B2", "N3B3", "N3C1", "N3D1"]


class DeployOptions(BaseModel):
    """Options of the verb *deploy*; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout: float = Field(
        600.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest wait for one run of one sample, compilation included, in s.",
    )
    partition: str | None = Field(
        None, min_length=1, description="SLURM partition; none: PARTITION of the environment."
    )
    board: str | None = Field(
        None, min_length=1, description="SLURM board; none: BOARD of the environment."
    )
    host: str | None = Field(
        None,
        min_length=1,
        description="Address of a board on Ethernet; none: NXSDKHOST of the environment.",
    )
    host_binary: str | None = Field(
        None,
        min_length=1,
        description="Server program on that host; none: HOST_BINARY, or the vendor's default.",
    )
    generation: Generation | None = Field(
        None,
        description="Chip generation; none: LOIHI_GEN, or N3B3 for Loihi 2 and N2A2 for Loihi 1.",
    )
    profile: bool = Field(
        False,
        description="Measure power, time, memory and activity on the chip; see the provenance of "
        "the recording.",
    )
    reset_shift: int = Field(
        3,
        ge=0,
        description="Steps by which periodic resets come later on a chip, behind its adapters; 3 "
        "is what the vendor's tutorials use.",
    )
    python: str | None = Field(
        None,
        min_length=1,
        description="Interpreter that has Lava; none: RANVIER_LAVA_PYTHON of the environment.",
    )
