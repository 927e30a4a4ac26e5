"""Options of the verb *map*."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def _positive(default: float, description: str) -> Any:
    return Field(default, gt=0, allow_inf_nan=False, description=description)


class MapOptions(BaseModel):
    """How a network is placed on a board; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chips: int | None = Field(
        None, ge=1, le=4, description="Chips of the board; None: as few as the network needs."
    )
    model: Literal["merged_synapse", "four_synapse"] | None = Field(
        None,
        description="Model of converted LIF and CubaLIF neurons: 'merged_synapse' sums signed "
        "weights in one synapse, 'four_synapse' drives AMPA and GABA apart; None: that of the "
        "dynapse2.dpi nodes, or merged_synapse.",
    )
    i_scale: float = _positive(
        1e-8,
        "Synaptic current of a weight of 1 in converted neurons, and scale of thresholds, A. "
        "'build' hands it to 'quantize' too, which then keeps it on the chip.",
    )
    tau_syn: float = _positive(10e-3, "Time constant of the synapses of LIF neurons, s.")
    r_gain_mem: float = _positive(4.0, "Membrane gain of converted neurons over their leak.")
    r_gain_syn: float = _positive(100.0, "Synaptic gain of converted neurons over their leak.")
    t_ref: float = _positive(1e-3, "Refractory time where the graph has none, s.")
    t_pulse: float = _positive(10e-6, "Length of a synaptic pulse of converted neurons, s.")
    tolerance: float = Field(
        0.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Largest relative change of a parameter that is accepted so that neurons with "
        "similar parameters share a core; they take the geometric mean.",
    )
    monitor: Literal["outputs", "all"] = Field(
        "all",
        description="Neurons that report their spikes to the host; each spends one of its 4 "
        "destinations on it.",
    )
    seed: int = Field(0, ge=0, description="Seed of the placement.")
    tag_pool: str | None = Field(
        None,
        description="Tags that may be used: None: all; 'published': those that the laboratory "
        "scripts of Aramatos/dynapse2_adaptation use on each core; or a .npy file of booleans "
        "(cores, 2048).",
    )
    cam_profile: str | None = Field(
        None,
        description="A .npy file with the measured error probability of every CAM entry, "
        "(chips, 4, 256, 64), or (4, 256, 64) for all chips; None: all entries are good.",
    )
    cam_error_max: float = Field(
        0.01, ge=0, le=1, description="Largest error probability of a CAM entry that is used."
    )
    allow_sharing: bool = Field(
        True, description="Let sources with equal synapses share tags and CAM entries."
    )
