"""What the chip offers to a placement, and how many circuits a neuron needs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ranvier.errors import InputError

from ..targets import Limits


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of one execution instance.

    Parameters
    ----------
    circuits, columns, arrays : int
        Circuits, and how they lie: circuit ``row * columns + column``.
    rows, drivers, buses : int
        Per array: synapse rows, drivers, buses.
    weight_max : int
        Largest weight of one synapse.
    labels : int
        Labels that tell the sources of one row address apart.
    outputs : int
        Event outputs: one per ``columns / outputs`` columns.
    generators : int
        Background generators, one per bus of each array.
    interlock : bool
        Whether neurons with an odd number of circuits, three or more, may begin in the lower row,
        so that two of them fill a rectangle.
    tries : int
        Random placements that are tried after those that are not random, >= 0.

    Raises
    ------
    InputError
        A number is out of range; all are named at once.
    """

    circuits: int
    columns: int
    arrays: int
    rows: int
    drivers: int
    buses: int
    weight_max: int
    labels: int
    outputs: int
    generators: int = 8
    interlock: bool = True
    tries: int = 4

    def __post_init__(self) -> None:
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        lowest = {"tries": 0, "interlock": 0, "generators": 0}
        bad = [
            f"{name} = {value!r} (must be >= {lowest.get(name, 1)})"
            for name, value in values.items()
            if value < lowest.get(name, 1)
        ]
        if bad:
            raise InputError(f"bss2: budget: {', '.join(bad)}; correct these options")

    @classmethod
    def of(cls, limits: Limits, **overrides: Any) -> Budget:
        """Return the budget of a target.

        Parameters
        ----------
        limits : Limits
            Of the target.
        **overrides
            Fields of `Budget` that differ; None leaves a field as it is.

        Raises
        ------
        InputError
            An override is no field, or out of range.

        Examples
        --------
        >>> from ranvier_bss2.targets import limits_of
        >>> Budget.of(limits_of()).rows_per_bus
        64
        """
        fields: dict[str, Any] = {
            "circuits": limits.neuron_circuits,
            "columns": limits.columns,
            "arrays": limits.arrays,
            "rows": limits.rows,
            "drivers": limits.drivers,
            "buses": limits.buses,
            "weight_max": limits.weight_max,
            "labels": limits.label_max + 1,
            "outputs": limits.event_outputs,
            "generators": limits.background_sources,
        }
        names = [f.name for f in dataclasses.fields(cls)]
        unknown = sorted(set(overrides) - set(names))
        if unknown:
            raise InputError(f"bss2: budget: no field {unknown}; fields: {', '.join(names)}")
        return cls(**{**fields, **{k: v for k, v in overrides.items() if v is not None}})

    @property
    def rows_per_bus(self) -> int:
        """Rows that one bus reaches in an array."""
        return self.rows // self.buses

    @property
    def drivers_per_bus(self) -> int:
        """Positions on a bus."""
        return self.drivers // self.buses

    def output_of(self, circuit: Any) -> Any:
        """Return the event output of a circuit: ``column div 32``."""
        return circuit % self.columns // (self.columns // self.outputs)


def circuits_needed(fan_in: int, limits: Limits) -> int:
    """Return how many circuits a neuron needs for its signed inputs.

    Parameters
    ----------
    fan_in : int
        Inputs, each with an exciting and an inhibiting row, >= 0.
    limits : Limits
        Of the target.

    References
    ----------
    hxtorch @3bfc7aa, tutorial on partitioning.

    Examples
    --------
    >>> from ranvier_bss2.targets import limits_of
    >>> [circuits_needed(n, limits_of()) for n in (0, 128, 129, 784)]
    [1, 1, 2, 7]
    """
    return max(1, -(-fan_in // limits.signed_fan_in))
