"""From the handles of a run to raw records."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...records import CLOCK, CadcRecord, MadcRecord, PopulationRecords, SpikeRecord
from ..plan import Part

Ints = NDArray[np.int64]


class Extraction:
    """Collects what the neuron modules of a run recorded.

    hxtorch returns no raw events: its spikes are zeros and ones on the grid, and samples of the
    slow converter are interpolated to the grid. Both are taken as they are: a spike in row t is an
    event at time t dt, and row t of a trace a sample at that time, so that our own rules for the
    grid leave them where they are. Modules are built with scale 1, offset 0 and no shift: values
    are LSB, and shift, offset and scale are applied once, by `ranvier_bss2.records`. Rows of traces
    may lie between whole LSB, and between cycles where dt is no multiple of 8 ns. Samples of the
    fast converter are raw.

    Parameters
    ----------
    dt : float
        Step on the chip, in s.
    n_samples, n_steps : int
        Size of the batch and length of its input; later rows are left out.
    """

    def __init__(self, *, dt: float, n_samples: int, n_steps: int) -> None:
        self.n_samples, self.n_steps = n_samples, n_steps
        self.period = dt * CLOCK
        rows = np.arange(n_steps) * self.period
        self.cycles = np.ceil(rows - 1e-6).astype(np.int64)
        whole = np.array_equal(np.rint(rows), rows)
        self.times = rows.astype(np.int64) if whole else rows
        self.spread = 0
        self._parts: list[tuple[Part, Any]] = []

    def add(self, part: Part, handle: Any) -> None:
        """Take the records of one module, before the next run overwrites them."""
        self._parts.append((part, handle))

    def records(self) -> dict[str, PopulationRecords]:
        """Return the records by population."""
        names = dict.fromkeys(part.population.name for part, _ in self._parts)
        return {name: self._population(name) for name in names}

    def _population(self, name: str) -> PopulationRecords:
        own = [(part, handle) for part, handle in self._parts if part.population.name == name]
        found = [self._spikes(part, handle) for part, handle in own if part.fires]
        joined = [np.concatenate(rows) for rows in zip(*found, strict=True)]
        madc = [self._madc(part, handle) for part, handle in own if part.madc_index >= 0]
        return PopulationRecords(
            spikes=SpikeRecord(*joined) if joined else SpikeRecord.empty(),
            cadc=self._cadc(own) if own[0][0].population.cadc != "off" else None,
            madc=madc[0] if madc else None,
        )

    def _spikes(self, part: Part, handle: Any) -> tuple[Ints, Ints, Ints]:
        rows = self._rows(handle.spikes)
        mask = np.broadcast_to(np.asarray(part.population.spike_mask), (part.population.size,))
        step, sample, index = np.nonzero(rows * mask[part.neurons])
        order = np.lexsort((index, step, sample))
        return (
            sample[order].astype(np.int64),
            self.cycles[step[order]],
            part.neurons[index[order]],
        )

    def _cadc(self, own: list[tuple[Part, Any]]) -> CadcRecord:
        size = own[0][0].population.size
        values = np.zeros((self.n_samples, self.n_steps, size), dtype=np.float32)
        for part, handle in own:
            rows = self._rows(handle.membrane_cadc)
            values[:, : len(rows), part.neurons] = rows.transpose(1, 0, 2)
            values[:, len(rows) :, part.neurons] = rows[-1:].transpose(1, 0, 2)
        return CadcRecord(self.times, values, period=self.period)  # type: ignore[arg-type]

    def _madc(self, part: Part, handle: Any) -> MadcRecord:
        times, values = as_array(handle.membrane_madc)
        self.spread = max(self.spread, int(np.ptp(times, axis=1).max(initial=0)))
        return MadcRecord(
            part.population.madc_neuron,
            times[:, 0].astype(np.int64),
            values.T.astype(np.uint16),
        )

    def _rows(self, tensor: Any) -> NDArray[Any]:
        """Return a result of shape (time, batch, n), cut to the length of the input."""
        return as_array(tensor)[: self.n_steps]


def as_array(tensor: Any) -> NDArray[Any]:
    """Return a tensor as an array on the host."""
    return np.asarray(tensor.detach().cpu().numpy())
