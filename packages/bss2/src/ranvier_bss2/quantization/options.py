"""Options of the verb *quantize*."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class QuantizeOptions(BaseModel):
    """How real weights and potentials become codes; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    calibration: Any = Field(
        None,
        description="Input spikes ([batch,] time, channels), or a mapping by input name. The "
        "numerics then tell which membranes leave the range of the CADC.",
    )
    calibration_samples: int = Field(
        16, ge=1, description="Most samples of the calibration spikes that are used."
    )
    adjust_scale: bool | None = Field(
        None,
        description="Choose the scale of neurons that do not fire from the calibration spikes: as "
        "many LSB as the CADC and the weights allow. None: if there are calibration spikes.",
    )
    margin: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the CADC's range that calibration spikes must leave free.",
    )
    round_potentials: bool = Field(
        True, description="Round leak, reset and threshold to whole LSB, as calibrations take them."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.adjust_scale and self.calibration is None:
            raise ValueError("adjust_scale needs calibration spikes: give the option calibration")
        return self
