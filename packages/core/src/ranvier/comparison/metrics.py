"""How far two runs of one network are apart; plain functions of arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def decisions(scores: ArrayLike) -> Ints:
    """Return the channel with the largest score of every sample; the first one of equals.

    Parameters
    ----------
    scores : array, (n_samples, n_channels)
        Spike counts of an output, or the mean or largest membrane of a read-out.

    Returns
    -------
    int array, (n_samples,)

    Examples
    --------
    >>> decisions([[0, 3, 1], [2, 2, 0]]).tolist()
    [1, 0]
    """
    return np.asarray(np.argmax(_table(scores), axis=1), dtype=np.int64)


def undecided(scores: ArrayLike) -> int:
    """Count the samples whose largest score is shared by several channels, silent ones included.

    Examples
    --------
    >>> undecided([[0, 3, 1], [2, 2, 0], [0, 0, 0]])
    2
    """
    table = _table(scores)
    return int(((table == table.max(1, keepdims=True)).sum(1) > 1).sum())


def accuracy(decided: ArrayLike, labels: ArrayLike) -> float:
    """Return the share of samples whose decision is the label, 0..1.

    Parameters
    ----------
    decided, labels : array of int, (n_samples,)

    Raises
    ------
    InputError
        The lengths differ, or there is no sample.
    """
    one, other = np.asarray(decided), np.asarray(labels)
    if one.shape != other.shape or one.ndim != 1 or not one.size:
        raise InputError(
            f"compare: {one.shape} decisions against {other.shape}; give one per sample, at least 1"
        )
    return float(np.mean(one == other))


def agreement(one: ArrayLike, other: ArrayLike) -> float:
    """Return the share of samples on which two runs decide alike, 0..1; symmetric."""
    return accuracy(one, other)


def count_correlation(one: ArrayLike, other: ArrayLike) -> float | None:
    """Return Pearson's correlation of spike counts over all samples and neurons, -1..1.

    Parameters
    ----------
    one, other : array, (n_samples, n)
        Spikes of each neuron in each sample.

    Returns
    -------
    float or None
        1 for equal counts; None where one of two different arrays is constant.
    """
    a, b = (np.asarray(counts, dtype=np.float64).ravel() for counts in (one, other))
    if np.array_equal(a, b):
        return 1.0
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return min(1.0, max(-1.0, float(a @ b) / norm)) if norm else None


def van_rossum(one: ArrayLike, other: ArrayLike, *, dt: float, tau: float) -> Floats:
    """Return the van Rossum distance of each neuron's two spike trains.

    Parameters
    ----------
    one, other : array, (batch, time, *shape)
        Spike counts on one grid.
    dt : float
        Step of the grid, in s, > 0.
    tau : float
        Time constant of the kernel, in s, > 0: about the precision that matters. Short ones count
        coincidences, long ones compare rates.

    Returns
    -------
    float array, (batch, *shape)
        0 for equal trains; ``sqrt(1/2)`` for one spike against none; two spikes that lie d apart
        give ``sqrt(1 - exp(-d/tau))``.

    Notes
    -----
    ``D^2 = 1/tau * integral over t >= 0 of (f - g)^2``, where f and g are the trains, each spike
    replaced by ``exp(-t/tau)`` from its step on. The integral is exact for spikes at the starts of
    steps and includes what follows the last step: with ``a = exp(-dt/tau)`` and
    ``x[t] = a x[t-1] + one[t] - other[t]`` it is ``((1 - a^2) sum x^2 + a^2 x[last]^2) / 2``.
    One pass over the steps, whatever the number of spikes.

    References
    ----------
    van Rossum, "A novel spike distance", Neural Computation 13(4), 2001.
    """
    for name, value in (("dt", dt), ("tau", tau)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"compare: {name} is {value!r} s; give a positive time")
    difference = np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    if difference.ndim < 2:
        raise InputError(f"compare: trains of shape {difference.shape}; give (batch, time, ...)")
    decay = math.exp(-dt / tau)
    state = np.zeros((len(difference), *difference.shape[2:]))
    total = np.zeros_like(state)
    for step in np.moveaxis(difference, 1, 0):
        state *= decay
        state += step
        total += state**2
    return np.sqrt(((1 - decay**2) * total + decay**2 * state**2) / 2)


def membrane_snr(signal_power: float, noise_power: float) -> float | None:
    """Return ten times the decadic logarithm of a ratio of powers, in dB.

    Parameters
    ----------
    signal_power : float
        Sum of squares of the reference's membrane, counted from rest.
    noise_power : float
        Sum of squares of the difference.

    Returns
    -------
    float or None
        Infinite for equal membranes; None where the reference's never leaves rest and the other's
        does.

    Examples
    --------
    >>> membrane_snr(100.0, 1.0)
    20.0
    """
    if noise_power == 0:
        return math.inf
    return 10 * math.log10(signal_power / noise_power) if signal_power > 0 else None


def first_difference(one: ArrayLike, other: ArrayLike) -> tuple[int, int, int] | None:
    """Return step, sample and flat neuron of the earliest difference of two rasters.

    Parameters
    ----------
    one, other : array of int, (batch, time, *shape)
        Spike counts on one grid.

    Returns
    -------
    tuple of int, or None
        Among equals of one step the first sample, then the first neuron. None if there is none.
    """
    differs = np.asarray(one) != np.asarray(other)
    if not differs.any():
        return None
    flat = differs.reshape(*differs.shape[:2], -1)
    step = int(np.argmax(flat.any((0, 2))))
    sample = int(np.argmax(flat[:, step].any(1)))
    return step, sample, int(np.argmax(flat[sample, step]))


def _table(scores: ArrayLike) -> NDArray[np.generic]:
    table = np.asarray(scores)
    if table.ndim != 2 or not table.shape[1]:
        raise InputError(f"compare: scores of shape {table.shape}; give (n_samples, n_channels)")
    return table
