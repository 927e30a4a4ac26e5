"""One execution instance of an emulated chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _kernel as kernel
from .neurons import Realised
from .sampling import Converter
from .wiring import Wiring

Raster = NDArray[np.bool_] | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Samples:
    """What a converter read.

    Parameters
    ----------
    times : array of int64, (samples,)
        Cycles since the start of the run.
    values : array, (batch, samples, k)
        LSB of the neurons that it samples.
    dropped : int
        Samples that its memory does not hold.
    """

    times: NDArray[np.int64]
    values: NDArray[Any]
    dropped: int


@dataclass(frozen=True, eq=False)
class PartRun:
    """What one execution instance did.

    Parameters
    ----------
    spikes : array of uint8, (batch, time, n)
        Substep of a spike, from 1, or 0.
    slow, fast : Samples
        Of the converters.
    """

    spikes: NDArray[np.uint8]
    slow: Samples
    fast: Samples


@dataclass(eq=False)
class Part:
    """Neurons, synapses and converters of one execution instance."""

    realised: Realised
    wiring: Wiring
    slow: Converter
    fast: Converter
    weights: kernel.Weights

    def run(
        self,
        rasters: Mapping[str, Raster],
        *,
        noise: kernel.Noise,
        clock: kernel.Clock,
        state: kernel.State,
        dt: float,
    ) -> PartRun:
        """Advance by the length of the rasters; ``state`` is changed.

        Parameters
        ----------
        rasters : mapping of str to array of bool or int, (batch, time, n)
            Inputs and populations of earlier instances; counts of background generators.
        noise : Noise
            Keys and deviations.
        clock : Clock
            Steps since reset.
        state : State
            Of this instance.
        dt : float
            Time step on the chip, in s.
        """
        batch, n_steps = next(iter(rasters.values())).shape[:2]
        spikes = np.zeros((batch, n_steps, self.realised.population.size), dtype=np.uint8)
        when = {"start": clock.start, "n_steps": n_steps, "dt": dt}
        slow, slow_times, slow_lost = self.slow.plan(**when)
        fast, fast_times, fast_lost = self.fast.plan(**when)
        slow_out = np.zeros((batch, slow.step.size, slow.neuron.size), dtype=np.uint8)
        fast_out = np.zeros((batch, fast.step.size, fast.neuron.size), dtype=np.uint16)
        kernel.run(
            self.realised.neurons,
            noise,
            clock,
            self._events(rasters, batch, n_steps),
            self.weights,
            state,
            spikes,
            slow,
            slow_out,
            fast,
            fast_out,
        )
        return PartRun(
            spikes,
            Samples(slow_times, slow_out, slow_lost),
            Samples(fast_times, fast_out, fast_lost),
        )

    def _events(self, rasters: Mapping[str, Raster], batch: int, n_steps: int) -> kernel.Events:
        wiring = self.wiring
        rows, sources = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for number, name in enumerate(wiring.source_name):
            own = slice(wiring.source_first[number], wiring.source_first[number + 1])
            channel = wiring.source_channel[own]
            flat = rasters[name].reshape(batch * n_steps, rasters[name].shape[2])
            flat = flat[:, channel]
            row, column = np.nonzero(flat)
            if flat.dtype != np.bool_:
                times = flat[row, column]
                row, column = np.repeat(row, times), np.repeat(column, times)
            rows.append(row)
            sources.append(column + wiring.source_first[number])
        row, source = np.concatenate(rows), np.concatenate(sources)
        if len(rows) > 2:
            order = np.lexsort((source, row))
            row, source = row[order], source[order]
        ends = np.searchsorted(row, np.arange(batch * n_steps + 1))
        return kernel.Events(ends.astype(np.int64), source.astype(np.int64))
