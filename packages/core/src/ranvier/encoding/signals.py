"""Encoders of sampled signals: level crossing, and counts spread over steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from .checks import FloatArray, finite_array, not_negative, positive

Counts = npt.NDArray[np.int64]
_FRACTION_BITS = 16


def delta(
    signal: npt.ArrayLike, *, threshold: float | npt.ArrayLike, initial: npt.ArrayLike | None = None
) -> Counts:
    """Fire on an up channel when a signal rises by a threshold, on a down channel when it falls.

    Parameters
    ----------
    signal : array_like, shape (..., time, n)
        Samples, finite.
    threshold : float or array_like, shape (n,)
        Height of one step of the staircase that follows the signal, > 0, in units of the signal.
    initial : array_like, shape (n,) or (..., n), optional
        Where the staircase starts. Default: the first sample.

    Returns
    -------
    int64 array, shape (..., time, 2·n)
        Spike counts: n up channels, then n down channels; several spikes when the signal jumps.

    Raises
    ------
    InputError
        The signal is not finite, or a threshold is not positive.

    Notes
    -----
    Level crossing with hysteresis (send on delta). With the staircase ``r`` and
    ``e = signal[t] - r``: up = floor(e/θ) if e ≥ θ, down = floor(-e/θ) if e ≤ -θ,
    ``r ← r + θ·(up - down)``. After every step ``|signal - r| < θ``, up to
    1e-9 θ: a rise of exactly θ fires although decimal numbers have no exact binary form.

    References
    ----------
    Lichtsteiner, Posch & Delbruck, "A 128x128 120 dB 15 µs latency asynchronous temporal contrast
    vision sensor", IEEE JSSC 43(2), 2008; Miskowicz, "Send-on-delta concept", Sensors 6(1), 2006.

    Examples
    --------
    >>> delta([[0.0], [1.0], [0.4]], threshold=0.5).tolist()
    [[0, 0], [2, 0], [0, 1]]
    """
    x = finite_array(signal, where="delta", ndim=2)
    theta = np.asarray(threshold, dtype=np.float64)
    if theta.shape not in ((), x.shape[-1:]) or not (np.isfinite(theta).all() and theta.min() > 0):
        raise InputError(
            f"delta: threshold {threshold!r} must be one number above 0, or one for each of the "
            f"{x.shape[-1]} channels"
        )
    n = x.shape[-1]
    counts = np.zeros((*x.shape[:-1], 2 * n), dtype=np.int64)
    if x.shape[-2] == 0:
        return counts
    start = x[..., 0, :] if initial is None else finite_array(initial, where="delta")
    # The staircase is kept as a whole number of thresholds, so that no rounding accumulates.
    level = np.zeros(x[..., 0, :].shape, dtype=np.int64)
    for t in range(x.shape[-2]):
        error = (x[..., t, :] - start) / theta - level
        steps = np.trunc(error + np.sign(error) * 1e-9 * np.maximum(1.0, np.abs(level)))
        moved = steps.astype(np.int64)
        counts[..., t, :n] = np.maximum(moved, 0)
        counts[..., t, n:] = np.maximum(-moved, 0)
        level += moved
    return counts


def delta_decode(
    counts: npt.ArrayLike, *, threshold: float | npt.ArrayLike, initial: npt.ArrayLike = 0.0
) -> FloatArray:
    """Return the staircase of up and down counts.

    Parameters
    ----------
    counts : array_like of int, shape (..., time, 2·n)
        As from :func:`delta`.
    threshold : float or array_like, shape (n,)
        As given to :func:`delta`.
    initial : array_like, shape (n,) or (..., n)
        Where the staircase starts.

    Returns
    -------
    float64 array, shape (..., time, n)
        Within one threshold of the encoded signal at every step.

    Raises
    ------
    InputError
        The number of channels is odd.
    """
    spikes = finite_array(counts, where="delta_decode", ndim=2)
    if spikes.shape[-1] % 2:
        raise InputError(f"delta_decode: {spikes.shape[-1]} channels are no up and down pairs")
    n = spikes.shape[-1] // 2
    level = np.cumsum(spikes[..., :n] - spikes[..., n:], axis=-2)
    start = np.asarray(initial, dtype=np.float64)
    height = np.asarray(threshold, dtype=np.float64)
    staircase: FloatArray = (start[..., None, :] if start.ndim > 1 else start) + level * height
    return staircase


def spread_counts(
    values: npt.ArrayLike, *, steps: int, scale: float = 1.0, max_count: int | None = None
) -> Counts:
    """Turn each frame of values into integer spike counts spread evenly over several steps.

    Parameters
    ----------
    values : array_like, shape (..., time, n)
        Frames of values ≥ 0. For signed features encode the positive and the negative part on
        two channels.
    steps : int
        Time steps per frame, ≥ 1.
    scale : float
        Spikes per frame for a value of 1, > 0.
    max_count : int, optional
        Most spikes that the chip takes per channel and step, ≥ 1. More is an error, not clipping.

    Returns
    -------
    int64 array, shape (..., time·steps, n)
        Spike counts.

    Raises
    ------
    InputError
        A value is negative or not finite, a parameter is out of range, or a count is above
        ``max_count``.

    Notes
    -----
    First-order sigma-delta: per step ``a ← a + value·scale/steps``, ``S = round(a)``,
    ``a ← a - S``; the rest is carried on, also into the next frame. Hence the number of spikes up
    to any step differs from the exact sum by at most 1/2. The value times scale is first rounded
    to 2^-16 spikes and then summed in integers, so that every machine gives the same counts.

    References
    ----------
    Candy & Temes, "Oversampling Delta-Sigma Data Converters", IEEE Press 1992, chapter 1.

    Examples
    --------
    >>> spread_counts([[3.0], [0.5]], steps=4)[:, 0].tolist()
    [1, 1, 0, 1, 0, 0, 0, 1]
    """
    where = "spread_counts"
    x = finite_array(values, where=where, ndim=2)
    not_negative(x, where=where, advice="encode positive and negative parts on two channels")
    positive(scale, where=where, name="scale")
    if int(steps) != steps or steps < 1:
        raise InputError(f"{where}: steps is {steps}, must be a whole number of at least 1")
    one = 2**_FRACTION_BITS
    if x.size and x.max() * scale * one * steps * x.shape[-2] >= 2.0**62:
        raise InputError(f"{where}: values up to {x.max():g} times scale {scale:g} are too large")
    frames = np.rint(x * scale * one).astype(np.int64)
    before = steps * (np.cumsum(frames, axis=-2) - frames)
    ramp = np.arange(1, steps + 1)[:, None]
    sums = before[..., :, None, :] + frames[..., :, None, :] * ramp
    sums = sums.reshape(*x.shape[:-2], x.shape[-2] * steps, x.shape[-1])
    whole = (2 * sums + one * steps) // (2 * one * steps)
    counts: Counts = np.diff(whole, axis=-2, prepend=0)
    if max_count is not None and counts.size and counts.max() > max_count:
        raise InputError(
            f"{where}: {counts.max()} spikes in one step are above max_count {max_count}; "
            "lower the scale or take more steps"
        )
    return counts
