"""Batches: ragged lists of rasters, and any kind of input as one dense array and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from . import dtype
from .binning import IntArray, check_step
from .continuous import ContinuousSeries
from .series import EventSeries

Series = EventSeries | ContinuousSeries
Kind = Literal["array", "batch", "series", "list"]


def stack_rasters(rasters: Sequence[npt.ArrayLike]) -> tuple[npt.NDArray[Any], IntArray]:
    """Stack rasters of different lengths, padded with zeros at the end.

    Parameters
    ----------
    rasters : sequence of array_like, shapes (time_b, *shape)
        At least one; all of one shape after time.

    Returns
    -------
    array, shape (batch, max time, *shape)
        In the common type of the rasters.
    int64 array, shape (batch,)
        Length of each, in steps.

    Raises
    ------
    InputError
        The list is empty, or shapes after time differ.
    """
    arrays = [np.asarray(raster) for raster in rasters]
    shapes = {array.shape[1:] for array in arrays if array.ndim}
    if len(shapes) != 1 or any(array.ndim < 2 for array in arrays):
        raise InputError(
            f"events: rasters of shapes {[array.shape for array in arrays][:8]} cannot be stacked; "
            "give at least one, all (time, *shape) with the same shape"
        )
    lengths = np.array([array.shape[0] for array in arrays], dtype=np.int64)
    stacked = np.zeros(
        (len(arrays), int(lengths.max()), *shapes.pop()), dtype=np.result_type(*arrays)
    )
    for row, array in zip(stacked, arrays, strict=True):
        row[: array.shape[0]] = array
    return stacked, lengths


def unstack_rasters(stacked: npt.NDArray[Any], lengths: npt.ArrayLike) -> list[npt.NDArray[Any]]:
    """Return the rasters of a padded batch.

    Parameters
    ----------
    stacked : array, shape (batch, time, *shape)
        Rasters, padded at their ends.
    lengths : array_like of int, shape (batch,)
        Steps of each sample, 0 to time.

    Returns
    -------
    list of array, shapes (time_b, *shape)
        Views without the padding.

    Raises
    ------
    InputError
        The number of lengths is not that of the batch, or one is outside 0 to time.
    """
    steps = np.asarray(lengths)
    if steps.shape != stacked.shape[:1] or ((steps < 0) | (steps > stacked.shape[1])).any():
        raise InputError(
            f"events: lengths of shape {steps.shape} do not fit a batch of shape {stacked.shape}"
        )
    return [row[: int(length)] for row, length in zip(stacked, steps, strict=True)]


@dataclass(frozen=True)
class RasterInput:
    """Input of any kind as one dense array, with what is needed to give results back in kind.

    Parameters
    ----------
    values : array, shape (batch, time, *shape)
        Counts, payload sums or sampled values.
    lengths : int64 array, shape (batch,), or None
        Length of each sample in steps, when they differ or came as a list.
    kind : {"array", "batch", "series", "list"}
        One array without batch axis, an array with it, one series, or a list.
    dt : float
        Time step, in s.
    t_starts : tuple of float
        Start of each sample, in s.
    as_series : bool
        Whether results are given back as series.
    """

    values: npt.NDArray[Any]
    lengths: IntArray | None
    kind: Kind
    dt: float
    t_starts: tuple[float, ...]
    as_series: bool

    def restore(
        self,
        result: npt.NDArray[Any],
        *,
        signal: Literal["spikes", "trace"] = "spikes",
        unit: str = "",
    ) -> Any:
        """Return a result in the kind of the input.

        Parameters
        ----------
        result : array, shape (batch, time, *shape)
            Signal of any node, on the grid of ``values``.
        signal : {"spikes", "trace"}
            Given series, spike counts come back as EventSeries, traces as ContinuousSeries.
        unit : str
            Unit of a trace.

        Returns
        -------
        array, EventSeries, ContinuousSeries, or a list of these
            As the input was.

        Raises
        ------
        InputError
            Batch or time axis differ from those of the input, or spikes are not counts.
        """
        if result.shape[:2] != self.values.shape[:2]:
            raise InputError(
                f"events: a result of shape {result.shape} does not belong to an input of shape "
                f"{self.values.shape}"
            )
        if self.kind == "batch":
            return result
        parts = list(result) if self.lengths is None else unstack_rasters(result, self.lengths)
        if self.as_series:
            parts = [
                self._series(part, start, signal, unit)
                for part, start in zip(parts, self.t_starts, strict=True)
            ]
        return parts if self.kind == "list" else parts[0]

    def _series(self, part: npt.NDArray[Any], start: float, signal: str, unit: str) -> Any:
        """Return one sample as series."""
        if signal == "spikes":
            return EventSeries.from_raster(part, self.dt, t_start=start)
        flat = part.reshape(part.shape[0], dtype.size_of(part.shape[1:]))
        return ContinuousSeries.from_clocked(flat, self.dt, t_start=start, unit=unit)


def as_raster(data: Any, *, dt: float, shape: int | tuple[int, ...]) -> RasterInput:
    """Return any kind of input as dense array (batch, time, *shape).

    Parameters
    ----------
    data : array_like, EventSeries, ContinuousSeries, or a list of these
        Arrays are (time, *shape) or (batch, time, *shape) on the grid of dt; anything that numpy
        can convert counts as array. Event series are binned (a smaller channel axis is an error,
        not padding), continuous ones sampled at the start of each step. A list becomes a padded
        batch with ``lengths``.
    dt : float
        Time step of the network, in s, > 0.
    shape : int or tuple of int
        Shape of the network's input.

    Returns
    -------
    RasterInput
        The array, and the way back.

    Raises
    ------
    InputError
        The channels do not fit, a list mixes kinds, or the data are not numbers.
    """
    step = check_step(dt)
    sizes = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if isinstance(data, Series):
        values = _one(data, step, sizes)[None]
        return RasterInput(values, None, "series", step, (data.t_start,), as_series=True)
    if isinstance(data, (list, tuple)) and data and _is_sequence_of_samples(data, sizes):
        kinds = {isinstance(item, Series) for item in data}
        if len(kinds) > 1:
            raise InputError("events: a list mixes series and arrays; convert them to one kind")
        values, lengths = stack_rasters([_one(item, step, sizes) for item in data])
        starts = tuple(getattr(item, "t_start", 0.0) for item in data)
        return RasterInput(values, lengths, "list", step, starts, as_series=kinds == {True})
    array = _as_numbers(data)
    batched = array.ndim == len(sizes) + 2
    _check_fit(array.shape[2:] if batched else array.shape[1:], array.shape, sizes)
    values = array if batched else array[None]
    starts = (0.0,) * len(values)
    return RasterInput(values, None, "batch" if batched else "array", step, starts, as_series=False)


def _is_sequence_of_samples(data: Sequence[Any], sizes: tuple[int, ...]) -> bool:
    """Return whether a list holds samples (series, or arrays with a time axis)."""
    return any(isinstance(item, Series) for item in data) or all(
        hasattr(item, "shape") and len(item.shape) == len(sizes) + 1 for item in data
    )


def _one(item: Any, dt: float, sizes: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return one sample as array (time, *sizes)."""
    if isinstance(item, EventSeries):
        raster = item.raster(dt)
        if item.num_channels == dtype.size_of(sizes) and 1 in (len(item.shape), len(sizes)):
            return raster.reshape(len(raster), *sizes)
    elif isinstance(item, ContinuousSeries):
        raster = item.to_clocked(dt)
        if item.num_channels == dtype.size_of(sizes):
            return raster.reshape(len(raster), *sizes)
    else:
        raster = _as_numbers(item)
    _check_fit(raster.shape[1:], raster.shape, sizes)
    return raster


def _as_numbers(data: Any) -> npt.NDArray[Any]:
    """Return data as numeric array, or raise InputError."""
    try:
        array = np.asarray(data)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"events: the input is no array of numbers: {error}") from error
    if array.dtype.kind not in "iubf":
        raise InputError(
            f"events: the input has type {array.dtype}; give numbers, EventSeries or "
            "ContinuousSeries"
        )
    return array


def _check_fit(found: tuple[int, ...], whole: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """Raise InputError unless the channel axes are those of the network."""
    if found != sizes:
        raise InputError(
            f"events: the input has shape {whole}, the network takes (time, *{sizes}) or "
            f"(batch, time, *{sizes}); reshape the array, or remap() the events"
        )
