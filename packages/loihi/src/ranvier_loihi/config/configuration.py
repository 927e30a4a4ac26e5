"""The configuration of a Loihi network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from ranvier.artifacts import ChipConfig
from ranvier.errors import RanvierError

from ..targets import Limits, limits_of
from ._checks import network_problems
from .population import Population, Tap
from .synapse import Synapse


class LoihiConfig(ChipConfig):
    """What `ranvier.quantize` writes for a Loihi target.

    Parameters
    ----------
    populations : tuple of Population
        Neurons, by graph node.
    synapses : tuple of Synapse
        Connections.
    taps : tuple of Tap
        Signals that the host delays.
    values : tuple of str
        Inputs that take real values (they drive biases or delta encoders); empty or all of them.
    chips : int
        Chips of the board.
    resources : dict
        Limits per core that were used, those changed by options included.
    target, dt, input_shapes, node_shapes, outputs, placement, latency, diagnostics, provenance
        As in `ranvier.artifacts.ChipConfig`. The placement's ports are ``"neuron"``; slots count
        the neurons of a core.

    Raises
    ------
    pydantic.ValidationError
        Shapes, ranges, references; all problems in one error.
    """

    schema_version: ClassVar[int] = 1

    populations: tuple[Population, ...]
    synapses: tuple[Synapse, ...]
    taps: tuple[Tap, ...] = ()
    values: tuple[str, ...] = ()
    chips: int = 1
    resources: dict[str, int | bool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            limits = limits_of(self.target)
        except RanvierError as error:
            raise ValueError(str(error)) from error
        problems = network_problems(self, limits)
        if problems:
            raise ValueError(f"{self.target}: " + "; ".join(problems))
        return self

    @property
    def limits(self) -> Limits:
        """Limits of the target."""
        return limits_of(self.target)

    @property
    def population_of(self) -> Mapping[str, Population]:
        """Populations by name."""
        return {p.name: p for p in self.populations}

    def size_of(self, name: str) -> int:
        """Return the number of channels of an input or neurons of a population."""
        if name in self.input_shapes:
            size = 1
            for n in self.input_shapes[name]:
                size *= n
            return size
        return self.population_of[name].size

    def summary(self) -> str:
        """Return a readable overview with the resources in use."""
        place = self.placement
        cores = len({(int(c), int(k)) for c, k in zip(place.chip, place.core, strict=True)})
        rows = [
            f"LoihiConfig for {self.target}, dt = {self.dt:g} s",
            f"  neurons   {sum(p.size for p in self.populations)} on {cores} of "
            f"{self.chips * self.limits.cores_per_chip} cores ({self.chips} chip(s))",
        ]
        rows += [f"  {p.name}: {p.model} {p.shape}" for p in self.populations]
        rows += [_described(s) for s in self.synapses]
        return "\n".join([*rows, *(f"  {d}" for d in self.diagnostics)])


def _described(synapse: Any) -> str:
    return (
        f"  {synapse.source} -> {synapse.target}: {synapse.kind}, {synapse.num_weight_bits} bits "
        f"{synapse.sign_mode}, exponent {synapse.weight_exp}"
    )
