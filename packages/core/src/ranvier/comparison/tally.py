"""Sums over chunks of samples, from which the reports are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import metrics
from .alignment import Aligned
from .comparison import Difference, LayerReport

Readout: TypeAlias = Literal["mean", "max"]
Floats = NDArray[np.float64]


@dataclass
class LayerTally:
    """What has been seen of one neuron node so far."""

    node: str
    rest: float | Floats
    dt: float
    tau: float
    late: int = 0
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    expected: list[NDArray[np.int64]] = field(default_factory=list)
    distances: list[Floats] = field(default_factory=list)
    to_silence: list[Floats] = field(default_factory=list)
    powers: list[Floats] = field(default_factory=list)
    first: tuple[int, int, int] | None = None

    def add(self, chip: Aligned, reference: Aligned, *, first: int) -> None:
        """Add a chunk whose first sample has this number."""
        self.late = chip.late(self.node)
        if chip.has_spikes(self.node) and reference.has_spikes(self.node):
            self._add_spikes(chip.raster(self.node), reference.raster(self.node), first)
        unit = reference.unit_of(self.node, "v_mem")
        if unit is not None and chip.unit_of(self.node, "v_mem") == unit:
            self._add_membrane(chip.trace(self.node), reference.trace(self.node))

    def _add_spikes(self, one: NDArray[np.int64], other: NDArray[np.int64], first: int) -> None:
        self.counts.append(one.sum(1))
        self.expected.append(other.sum(1))
        self.distances.append(metrics.van_rossum(one, other, dt=self.dt, tau=self.tau))
        silence = np.zeros_like(other)
        self.to_silence.append(metrics.van_rossum(other, silence, dt=self.dt, tau=self.tau))
        found = metrics.first_difference(one, other)
        if found is not None:
            step, sample, neuron = found
            known = [(step, first + sample, neuron), *([self.first] if self.first else [])]
            self.first = min(known)

    def _add_membrane(self, one: Floats, other: Floats) -> None:
        both = np.isfinite(one) & np.isfinite(other)
        rested = np.where(both, other - np.ravel(self.rest), 0.0)
        error = np.where(both, one - other, 0.0)
        parts = (rested**2, error**2, both)
        self.powers.append(np.stack([part.reshape(len(one), -1).sum(1) for part in parts]))

    def report(self) -> LayerReport | None:
        """Return the result; None if neither spikes nor membrane could be compared."""
        signal, noise, compared = np.concatenate([np.zeros((3, 0)), *self.powers], axis=1).sum(1)
        if not self.counts and not compared:
            return None
        return LayerReport(
            node=self.node,
            latency=self.late,
            **(self._spikes() if self.counts else {}),
            membrane_snr=metrics.membrane_snr(float(signal), float(noise)) if compared else None,
            membrane_error=math.sqrt(noise / compared) if compared else None,
            first_difference=Difference(self.node, *self.first) if self.first else None,
        )

    def _spikes(self) -> dict[str, Any]:
        one, other = np.concatenate(self.counts), np.concatenate(self.expected)
        distances = np.concatenate(self.distances)
        apart = float((distances**2).sum())
        silence = float((np.concatenate(self.to_silence) ** 2).sum())
        relative = math.sqrt(apart / silence) if silence else None
        return {
            "spikes": int(one.sum()),
            "reference_spikes": int(other.sum()),
            "count_correlation": metrics.count_correlation(one, other),
            "van_rossum": float(distances.mean()) if distances.size else 0.0,
            "van_rossum_relative": 0.0 if apart == 0 else relative,
        }


@dataclass
class ActivityTally:
    """Spikes of a run, and the operations that they cause."""

    fan_out: dict[str, NDArray[np.int64]] | None
    spikes: int = 0
    operations: int = 0

    def add_input(self, name: str, counts: NDArray[np.float64]) -> None:
        """Add the spikes of an input, (batch, time, *shape)."""
        if self.fan_out is not None:
            sums = counts.reshape(-1, math.prod(counts.shape[2:])).sum(0)
            self.operations += round(float(sums @ self.fan_out[name]))

    def add_layer(self, name: str, raster: NDArray[np.int64]) -> None:
        """Add the spikes of a neuron node, (batch, time, n)."""
        self.spikes += int(raster.sum())
        if self.fan_out is not None:
            self.operations += int(raster.sum((0, 1)) @ self.fan_out[name])

    @property
    def synaptic_operations(self) -> int | None:
        """Operations so far; None where connections cannot be counted."""
        return None if self.fan_out is None else self.operations


def scores_of(seen: Aligned, output: str, *, readout: Readout) -> Floats:
    """Return the score of every channel of an output, (batch, n).

    Parameters
    ----------
    seen : Aligned
        A run.
    output : str
        Name of the Output node.
    readout : {"mean", "max"}
        What counts for outputs that show a membrane; those that show spikes are counted.
    """
    node, quantity = seen.recording.outputs[output]
    late = seen.late(output if output in seen.latency else node)
    if quantity == "spikes":
        return np.asarray(seen.raster(node, late=late).sum(1), dtype=np.float64)
    values = seen.trace(node, quantity, late=late)
    known = np.isfinite(values)
    if readout == "max":
        return np.asarray(np.where(known, values, -np.inf).max(1), dtype=np.float64)
    total = np.where(known, values, 0.0).sum(1)
    return np.asarray(total / np.maximum(known.sum(1), 1), dtype=np.float64)
