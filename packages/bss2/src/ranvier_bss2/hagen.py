"""Matrix multiplication on the synapse arrays: pulses of 5 bits, signed weights, int8 results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError

from .chip import VirtualChip
from .targets import limits_of

INPUT_MAX = 31
"""Largest input: the width of a pulse, 5 bits."""
OUTPUT_MIN, OUTPUT_MAX = -128, 127
"""Range of a result: the converter has 8 bits, signed around its baseline."""
DEFAULT_GAIN, DEFAULT_NOISE = 0.002, 2.0
"""LSB per unit of input times weight, and LSB (hxtorch @3bfc7aa, mock of the multiplication)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class HagenSettings:
    """How the chip multiplies.

    Parameters
    ----------
    gain : float
        LSB per unit of input times weight, 0 < gain <= 1.
    num_sends : int
        How often the input is sent, >= 1.
    noise_std : float
        Standard deviation of a result of one vertical split, in LSB, >= 0.

    Raises
    ------
    InputError
        A value is out of range.
    """

    gain: float = DEFAULT_GAIN
    num_sends: int = 1
    noise_std: float = DEFAULT_NOISE

    def __post_init__(self) -> None:
        if not 0 < self.gain <= 1:
            raise InputError(f"hagen: gain is {self.gain}, expected 0 < gain <= 1; lower it")
        if self.num_sends < 1 or not (0 <= self.noise_std < np.inf):
            raise InputError(
                f"hagen: num_sends is {self.num_sends} and noise_std {self.noise_std}, expected "
                "num_sends >= 1 and a finite noise_std >= 0"
            )


def multiply(
    x: ArrayLike,
    weight: ArrayLike,
    *,
    settings: HagenSettings | None = None,
    seed: int | None = None,
    chip: VirtualChip | None = None,
) -> NDArray[np.int64]:
    """Multiply vectors by a matrix as the chip does.

    Parameters
    ----------
    x : array_like, (..., n_in)
        Inputs, 0..31 after rounding half to even.
    weight : array_like, (n_out, n_in)
        Weights, -63..63 after rounding half to even.
    settings : HagenSettings or None
        Gain, repetitions, noise; None: the published defaults.
    seed : int or None
        Of the noise; needed unless ``noise_std`` is 0.
    chip : VirtualChip or None
        Scatter of synapses and columns; None: all alike. Split s lies on array s mod 2, output o
        in column o mod 256, input k of a split in the rows 2k (positive) and 2k + 1.

    Returns
    -------
    int64 array, (..., n_out)
        -128..127.

    Raises
    ------
    InputError
        Shapes do not fit, values are out of range, or the noise has no seed.

    Notes
    -----
    Per split of 128 inputs ``clamp(floor(x W num_sends gain + N(0, noise_std)), -128, 127)``; the
    splits are added digitally and clamped again. How the scatter acts here is our model.

    References
    ----------
    hxtorch @3bfc7aa, mock of the multiplication; Weis et al., arXiv 2006.13177.

    Examples
    --------
    >>> quiet = HagenSettings(gain=0.002, noise_std=0.0)
    >>> multiply([[31, 31]], [[63, 63], [-63, 0]], settings=quiet)
    array([[ 7, -4]])
    """
    own = settings or HagenSettings()
    inputs, matrix = _checked(x, weight)
    if own.noise_std > 0 and seed is None:
        raise InputError(
            f"hagen: noise of {own.noise_std} LSB needs a seed; pass seed=..., or noise_std=0"
        )
    random = np.random.default_rng(seed)
    flat = inputs.reshape(-1, inputs.shape[-1])
    total = np.zeros((len(flat), len(matrix)))
    for split, start in enumerate(range(0, matrix.shape[1], _split_size())):
        rows = slice(start, start + _split_size())
        effective = matrix[:, rows] if chip is None else _scattered(matrix[:, rows], split, chip)
        y = flat[:, rows] @ effective.T * own.num_sends * own.gain
        if own.noise_std > 0:
            y = y + random.normal(0.0, own.noise_std, y.shape)
        total += np.clip(np.floor(y), OUTPUT_MIN, OUTPUT_MAX)
    result = np.clip(total, OUTPUT_MIN, OUTPUT_MAX).astype(np.int64)
    return result.reshape(*inputs.shape[:-1], len(matrix))


def splits_of(n_in: int) -> int:
    """Return into how many vertical splits a number of inputs falls."""
    return -(-n_in // _split_size())


def _split_size() -> int:
    return limits_of().signed_fan_in


def _checked(x: ArrayLike, weight: ArrayLike) -> tuple[Floats, Floats]:
    inputs, matrix = np.asarray(x, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    if matrix.ndim != 2 or inputs.ndim < 1 or inputs.shape[-1] != matrix.shape[1]:
        raise InputError(
            f"hagen: inputs of shape {inputs.shape} and weights of shape {matrix.shape}; expected "
            "(..., n_in) and (n_out, n_in)"
        )
    weight_max = limits_of().weight_max
    _check_range("inputs", inputs, 0, INPUT_MAX)
    _check_range("weights", matrix, -weight_max, weight_max)
    return np.rint(inputs), np.rint(matrix)


def _check_range(what: str, values: Floats, low: int, high: int) -> None:
    if not values.size:
        return
    if not np.isfinite(values).all():
        raise InputError(f"hagen: {what} hold values that are not finite; check the data")
    rounded = np.rint(values)
    outside = int(((rounded < low) | (rounded > high)).sum())
    if outside:
        raise InputError(
            f"hagen: {outside} {what} are out of range, from {values.min():g} to "
            f"{values.max():g}; the chip has {low} to {high}: scale or clip them"
        )


def _scattered(matrix: Floats, split: int, chip: VirtualChip) -> Floats:
    """Return the weights of one split as the synapses and columns of a chip realise them."""
    limits = limits_of()
    array = split % limits.arrays
    columns = np.arange(len(matrix)) % limits.columns
    circuits = array * limits.columns + columns
    spread = 1.0 + chip.variability.sigma_weight * chip.synapses()[array]
    rows = 2 * np.arange(matrix.shape[1])
    sigma = chip.variability.sigma_strength
    positive = np.exp(sigma * chip.circuits("strength_exc")[circuits])[:, None]
    negative = np.exp(sigma * chip.circuits("strength_inh")[circuits])[:, None]
    exciting = np.maximum(matrix, 0.0) * spread[rows][:, columns].T * positive
    inhibiting = np.minimum(matrix, 0.0) * spread[rows + 1][:, columns].T * negative
    realised: Floats = exciting + inhibiting
    return realised
