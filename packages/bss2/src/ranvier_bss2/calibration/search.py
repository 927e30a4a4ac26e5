"""Finding codes by measuring: binary search, corrections, decays; all circuits at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..targets import limits_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Measure: TypeAlias = Callable[[Ints], Floats]
"""Takes codes, (n,), and returns what was measured, (n,)."""


def binary_search(measure: Measure, target: Floats) -> Ints:
    """Return the codes whose measurement is next to a target, for rising quantities.

    Parameters
    ----------
    measure : callable
        Rises with the code.
    target : array, (n,)
        Wanted.

    Returns
    -------
    int64 array, (n,)
        0..1022; noise misleads the last bits.
    """
    most = limits_of().capmem_max
    codes = np.zeros(target.shape, dtype=np.int64)
    for bit in reversed(range(int(most).bit_length())):
        trial = np.minimum(codes + (1 << bit), most)
        codes = np.where(measure(trial) <= target, trial, codes)
    return codes


def refine(measure: Measure, codes: Ints, target: Floats, *, span: int, slope: float) -> Ints:
    """Move codes to where a straight line through three measurements meets the target.

    Parameters
    ----------
    measure : callable
        Averages more than in the search.
    codes : array of int64, (n,)
        Where to start.
    target : array, (n,)
        Wanted.
    span : int
        Distance of the outer measurements, in codes.
    slope : float
        Expected slope, > 0; measured slopes are kept within half and double of it.

    Returns
    -------
    int64 array, (n,)
        0..1022.
    """
    most = limits_of().capmem_max
    low, high = np.maximum(codes - span, 0), np.minimum(codes + span, most)
    points = [low, np.clip(codes, 0, most), high]
    values = [measure(point) for point in points]
    x, y = np.stack(points).astype(np.float64), np.stack(values)
    dx, dy = x - x.mean(axis=0), y - y.mean(axis=0)
    found = (dx * dy).sum(axis=0) / np.maximum((dx * dx).sum(axis=0), 1e-12)
    steep = np.clip(found, slope / 2, slope * 2)
    wanted = x.mean(axis=0) + (target - y.mean(axis=0)) / steep
    found_codes: Ints = np.clip(np.rint(wanted), 0, most).astype(np.int64)
    return found_codes


def rescale(measure: Measure, codes: Ints, target: Floats, *, power: int, rounds: int) -> Ints:
    """Multiply codes by what is missing until a quantity meets its target.

    Parameters
    ----------
    measure : callable
        Roughly proportional to ``code ** power``.
    codes : array of int64, (n,)
        Where to start, >= 1.
    target : array, (n,)
        Wanted, > 0.
    power : {1, -1}
        Whether the quantity rises or falls with the code.
    rounds : int
        How often to measure.

    Returns
    -------
    int64 array, (n,)
        1..1022.
    """
    most = limits_of().capmem_max
    for _ in range(rounds):
        ratio = np.clip(target / np.maximum(measure(codes), 1e-12), 0.25, 4.0)
        codes = np.clip(np.rint(codes * ratio**power), 1, most).astype(np.int64)
    return codes


def decay_time(traces: Floats, *, period: float) -> Floats:
    """Return the time constants of traces that decay to 0.

    Parameters
    ----------
    traces : array, (samples, n)
        Averaged over trials, the resting value taken off.
    period : float
        Sample period, in s.

    Returns
    -------
    array, (n,)
        In s: from the regression of every sample on the one before.
    """
    before, after = traces[:-1], traces[1:]
    square = np.maximum((before * before).sum(axis=0), 1e-12)
    ratio = np.clip((before * after).sum(axis=0) / square, 1e-3, 0.9999)
    tau: Floats = -period / np.log(ratio)
    return tau


def trimmed_std(values: Floats, *, part: float = 0.01) -> float:
    """Return the standard deviation without the outermost part at each end."""
    cut = int(values.size * part)
    kept = np.sort(values)[cut : values.size - cut]
    return float(kept.std())
