"""Everything that is decided per core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..biases import BiasCode
from ._biases import realised_currents
from ._task import Task
from ._weights import CoreWeights


@dataclass(frozen=True, kw_only=True, eq=False)
class Coded:
    """Weights and codes of every core.

    Parameters
    ----------
    weights : tuple of CoreWeights
        One per core that holds neurons.
    biases : mapping of int to mapping of str to BiasCode
        All 23 biases by core.
    """

    weights: tuple[CoreWeights, ...]
    biases: Mapping[int, Mapping[str, BiasCode]]

    def realised(self, task: Task) -> dict[int, dict[str, float]]:
        """Return the currents that the codes give, by core and name, in A."""
        return {core: realised_currents(found, task) for core, found in self.biases.items()}
