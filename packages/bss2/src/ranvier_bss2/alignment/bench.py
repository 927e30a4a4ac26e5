"""Where an alignment measures: membranes under chosen input, in LSB on the time grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings, describe
from ranvier.errors import MappingError

from ..chip import VirtualChip
from ..emulator import Emulator
from ..network import BssNetwork, BssPopulation, BssProjection
from ..placement import Budget, place_network
from ..quantization import config_of
from ..records import CLOCK, SpikeRecord, trace_of
from ..targets import limits_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_INPUT = "alignment stimulus"
_SAMPLES = 1 << 22
"""Numbers of one piece of a run: larger runs are cut into pieces."""


@dataclass(frozen=True, eq=False)
class Membranes:
    """What a run shows.

    Parameters
    ----------
    traces : array, (batch, time, n)
        Interpolated on the grid, in LSB.
    peaks : array, (batch, n)
        Highest sample of the converter, in LSB.
    counts : array of int64, (batch, n)
        Spikes.
    times : array, (samples,)
        When the converter sampled, in steps, rising.
    """

    traces: Floats
    peaks: Floats
    counts: Ints
    times: Floats


class MembraneBench(Protocol):
    """A chip with one population, whose every neuron gets every input channel."""

    @property
    def population(self) -> BssPopulation:
        """What is there."""
        ...

    @property
    def weights(self) -> Ints:
        """Weight of each channel to all neurons, in LSB, (channels,)."""
        ...

    @property
    def dt(self) -> float:
        """Time step, in s of the chip."""
        ...

    def run(self, spikes: Ints, *, seed: int) -> Membranes:
        """Run from rest.

        Parameters
        ----------
        spikes : array of int64, (batch, time, channels)
            0 or 1.
        seed : int
            Of the temporal noise.
        """
        ...


class EmulatorBench:
    """The emulator with one population and one input.

    Parameters
    ----------
    population : BssPopulation
        What is aligned.
    chip : VirtualChip
        Silicon; a calibrated chip, too.
    weights : array of int64, (channels,)
        Weights of the channels, in LSB.
    dt : float
        Time step, in s of the chip.
    kappa : float or None
        Drive per weight LSB that the chip has; None: the manifest's.
    circuits : array of int64, (n, circuits), or None
        Where the neurons are; None: placed anew.
    substeps : int
        Integration steps per time step.

    Raises
    ------
    MappingError
        The population does not fit, with all reasons.
    """

    def __init__(
        self,
        population: BssPopulation,
        chip: VirtualChip,
        *,
        weights: Ints,
        dt: float,
        kappa: float | None = None,
        circuits: Ints | None = None,
        substeps: int = 1,
    ) -> None:
        self.population, self.weights, self.dt = population, weights, dt
        network = _network(population, weights, dt)
        findings = Findings()
        layout = place_network(
            network,
            Budget.of(limits_of()),
            constraints=None if circuits is None else {population.name: circuits},
            signed_rows=False,
            findings=findings,
        )
        if layout is None:
            errors = findings.errors()
            raise MappingError(
                describe(errors, heading=f"bss2 align: {population.name!r} has no place"), errors
            )
        self._config = config_of(network, layout, kappa=kappa)
        self._emulator = Emulator(self._config, chip, substeps=substeps)

    def run(self, spikes: Ints, *, seed: int) -> Membranes:
        """Run from rest, see `MembraneBench`."""
        batch, time, _ = spikes.shape
        piece = max(1, _SAMPLES // (time * self.population.size))
        traces, peaks, counts = [], [], []
        for start in range(0, batch, piece):
            self._emulator.reset()
            raw = self._emulator.run(
                {_INPUT: spikes[start : start + piece]}, trial_seed=seed, first_sample=start
            )
            own = self._config.populations[0]
            traces.append(trace_of(own, raw, length=time, dt=self.dt))
            samples = raw[own.name].sampled(own.name)
            peaks.append(samples.values.max(axis=1).astype(np.float64))
            counts.append(_counts(raw[own.name].spikes, len(samples.values), own.size))
            times = samples.times / CLOCK / self.dt
        return Membranes(
            np.concatenate(traces), np.concatenate(peaks), np.concatenate(counts), times
        )


def _network(population: BssPopulation, weights: Ints, dt: float) -> BssNetwork:
    shape = (population.size, weights.size)
    projection = BssProjection(
        source=_INPUT,
        target=population.name,
        weight=np.broadcast_to(weights.astype(np.float64), shape).copy(),
        connected=np.ones(shape, dtype=np.bool_),
    )
    return BssNetwork(
        dt=dt,
        time_scale=1.0,
        inputs={_INPUT: (weights.size,)},
        populations=(population,),
        projections=(projection,),
    )


def _counts(spikes: SpikeRecord, batch: int, size: int) -> Ints:
    places = spikes.sample * size + spikes.neuron
    return np.bincount(places, minlength=batch * size).reshape(batch, size).astype(np.int64)
