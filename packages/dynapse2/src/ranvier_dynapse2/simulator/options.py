"""Options of the simulator."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..mismatch import MAX_MISMATCH, MISMATCHED


class SimulateOptions(BaseModel):
    """How a board is simulated.

    Parameters
    ----------
    model : {"merged_synapse", "four_synapse"} or None
        How synapses act, see `ranvier_dynapse2.nodes.Dpi`; None takes the configuration's.
    mismatch : float
        Deviation of every parameter of every neuron, 0..0.5; 0.05 stands for 5 %, see
        `ranvier_dynapse2.mismatch.VirtualChip`. 0 is the ideal chip.
    mismatch_overrides : dict of str to float
        Deviation of single parameters, 0..0.5, by the names of `ranvier_dynapse2.mismatch`.
    chip_seed : int
        Which virtual chip, >= 0: every seed is another piece of silicon.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Literal["merged_synapse", "four_synapse"] | None = Field(
        None, description="How synapses act; None: as the configuration says."
    )
    mismatch: float = Field(
        0.0,
        ge=0,
        le=MAX_MISMATCH,
        allow_inf_nan=False,
        description="Deviation of every parameter of every neuron; 0.05 stands for 5 %.",
    )
    mismatch_overrides: dict[str, float] = Field(
        default_factory=dict, description="Deviation of single parameters, by name."
    )
    chip_seed: int = Field(0, ge=0, description="Which virtual chip.")

    @field_validator("mismatch_overrides")
    @classmethod
    def _check_overrides(cls, overrides: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(overrides) - set(MISMATCHED))
        if unknown:
            raise ValueError(f"unknown parameters {unknown}; known: {', '.join(MISMATCHED)}")
        for name, value in overrides.items():
            if not 0 <= value <= MAX_MISMATCH:
                raise ValueError(f"{name}: {value!r} is out of range 0..{MAX_MISMATCH}")
        return overrides

    @property
    def is_ideal(self) -> bool:
        """Whether every neuron is as designed."""
        return self.mismatch == 0 and not any(self.mismatch_overrides.values())
