"""Background generators of an emulated chip: what they emit, and the record of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..background import background_counts, step_events
from ..network import BssBackground
from ..records import CLOCK, PopulationRecords, SpikeRecord


def generator_rasters(
    own: Iterable[BssBackground], *, batch: int, start: int, n_steps: int, dt: float
) -> dict[str, NDArray[np.int64]]:
    """Return the events per step of every generator, (batch, time, n); all samples have the same.

    Parameters
    ----------
    own : iterable of BssBackground
        Generators.
    batch : int
        Samples.
    start, n_steps : int
        Steps since reset, and of the run.
    dt : float
        Time step on the chip, in s.
    """
    counts = {b.name: background_counts(b, start=start, n_steps=n_steps, dt=dt) for b in own}
    return {n: np.broadcast_to(c, (batch, *c.shape)) for n, c in counts.items()}


def generator_records(
    own: Iterable[BssBackground], *, batch: int, start: int, n_steps: int, dt: float
) -> dict[str, PopulationRecords]:
    """Return the events of every generator as spikes of its node, in cycles since the run's start.

    Parameters
    ----------
    own : iterable of BssBackground
        Generators.
    batch : int
        Samples.
    start, n_steps : int
        Steps since reset, and of the run.
    dt : float
        Time step on the chip, in s.
    """
    found = {}
    for b in own:
        cycle, channel = step_events(b, start=start, n_steps=n_steps, dt=dt)
        order = np.lexsort((channel, cycle))
        cycle = cycle[order] - round(start * dt * CLOCK)
        sample = np.repeat(np.arange(batch, dtype=np.int64), cycle.size)
        spikes = SpikeRecord(sample, np.tile(cycle, batch), np.tile(channel[order], batch))
        found[b.name] = PopulationRecords(spikes)
    return found
