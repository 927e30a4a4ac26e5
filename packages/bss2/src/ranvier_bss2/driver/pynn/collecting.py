"""From PyNN's data to raw records."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...records import CLOCK, MadcRecord, PopulationRecords, SpikeRecord
from ..plan import Part, Plan

Ints = NDArray[np.int64]
MS_PER_S = 1e3
"""Times of PyNN are ms of the chip."""


class Collection:
    """Collects what populations recorded, sample by sample.

    Spikes and samples of the fast converter are raw; the slow converter is not read through PyNN.

    Parameters
    ----------
    plan : Plan
        Network.
    n_samples : int
        Size of the batch.
    """

    def __init__(self, plan: Plan, *, n_samples: int) -> None:
        self.plan, self.n_samples = plan, n_samples
        self._spikes: dict[int, list[tuple[int, int, Ints]]] = {}
        self._madc: dict[int, list[tuple[Ints, NDArray[np.uint16]]]] = {}
        self.spread = 0

    def add(self, part: Part, population: Any, *, sample: int) -> None:
        """Take the data of one population after the run of one sample."""
        if part.fires:
            trains = population.get_data("spikes").segments[-1].spiketrains
            own = self._spikes.setdefault(part.number, [])
            own += [(sample, index, _cycles(train)) for index, train in enumerate(trains)]
        if part.madc_index >= 0:
            view = population[part.madc_index : part.madc_index + 1]
            signal = view.get_data("v").segments[-1].irregularlysampledsignals[0]
            values = np.asarray(signal).reshape(-1).astype(np.uint16)
            self._madc.setdefault(part.number, []).append((_cycles(signal.times), values))

    def spikes_of(self, part: int, neuron: int, *, sample: int) -> Ints:
        """Return the cycles at which a neuron of an earlier instance fired."""
        found = [c for s, i, c in self._spikes.get(part, ()) if (s, i) == (sample, neuron)]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def records(self) -> dict[str, PopulationRecords]:
        """Return the records by population."""
        names = dict.fromkeys(p.population.name for p in self.plan.parts)
        return {name: self._population(name) for name in names}

    def _population(self, name: str) -> PopulationRecords:
        parts = [p for p in self.plan.parts if p.population.name == name]
        rows = [
            (np.full(cycle.size, sample), cycle, np.full(cycle.size, part.neurons[index]))
            for part in parts
            for sample, index, cycle in self._spikes.get(part.number, ())
        ]
        mask = np.broadcast_to(np.asarray(parts[0].population.spike_mask), parts[0].population.size)
        spikes = SpikeRecord.empty()
        if rows:
            sample, cycle, neuron = (np.concatenate(column) for column in zip(*rows, strict=True))
            order = np.lexsort((neuron, cycle, sample))
            order = order[mask[neuron[order]]]
            spikes = SpikeRecord(sample[order], cycle[order], neuron[order])
        watched = [p for p in parts if p.number in self._madc]
        return PopulationRecords(spikes, madc=self._fast(watched[0]) if watched else None)

    def _fast(self, part: Part) -> MadcRecord:
        """Return all samples of a neuron on the times of the first, as long as the shortest."""
        found = self._madc[part.number]
        size = min(values.size for _, values in found)
        times = np.stack([t[:size] for t, _ in found])
        self.spread = max(self.spread, int(np.ptp(times, axis=0).max(initial=0)))
        values = np.stack([v[:size] for _, v in found])
        return MadcRecord(part.population.madc_neuron, times[0], values)


def _cycles(times: Any) -> Ints:
    """Return times in ms as cycles of the event clock."""
    milliseconds = np.asarray(times, dtype=np.float64).reshape(-1)
    return np.rint(milliseconds / MS_PER_S * CLOCK).astype(np.int64)
