"""Records as they come from a chip, or from what stands for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

CLOCK = 125e6
"""Cycles per second of the event clock: 8 ns each (haldls @838548a)."""
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SpikeRecord:
    """Spikes of one population.

    Parameters
    ----------
    sample, cycle, neuron : array of int64, (n_events,)
        Batch element, cycle of the event clock since the start of the run (slightly negative for
        spikes between the last step of the run before and the first of this one), and neuron.
    """

    sample: Ints
    cycle: Ints
    neuron: Ints

    @classmethod
    def empty(cls) -> SpikeRecord:
        """Return a record without spikes."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, none)


@dataclass(frozen=True, eq=False)
class CadcRecord:
    """Samples of the slow converter.

    Parameters
    ----------
    times : array of int64, (samples,)
        In cycles since the start of the run, rising.
    values : array of uint8, (batch, samples, n)
        LSB, 0..255.
    period : float or None
        Time between samples, in cycles; None: the mean distance of ``times``.
    dropped : int
        Samples per trial that the memory did not hold, >= 0.
    """

    times: Ints
    values: NDArray[np.uint8]
    period: float | None = None
    dropped: int = 0

    @property
    def interval(self) -> float:
        """Time between samples, in cycles; 1 if there is only one and no period was given."""
        if self.period is not None:
            return self.period
        if self.times.size < 2:
            return 1.0
        return float(self.times[-1] - self.times[0]) / (self.times.size - 1)


@dataclass(frozen=True, eq=False)
class MadcRecord:
    """Samples of the fast converter, of one neuron.

    Parameters
    ----------
    neuron : int
        Which neuron of the population.
    times : array of int64, (samples,)
        In cycles since the start of the run, rising.
    values : array of uint16, (batch, samples)
        LSB, 0..1023.
    period : float or None
        Time between samples, in cycles; None: the mean distance of ``times``.
    """

    neuron: int
    times: Ints
    values: NDArray[np.uint16]
    period: float | None = None

    @property
    def interval(self) -> float:
        """Time between samples, in cycles; 1 if there is only one and no period was given."""
        return CadcRecord(self.times, np.zeros((0, 0, 0), np.uint8), self.period).interval


@dataclass(frozen=True, eq=False)
class PopulationRecords:
    """All records of one population; None for what was not recorded."""

    spikes: SpikeRecord
    cadc: CadcRecord | None = None
    madc: MadcRecord | None = None

    def sampled(self, name: str) -> CadcRecord:
        """Return the samples of the slow converter; raises `InputError`, naming ``name``."""
        if self.cadc is None:
            raise InputError(
                f"bss2: {name!r} was not sampled by the slow converter; record it with "
                "cadc = 'sram' or 'dram'"
            )
        return self.cadc


@dataclass(frozen=True, eq=False)
class RawRecords:
    """Everything that one run recorded, by population.

    Parameters
    ----------
    populations : mapping of str to PopulationRecords
        By the population's name.
    n_samples : int
        Batch size.
    duration : int
        Length of the run, in cycles of the event clock.
    identifier : str
        Names the chip.
    """

    populations: Mapping[str, PopulationRecords]
    n_samples: int
    duration: int
    identifier: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "populations", MappingProxyType(dict(self.populations)))

    def __str__(self) -> str:
        length = self.duration / CLOCK * 1e6
        chip = f" from {self.identifier}" if self.identifier else ""
        lines = [f"RawRecords{chip}: {self.n_samples} sample(s) of {length:g} us"]
        for name, own in self.populations.items():
            parts = [f"{own.spikes.cycle.size} spikes"]
            if own.cadc is not None:
                parts.append(f"CADC {own.cadc.values.shape}")
            if own.madc is not None:
                parts.append(f"MADC of neuron {own.madc.neuron} {own.madc.values.shape}")
            lines.append(f"  {name}: {', '.join(parts)}")
        return "\n".join(lines)

    __repr__ = __str__

    def __getitem__(self, name: str) -> PopulationRecords:
        try:
            return self.populations[name]
        except KeyError as error:
            raise InputError(
                f"bss2: no records of {name!r}; recorded: {', '.join(self.populations) or 'none'}"
            ) from error
