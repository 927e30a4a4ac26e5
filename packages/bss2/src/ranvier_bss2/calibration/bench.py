"""Measurements on a chip with given codes, through its own converters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..mapping.strength import synaptic_strength
from ..targets import limits_of
from .silicon import Codes, Floats, Silicon

SYNAPTIC_BASELINE = 120.0
"""Reading of an idle synaptic input, in LSB (our choice for the virtual chip)."""
FAST_PERIOD = 34e-9
"""Sample period of the MADC, in s: 17 cycles of 500 MHz."""
_US = 1e6


@dataclass(frozen=True, kw_only=True)
class Stimulus:
    """What circuits get, and what is read.

    Parameters
    ----------
    readout : {"membrane", "exc_synin", "inh_synin"}
        Signal at the converter.
    current : float or array, (n,)
        Drive of the membrane by its offset current, in LSB.
    current_until : int
        Sample from which the current is off.
    receptor : {"exc", "inh"}
        Which synapses get events.
    weight : int
        Weight of these synapses, 0..63.
    events : tuple of int
        Samples at which every circuit gets an event.
    parallel : int
        Rows that send each event at once, to many rows in turn: single synapses average out.
    fire : bool
        Whether the threshold acts.
    hold_reset : bool
        Whether the membrane is held at its reset potential.
    circuits : array of int64, (n,), or None
        Which circuits; None: all.
    """

    readout: Literal["membrane", "exc_synin", "inh_synin"] = "membrane"
    current: float | Floats = 0.0
    current_until: int = 1 << 30
    receptor: Literal["exc", "inh"] = "exc"
    weight: int = 0
    events: tuple[int, ...] = ()
    parallel: int = 1
    fire: bool = False
    hold_reset: bool = False
    circuits: NDArray[np.int64] | None = None

    @property
    def chosen(self) -> NDArray[np.int64]:
        """Circuits that are measured, (n,)."""
        return np.arange(limits_of().neuron_circuits) if self.circuits is None else self.circuits


@dataclass(frozen=True, eq=False)
class Record:
    """What the converters show, averaged over trials.

    Parameters
    ----------
    mean : array, (samples, n)
        In LSB.
    peak : array, (n,)
        Highest sample of a trial, mean over trials.
    """

    mean: Floats
    peak: Floats


class Bench(Protocol):
    """A chip on which a calibration measures."""

    def common(self, codes: Codes, lsb: float, *, samples: int) -> Floats:
        """Return the mean reading of every channel for one voltage on all, (512,)."""
        ...

    def record(
        self, codes: Codes, stimulus: Stimulus, *, samples: int, period: float, trials: int
    ) -> Record:
        """Run and read the chosen circuits; ``period`` is the sample period in s."""
        ...


class VirtualBench:
    """Measures on a virtual chip: the emulator's equations, all circuits alone.

    Parameters
    ----------
    silicon : Silicon
        The chip.
    kappa : float
        Drive per weight LSB at the nominal targets, in LSB.
    seed : int
        Of the temporal noise.
    """

    def __init__(self, silicon: Silicon, *, kappa: float, seed: int) -> None:
        self.silicon = silicon
        self._random = np.random.default_rng([seed, silicon.chip.seed])
        self._drive = synaptic_strength(kappa, silicon.targets.arrays())
        limits = limits_of()
        synapses = silicon.chip.synapses() * silicon.chip.variability.sigma_weight
        by_row = synapses.transpose(1, 0, 2).reshape(limits.rows, limits.neuron_circuits)
        self._synapses = 1.0 + by_row

    def common(self, codes: Codes, lsb: float, *, samples: int) -> Floats:
        """Return the mean reading of every channel for one voltage on all, (512,)."""
        voltage = np.full((samples, limits_of().neuron_circuits), lsb)
        mean: Floats = self._read(self.silicon.converter(codes), voltage).mean(axis=0)
        return mean

    def record(
        self, codes: Codes, stimulus: Stimulus, *, samples: int, period: float, trials: int
    ) -> Record:
        """Run and read the chosen circuits; ``period`` is the sample period in s."""
        run = _Run(self, codes, stimulus, period, trials)
        gain, offset = self.silicon.converter(codes)
        channels = gain[stimulus.chosen], offset[stimulus.chosen]
        mean = np.zeros((samples, stimulus.chosen.size))
        peak = np.zeros((trials, stimulus.chosen.size))
        for k in range(samples):
            read = self._read(channels, run.signal())
            mean[k] = read.mean(axis=0)
            np.maximum(peak, read, out=peak)
            run.advance(k)
        return Record(mean, peak.mean(axis=0))

    def event(self, stimulus: Stimulus, number: int) -> Floats:
        """Return the jump of the synaptic input for one event, in LSB, (n,)."""
        rows = (number * stimulus.parallel + np.arange(stimulus.parallel)) % len(self._synapses)
        synapses = self._synapses[np.ix_(rows, stimulus.chosen)].sum(axis=0)
        jump: Floats = self._drive[stimulus.chosen] * stimulus.weight * synapses
        return jump

    def _read(self, channels: tuple[Floats, Floats], signal: NDArray[np.floating]) -> Floats:
        gain, offset = channels
        level = gain * signal + offset
        noise = self.silicon.chip.variability.cadc_noise
        if noise > 0:
            level += noise * self.normal(signal.shape)
        return np.clip(np.rint(level), 0, limits_of().cadc_max).astype(np.float64)

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return standard normal numbers."""
        return self._random.standard_normal(shape, dtype=np.float32)


