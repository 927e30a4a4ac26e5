"""What a calibration measures: one method per quantity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..targets import limits_of
from .bench import FAST_PERIOD, Bench, Stimulus
from .search import Floats, decay_time
from .silicon import Codes
from .targets import CalibrationTargets

CADC_PERIOD = 1.7e-6
"""Fastest sampling of the CADC, in s (grenade @6ac13f3)."""
_QUIET, _TRAIN, _TAIL = 16, 64, 120
_FAST_BELOW, _USUAL_TAU = 8e-6, 10e-6
_PER_TAU = 6.0
_LIFT, _BURST, _ROWS = 30.0, 25.0, 4
_UPPER_HALF = 120.0
"""Drive by a train and by a burst, in LSB, far from saturation; rows that send each event."""


@dataclass(frozen=True)
class Measures:
    """Measurements of all circuits on a bench.

    Parameters
    ----------
    bench : Bench
        The chip.
    targets : CalibrationTargets
        They choose durations, stimuli, and the converter: time constants below 8 us are sampled
        by the fast one, which on silicon reads one circuit after the other.
    drive : array, (512,)
        Drive per weight LSB that is expected, in LSB.
    """

    bench: Bench
    targets: CalibrationTargets
    drive: Floats

    def leak(self, codes: Codes, trials: int) -> Floats:
        """Return the mean membrane without input, in LSB."""
        record = self.bench.record(
            codes, Stimulus(), samples=24, period=self._slow(), trials=trials
        )
        level: Floats = record.mean.mean(axis=0)
        return level

    def reset(self, codes: Codes, trials: int) -> Floats:
        """Return the mean of the membrane while it is held at reset, in LSB."""
        held = Stimulus(hold_reset=True)
        record = self.bench.record(codes, held, samples=8, period=CADC_PERIOD, trials=trials)
        level: Floats = record.mean.mean(axis=0)
        return level

    def threshold(self, codes: Codes, trials: int, *, fine: bool) -> Floats:
        """Return the highest membrane potential under a constant current, in LSB.

        A strong current reaches every threshold; with calibrated leaks a weak one comes closer.
        """
        distance = self.targets.threshold - self.targets.leak
        weak = distance + 0.1 * np.abs(distance) + 6.0
        current = weak if fine else 1.5 * np.maximum(distance, 0.0) + 60.0
        drive = Stimulus(current=current, fire=True)
        # the slower the fastest rise, the closer the last sample
        return self.bench.record(
            codes, drive, samples=96, period=self._slow() / 2, trials=trials
        ).peak

    def tau_mem(self, codes: Codes, trials: int) -> Floats:
        """Return the time constant of the membrane after a current step, in s."""
        return self._by_period("tau_mem", codes, trials)

    def tau_syn(self, receptor: str, codes: Codes, trials: int) -> Floats:
        """Return the time constant of a synaptic input after a burst, in s."""
        return self._by_period(f"tau_syn_{receptor}", codes, trials)

    def strength(self, receptor: str, codes: Codes, trials: int) -> Floats:
        """Return the strength of a synaptic input relative to the expected one.

        It is the area below the membrane after a train of events, which does not depend on the
        time constant of the membrane, over that of the targets.
        """
        tau_syn = self.targets.tau_syn_exc if receptor == "exc" else self.targets.tau_syn_inh
        result = np.zeros_like(tau_syn)
        for mine in _groups(tau_syn, self.targets.tau_mem):
            syn, mem = float(np.median(tau_syn[mine])), float(np.median(self.targets.tau_mem[mine]))
            # slow membranes are noisier
            more = int(np.clip(round(mem / _USUAL_TAU), 1, 4))
            area = self._area(
                receptor, codes, trials * more, circuits=mine, tau_syn=syn, tau_mem=mem
            )
            result[mine] = area / (self.drive * tau_syn)[mine]
        return result

    def _area(
        self,
        receptor: str,
        codes: Codes,
        trials: int,
        *,
        circuits: NDArray[np.int64],
        tau_syn: float,
        tau_mem: float,
    ) -> Floats:
        """Return the area per event and weight LSB, in LSB times s, (n,)."""
        tail = 5.0 * (tau_syn + 2.0 * tau_mem)
        period = max(tau_syn / 4, tail / _TAIL, FAST_PERIOD)
        drive = float(np.median(self.drive[circuits])) * _ROWS
        wanted = min(_LIFT / drive * period / tau_syn, 2 * _LIFT / drive)
        weight = int(np.clip(round(wanted), 1, limits_of().weight_max))
        train = Stimulus(
            receptor=_receptor(receptor),
            weight=weight,
            parallel=_ROWS,
            events=tuple(range(_QUIET, _QUIET + _TRAIN)),
            circuits=circuits,
        )
        idle = Stimulus(circuits=circuits)
        quiet = self.bench.record(
            codes, idle, samples=2 * _TRAIN, period=period, trials=trials
        ).mean.mean(axis=0)
        samples = _QUIET + _TRAIN + int(np.ceil(tail / period))
        answer = self.bench.record(codes, train, samples=samples, period=period, trials=trials)
        area: Floats = np.abs((answer.mean - quiet)[_QUIET:].sum(axis=0) * period)
        return area / (weight * _ROWS * _TRAIN)

    def _by_period(self, name: str, codes: Codes, trials: int) -> Floats:
        """Measure circuits of similar target together, each group with its own sample period."""
        target = getattr(self.targets, name)
        result: Floats = np.zeros_like(target)
        for mine in _groups(target):
            middle = float(np.median(target[mine]))
            if middle < _FAST_BELOW:
                period = max(1, round(middle / _PER_TAU / FAST_PERIOD)) * FAST_PERIOD
            else:
                period = max(CADC_PERIOD, middle / _PER_TAU)
            result[mine] = self._decay(name, codes, trials, circuits=mine, period=period)
        return result

    def _decay(
        self, name: str, codes: Codes, trials: int, *, circuits: NDArray[np.int64], period: float
    ) -> Floats:
        if name == "tau_mem":
            on = int(8 * _PER_TAU)
            up = Stimulus(
                current=np.where(self.targets.leak > _UPPER_HALF, -60.0, 60.0)[circuits],
                current_until=on,
                circuits=circuits,
            )
            idle = Stimulus(circuits=circuits)
            low = self.bench.record(codes, idle, samples=24, period=period, trials=trials)
            high = self.bench.record(codes, up, samples=on + 24, period=period, trials=trials)
            return decay_time(high.mean[on:] - low.mean.mean(axis=0), period=period)
        receptor = _receptor(name.rsplit("_", 1)[1])
        wanted = _BURST / _ROWS / float(np.median(self.drive[circuits]))
        weight = int(np.clip(round(wanted), 1, limits_of().weight_max))
        burst = Stimulus(
            readout="exc_synin" if receptor == "exc" else "inh_synin",
            receptor=receptor,
            weight=weight,
            parallel=_ROWS,
            events=(_QUIET,),
            circuits=circuits,
        )
        record = self.bench.record(
            codes, burst, samples=_QUIET + 26, period=period, trials=trials
        ).mean
        return decay_time(record[_QUIET + 1 :] - record[: _QUIET + 1].mean(axis=0), period=period)

    def _slow(self) -> float:
        return max(CADC_PERIOD, float(np.median(self.targets.tau_mem)) / 6)


def _receptor(name: str) -> Literal["exc", "inh"]:
    return "exc" if name == "exc" else "inh"


def _groups(*targets: Floats) -> Iterator[NDArray[np.int64]]:
    """Yield circuits whose time constants lie in the same octaves."""
    octaves = np.stack([np.rint(np.log2(t / 1e-6)) for t in targets])
    for own in np.unique(octaves, axis=1).T:
        yield np.flatnonzero(np.all(octaves == own[:, None], axis=0))
