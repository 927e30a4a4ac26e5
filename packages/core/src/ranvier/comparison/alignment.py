"""Runs on one grid: latency taken out, other time bases resampled, padding left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import Recording, SpikeTrain, Trace


@dataclass(frozen=True, eq=False)
class Aligned:
    """A recording seen from the graph: step t is what the graph computes in step t.

    Parameters
    ----------
    recording : Recording
        A batch.
    latency : mapping of str to int
        Extra steps of each node's signal; what the recording itself states goes first.
    n_steps : int
        Steps to compare.
    valid : array of bool, (batch, n_steps)
        Steps that belong to the samples of a ragged batch.
    """

    recording: Recording
    latency: Mapping[str, int]
    n_steps: int
    valid: NDArray[np.bool_]

    def late(self, node: str) -> int:
        """Return the steps by which a node's signal arrives later than in the graph."""
        return int(self.recording.latency.get(node, self.latency.get(node, 0)))

    def has_spikes(self, node: str) -> bool:
        """Say whether the spikes of a node were recorded."""
        key = (node, "spikes")
        return isinstance(self.recording.signals.get(key), SpikeTrain)

    def unit_of(self, node: str, quantity: str) -> str | None:
        """Return the unit of a recorded trace; None if there is none."""
        key = (node, quantity)
        signal = self.recording.signals.get(key)
        return signal.unit if isinstance(signal, Trace) else None

    def raster(self, node: str, *, late: int | None = None) -> NDArray[np.int64]:
        """Return spike counts, (batch, n_steps, n); 0 beyond a sample's length."""
        late = self.late(node) if late is None else late
        moved = shifted(_flat(self.recording.raster(node)), late, n_steps=self.n_steps, fill=0)
        return np.asarray(moved * self.valid[:, :, None], dtype=np.int64)

    def trace(
        self, node: str, quantity: str = "v_mem", *, late: int | None = None
    ) -> NDArray[np.float64]:
        """Return values, (batch, n_steps, n); NaN beyond a sample's length or the recording."""
        late = self.late(node) if late is None else late
        values = _flat(self.recording.trace(node, quantity)).astype(np.float64)
        moved = shifted(values, late, n_steps=self.n_steps, fill=np.nan)
        return np.where(self.valid[:, :, None], moved, np.nan)


def shifted(values: NDArray[Any], late: int, *, n_steps: int, fill: float) -> NDArray[Any]:
    """Return an array moved earlier along its second axis.

    Parameters
    ----------
    values : array, (batch, time, ...)
    late : int
        Steps by which the values come late; negative if they come early.
    n_steps : int
        Length of the result.
    fill : float
        What stands where nothing was recorded.

    Returns
    -------
    array, (batch, n_steps, ...)
        Step t is step ``t + late`` of ``values``.
    """
    result = np.full((len(values), n_steps, *values.shape[2:]), fill, dtype=values.dtype)
    start, stop = max(0, -late), min(n_steps, values.shape[1] - late)
    if stop > start:
        result[:, start:stop] = values[:, start + late : stop + late]
    return result


def valid_steps(
    lengths: NDArray[np.int64] | None, *, batch: int, n_steps: int
) -> NDArray[np.bool_]:
    """Return which steps belong to each sample, (batch, n_steps)."""
    if lengths is None:
        return np.ones((batch, n_steps), dtype=np.bool_)
    return np.asarray(np.arange(n_steps)[None] < lengths[:, None], dtype=np.bool_)


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(*values.shape[:2], int(np.prod(values.shape[2:], dtype=np.int64)))