class _Run:
    """Membranes and inputs of the chosen circuits in some trials, (trials, n)."""

    def __init__(
        self, bench: VirtualBench, codes: Codes, stimulus: Stimulus, period: float, trials: int
    ) -> None:
        silicon, own = bench.silicon, stimulus.chosen
        self.bench, self.stimulus = bench, stimulus
        self.leak = silicon.potential("leak", codes)[own]
        self.reset = silicon.potential("reset", codes)[own]
        self.threshold = silicon.potential("threshold", codes)[own]
        self.strength = silicon.strength(f"strength_{stimulus.receptor}", codes)[own]
        self.substeps = 4 if stimulus.fire else 1
        h = period / self.substeps
        self.pull = -np.expm1(-h / silicon.time("tau_mem", codes)[own])
        tau_syn = silicon.time(f"tau_syn_{stimulus.receptor}", codes)[own]
        self.keep = np.exp(-h / tau_syn)
        self.mean = tau_syn / h * (1.0 - self.keep)  # of a decay over one step
        self.noise = silicon.chip.variability.membrane_noise * np.sqrt(h * _US)
        self.wait = np.ceil(silicon.targets.refractory[own] / h - 1e-9)
        start = self.reset if stimulus.hold_reset or stimulus.fire else self.leak
        self.v = np.broadcast_to(start, (trials, start.size)).copy()
        self.i = np.zeros(start.size)
        self.ref = np.zeros_like(self.v)
        self.sent = 0

    def signal(self) -> Floats:
        """Return what the converter sees."""
        if self.stimulus.readout == "membrane":
            return self.v
        return np.broadcast_to(SYNAPTIC_BASELINE + self._limited(), self.v.shape)

    def advance(self, sample: int) -> None:
        """Go on by one sample period."""
        for _ in range(0 if self.stimulus.hold_reset else self.substeps):
            self._step(sample)
        if sample in self.stimulus.events:
            self.i = self.i + self.bench.event(self.stimulus, self.sent)
            self.sent += 1

    def _step(self, sample: int) -> None:
        sign = 1.0 if self.stimulus.receptor == "exc" else -1.0
        drive = sign * self.strength * self.mean * self._limited()
        if sample < self.stimulus.current_until:
            drive = drive + self.stimulus.current
        self.v += self.pull * (self.leak + drive - self.v)
        if self.noise > 0:
            self.v += self.noise * self.bench.normal(self.v.shape)
        self.i = self.i * self.keep
        if self.stimulus.fire:
            fired = (self.v > self.threshold) & (self.ref <= 0)
            self.v = np.where(fired | (self.ref > 0), self.reset, self.v)
            self.ref = np.where(fired, self.wait, np.maximum(self.ref - 1, 0))

    def _limited(self) -> Floats:
        most = self.bench.silicon.chip.variability.saturation
        return self.i if most is None else most * np.tanh(self.i / most)
