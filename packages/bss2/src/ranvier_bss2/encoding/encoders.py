"""Encoders: coordinates and pixels become spike times, spike times become dense arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError


def coordinates_to_spikes(
    coordinates: ArrayLike,
    *,
    seq_length: int,
    t_early: float,
    t_late: float,
    dt: float = 1e-6,
    t_bias: float | None = None,
) -> NDArray[np.int64]:
    """Send one spike per coordinate, the later the larger the coordinate.

    Parameters
    ----------
    coordinates : array_like, (batch, n)
        Usually 0..1.
    seq_length : int
        Steps, >= 1.
    t_early, t_late : float
        Spike times of the coordinates 0 and 1, in s of the chip.
    dt : float
        Time step, in s, > 0.
    t_bias : float or None
        Time of a spike in an additional last channel, in s; None: no such channel.

    Returns
    -------
    int64 array, (batch, seq_length, n) or (batch, seq_length, n + 1)
        0 or 1.

    Raises
    ------
    InputError
        A spike would lie outside the sequence; coordinates are not a finite matrix.

    Notes
    -----
    Step ``round((t_early + x (t_late - t_early)) / dt)``, half to even; the bias spikes at
    ``int(t_bias / dt)``.

    References
    ----------
    hxtorch @3bfc7aa, CoordinatesToSpikes.

    Examples
    --------
    >>> coordinates_to_spikes([[0.0, 1.0]], seq_length=4, t_early=1e-6, t_late=3e-6).argmax(1)
    array([[1, 3]])
    """
    x = _finite(coordinates, "coordinates_to_spikes", 2)
    if not dt > 0 or seq_length < 1:
        raise InputError(
            f"coordinates_to_spikes: dt is {dt} s and seq_length {seq_length}, expected dt > 0 "
            "and at least one step"
        )
    steps = np.rint((t_early + x * (t_late - t_early)) / dt).astype(np.int64)
    if t_bias is not None:
        bias = np.full((len(x), 1), int(t_bias / dt), dtype=np.int64)
        steps = np.concatenate([steps, bias], axis=1)
    if steps.size and (steps.min() < 0 or steps.max() >= seq_length):
        raise InputError(
            f"coordinates_to_spikes: spikes fall on steps {steps.min()} to {steps.max()}, the "
            f"sequence has 0 to {seq_length - 1}; raise seq_length, or lower t_late and t_bias"
        )
    spikes = np.zeros((len(x), seq_length, steps.shape[1]), dtype=np.int64)
    np.put_along_axis(spikes, steps[:, None, :], 1, axis=1)
    return spikes


def pixels_to_spike_times(
    pixels: ArrayLike,
    *,
    tau: float = 20.0,
    threshold: float = 0.2,
    t_max: float = 1.0,
    epsilon: float = 1e-7,
) -> NDArray[np.float64]:
    """Return when a leaky integrator that a pixel drives reaches a threshold.

    Parameters
    ----------
    pixels : array_like
        Intensities, usually 0..1.
    tau : float
        Time constant, in the unit of ``t_max``, > 0. The published default of 20 moves every
        spike to ``t_max = 1``: give both in s.
    threshold : float
        Darker pixels never reach it, > 0.
    t_max : float
        Latest time, and the time of pixels below the threshold.
    epsilon : float
        How far intensities stay above the threshold at least.

    Returns
    -------
    float64 array
        Spike times, 0..t_max, of the shape of the pixels.

    Raises
    ------
    InputError
        A pixel is not finite, or tau, threshold or t_max is not positive.

    Notes
    -----
    ``t = tau ln(p / (p - threshold))``.

    References
    ----------
    hxtorch @3bfc7aa, PixelsToSpikeTimes.
    """
    p = _finite(pixels, "pixels_to_spike_times", None)
    if not (tau > 0 and threshold > 0 and t_max > 0 and epsilon > 0):
        raise InputError(
            f"pixels_to_spike_times: tau {tau}, threshold {threshold}, t_max {t_max} and epsilon "
            f"{epsilon} must be positive"
        )
    bright = np.maximum(p, threshold + epsilon)
    times = np.where(p < threshold, t_max, tau * np.log(bright / (bright - threshold)))
    return np.clip(times, 0.0, t_max)


def spike_times_to_dense(
    times: ArrayLike, *, bin_width: float, size: int = 100
) -> NDArray[np.int64]:
    """Set one spike per channel into a dense array; later spikes are dropped.

    Parameters
    ----------
    times : array_like, (batch, ...)
        Spike times, in the unit of ``bin_width``, >= 0.
    bin_width : float
        Length of a step, > 0.
    size : int
        Steps, >= 1.

    Returns
    -------
    int64 array, (batch, size, ...)
        0 or 1.

    Raises
    ------
    InputError
        A time is negative or not finite, there is no batch axis, or bin_width or size is not
        positive.

    Notes
    -----
    Step ``trunc(t / bin_width)``; spikes from step ``size`` on are dropped.

    References
    ----------
    hxtorch @3bfc7aa, SpikeTimesToDense.
    """
    t = _finite(times, "spike_times_to_dense", None)
    if t.ndim < 1 or not bin_width > 0 or size < 1 or (t.size and t.min() < 0):
        raise InputError(
            f"spike_times_to_dense: times of shape {t.shape} from {t.min(initial=0.0)} on, "
            f"bin_width {bin_width}, size {size}; expected a batch axis, times >= 0, a positive "
            "bin_width and at least one step"
        )
    steps = np.trunc(t / bin_width)
    grid = np.arange(size).reshape((1, size) + (1,) * (t.ndim - 1))
    dense: NDArray[np.int64] = (steps[:, None] == grid).astype(np.int64)
    return dense


def _finite(values: ArrayLike, name: str, axes: int | None) -> NDArray[np.float64]:
    try:
        x = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected an array of numbers ({error})") from error
    bad: Any = None
    if axes is not None and x.ndim != axes:
        bad = f"an array of shape {x.shape}, expected (batch, n)"
    elif not np.isfinite(x).all():
        bad = f"{int((~np.isfinite(x)).sum())} values that are not finite"
    if bad is not None:
        raise InputError(f"{name}: got {bad}; check the data")
    return x
