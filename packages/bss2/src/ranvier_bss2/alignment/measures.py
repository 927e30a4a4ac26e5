"""What an alignment measures, one function per quantity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..network import BssPopulation
from ..numerics import NeuronParameters, run_layer
from .bench import MembraneBench

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LADDER = (1, 2, 4, 8, 16, 32)
"""Weights of the channels whose sums are the constant inputs."""
FRACTIONS = (0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
"""Weights of the single spikes, over the largest."""
PER_WEIGHT = 4
"""Synapses of each weight: that many average their deviations."""
QUARTERS = 4
"""Constant inputs are patterns of that many steps: their mean is finer than a weight LSB."""
SPIKES = 3
"""Spikes in a run that are no accident of the noise."""
START = 10
"""Step of the single spike."""
SHIFTS = (-3, -2, -1, 0, 1, 2, 3)
_MODEL_UNIT = 1e-3


@dataclass(frozen=True, eq=False)
class Rest:
    """Reading without input: mean of every neuron, and noise of one reading, in LSB."""

    baseline: Floats
    noise: float


@dataclass(frozen=True, eq=False)
class Response:
    """Response to single spikes: drive per weight LSB and receptor, (n,), and the delay."""

    exciting: Floats
    inhibiting: Floats
    shift: int
    lowest: float
    highest: float


def stimulus_weights(largest: int) -> Ints:
    """Return the weights of all channels: the ladder, then single spikes of both signs."""
    levels = np.unique(np.maximum(np.rint(np.array(FRACTIONS) * largest), 1)).astype(np.int64)
    single = np.repeat(levels, PER_WEIGHT)
    return np.concatenate([np.array(LADDER, dtype=np.int64), single, -single])


def rest(bench: MembraneBench, *, steps: int, runs: int, seed: int) -> Rest:
    """Measure without input."""
    nothing = np.zeros((runs, steps, bench.weights.size), dtype=np.int64)
    traces = bench.run(nothing, seed=seed).traces
    return Rest(traces.mean(axis=(0, 1)), float(traces.std(axis=0).mean()))


def firing_level(bench: MembraneBench, *, steps: int, seed: int) -> Ints:
    """Return the weakest constant input that makes each neuron fire, (n,), -1: none does.

    In quarters of a weight LSB per step: whole ones first, then the quarters below.

    Parameters
    ----------
    bench : MembraneBench
        Where.
    steps : int
        Length of a run; a neuron fires if it spikes `SPIKES` times.
    seed : int
        Of the noise.
    """
    whole = _weakest(bench, QUARTERS * np.arange(1, 2 * LADDER[-1]), steps=steps, seed=seed)
    found = whole.copy()
    for level in np.unique(whole[whole > 0]):
        below = np.arange(level - QUARTERS + 1, level)
        finer = _weakest(bench, below, steps=steps, seed=seed)
        mine = (whole == level) & (finer > 0)
        found[mine] = finer[mine]
    return found


def _weakest(bench: MembraneBench, levels: Ints, *, steps: int, seed: int) -> Ints:
    fires = bench.run(constant_input(bench, levels, steps), seed=seed).counts >= SPIKES
    return np.where(fires.any(axis=0), levels[fires.argmax(axis=0)], -1).astype(np.int64)


def threshold(bench: MembraneBench, levels: Ints, *, steps: int, runs: int, seed: int) -> Floats:
    """Measure the highest reading under each neuron's own constant input, (n,).

    Parameters
    ----------
    bench : MembraneBench
        Where.
    levels : array of int64, (n,)
        Input of each neuron, in quarters of a weight LSB per step; -1: not measured.
    steps, runs, seed : int
        Length, repetitions, noise.
    """
    result = np.full(levels.shape, np.nan)
    used = np.unique(levels[levels > 0])
    if not used.size:
        return result
    spikes = np.repeat(constant_input(bench, used, steps), runs, axis=0)
    highest = bench.run(spikes, seed=seed).peaks.reshape(used.size, runs, -1).mean(axis=1)
    for number, level in enumerate(used):
        mine = levels == level
        result[mine] = highest[number, mine]
    return result


def constant_input(bench: MembraneBench, levels: Ints, steps: int) -> Ints:
    """Return spikes through the channels whose weights sum up to levels, in quarters, per step."""
    spikes = np.zeros((levels.size, steps, bench.weights.size), dtype=np.int64)
    more = np.arange(steps) % QUARTERS < levels[:, None] % QUARTERS
    weight = levels[:, None] // QUARTERS + more
    for number in range(len(LADDER)):
        spikes[:, :, number] = (weight >> number) & 1
    return spikes


def response(
    bench: MembraneBench, at_rest: Floats, *, steps: int, runs: int, seed: int
) -> Response:
    """Measure responses to single spikes of many weights against the model's."""
    channels = np.arange(len(LADDER), bench.weights.size)
    spikes = np.zeros((channels.size, steps, bench.weights.size), dtype=np.int64)
    spikes[np.arange(channels.size), START, channels] = 1
    mean = np.zeros((channels.size, steps, bench.population.size))
    for own_seed in np.random.SeedSequence(seed).generate_state(runs):
        found = bench.run(spikes, seed=int(own_seed))
        mean += found.traces / runs
    change = mean - at_rest
    weight = bench.weights[channels].astype(np.float64)
    template = model_response(bench.population, steps, bench.dt)
    shifted = [_sampled(_shifted(template, s), found.times) for s in SHIFTS]
    best = int(np.argmin([_misfit(change, weight, late) for late in shifted]))
    shift, late = SHIFTS[best], shifted[best]
    return Response(
        _slope(change[weight > 0], weight[weight > 0], late),
        _slope(change[weight < 0], weight[weight < 0], late),
        shift,
        float(mean.min()),
        float(mean.max()),
    )


