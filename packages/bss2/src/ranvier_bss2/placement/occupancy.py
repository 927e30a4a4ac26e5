"""How full a chip is: circuits, rows per bus, synapses and labels in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..layout import ROW_MODES, Layout
from ..targets import Limits, limits_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Occupancy:
    """What one execution instance uses.

    Parameters
    ----------
    instance : int
        Execution instance.
    circuits, neurons : int
        In use.
    exciting, inhibiting : array of int, (2, 4)
        Rows of each mode, per array and bus.
    synapses : array of int, (2,)
        Synapses in use, per array.
    external, inner : int
        Labels that the host sends, and neurons that send events.
    limits : Limits
        What there is.
    """

    instance: int
    circuits: int
    neurons: int
    exciting: NDArray[np.int64]
    inhibiting: NDArray[np.int64]
    synapses: NDArray[np.int64]
    external: int
    inner: int
    limits: Limits

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows in use, per array and bus, (2, 4)."""
        return self.exciting + self.inhibiting

    @property
    def shares(self) -> dict[str, float]:
        """Used part of circuits, rows of the fullest bus, and synapses; 1.0 is full."""
        per_array = self.limits.rows * self.limits.columns
        return {
            "circuits": self.circuits / self.limits.neuron_circuits,
            "rows": float(self.rows.max()) / self.limits.rows_per_bus,
            "synapses": float(self.synapses.sum()) / (self.limits.arrays * per_array),
        }

    def __str__(self) -> str:
        lines = [
            f"execution instance {self.instance}: {self.circuits} of "
            f"{self.limits.neuron_circuits} circuits in {self.neurons} neurons, "
            f"{int(self.synapses.sum())} synapses, {self.external} external labels"
        ]
        for array, rows in enumerate(self.rows):
            used = ", ".join(f"{n}" for n in rows)
            lines.append(f"  array {array}: rows per bus {used} of {self.limits.rows_per_bus}")
        return "\n".join(lines)


def occupancy(layout: Layout) -> tuple[Occupancy, ...]:
    """Return what each execution instance of a layout uses."""
    limits = limits_of()
    return tuple(_of(layout, k, limits) for k in range(layout.instances))


def _of(layout: Layout, instance: int, limits: Limits) -> Occupancy:
    modes = layout.row_mode[instance].reshape(limits.arrays, -1, limits.buses, 2)
    here = layout.neuron_instance == instance
    own = layout.synapse_instance == instance
    return Occupancy(
        instance=instance,
        circuits=int(here.sum()),
        neurons=int((here & (layout.neuron_rank == 0)).sum()),
        exciting=(modes == ROW_MODES.index("excitatory")).sum(axis=(1, 3)),
        inhibiting=(modes == ROW_MODES.index("inhibitory")).sum(axis=(1, 3)),
        synapses=np.bincount(layout.synapse_array[own], minlength=limits.arrays),
        external=int((layout.source_instance == instance).sum()),
        inner=int((layout.circuit_address[instance] >= 0).sum()),
        limits=limits,
    )
