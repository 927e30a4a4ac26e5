"""Options of the verb *map*."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class MapOptions(BaseModel):
    """How a network is placed on Loihi; every field describes itself.

    Limits that sources contradict each other about can be changed; None takes the manifest's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    board: str | None = Field(
        None, description="Board whose chips may be used, 'kapoho-point'; instead of 'chips'."
    )
    chips: int | None = Field(
        None, ge=1, description="Chips that may be used; 1 unless a board is named."
    )
    approximate_reset: bool = Field(
        False,
        description="Accept neurons with reset 'subtract'; the chip resets to the resting value.",
    )
    balance_delays: bool = Field(
        True,
        description="Let shorter paths wait for longer ones with synaptic delays, so that the "
        "chip computes the same as the graph; False programs the graph's delays only and reports "
        "paths that arrive at different times.",
    )
    input_message_bits: int = Field(
        0,
        ge=0,
        le=32,
        description="Bits of the values that inputs send over synapses (loihi2); 0: spikes.",
    )
    reset_interval: int = Field(
        0, ge=0, description="Steps between resets of currents and voltages; 0: never."
    )
    reset_offset: int = Field(
        0, ge=0, description="Step of the first layer's reset within the interval."
    )
    seed: int = Field(0, ge=0, description="Seed of the placement.")
    rates: Any = Field(
        None,
        description="Mean spikes per step by node, a number or one per neuron, for the traffic "
        "that placement keeps low; None: all alike.",
    )
    max_neurons: int | None = Field(None, ge=1, description="Neurons per core.")
    max_axons_in: int | None = Field(None, ge=1, description="Input axons per core.")
    max_axons_out: int | None = Field(None, ge=1, description="Output axons per core.")
    max_synapse_words: int | None = Field(
        None, ge=1, description="Words of synaptic memory per core."
    )
    max_groups: int | None = Field(
        None, ge=1, description="Different sets of neuron parameters per core."
    )
    overhead_bits_per_synapse: int | None = Field(
        None, ge=0, description="Memory of a synapse besides the bits of its weight."
    )

    @model_validator(mode="after")
    def _check_board(self) -> Self:
        if self.board is not None and self.chips is not None:
            raise ValueError(
                f"board {self.board!r} and chips {self.chips} exclude each other; give one of them"
            )
        return self
