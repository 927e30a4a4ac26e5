"""What the kit may ask of a target, read from its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..target import Target

SIZES = ("input_channels", "hidden_neurons", "output_neurons")
"""Facts that limit the size of a network; one that is absent limits nothing."""


@dataclass(frozen=True)
class Capabilities:
    """Answers about a target, with defaults for facts that its manifest does not have.

    The kit reads the facts ``input_channels``, ``hidden_neurons``, ``output_neurons``,
    ``input_count_max``, ``hidden_spikes_max``, ``output_spikes_max``, ``recurrent`` or
    ``recurrent_weights``, ``reset`` (``"subtract"`` or ``"to_value"``), ``default_dt``, and the
    target's ``node_kinds`` and ``latency_per_hop``.

    Parameters
    ----------
    target : Target
        What is asked about.
    """

    target: Target

    def fact(self, name: str, default: Any = None) -> Any:
        """Return the value of a fact, or a default if the manifest does not state it."""
        found = self.target.facts.get(name)
        return default if found is None or found.value is None else found.value

    def size(self, name: str, wanted: int) -> int:
        """Return how many of a resource to use: what is wanted, or all there is."""
        return min(wanted, int(self.fact(name, wanted)))

    def accepts(self, *kinds: str) -> bool:
        """Say whether all of some node kinds are accepted."""
        return set(kinds) <= set(self.target.node_kinds)

    @property
    def neuron(self) -> str | None:
        """Kind of spiking neuron that the kit's networks use, None if there is none it knows."""
        return next((kind for kind in ("CubaLIF", "LIF") if self.accepts(kind)), None)

    @property
    def readout(self) -> str | None:
        """Kind of non-spiking output layer, None if the target has none."""
        return next((kind for kind in ("CubaLI", "LI") if self.accepts(kind)), None)

    @property
    def recurrent(self) -> bool:
        """Whether hidden neurons may drive each other."""
        return bool(self.fact("recurrent", self.fact("recurrent_weights", 0)))

    @property
    def exact(self) -> bool:
        """Whether the target computes the network itself, rounded, without noise or mismatch."""
        return self.target.nature != "analog"

    @property
    def dt(self) -> float:
        """Time step of the kit's networks, in s."""
        return float(self.fact("default_dt", 1e-3))
