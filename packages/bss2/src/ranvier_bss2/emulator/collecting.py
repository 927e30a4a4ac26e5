"""From what execution instances did to records by population."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..config import Bss2Config, Population
from ..records import CLOCK, CadcRecord, MadcRecord, PopulationRecords, SpikeRecord
from ._parts import Part, PartRun, Samples

Ints = NDArray[np.int64]


def collect(
    config: Bss2Config,
    parts: list[Part],
    runs: list[PartRun],
    *,
    substeps: int,
) -> Mapping[str, PopulationRecords]:
    """Return the records of every population, whose neurons may be in several instances.

    Parameters
    ----------
    config : Bss2Config
        Names and sizes.
    parts : list of Part
        Execution instances.
    runs : list of PartRun
        What each of them did.
    substeps : int
        Integration steps per time step.
    """
    found = {}
    for number, population in enumerate(config.populations):
        found[population.name] = PopulationRecords(
            spikes=_spikes(config, parts, runs, number=number, substeps=substeps),
            cadc=_cadc(population, parts, runs, number=number),
            madc=_madc(population, parts, runs, number=number),
        )
    return found


def _spikes(
    config: Bss2Config, parts: list[Part], runs: list[PartRun], *, number: int, substeps: int
) -> SpikeRecord:
    pieces = []
    for part, run in zip(parts, runs, strict=True):
        own = np.flatnonzero(part.realised.population == number)
        if not own.size:
            continue
        whole = own.size == run.spikes.shape[2]
        fired = run.spikes if whole else run.spikes[:, :, own]
        sample, step, column = np.nonzero(fired)
        time = step - 1 + fired[sample, step, column] / substeps
        cycle = np.ceil(time * (config.chip_dt * CLOCK) - 1e-6).astype(np.int64)
        pieces.append((sample, cycle, part.realised.index[own[column]]))
    if len(pieces) == 1 and substeps == 1:
        return SpikeRecord(*pieces[0])
    columns = [np.concatenate(c) for c in zip(*pieces, strict=True)]
    order = np.lexsort(columns[::-1])
    return SpikeRecord(*(c[order] for c in columns))


def _cadc(
    population: Population, parts: list[Part], runs: list[PartRun], *, number: int
) -> CadcRecord | None:
    if population.cadc == "off":
        return None
    record = None
    for part, run in zip(parts, runs, strict=True):
        sampled = part.slow.neuron
        own = np.flatnonzero(part.realised.population[sampled] == number)
        if not own.size:
            continue
        if record is None:
            record = _empty(population, part, run.slow)
        record.values[:, :, part.realised.index[sampled[own]]] = run.slow.values[:, :, own]
    return record


def _empty(population: Population, part: Part, samples: Samples) -> CadcRecord:
    shape = (*samples.values.shape[:2], population.size)
    values = np.zeros(shape, dtype=np.uint8)
    return CadcRecord(samples.times, values, part.slow.period * CLOCK, samples.dropped)


def _madc(
    population: Population, parts: list[Part], runs: list[PartRun], *, number: int
) -> MadcRecord | None:
    for part, run in zip(parts, runs, strict=True):
        own = np.flatnonzero(part.realised.population[part.fast.neuron] == number)
        if own.size:
            return MadcRecord(
                population.madc_neuron,
                run.fast.times,
                run.fast.values[:, :, own[0]],
                part.fast.period * CLOCK,
            )
    return None
