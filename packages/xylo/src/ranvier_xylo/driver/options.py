"""What a user may choose when a configuration goes to a board."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..energy import CLOCK_MARGIN

Mode = Literal["accelerated", "real-time", "manual"]


class DeployOptions(BaseModel):
    """Options of the verb *deploy*; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(
        "accelerated",
        description="accelerated: host spikes as fast as the chip can; real-time: the board's own "
        "sensor is the input; manual: step by step from the host, slow, every state readable.",
    )
    timeout: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Longest wait for the results of one run, in s; none: from steps and neurons.",
    )
    clock: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Main clock of the chip, in Hz; none: leave the board's own.",
    )
    margin: float = Field(
        CLOCK_MARGIN,
        ge=0,
        allow_inf_nan=False,
        description="Fraction of clock cycles kept free in real-time mode.",
    )
    power: bool = Field(False, description="Measure the supply power during every run.")
    power_rate: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Power samples per second; none: the vendor's default of the board.",
    )
    hibernation: bool = Field(
        False, description="Let the chip sleep in steps without any activity; changes no number."
    )
    soft_reset: bool = Field(
        False,
        description="Clear the state of an Audio 3 board, which has no other way, by a soft reset.",
    )