def model_response(population: BssPopulation, steps: int, dt: float) -> Floats:
    """Return the model's membrane after one spike of weight 1, above rest, (steps, n)."""
    own = {n: np.asarray(v, dtype=np.float64) for n, v in population.model.items()}
    switches = tuple(s for s in population.switches if s != "fire")
    parameters = NeuronParameters.of_values(own, dt=dt, switches=switches)
    x = np.zeros((2, steps, population.size), dtype=np.float32)
    unit = _MODEL_UNIT * np.maximum(np.abs(own["threshold"] - own["leak"]).max(), _MODEL_UNIT)
    x[0, START] = unit
    v = run_layer(parameters, x).v_mem.astype(np.float64)
    response: Floats = (v[0] - v[1]) / unit
    return response


def _shifted(template: Floats, steps: int) -> Floats:
    """Return the model's response as a chip shows it that is some steps later."""
    late = np.roll(template, steps, axis=0)
    if steps > 0:
        late[:steps] = 0.0
    elif steps < 0:
        late[steps:] = template[-1]
    return late


def _sampled(template: Floats, times: Floats) -> Floats:
    """Return a trace as a converter and the interpolation show it that sample at some times."""
    grid = np.arange(len(template), dtype=np.float64)
    rows = [np.interp(grid, times, np.interp(times, grid, trace)) for trace in template.T]
    return np.stack(rows, axis=1)


def _slope(change: Floats, weight: Floats, template: Floats) -> Floats:
    """Return the factor of ``weight template`` that fits changes (channels, steps, n) best."""
    along = (change * template).sum(axis=1)
    energy = np.maximum((template * template).sum(axis=0), 1e-30)
    slope: Floats = (weight @ along) / (weight @ weight) / energy
    return slope


def _misfit(change: Floats, weight: Floats, template: Floats) -> float:
    slope = _slope(change, weight, template)
    fitted = weight[:, None, None] * (slope * template)
    return float(((change - fitted) ** 2).sum())
