"""Options of the verb *quantize*."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class QuantizeOptions(BaseModel):
    """How floating-point weights become integers; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    method: Literal["fit", "global", "channel"] = Field(
        "fit",
        description="'fit': a scale per neuron, chosen together with the weight shifts; 'channel': "
        "a scale per neuron from its largest weight; 'global': one scale for hidden and one for "
        "output neurons.",
    )
    calibration: Any = Field(
        None,
        description="Input spikes ([batch,] time, channels), or a mapping by input name. 'fit' "
        "chooses scales that keep states off the rails on them and picks the best candidate by "
        "simulation; every method then reports its agreement with the float network.",
    )
    calibration_samples: int = Field(
        64, ge=1, description="Most samples of the calibration spikes that are used."
    )
    headroom: float = Field(
        2.0,
        ge=1.0,
        le=64.0,
        description="'fit': room between the largest state expected and the 16-bit rails.",
    )
    candidates: int = Field(
        4, ge=1, le=64, description="'fit': weight shifts that are tried on the calibration spikes."
    )
    bias_correction: bool = Field(
        True,
        description="'fit' with calibration spikes: take the mean drift of the integer leak off "
        "the biases where that brings the spikes closer to the float network.",
    )
    fuzzy_scaling: bool = Field(
        False,
        description="'global': scale by mean + 2 standard deviations of the nonzero weights "
        "instead of the largest one; larger weights are clipped.",
    )
