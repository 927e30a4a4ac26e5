"""Options of the verb *map*."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MapOptions(BaseModel):
    """How a network is placed on a Xylo chip; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    residual: Literal["alias", "weights"] = Field(
        "alias",
        description="Residual connections: 'alias' copies spikes where the chip's rules allow it "
        "(and uses weights elsewhere), 'weights' always repeats the shared weights.",
    )
    readout: Literal["auto", "spikes", "v_mem", "i_syn"] = Field(
        "auto",
        description="What outputs show; 'auto': spikes of LIF and CubaLIF, membranes of LI and "
        "CubaLI.",
    )
    match: Literal["charge", "peak"] = Field(
        "charge",
        description="What stays equal when a synaptic decay must be rounded: the total charge of a "
        "spike, or its peak. Without rounding both are exact.",
    )
    approximate_reset: bool = Field(
        False,
        description="Accept neurons with reset 'to_value'; the chip resets by subtraction.",
    )
