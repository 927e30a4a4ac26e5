"""Options of the verb *map*."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..config.ranges import RANGES

LEAK = RANGES["leak"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Cadc = Literal["off", "sram", "dram"]


class MapOptions(BaseModel):
    """How a network comes onto the chip; every field describes itself.

    Fields that are a value or a mapping apply to all neuron nodes, or by name of the node.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_scale: Positive | None = Field(
        None,
        description="Seconds on the chip per second of the graph. None: 1e-3, or 1 for a graph "
        "whose metadata says hardware_time.",
    )
    kappa: Positive | None = Field(
        None,
        description="LSB of synaptic drive per weight LSB at synapse_dac_bias 600, i_synin_gm 500 "
        "and capacitance 63; None: the manifest's assumption. Measure it with alignment.",
    )
    range: Literal["nominal", "full"] = Field(
        "nominal",
        description="Scale of spiking neurons: 'nominal' puts the threshold nominal_distance above "
        "the leak potential, 'full' as far as the calibrated range and the largest weight allow, "
        "so that weights use more of their 63 steps. Postsynaptic potentials stay the same in "
        "model units; in LSB they grow, so that synaptic inputs of a real chip saturate sooner.",
    )
    nominal_distance: Positive = Field(
        45.0, description="Threshold over leak potential of converted neurons, LSB."
    )
    leak_lsb: float = Field(
        80.0,
        ge=LEAK.least,
        le=LEAK.most,
        description="Leak potential of converted spiking neurons, LSB of the CADC; moved, and told "
        "so, where thresholds or resets would otherwise be out of range.",
    )
    readout_leak_lsb: float = Field(
        120.0,
        ge=LEAK.least,
        le=LEAK.most,
        description="Leak potential of neurons that do not fire, LSB of the CADC: the middle of "
        "its range, since they move both ways.",
    )
    trace_scale: Positive | dict[str, Positive] | None = Field(
        None, description="Model units per LSB instead of what range chooses."
    )
    weight_scale: Positive | dict[str, Positive] | None = Field(
        None,
        description="Weight LSB per model weight instead of 1 / (kappa trace_scale), which keeps "
        "postsynaptic potentials.",
    )
    large_weights: Literal["split", "clip"] = Field(
        "split", description="What happens to weights beyond 63: several synapses, or cut."
    )
    keep_zeros: bool = Field(
        False,
        description="Give connections of weight 0 a synapse too, so that weights can change later.",
    )
    signed_rows: bool = Field(
        True,
        description="Reserve an exciting and an inhibiting synapse for every connection, as "
        "hxtorch does, so that weights may change sign later; False saves half of the fan-in.",
    )
    i_synin_gm: int = Field(500, description="Synaptic gain of converted neurons, 30..800.")
    synapse_dac_bias: int = Field(
        600, description="Synaptic strength of converted neurons, 30..1022."
    )
    membrane_capacitance: int = Field(
        63, description="Membrane capacitance of converted neurons, 1..63."
    )
    holdoff: float = Field(
        0.0, ge=0, description="Time between reset and release of the membrane, s of the chip."
    )
    circuits: Annotated[int, Field(ge=1)] | dict[str, Annotated[int, Field(ge=1)]] = Field(
        1, description="Least number of circuits per neuron; more are taken where fan-in asks."
    )
    partition: Literal["auto", "off"] = Field(
        "auto",
        description="Distribute layers over execution instances, one after the other, where one "
        "does not hold the network; 'off' refuses it.",
    )
    constraints: dict[str, Any] | None = Field(
        None,
        description="Circuits by population: (n,) or (n, circuits) numbers 0..511 in the order of "
        "neurons.",
    )
    seed: int = Field(0, ge=0, description="Seed of the placement.")
    cadc: Cadc | dict[str, Cadc] = Field(
        "sram", description="Recording of membranes by the slow converter."
    )
    madc: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="Neuron that the fast converter records, by node; one per execution instance.",
    )

    trace_offset: float | dict[str, float] | None = Field(
        None,
        description="LSB at which membranes of the model are 0, as alignment measures it, instead "
        "of what follows from the leak potential.",
    )
    shift_to_first: bool = Field(
        False, description="Take off the first sample of a trace instead of trace_offset."
    )
    time_shift: int = Field(
        0, description="Steps by which traces are moved to earlier times, as alignment measures it."
    )
    interpolation: Literal["linear", "nn"] = Field(
        "linear", description="Between samples of the slow converter: linear, or the nearest."
    )

    def of(self, field: str, node: str) -> Any:
        """Return a field's value for one node; None where a mapping leaves it out.

        Parameters
        ----------
        field : str
            ``"trace_scale"``, ``"trace_offset"``, ``"weight_scale"``, ``"circuits"``, ``"cadc"``.
        node : str
            Neuron node.
        """
        value = getattr(self, field)
        return value.get(node, _LEFT_OUT.get(field)) if isinstance(value, dict) else value

    def named(self) -> dict[str, str]:
        """Return the option by which each node is named, for nodes named by any option."""
        fields = (
            "trace_scale",
            "trace_offset",
            "weight_scale",
            "circuits",
            "constraints",
            "cadc",
            "madc",
        )
        return {
            node: field
            for field in fields
            if isinstance(value := getattr(self, field), dict)
            for node in value
        }


_LEFT_OUT = {"circuits": 1, "cadc": "sram"}
