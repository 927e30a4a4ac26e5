"""The configuration of a chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ranvier.artifacts import Array, ChipConfig
from ranvier.errors import RanvierError

from ..network import BssBackground
from ..targets import Limits, limits_of
from ._checks import register_problems
from ._summary import describe
from .population import Population

_SETTINGS = ("period", "rate", "seed", "generator")


def _none() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


class ProjectionEnds(BaseModel):
    """What a projection joins, and its delay in steps.

    The source is an input, a background generator or a population, the target a population.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    source: str
    target: str
    delay: int = 0


class Bss2Config(ChipConfig):
    """What `ranvier.quantize` writes for the target ``bss2``.

    The first axis of register arrays is the execution instance: instances run one after the other
    on one chip, each with its own registers.

    Parameters
    ----------
    time_scale : float
        Chip seconds per second of the graph.
    chip_dt : float
        Time step on the chip, in s.
    populations : tuple of Population
        In topological order.
    projections : tuple of ProjectionEnds
        What joins what; the weights are in the synapse arrays.
    kappa : float
        LSB of synaptic drive per weight LSB that the chip is assumed to have, > 0.
    synapse_weight, synapse_label : array of uint8, (instances, 2, 256, 256)
        Per array, row and column: 0..63.
    row_mode : array of uint8, (instances, 2, 256)
        Index into `ranvier_bss2.layout.ROW_MODES`.
    driver_mask : array of uint8, (instances, 2, 128)
        0..31.
    node_enabled, node_mask, node_target : array, (instances, 12, 20)
        Crossbar, as `ranvier_bss2.layout.Layout`.
    circuit_address : array of int16, (instances, 512)
        Event address, -1: none.
    neuron_instance, neuron_population, neuron_index, neuron_rank, neuron_circuit : array, (N,)
        Circuits of every neuron, as in the layout.
    source_instance, source_projection, source_channel, source_link, source_label : array, (R,)
        What the host sends, as in the layout.
    background_shapes : dict of str to tuple of int
        Nodes of background generators and their channels.
    background_instance, background_node, background_generator : array, (G,)
        Generators in use: execution instance, index into ``background_shapes``, generator 0..7.
    background_label, background_mask : array, (G,)
        Label of the first channel, and bits that are drawn for every event, as in the layout.
    background_regular : array of bool, (G,)
        Whether events come at even distances.
    background_period, background_rate, background_seed : array, (G,)
        Cycles between events or draws, 1..65535; largest draw of 1..255 that emits; seed of 32
        bits. Equal in all rows of a node.
    target, dt, input_shapes, node_shapes, outputs, placement, latency, diagnostics, provenance
        As in `ranvier.artifacts.ChipConfig`. The placement's port is ``"circuit"``: chip 0, core:
        execution instance, slot: circuit.

    Raises
    ------
    pydantic.ValidationError
        Shapes, ranges, references; all problems in one error.
    """

    schema_version: ClassVar[int] = 1

    time_scale: float = Field(gt=0, allow_inf_nan=False)
    chip_dt: float = Field(gt=0, allow_inf_nan=False)
    populations: tuple[Population, ...]
    projections: tuple[ProjectionEnds, ...]
    kappa: float = Field(gt=0, allow_inf_nan=False)
    synapse_weight: Array
    synapse_label: Array
    row_mode: Array
    driver_mask: Array
    node_enabled: Array
    node_mask: Array
    node_target: Array
    circuit_address: Array
    neuron_instance: Array
    neuron_population: Array
    neuron_index: Array
    neuron_rank: Array
    neuron_circuit: Array
    source_instance: Array
    source_projection: Array
    source_channel: Array
    source_link: Array
    source_label: Array
    background_shapes: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    background_instance: Array = Field(default_factory=_none)
    background_node: Array = Field(default_factory=_none)
    background_generator: Array = Field(default_factory=_none)
    background_label: Array = Field(default_factory=_none)
    background_mask: Array = Field(default_factory=_none)
    background_regular: Array = Field(default_factory=lambda: _none().astype(np.bool_))
    background_period: Array = Field(default_factory=_none)
    background_rate: Array = Field(default_factory=_none)
    background_seed: Array = Field(default_factory=_none)

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            limits = limits_of(self.target)
        except RanvierError as error:
            raise ValueError(str(error)) from error
        problems = register_problems(self, limits)
        if problems:
            raise ValueError(f"{self.target}: " + "; ".join(problems))
        return self

    @property
    def limits(self) -> Limits:
        """Limits of the target."""
        return limits_of(self.target)

    @property
    def instances(self) -> int:
        """Number of execution instances."""
        return int(self.synapse_weight.shape[0])

    @property
    def backgrounds(self) -> tuple[BssBackground, ...]:
        """Settings of the background generators, by node in order."""
        found = []
        for number, (name, shape) in enumerate(self.background_shapes.items()):
            row = int(np.flatnonzero(self.background_node == number)[0])
            settings = {n: int(getattr(self, f"background_{n}")[row]) for n in _SETTINGS}
            regular = bool(self.background_regular[row])
            found.append(BssBackground(name=name, shape=shape, regular=regular, **settings))
        return tuple(found)

    @property
    def population_of(self) -> Mapping[str, Population]:
        """Populations by name."""
        return {p.name: p for p in self.populations}

    def summary(self) -> str:
        """Return a readable overview with circuits, rows and layers."""
        return describe(self)
