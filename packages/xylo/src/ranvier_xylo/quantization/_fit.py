"""The method "fit": a scale per neuron, chosen together with the weight shifts.

A neuron's states are integers in units of ``1 / scale``. Three things want different scales:

- weights have eight bits: ``w * scale / 2**shift`` should use them, and fall close to integers;
- the leak is an integer too, and loses at least one count per step. Below ``2**dash`` counts a
  decay is a straight line instead of an exponential. A larger scale makes that negligible, and
  the weight shifts reach it without more bits for the weights;
- states saturate at 16 bits. The largest expected state, times some headroom, bounds the scale,
  as do the registers of threshold and bias.

The shifts are common to a whole weight class, so that they are chosen for all neurons at once: for
every pair of shifts each neuron takes its best scale, and the pair with the least total error wins.
The error of a neuron, relative to the power of its input current, is that of its rounded weights,
each weighed with the activity of its source, of its bias, and of the leak. With calibration spikes
the best few pairs are tried on the chip's arithmetic and compared with the float network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..targets import Limits
from ._activity import Activity
from ._registers import FULL_SCALE, FloatRegisters, Scales

Array = NDArray[np.float64]

STEPS_PER_OCTAVE = 4
OCTAVES = 10
LEAK_ERROR = 0.5
"""Mean error of one integer leak, in counts: a floor is off by half a count on average."""
FINE_STEPS = 33
MEASURED_PRECISION = 0.25
"""Measured states may cost at most two bits of the weights, made-up ones none: a neuron that fires
all the time piles up charge without bound, and that it saturates changes little."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """What bounds and weighs the scales of the hidden or of the output neurons.

    Parameters
    ----------
    weights : dict of str to array, (sources * S, n)
        By weight class.
    power : dict of str to array, (sources * S,)
        Mean square activity of the sources.
    bias : array, (n,)
        In model units per step.
    decay : array, (n,)
        Fraction of the current that is left after a step; an error of the bias acts once, one of
        a weight ``1 / (1 - decay)`` times.
    cap : array, (n,)
        Largest scale that threshold, bias and the expected states allow.
    """

    weights: Mapping[str, Array]
    power: Mapping[str, Array]
    bias: Array
    decay: Array
    cap: Array

    @property
    def signal(self) -> Array:
        """Power of the input current, (n,)."""
        return sum(
            (np.square(w).T @ self.power[c] for c, w in self.weights.items()),
            start=np.zeros(self.cap.size),
        )


def fit_candidates(
    floats: FloatRegisters, activity: Activity, limits: Limits, *, headroom: float
) -> Iterator[Scales]:
    """Yield scales for every pair of hidden shifts, the best expected first.

    The output's shift is the same in all of them: it depends on nothing else.
    """
    hidden, output = _populations(floats, activity, limits, headroom=headroom)
    shift_out, scale_out = next(_ranked(output, {"out": range(limits.weight_shift_max + 1)}))
    shifts = range(limits.weight_shift_max + 1)
    recurrent = shifts if np.any(hidden.weights["rec"]) else range(1)
    for chosen, scale in _ranked(hidden, {"in": shifts, "rec": recurrent}):
        yield Scales(
            hidden=scale,
            output=scale_out,
            shift_in=chosen["in"],
            shift_rec=chosen["rec"],
            shift_out=shift_out["out"],
        )


def _populations(
    floats: FloatRegisters, activity: Activity, limits: Limits, *, headroom: float
) -> tuple[Population, Population]:
    incoming, largest, run = floats.incoming, floats.largest, activity.expected
    power_rec, n_syn = activity.power_rec, floats.dash_syn.shape[1]
    decay = 1.0 - np.exp2(-floats.dash_syn.astype(np.float64))
    decay_out = 1.0 - np.exp2(-floats.dash_syn_out.astype(np.float64))
    threshold = np.where(floats.fires, floats.threshold, 0.0)
    threshold_out = np.where(floats.fires_out, floats.threshold_out, 0.0)
    most = np.maximum(largest["in"], largest["rec"])
    keep = FULL_SCALE * (MEASURED_PRECISION if activity.measured else 1.0)
    reach = _reach(most, threshold, run.peak_i / decay.min(axis=1), run.peak_v)
    reach_out = _reach(largest["out"], threshold_out, run.peak_i_out / decay_out, run.peak_v_out)
    hidden = Population(
        weights={name: incoming[name] for name in ("in", "rec")},
        power={"in": np.repeat(activity.power_in, n_syn), "rec": np.repeat(power_rec, n_syn)},
        bias=floats.bias,
        decay=decay.max(axis=1),
        cap=_cap(threshold, floats.bias, headroom * reach, keep / _nonzero(most), limits),
    )
    output = Population(
        weights={"out": incoming["out"]},
        power={"out": power_rec[power_rec.size - len(incoming["out"]) :]},
        bias=floats.bias_out,
        decay=decay_out,
        cap=_cap(
            threshold_out,
            floats.bias_out,
            headroom * reach_out,
            keep / _nonzero(largest["out"]),
            limits,
        ),
    )
    return hidden, output


def _reach(largest: Array, threshold: Array, peak_i: Array, peak_v: Array) -> Array:
    """Return the largest state to expect, never less than two spikes' worth.

    ``peak_i`` is that before the decay, where each weight arrives in full.
    """
    return np.asarray(np.maximum.reduce([peak_i, 2.0 * largest, peak_v, 2.0 * threshold]))


def _nonzero(values: Array) -> Array:
    return np.where(values > 0, values, np.inf)


def _cap(threshold: Array, bias: Array, reach: Array, precise: Array, limits: Limits) -> Array:
    """Return the largest scale at which threshold, bias and expected states fit.

    The states give way to ``precise``, the scale that keeps the precision of the weights; the
    registers of threshold and bias do not.
    """
    with np.errstate(divide="ignore"):
        cap = np.minimum.reduce(
            [
                limits.threshold_max / threshold,
                max(limits.bias_max, 1) / np.abs(bias),
                np.maximum(limits.threshold_max / reach, precise),
            ]
        )
    return np.where(np.isfinite(cap), cap, 1.0)


def _ranked(
    population: Population, shifts: Mapping[str, range]
) -> Iterator[tuple[dict[str, int], Array]]:
    """Yield shifts per class and the scales that suit them, least error first."""
    n_grid = STEPS_PER_OCTAVE * OCTAVES
    n_ratios = n_grid + STEPS_PER_OCTAVE * max(s.stop - 1 for s in shifts.values())
    error = {name: _weight_errors(population, name, n_ratios) for name in population.weights}
    grid = population.cap * np.exp2(-np.arange(n_grid)[:, None] / STEPS_PER_OCTAVE)
    rest = _other_errors(population, grid)
    signal = population.signal
    used = signal > 0
    found = []
    for chosen in _combinations(shifts):
        total = rest.copy()
        for name, shift in chosen.items():
            first = STEPS_PER_OCTAVE * shift
            total = total + error[name][first : first + n_grid]
        best = np.argmin(total, axis=0)
        least = np.take_along_axis(total, best[None], axis=0)[0]
        score = float(np.mean(least[used] / signal[used])) if used.any() else 0.0
        found.append((score, chosen, best))
    for _, chosen, best in sorted(found, key=lambda entry: entry[0]):
        coarse = np.take_along_axis(grid, best[None], axis=0)[0]
        yield chosen, _refined(population, chosen, coarse)


def _combinations(shifts: Mapping[str, range]) -> Iterator[dict[str, int]]:
    names = list(shifts)
    if len(names) == 1:
        yield from ({names[0]: s} for s in shifts[names[0]])
        return
    yield from ({names[0]: a, names[1]: b} for a in shifts[names[0]] for b in shifts[names[1]])


def _weight_errors(population: Population, name: str, n_ratios: int) -> Array:
    """Return the error of a weight class, (n_ratios, n), for scales divided by ``2**shift``."""
    rows = np.any(population.weights[name] != 0, axis=1)
    weights, power = population.weights[name][rows], population.power[name][rows]
    result = np.zeros((n_ratios, population.cap.size))
    if not len(weights):
        return result
    for step in range(n_ratios):
        ratio = population.cap * 2.0 ** (-step / STEPS_PER_OCTAVE)
        result[step] = _rounding_error(weights, power, ratio)
    return result


def _rounding_error(weights: Array, power: Array, ratio: Array) -> Array:
    """Return the power of ``rint(w r) / r - w`` per neuron; infinite beyond full scale."""
    codes = weights * ratio
    error = (np.square(np.rint(codes) - codes).T @ power) / np.square(ratio)
    beyond = np.abs(codes).max(axis=0, initial=0.0) > FULL_SCALE + 0.5
    return np.where(beyond, np.inf, error)


def _other_errors(population: Population, scale: Array) -> Array:
    """Return the errors of both leaks and of the bias, as if they were input currents."""
    leak = np.square(LEAK_ERROR * (2.0 - population.decay) / scale)
    codes = population.bias * scale
    bias = np.square((np.rint(codes) - codes) / scale * (1.0 - population.decay))
    return np.asarray(leak + bias)


def _refined(population: Population, shifts: Mapping[str, int], coarse: Array) -> Array:
    """Look for the best scale of each neuron near the grid's."""
    best, least = coarse, np.full(coarse.size, np.inf)
    for step in np.linspace(-1.0, 1.0, FINE_STEPS) / STEPS_PER_OCTAVE:
        scale = np.minimum(coarse * 2.0**step, population.cap)
        total = _other_errors(population, scale)
        for name, shift in shifts.items():
            total = total + _rounding_error(
                population.weights[name], population.power[name], scale / 2.0**shift
            )
        better = total < least
        best, least = np.where(better, scale, best), np.where(better, total, least)
    return best
