"""Biases: mantissa and exponent, and the initial voltage that hides a bias that starts early."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..targets import Limits
from ._units import GRAIN, RAIL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fit_bias(bias: Floats, limits: Limits) -> tuple[Ints, Ints]:
    """Return mantissas and exponents nearest to biases in state units.

    Exponent 6, the one of networks in the chip's numbers, is taken where it is exact for all;
    else every bias takes the least exponent that holds it.

    Parameters
    ----------
    bias : array
        State units.
    limits : Limits
        Ranges of the registers.

    Returns
    -------
    mantissa, exponent : array of int, as ``bias``
        Mantissas beyond their range are left there; see `bias_too_large`.
    """
    common = np.rint(bias / GRAIN)
    exact = np.abs(common * GRAIN - bias) <= 1e-6 * np.maximum(1.0, np.abs(bias))
    inside = (common >= limits.bias_mant_min) & (common <= limits.bias_mant_max)
    if bool(np.all(exact & inside)):
        return common.astype(np.int64), np.full(bias.shape, 6, dtype=np.int64)
    exponent = np.full(bias.shape, limits.bias_exp_max, dtype=np.int64)
    for candidate in range(limits.bias_exp_max, -1, -1):
        mantissa = np.rint(bias * 2.0**-candidate)
        holds = (mantissa >= limits.bias_mant_min) & (mantissa <= limits.bias_mant_max)
        exponent[holds] = candidate
    return np.rint(bias * np.exp2(-exponent)).astype(np.int64), exponent


def bias_too_large(mantissa: Ints, limits: Limits) -> bool:
    """Say whether a mantissa does not fit its register."""
    return bool(np.any((mantissa < limits.bias_mant_min) | (mantissa > limits.bias_mant_max)))


def initial_voltage(
    bias: int, decay: int, *, late: int, threshold: int, threshold_low: int | None = None
) -> int | None:
    """Return the voltage that decay and bias bring to exactly zero in ``late`` steps.

    Parameters
    ----------
    bias : int
        What is added per step, in state units.
    decay : int, 0..4096
        ``decay_v``.
    late : int, >= 0
        Steps.
    threshold : int
        State units; on the way the neuron must not be above.
    threshold_low : int or None
        The same for falling below.

    Returns
    -------
    int or None
        None if no 24-bit voltage does so.

    Examples
    --------
    >>> initial_voltage(64, 2048, late=2, threshold=64 * 64)
    -384
    """
    keep, voltage = 4096 - decay, 0
    for _ in range(late):
        if voltage > threshold or (threshold_low is not None and voltage < threshold_low):
            return None
        before = voltage - bias  # what the decay has to leave
        if before and not keep:
            return None
        size = -(-abs(before) * 4096 // keep) if before else 0
        voltage = size if before > 0 else -size
        if abs(voltage) > RAIL:
            return None
    return voltage


def initial_voltages(
    bias: Ints, decay: Ints, *, late: int, threshold: Ints, threshold_low: Ints | None = None
) -> tuple[Ints, int]:
    """Solve `initial_voltage` for every neuron; those without a solution start at zero.

    Returns
    -------
    voltages : array of int, the broadcast shape of the arguments
    unsolved : int
        Neurons without a solution.
    """
    low = np.full(1, -RAIL - 1) if threshold_low is None else threshold_low
    arrays = np.broadcast_arrays(bias, decay, threshold, low)
    found: dict[tuple[int, ...], int | None] = {}
    result = np.zeros(arrays[0].shape, dtype=np.int64)
    unsolved = 0
    for index, row in enumerate(zip(*(a.tolist() for a in arrays), strict=True)):
        if row not in found:
            b, d, high, least = row
            found[row] = initial_voltage(b, d, late=late, threshold=high, threshold_low=least)
        solved = found[row]
        result[index] = solved or 0
        unsolved += solved is None
    return result, unsolved
