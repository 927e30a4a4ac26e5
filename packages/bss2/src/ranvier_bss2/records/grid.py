"""From records to dense arrays on the time grid, as hxtorch puts them there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from .raw import CLOCK, CadcRecord, RawRecords, SpikeRecord

if TYPE_CHECKING:
    from ..config import Population

Floats = NDArray[np.float64]
Interpolation = Literal["linear", "nn"]
LONG_AGO = -1.0
"""Time, in s, of the point of value 0 from which the line to the first sample starts."""


def grid_length(n_steps: int, dt: float) -> int:
    """Return how many rows hxtorch's grid has for a run.

    Parameters
    ----------
    n_steps : int
        Length of the run in steps, >= 0.
    dt : float
        Time step on the chip, in s, > 0.

    Returns
    -------
    int
        ``n_steps + 1``, or one more where the run time, in whole cycles, divided in float32 exceeds
        a whole number; cut the grid to the length of the input.

    References
    ----------
    hxtorch @3bfc7aa, extraction of observables.

    Examples
    --------
    >>> grid_length(100, 1e-6), grid_length(59, 1e-6)
    (101, 61)
    """
    cycles = int(n_steps * dt * 1e6 * (CLOCK / 1e6))
    ratio = np.float32(cycles / CLOCK) / np.float32(dt)
    return math.ceil(float(ratio)) + 1


def spike_bins(cycle: NDArray[np.int64], dt: float) -> NDArray[np.int64]:
    """Return the grid row of cycles of the event clock: the nearest, halves away from zero.

    Parameters
    ----------
    cycle : array of int64, (n,)
        Cycles since the start of the run.
    dt : float
        Time step on the chip, in s.

    Examples
    --------
    >>> spike_bins(np.array([62, 63, 188]), 1e-6).tolist()
    [0, 1, 2]
    """
    position = cycle / (CLOCK / 1e6) / 1e6 / dt
    rounded = np.sign(position) * np.floor(np.abs(position) + 0.5)
    return np.asarray(rounded, dtype=np.int64)


def spike_grid(
    spikes: SpikeRecord, *, n_samples: int, size: int, length: int, dt: float
) -> NDArray[np.float32]:
    """Return spikes as zeros and ones on the grid.

    Several spikes of a neuron in one bin are one; those beyond the end are dropped, those before
    the start count in the first bin.

    Parameters
    ----------
    spikes : SpikeRecord
        Of one population.
    n_samples, size : int
        Batch size and number of neurons.
    length : int
        Rows of the grid.
    dt : float
        Time step on the chip, in s.

    Returns
    -------
    array of float32, (n_samples, length, size)
    """
    dense = np.zeros((n_samples, length, size), dtype=np.float32)
    bins = np.maximum(spike_bins(spikes.cycle, dt), 0)
    kept = bins < length
    dense[spikes.sample[kept], bins[kept], spikes.neuron[kept]] = 1.0
    return dense


def interpolate(
    times: Floats, values: NDArray[np.number], *, at: Floats, mode: Interpolation = "linear"
) -> Floats:
    """Return samples at other times.

    Parameters
    ----------
    times : array, (samples,)
        Times of the samples, in s, rising.
    values : array, (batch, samples, n)
        Samples.
    at : array, (time,)
        Wanted times, in s.
    mode : {"linear", "nn"}
        Straight lines, from ``(-1 s, 0)`` to the first sample and constant after the last; or the
        nearest sample, of two equally near ones the later.

    Returns
    -------
    array of float64, (batch, time, n)
        Zeros if there are no samples.

    Raises
    ------
    InputError
        Another mode.
    """
    if mode not in ("linear", "nn"):
        raise InputError(f"bss2: no interpolation {mode!r}; use 'linear' or 'nn'")
    if times.size == 0:
        return np.zeros((values.shape[0], at.size, values.shape[2]))
    if mode == "nn":
        middle = (times[1:] + times[:-1]) / 2
        nearest = np.searchsorted(middle, at, side="right")
        return np.asarray(values[:, nearest], dtype=np.float64)
    point = np.concatenate([[LONG_AGO], times])
    known = np.concatenate([np.zeros_like(values[:, :1], dtype=np.float64), values], axis=1)
    left = np.clip(np.searchsorted(point, at, side="right") - 1, 0, point.size - 1)
    right = np.minimum(left + 1, point.size - 1)
    width = point[right] - point[left]
    share = np.where(width > 0, (at - point[left]) / np.where(width > 0, width, 1.0), 0.0)
    share = share[None, :, None]
    return np.asarray(known[:, left] + share * (known[:, right] - known[:, left]))


def shift_rows(rows: Floats, shift: int) -> Floats:
    """Return a trace moved to earlier times by ``shift`` steps (later ones if negative).

    Parameters
    ----------
    rows : array, (batch, time, n)
        On the grid.
    shift : int
        Row t becomes row ``t + shift``; the end repeats the last row, the start the first.
    """
    length = rows.shape[1]
    source = np.clip(np.arange(length) + shift, 0, max(length - 1, 0))
    return np.asarray(rows[:, source])


def cadc_grid(
    cadc: CadcRecord,
    *,
    length: int,
    dt: float,
    interpolation: Interpolation = "linear",
    time_shift: int = 0,
    shift_to_first: bool = False,
    offset: Floats | float = 0.0,
    scale: Floats | float = 1.0,
) -> Floats:
    """Return samples of the slow converter on the grid, in model units.

    Interpolated, shifted in time, lowered by the first row or by ``offset``, and scaled, in this
    order.

    Parameters
    ----------
    cadc : CadcRecord
        Samples.
    length : int
        Rows of the grid.
    dt : float
        Time step on the chip, in s.
    interpolation : {"linear", "nn"}
        See `interpolate`.
    time_shift : int
        See `shift_rows`.
    shift_to_first : bool
        Take off the first row (after shifting) instead of ``offset``.
    offset, scale : array, (n,), or float
        LSB, and model units per LSB.

    Returns
    -------
    array of float64, (batch, length, n)

    References
    ----------
    hxtorch @3bfc7aa, post-processing of the membrane traces.
    """
    at = np.arange(length, dtype=np.float64) * dt
    rows = interpolate(cadc.times / CLOCK, cadc.values, at=at, mode=interpolation)
    rows = shift_rows(rows, time_shift)
    rows = rows - (rows[:, :1] if shift_to_first else offset)
    return np.asarray(rows * scale)


def trace_of(
    population: Population, raw: RawRecords, *, length: int, dt: float
) -> NDArray[np.float64]:
    """Return a population's membranes on the grid, as its configuration says.

    Parameters
    ----------
    population : Population
        Its readout fields are used.
    raw : RawRecords
        A run that sampled it with the slow converter.
    length : int
        Rows of the grid.
    dt : float
        Time step on the chip, in s.

    Returns
    -------
    array of float64, (batch, length, n)

    Raises
    ------
    InputError
        The run has no samples of the population.
    """
    return cadc_grid(
        raw[population.name].sampled(population.name),
        length=length,
        dt=dt,
        interpolation=population.interpolation,
        time_shift=population.time_shift,
        shift_to_first=population.shift_to_first,
        offset=population.trace_offset,
        scale=population.trace_scale,
    )
