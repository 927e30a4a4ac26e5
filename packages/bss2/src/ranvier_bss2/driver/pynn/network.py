"""Populations and projections of one execution instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...background import mean_rate
from ..vendor import find_name

if TYPE_CHECKING:
    from ...config import Bss2Config
    from ..plan import Feed, Part, Plan

US_PER_S = 1e6
POTENTIALS = {"v_rest": "leak", "v_reset": "reset", "v_thresh": "threshold"}
TIMES = {
    "tau_m": "tau_mem",
    "tau_syn_E": "tau_syn_exc",
    "tau_syn_I": "tau_syn_inh",
    "tau_refrac": "refractory",
}
"""Given in us."""
CODES = {
    "cm": "membrane_capacitance",
    "i_synin_gm_E": "i_synin_gm",
    "i_synin_gm_I": "i_synin_gm",
    "synapse_dac_bias": "synapse_dac_bias",
}


class Network:
    """What PyNN holds of one execution instance.

    Parameters
    ----------
    pynn : module
        The stack, set up.
    config : Bss2Config
        What shall run.
    plan : Plan
        Its network.
    instance : int
        Execution instance.
    calibrated : bool
        Whether the chip's parameters come from a calibration: else the stack calibrates to the
        targets.

    Attributes
    ----------
    populations : dict of int to object
        Populations by number of the part.
    sources : list of (source, channel)
        Inputs by name, and parts of earlier instances by number, with their channels.
    """

    def __init__(
        self, pynn: Any, config: Bss2Config, plan: Plan, *, instance: int, calibrated: bool
    ) -> None:
        self.instance, self._pynn, self._config = instance, pynn, config
        self.populations: dict[int, Any] = {}
        self._arrays: dict[tuple[str | int, int], Any] = {}
        self._generators: dict[str, Any] = {}
        parts = plan.in_instance(instance)
        for part in parts:
            cell = pynn.cells.HXNeuron() if calibrated else self._cell(part)
            self.populations[part.number] = pynn.Population(part.size, cell)
        for part in parts:
            for feed in plan.into(part):
                self._connect(feed)
            self._record(part)

    @property
    def sources(self) -> list[tuple[str | int, int]]:
        """Sources that the host sends."""
        return list(self._arrays)

    def send(self, source: str | int, channel: int, *, times: list[float]) -> None:
        """Set the spikes of a source, times in ms of the chip."""
        self._arrays[source, channel].set(spike_times=times)

    def _cell(self, part: Part) -> Any:
        found = {name: _value(part.values(target)) for name, target in POTENTIALS.items()}
        found |= {n: _value(part.values(target) * US_PER_S) for n, target in TIMES.items()}
        found |= {name: _value(part.values(target)) for name, target in CODES.items()}
        return self._pynn.cells.CalibHXNeuronCuba(**found)

    def _connect(self, feed: Feed) -> None:
        """Add projections, one per sign, from every channel of a source."""
        target = self.populations[feed.target]
        if feed.source in self.populations:
            self._project(self.populations[int(feed.source)], target, feed.weight.T)
            return
        if feed.source in self._config.background_shapes:
            self._project(self._generator(str(feed.source)), target, feed.weight.T)
            return
        for channel in np.flatnonzero(feed.weight.any(axis=0)).tolist():
            key = (feed.source, channel)
            if key not in self._arrays:
                cell = self._pynn.cells.SpikeSourceArray(spike_times=[])
                self._arrays[key] = self._pynn.Population(1, cell)
            self._project(self._arrays[key], target, feed.weight[:, channel][None])

    def _generator(self, name: str) -> Any:
        """Return the population of a Poisson generator on the chip; rates are taken to be in Hz."""
        if name not in self._generators:
            own = next(b for b in self._config.backgrounds if b.name == name)
            cell = self._pynn.cells.SpikeSourcePoissonOnChip(rate=mean_rate(own), seed=own.seed)
            self._generators[name] = self._pynn.Population(own.size, cell)
        return self._generators[name]

    def _project(self, source: Any, target: Any, weight: NDArray[np.int64]) -> None:
        """Connect two populations; weights are (n_source, n_target)."""
        synapse = find_name(self._pynn, "standardmodels.synapses.StaticSynapse", "StaticSynapse")
        for receptor, own in (
            ("excitatory", np.maximum(weight, 0)),
            ("inhibitory", np.minimum(weight, 0)),
        ):
            if own.any():
                self._pynn.Projection(
                    source,
                    target,
                    self._pynn.AllToAllConnector(),
                    synapse_type=synapse(weight=own),
                    receptor_type=receptor,
                )

    def _record(self, part: Part) -> None:
        population = self.populations[part.number]
        if part.fires:
            population.record(["spikes"])
        if part.madc_index >= 0:
            population[part.madc_index : part.madc_index + 1].record(["v"])


def _value(values: NDArray[np.float64]) -> Any:
    """Return a number if all neurons have the same, else a list."""
    same = values.size and np.all(values == values[0])
    return float(values[0]) if same else values.tolist()
