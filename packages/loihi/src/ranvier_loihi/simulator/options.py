"""Options of the simulator."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SimulateOptions(BaseModel):
    """There are none: the arithmetic leaves no choice."""

    model_config = ConfigDict(frozen=True, extra="forbid")
