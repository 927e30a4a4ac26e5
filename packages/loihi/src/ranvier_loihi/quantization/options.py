"""Options of the verb *quantize*."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class QuantizeOptions(BaseModel):
    """How real numbers become registers; every field describes itself.

    Layers whose numbers are in the chip's units already pass unchanged, whatever the options.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    calibration: Any = Field(
        None,
        description="Input spikes ([batch,] time, channels), or a mapping by input name. The scale "
        "of each layer is then the one with the least error of the membrane on them, and the "
        "agreement with the float network is reported.",
    )
    calibration_samples: int = Field(
        16, ge=1, description="Most samples of the calibration spikes that are used."
    )
    candidates: int = Field(
        6, ge=1, le=64, description="Scales per layer that are tried on the calibration spikes."
    )
    headroom: float = Field(
        4.0,
        ge=1.0,
        le=1024.0,
        description="Room between the largest state expected (at least the threshold) and the "
        "24-bit rails.",
    )
