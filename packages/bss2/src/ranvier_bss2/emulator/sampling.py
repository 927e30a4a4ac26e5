"""When the converters sample, and what of it a memory holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import Bss2Config
from ..records import CLOCK, MADC_PER_CADC
from ..targets import target_named
from ._kernel import Sampling
from .neurons import Realised

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Converter:
    """A converter of one execution instance.

    Parameters
    ----------
    period : float
        Time between samples, in s of the chip.
    depth : int or None
        Samples that its memory holds since reset; None: as many as come.
    neuron : array of int64, (k,)
        Neurons of the instance that it samples.
    gain, offset : array, (k,)
        LSB per LSB, and LSB.
    """

    period: float
    depth: int | None
    neuron: Ints
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]

    def plan(self, *, start: int, n_steps: int, dt: float) -> tuple[Sampling, Ints, int]:
        """Return what a run samples, the times in cycles since its start, and what is dropped.

        Samples between the last step of the run before and the first one belong to this run.

        Parameters
        ----------
        start : int
            Steps since reset.
        n_steps : int
            Steps of the run.
        dt : float
            Time step on the chip, in s.
        """
        if not self.neuron.size or not n_steps:
            return self._samples(np.zeros(0, np.int64), start, dt), np.zeros(0, np.int64), 0
        pace = self.period / dt
        low = int(np.floor((start - 1) / pace)) if start else 0
        number = np.arange(low, int(np.ceil((start + n_steps) / pace)) + 1)
        step = self._step(number, dt)
        number = number[(step >= start) & (step < start + n_steps)]
        kept = number if self.depth is None else number[number < self.depth]
        times = np.round((kept * self.period - start * dt) * CLOCK).astype(np.int64)
        return self._samples(kept, start, dt), times, int(number.size - kept.size)

    def _step(self, number: Ints, dt: float) -> Ints:
        return np.asarray(np.ceil(number * (self.period / dt) - 1e-9), dtype=np.int64)

    def _samples(self, number: Ints, start: int, dt: float) -> Sampling:
        step = self._step(number, dt)
        share = np.clip(number * (self.period / dt) - (step - 1), 0.0, 1.0)
        share = np.where(share > 1 - 1e-9, 1.0, share)
        return Sampling(
            step=step - start,
            share=share,
            number=number.astype(np.int64),
            neuron=self.neuron,
            gain=self.gain,
            offset=self.offset,
        )


def slow_converter(config: Bss2Config, realised: Realised, period: float | None) -> Converter:
    """Return the converter that samples many neurons, 8 bits.

    Parameters
    ----------
    config : Bss2Config
        What is recorded, and through which memory.
    realised : Realised
        The neurons and their channels.
    period : float or None
        Time between samples, in s, of a converter that does not exist (of endless depth); None: the
        chip's.
    """
    modes = np.array([p.cadc for p in config.populations])[realised.population]
    neuron = np.flatnonzero(modes != "off").astype(np.int64)
    memory = "dram" if (modes == "dram").any() else "sram"
    limits = config.limits
    depth = {"sram": limits.cadc_samples_sram, "dram": limits.cadc_samples_dram}[memory]
    return Converter(
        period=_number(config, f"cadc_period_{memory}") if period is None else period,
        depth=depth if period is None else None,
        neuron=neuron,
        gain=realised.gain[neuron],
        offset=realised.offset[neuron],
    )


def fast_converter(config: Bss2Config, realised: Realised) -> Converter:
    """Return the converter that samples single neurons, 10 bits; its range is an assumption."""
    wanted = np.array([p.madc_neuron for p in config.populations])[realised.population]
    neuron = np.flatnonzero((wanted >= 0) & (realised.index == wanted)).astype(np.int64)
    return Converter(
        period=1.0 / _number(config, "madc_rate"),
        depth=None,
        neuron=neuron,
        gain=np.full(neuron.size, MADC_PER_CADC),
        offset=np.zeros(neuron.size),
    )


def _number(config: Bss2Config, fact: str) -> float:
    return float(str(target_named(config.target).fact(fact).value))
