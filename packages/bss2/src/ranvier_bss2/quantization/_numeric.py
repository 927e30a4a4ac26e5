"""The whole network at the level of the numerics, for calibration spikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..background import background_counts
from ..mapping import synaptic_strength
from ..network import BssNetwork, BssPopulation
from ..numerics import LayerState, NeuronParameters, run_layer

Floats = NDArray[np.float64]


def model_weights(
    network: BssNetwork, weights: Sequence[NDArray[Any]], kappa: float
) -> list[Floats]:
    """Return weights of the chip as synaptic currents of the model.

    Parameters
    ----------
    network : BssNetwork
        With the scales of its populations.
    weights : sequence of array, (n_target, n_source)
        Per projection, in LSB.
    kappa : float
        LSB of synaptic drive per weight LSB at nominal targets.
    """
    return [
        np.asarray(w / weight_scale(network.population(q.target), kappa)[:, None])
        for q, w in zip(network.projections, weights, strict=True)
    ]


def weight_scale(population: BssPopulation, kappa: float) -> Floats:
    """Return the weight LSB per synaptic current of the model at which both agree, (n,)."""
    gain = population.model["tau_mem"] / population.model["capacitance"]
    strength = synaptic_strength(kappa, population.targets)
    return np.asarray(gain / (strength * population.readout.trace_scale))


class Activity(NamedTuple):
    """What a run shows, by name, (batch, time, n): spikes of inputs and populations, membranes."""

    spikes: dict[str, Floats]
    v_mem: dict[str, Floats]


def run_network(
    network: BssNetwork, inputs: Mapping[str, NDArray[Any]], weights: Sequence[Floats]
) -> Activity:
    """Run a network at the level of the numerics, from rest.

    Parameters
    ----------
    network : BssNetwork
        What runs.
    inputs : mapping of str to array, (batch, time, channels)
        Spikes; more than one per step count once.
    weights : sequence of array, (n_target, n_source)
        Per projection, as synaptic currents of the model.

    Notes
    -----
    Without loops, one population after the other; with loops, step by step.
    """
    spikes: dict[str, Floats] = {}
    for name, x in inputs.items():
        spikes[name] = (np.asarray(x) > 0).astype(np.float64)
    batch, steps = next(iter(spikes.values())).shape[:2]
    for b in network.backgrounds:
        counts = background_counts(b, start=0, n_steps=steps, dt=network.dt)
        spikes[b.name] = np.tile(counts.astype(np.float64), (batch, 1, 1))
    traces: dict[str, Floats] = {}
    for p in network.populations:
        spikes[p.name] = np.zeros((batch, steps, p.size))
        traces[p.name] = np.zeros((batch, steps, p.size))
    own = {p.name: NeuronParameters.of_population(p, network.dt) for p in network.populations}
    state = {n: LayerState.rest(p, batch) for n, p in own.items()}
    looped = any(q.delay for q in network.projections)
    chunks = [slice(t, t + 1) for t in range(steps)] if looped else [slice(0, steps)]
    for chunk in chunks:
        for name, parameters in own.items():
            x = arriving(network, name, spikes, weights, chunk=chunk)
            run = run_layer(parameters, x, state=state[name])
            state[name] = run.state
            spikes[name][:, chunk], traces[name][:, chunk] = run.spikes, run.v_mem
    return Activity(spikes, traces)


def arriving(
    network: BssNetwork,
    name: str,
    spikes: Mapping[str, Floats],
    weights: Sequence[Floats],
    *,
    chunk: slice,
) -> Floats:
    """Return the weighted spikes that reach a population, (batch, time, n).

    Parameters
    ----------
    network : BssNetwork
        For projections.
    name : str
        Population.
    spikes : mapping of str to array, (batch, time, n)
        Of all sources.
    weights : sequence of array, (n_target, n_source)
        Per projection.
    chunk : slice
        Steps.
    """
    batch = next(iter(spikes.values())).shape[0]
    total = np.zeros((batch, chunk.stop - chunk.start, network.size_of(name)))
    for q, w in zip(network.projections, weights, strict=True):
        if q.target != name:
            continue
        first = max(chunk.start - q.delay, 0)
        sent = spikes[q.source][:, first : chunk.stop - q.delay] @ w.T
        total[:, total.shape[1] - sent.shape[1] :] += sent
    return total


def largest_drive(
    network: BssNetwork,
    name: str,
    spikes: Mapping[str, Floats],
    weights: Sequence[NDArray[Any]],
    *,
    kappa: float,
) -> float:
    """Return the largest drive of one receptor of a population's neurons, in LSB.

    Parameters
    ----------
    network : BssNetwork
        For time constants.
    name : str
        Population.
    spikes : mapping of str to array, (batch, time, n)
        Of all sources.
    weights : sequence of array, (n_target, n_source)
        Per projection, in LSB.
    kappa : float
        LSB of synaptic drive per weight LSB at nominal targets.
    """
    population = network.population(name)
    strength = synaptic_strength(kappa, population.targets)
    found = 0.0
    for sign, tau in ((1, "tau_syn_exc"), (-1, "tau_syn_inh")):
        own = [np.maximum(sign * np.asarray(w, dtype=np.float64), 0) for w in weights]
        steps = next(iter(spikes.values())).shape[1]
        x = arriving(network, name, spikes, own, chunk=slice(0, steps))
        keep = 1.0 - network.dt / population.targets[tau]
        drive = np.zeros_like(x[:, 0])
        for t in range(steps):
            drive = drive * keep + x[:, t]
            found = max(found, float((drive * strength).max(initial=0.0)))
    return found
