"""Options of the verb *quantize*."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class QuantizeOptions(BaseModel):
    """How currents and weights become codes; every field describes itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    i_scale: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Synaptic current of a weight of 1 on every core, in A. None chooses it per "
        "core so that no base current saturates.",
    )
    gain_compensation: bool = Field(
        True,
        description="Divide the gains of a core's synapses by the factor by which its current "
        "scale was changed, so that its neurons keep their drive. False leaves the gains alone; "
        "the simulator then corrects by drive_factor, a board does not.",
    )
    starts: int = Field(
        64, ge=1, le=10_000, description="Starts of the search for the base currents of a core."
    )
    seed: int = Field(0, ge=0, description="Seed of these starts.")
    bias_tolerance: float = Field(
        0.05,
        gt=0,
        le=1,
        description="Relative difference of a bias from its wanted current above which it is "
        "reported as a loss.",
    )
    keep_refractory_steps: bool = Field(
        True,
        description="Take the closest code of the refractory period that blocks as many time "
        "steps as the network, where one within a fifth of the current does. False takes the "
        "closest code.",
    )
    biases: dict[str, tuple[int, int]] = Field(
        default_factory=dict,
        description="Codes (coarse 0..5, fine 0..255) of biases set by hand, by name; they replace "
        "what the network asks for.",
    )
    bias_table: Path | None = Field(
        None,
        description="CSV file with the currents of the user's own chip (columns type, coarse, "
        "fine, current_A) instead of the published ones.",
    )
    latches: dict[str, bool] = Field(
        default_factory=dict,
        description="Switches set by hand on all neurons of the network, by name. Otherwise: "
        "so_dc where i_dc > 0 (rockpool's rule), so_adaptation where i_w_ahp is above the dark "
        "current, denm_nmda in the four-synapse model where a neuron has NMDA synapses; all "
        "others off. soif_type chooses between exponential and thresholded neurons; no source "
        "says which value is which.",
    )
    kill_unused: bool = Field(
        False,
        description="Switch off (soif_kill) neurons that the network does not use. They report "
        "nothing either way, having no SRAM words; no source says what a killed neuron draws.",
    )
    monitor_hop_y: int | None = Field(
        None,
        ge=-7,
        le=7,
        description="y_hop of the word that reports a neuron to the host. None takes the fact "
        "monitor_hops_y, negated; sources disagree between -7 and 0.",
    )
    calibration: Any = Field(
        None,
        description="Input spikes ([batch,] time, channels), or a mapping by input name. The "
        "agreement of spike counts with the mapped network before quantisation is then reported.",
    )
    calibration_samples: int = Field(
        16, ge=1, description="Most samples of the calibration spikes that are used."
    )
    refine: bool = Field(
        False,
        description="Adapt the masks of each core to the drive on the calibration spikes, and "
        "keep that where spike counts come no farther from those before quantisation.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.refine and self.calibration is None:
            raise ValueError("refine needs calibration spikes: give the option calibration")
        return self
