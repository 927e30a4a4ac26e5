"""One signal of a run: spikes as events, or a trace on its own time base."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SpikeTrain:
    """Spikes of one node, stored as events on a native clock.

    Parameters
    ----------
    sample, tick, index, count : array of int, (n_events,)
        Batch element, clock tick, flat neuron index and number of spikes (>= 1), sorted by sample,
        then tick, then index.
    n_samples, n_ticks : int
        Batch size and length of the recording in ticks.
    shape : tuple of int
        Shape of the population.
    tick_duration : float
        Length of one tick, in s of model time.
    """

    sample: NDArray[np.int64]
    tick: NDArray[np.int64]
    index: NDArray[np.int64]
    count: NDArray[np.int64]
    n_samples: int
    n_ticks: int
    shape: Shape
    tick_duration: float

    @classmethod
    def from_raster(cls, raster: NDArray[Any], *, dt: float) -> SpikeTrain:
        """Store a dense count array ``(batch, time, *shape)``."""
        n_samples, n_ticks, *shape = raster.shape
        flat = raster.reshape(n_samples, n_ticks, int(np.prod(shape)))
        sample, tick, index = np.nonzero(flat)
        count = flat[sample, tick, index].astype(np.int64)
        arrays = [a.astype(np.int64) for a in (sample, tick, index)]
        return cls(arrays[0], arrays[1], arrays[2], count, n_samples, n_ticks, tuple(shape), dt)

    def raster(self, dt: float | None = None) -> NDArray[np.int64]:
        """Return spike counts ``(batch, time, *shape)`` on a grid.

        Parameters
        ----------
        dt : float or None
            Grid step, in s, at least one tick; None takes the native ticks. The last bin may be
            partly filled.
        """
        bins = self.tick if dt is None else self._bins(dt)
        n_bins = self.n_ticks if dt is None else math.ceil(self.n_ticks / self._ratio(dt) - 1e-9)
        size = int(np.prod(self.shape, dtype=np.int64))
        dense = np.zeros((self.n_samples, n_bins, size), dtype=np.int64)
        np.add.at(dense, (self.sample, bins, self.index), self.count)
        return dense.reshape(self.n_samples, n_bins, *self.shape)

    def _ratio(self, dt: float) -> float:
        ratio = dt / self.tick_duration
        if not ratio >= 1 - 1e-9:
            raise InputError(
                f"raster: dt = {dt!r} s is shorter than one native tick ({self.tick_duration:g} s)"
            )
        return ratio

    def _bins(self, dt: float) -> NDArray[np.int64]:
        whole = self._ratio(dt)
        if abs(whole - round(whole)) < 1e-9 * whole:
            return self.tick // round(whole)
        return np.floor(self.tick / whole + 1e-9).astype(np.int64)

    @property
    def times(self) -> NDArray[np.float64]:
        """Start of the tick of each event, in s, (n_events,)."""
        return np.asarray(self.tick * self.tick_duration, dtype=np.float64)

    @property
    def total(self) -> int:
        """Number of spikes over all samples."""
        return int(self.count.sum())


@dataclass(frozen=True, eq=False)
class Trace:
    """A sampled quantity of one node.

    Parameters
    ----------
    values : array, (batch, samples, *shape)
        As recorded: integers on digital chips and converters, floats elsewhere.
    interval : float
        Time between samples, in s of model time.
    start : float
        Time of the first sample, in s.
    unit : str
        Unit of ``values * scale + offset``; empty for the model's own dimensionless units.
    scale, offset : array or float
        Conversion from raw to model units, broadcastable to ``values``.
    """

    values: NDArray[Any]
    interval: float
    start: float = 0.0
    unit: str = ""
    scale: NDArray[np.float64] | float = 1.0
    offset: NDArray[np.float64] | float = 0.0

    @property
    def shape(self) -> Shape:
        """Shape of the population."""
        return tuple(self.values.shape[2:])

    @property
    def model(self) -> NDArray[np.float64]:
        """Values in model units, float64, (batch, samples, *shape)."""
        return np.asarray(self.values * self.scale + self.offset, dtype=np.float64)

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of each sample, in s, (samples,)."""
        steps = np.arange(self.values.shape[1], dtype=np.float64)
        return np.asarray(self.start + self.interval * steps, dtype=np.float64)

    def on_grid(self, dt: float, n_steps: int) -> NDArray[np.float64]:
        """Return model values at the end of each step of a grid, held from the last sample.

        Parameters
        ----------
        dt : float
            Step, in s.
        n_steps : int
            Length of the grid.

        Returns
        -------
        array, (batch, n_steps, *shape)
        """
        if math.isclose(dt, self.interval) and self.start == 0.0:
            index = np.minimum(np.arange(n_steps), self.values.shape[1] - 1)
        else:
            position = (np.arange(n_steps) * dt - self.start) / self.interval
            index = np.clip(np.floor(position + 1e-9), 0, self.values.shape[1] - 1).astype(np.int64)
        return np.asarray(self.model[:, index])


Signal: TypeAlias = SpikeTrain | Trace


def signal_payload(signal: Signal) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return a signal as named arrays and a JSON-able document."""
    if isinstance(signal, SpikeTrain):
        arrays = {n: getattr(signal, n) for n in ("sample", "tick", "index", "count")}
        plain = {n: getattr(signal, n) for n in ("n_samples", "n_ticks", "tick_duration")}
        return arrays, {"type": "spikes", "shape": list(signal.shape), **plain}
    arrays = {
        "values": signal.values,
        "scale": np.asarray(signal.scale, dtype=np.float64),
        "offset": np.asarray(signal.offset, dtype=np.float64),
    }
    plain = {"interval": signal.interval, "start": signal.start, "unit": signal.unit}
    return arrays, {"type": "trace", **plain}


def signal_from_payload(arrays: Mapping[str, NDArray[Any]], entry: Mapping[str, Any]) -> Signal:
    """Build a signal from what `signal_payload` returned."""
    values: dict[str, Any] = dict(arrays)
    values |= {k: v for k, v in entry.items() if k not in ("node", "quantity", "type")}
    if entry["type"] == "spikes":
        values["shape"] = tuple(values["shape"])
        return SpikeTrain(**values)
    return Trace(**values)
