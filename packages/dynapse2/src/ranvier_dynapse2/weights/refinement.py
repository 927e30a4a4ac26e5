"""Masks chosen on what a neuron's drive becomes for given spikes, not on the weights alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import QuantizationError

from ._descent import descend, objective
from .levels import sums_of_masks


@dataclass(frozen=True, eq=False)
class Refined:
    """Masks after a refinement, and the objective of each target neuron before and after it.

    Attributes
    ----------
    masks : array, (n_sources, n_targets) uint8
        0..15; 0 where the weight is 0.
    before, after : array, (n_targets,) float64
        The objective; ``after <= before``, up to rounding.
    """

    masks: NDArray[np.uint8]
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def refine_masks(
    raster: ArrayLike,
    weights: ArrayLike,
    masks: ArrayLike,
    *,
    bases: ArrayLike,
    weight_penalty: float = 0.01,
    rounds: int = 50,
) -> Refined:
    """Change masks so that the rectified drive of each neuron comes closer to the wanted one.

    Goes through the synapses of a neuron in order of their sources, gives each the mask with the
    smallest objective while the others stay, and repeats until nothing changes. The bases stay.
    Deterministic. A smaller objective does not always mean better spike counts: compare those.

    Parameters
    ----------
    raster : array, (time, n_sources)
        Spike counts of calibration data, >= 0: inputs and recurrent spikes, several samples one
        after another.
    weights : array, (n_sources, n_targets)
        Wanted weights, signed, unitless.
    masks : array, (n_sources, n_targets)
        To start from, 0..15.
    bases : array, (4,)
        In the unit of the weights.
    weight_penalty : float
        Price mu of a change of weight per time step, >= 0: keeps synapses that the calibration
        data never use near their wanted weights.
    rounds : int
        Largest number of passes over the synapses of a neuron.

    Returns
    -------
    Refined

    Raises
    ------
    QuantizationError
        Shapes disagree, a mask is out of range, or a number is not finite.

    Notes
    -----
    Per target the objective is
    ``sum_t (relu(x_t w) - relu(x_t w'))**2 + mu T sum_i (w_i - w'_i)**2`` with w' the weight of
    the mask with the sign of w; the rectifier stands for a synapse whose negative net drive is
    cut.
    """
    x, w = np.asarray(raster, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    start = np.asarray(masks)
    _check(x, w, start, bases=bases, penalty=weight_penalty)
    new = np.where(w == 0, 0, start).astype(np.uint8)
    levels = sums_of_masks(bases)
    times, counts, first = _events(x)
    price = weight_penalty * len(x)
    before, after = np.empty(w.shape[1]), np.empty(w.shape[1])
    for target in range(w.shape[1]):
        column = np.ascontiguousarray(new[:, target])
        data = np.ascontiguousarray(w[:, target]), levels, times, counts, first, len(x), price
        before[target] = objective(column, *data)
        descend(column, *data, rounds)
        after[target] = objective(column, *data)
        new[:, target] = column
    return Refined(new, before, after)


def _events(
    raster: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return times and counts of the spikes sorted by source, and where each source starts."""
    sources, times = np.nonzero(raster.T)
    first = np.searchsorted(sources, np.arange(raster.shape[1] + 1))
    return times.astype(np.int64), np.ascontiguousarray(raster[times, sources]), first


def _check(
    raster: NDArray[np.float64],
    weights: NDArray[np.float64],
    masks: NDArray[np.generic],
    *,
    bases: ArrayLike,
    penalty: float,
) -> None:
    problems = []
    if raster.ndim != 2 or weights.ndim != 2 or raster.shape[1] != weights.shape[0]:
        problems.append(
            f"raster {raster.shape} and weights {weights.shape} disagree; expected (time, sources) "
            "and (sources, targets)"
        )
    if masks.shape != weights.shape:
        problems.append(f"masks have shape {masks.shape}, the weights {weights.shape}")
    elif masks.size and (masks.min() < 0 or masks.max() > 15):
        problems.append(f"masks reach from {masks.min()} to {masks.max()}; allowed are 0..15")
    if not (np.isfinite(raster).all() and np.isfinite(weights).all()):
        problems.append("raster or weights hold infinite numbers or NaN; all must be finite")
    four = np.asarray(bases, dtype=np.float64)
    if four.shape != (4,) or not np.isfinite(four).all() or four.min() < 0:
        problems.append(f"bases are {four.tolist()}; expected four finite numbers >= 0")
    if not (np.isfinite(penalty) and penalty >= 0):
        problems.append(f"weight penalty is {penalty!r}; it must be finite and >= 0")
    if problems:
        raise QuantizationError("dynapse2: masks cannot be refined: " + "; ".join(problems))
