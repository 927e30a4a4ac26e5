"""Encoders of constant values: Poisson spikes, regular rates, time to first spike."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from .checks import finite_array, not_negative, positive, steps_of

Counts = npt.NDArray[np.int64]
_EDGE = 1e-9


def poisson(
    rates: npt.ArrayLike, *, dt: float, duration: float, seed: int, binary: bool = False
) -> Counts:
    """Draw spike counts of Poisson processes.

    Parameters
    ----------
    rates : array_like, shape (..., n)
        Firing rates, in Hz, ≥ 0.
    dt : float
        Time step, in s, > 0.
    duration : float
        Length, in s, > 0.
    seed : int
        Same seed, same spikes.
    binary : bool
        Whether several spikes in one step count as 1.

    Returns
    -------
    int64 array, shape (..., time, n)
        Spike counts.

    Raises
    ------
    InputError
        A rate is negative or not finite, or dt or duration is not positive.

    Notes
    -----
    ``S[t] ~ Poisson(rate·dt)``, independent. Binary: ``P(S[t] = 1) = 1 - exp(-rate·dt)``, which
    is below rate·dt: refractoriness costs spikes when rate·dt is not small.

    References
    ----------
    Dayan & Abbott, "Theoretical Neuroscience", MIT Press 2001, section 1.4.

    Examples
    --------
    >>> poisson([0.0, 1000.0], dt=1e-3, duration=1.0, seed=0).sum(axis=0).tolist()[0]
    0
    """
    hertz = not_negative(
        finite_array(rates, where="poisson"), where="poisson", advice="rates are ≥ 0 Hz"
    )
    steps = steps_of(duration, dt, where="poisson")
    mean = np.repeat(hertz[..., None, :] * dt, steps, axis=-2)
    counts = np.random.default_rng(seed).poisson(mean).astype(np.int64)
    return np.minimum(counts, 1) if binary else counts


def rate(rates: npt.ArrayLike, *, dt: float, duration: float, phase: float = 0.0) -> Counts:
    """Fire regularly at given rates, without randomness.

    Parameters
    ----------
    rates : array_like, shape (..., n)
        Firing rates, in Hz, ≥ 0; above 1/dt a step holds several spikes.
    dt, duration : float
        Time step and length, in s, > 0.
    phase : float
        Part of the first interval that has already passed, 0 ≤ phase < 1.

    Returns
    -------
    int64 array, shape (..., time, n)
        Spike counts.

    Raises
    ------
    InputError
        A rate is negative or not finite, phase is outside [0, 1), or dt or duration is not
        positive.

    Notes
    -----
    ``S[t] = floor(rate·(t+1)·dt + phase) - floor(rate·t·dt + phase)``: the number of spikes up to
    any time differs from ``rate·time + phase`` by less than 1.

    Examples
    --------
    >>> rate([250.0], dt=1e-3, duration=8e-3)[:, 0].tolist()
    [0, 0, 0, 1, 0, 0, 0, 1]
    """
    hertz = not_negative(finite_array(rates, where="rate"), where="rate", advice="rates are ≥ 0 Hz")
    if not 0 <= phase < 1:
        raise InputError(f"rate: phase is {phase}, must be in [0, 1)")
    edges = np.arange(steps_of(duration, dt, where="rate") + 1) * dt
    cycles = hertz[..., None, :] * edges[:, None] + phase
    whole = np.floor(cycles + _EDGE * np.maximum(1.0, cycles))
    return np.diff(whole, axis=-2).astype(np.int64)


def latency(
    values: npt.ArrayLike,
    *,
    dt: float,
    duration: float,
    law: Literal["linear", "log"] = "linear",
    tau: float | None = None,
    threshold: float = 0.01,
) -> Counts:
    """Fire once per channel, the earlier the larger the value.

    Parameters
    ----------
    values : array_like, shape (..., n)
        0 to 1. Values below ``threshold`` (``log``: not above it) stay silent.
    dt, duration : float
        Time step and length, in s, > 0.
    law : {"linear", "log"}
        See the notes.
    tau : float, optional
        Time constant of ``log``, in s, > 0. Default: a fifth of the duration.
    threshold : float
        0 < threshold < 1.

    Returns
    -------
    int64 array, shape (..., time, n)
        0 or 1; at most one spike per channel. A spike later than the duration is left out.

    Raises
    ------
    InputError
        A value is outside [0, 1], or a parameter is out of range.

    Notes
    -----
    linear: ``t = (duration - dt)·(1 - x)``. log: the time at which an integrator of time constant
    tau, driven by x, reaches the threshold, ``t = tau·ln(x / (x - threshold))``.

    References
    ----------
    Thorpe, "Spike arrival times", 1990 (first-spike code); Gerstner et al., "Neuronal Dynamics",
    Cambridge 2014, section 1.3 (time of the first spike of an integrator).

    Examples
    --------
    >>> latency([1.0, 0.5, 0.0], dt=1e-3, duration=5e-3).argmax(axis=0).tolist()
    [0, 2, 0]
    """
    x = finite_array(values, where="latency")
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise InputError(f"latency: values run from {x.min()} to {x.max()}, must be in [0, 1]")
    if not 0 < threshold < 1:
        raise InputError(f"latency: threshold is {threshold}, must be between 0 and 1")
    steps = steps_of(duration, dt, where="latency")
    if law == "linear":
        fires, times = x >= threshold, (duration - dt) * (1 - x)
    elif law == "log":
        scale = positive(duration / 5 if tau is None else tau, where="latency", name="tau")
        fires = x > threshold
        times = scale * np.log(x / np.where(fires, x - threshold, 1.0), where=fires, out=x * 0)
    else:
        raise InputError(f"latency: law {law!r}; use 'linear' or 'log'")
    step = np.floor(times / dt + _EDGE).astype(np.int64)
    at = np.arange(steps)[:, None] == step[..., None, :]
    spikes: Counts = (at & fires[..., None, :]).astype(np.int64)
    return spikes
