"""Calibration spikes: how far the chip's spike counts are from the float network's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts.session import check_inputs
from ranvier.errors import InputError

from .. import diagnostics as codes
from ..config import Dynapse2Config
from ..dpi import DpiParameters, Synapses, run_routed
from ..network import Floats, Ints
from ..nodes import CONSTANTS, CURRENTS
from ._coded import Coded
from ._refinement import Drive, refined_masks
from ._task import Task
from ._weights import CoreWeights

Counts = NDArray[Any]
PENALTIES = (1e-2, 1e-3)
"""Prices of a changed weight that the refinement tries, see `ranvier_dynapse2.weights`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Input and the float network's answer.

    Parameters
    ----------
    counts : array of int, (batch, time, channels)
        Channels of all inputs in order.
    spikes : array of int, (batch, time, N)
        Of the float network.
    """

    counts: Counts
    spikes: Counts

    @property
    def totals(self) -> Floats:
        """Spikes per sample and neuron, (batch, N)."""
        return np.asarray(self.spikes.sum(axis=1), dtype=np.float64)

    def distance(self, totals: Floats) -> float:
        """Return the sum of differences of spike counts, over samples and neurons."""
        return float(np.abs(totals - self.totals).sum())


def calibrated(
    coded: Coded, build: Callable[[Coded], Dynapse2Config], task: Task
) -> tuple[Coded, dict[str, Any]]:
    """Compare with the float network on the calibration spikes, and refine masks if asked to.

    Parameters
    ----------
    coded : Coded
        Codes and masks of every core.
    build : callable
        Turns them into a configuration, which is simulated.
    task : Task
        Its findings get the agreement per population.

    Returns
    -------
    coded : Coded
        With refined masks where they bring the spike counts no farther from the float network.
    report : dict
        ``agreement`` by population, ``distance`` of the spike counts, and ``refined`` cores.

    Raises
    ------
    InputError
        The spikes do not fit the network, or there are none.
    """
    counts = calibration_counts(task)
    calibration = Calibration(counts=counts, spikes=float_spikes(counts, task))
    totals = chip_totals(build(coded), counts, task)
    refined: list[str] = []
    if task.options.refine:
        coded, totals, refined = _refine(coded, totals, build, calibration=calibration, task=task)
    report = {
        "agreement": _agreement(calibration, totals, task),
        "distance": calibration.distance(totals),
        "refined": refined,
    }
    return coded, report


def calibration_counts(task: Task) -> Counts:
    """Return calibration spikes as (batch, time, channels), inputs side by side.

    Raises
    ------
    InputError
        Shapes, negative or fractional counts, unknown inputs; or no steps.
    """
    arrays, _ = check_inputs(task.options.calibration, task.network.inputs, counts=True)
    if not arrays or not all(a.size for a in arrays.values()):
        raise InputError("calibration: there are no samples or no steps; give at least one")
    flat = [a.reshape(*a.shape[:2], -1) for a in arrays.values()]
    joined = np.concatenate(flat, axis=2)[: task.options.calibration_samples]
    return np.ascontiguousarray(joined, dtype=np.int64)


def float_spikes(counts: Counts, task: Task) -> Counts:
    """Return the spikes of the network before quantisation, (batch, time, N)."""
    network, dt = task.network, task.mapped.graph.dt
    constants = network.layout.model_dump()
    values = {name: network.currents[name].astype(np.float32) for name in CURRENTS}
    values |= {name: np.full(network.n_neurons, constants[name], np.float32) for name in CONSTANTS}
    values["i_scale"] = network.i_scale.astype(np.float32)
    channels, neurons = np.split(network.group, [network.n_channels])
    run = run_routed(
        DpiParameters.of_values(values, model=network.model, dt=dt),
        counts,
        synapses_in=_synapses(channels, task),
        synapses_rec=_synapses(neurons, task),
    )
    return np.asarray(run.spikes)


def chip_totals(config: Dynapse2Config, counts: Counts, task: Task) -> Floats:
    """Return the spikes per sample and neuron that the simulator gives, (batch, N)."""
    from ..simulator import Dynapse2Session

    names, shapes = list(task.network.inputs), task.network.inputs
    ends = np.cumsum([int(np.prod(shapes[name], dtype=np.int64)) for name in names])
    inputs = {
        name: part.reshape(*part.shape[:2], *shapes[name])
        for name, part in zip(names, np.split(counts, ends[:-1], axis=2), strict=True)
    }
    with Dynapse2Session(config) as session:
        recording = session.run(inputs, record=["spikes"])
    totals = np.empty((counts.shape[0], task.network.n_neurons))
    for p in task.network.populations:
        found = recording.raw(p.name, "spikes")
        totals[:, p.neurons] = found.reshape(*found.shape[:2], -1).sum(axis=1)
    return totals


def _synapses(groups: Ints, task: Task) -> Synapses:
    """Return the synapses of sources, by source."""
    network = task.network
    order = np.argsort(network.synapse_group, kind="stable")
    sorted_group = network.synapse_group[order]
    start = np.searchsorted(sorted_group, groups)
    size = np.searchsorted(sorted_group, groups, side="right") - start
    indptr = np.concatenate([[0], np.cumsum(size)])
    offset = np.arange(indptr[-1]) - np.repeat(indptr[:-1], size)
    own = order[np.repeat(start, size) + offset]
    return Synapses(
        indptr=indptr.astype(np.int64),
        target=network.synapse_target[own].astype(np.int32),
        port=network.synapse_port[own].astype(np.uint8),
        weight=network.synapse_weight[own].astype(np.float32),
    )


def _refine(
    coded: Coded,
    totals: Floats,
    build: Callable[[Coded], Dynapse2Config],
    *,
    calibration: Calibration,
    task: Task,
) -> tuple[Coded, Floats, list[str]]:
    """Try refined masks core by core; keep those whose spike counts come no farther."""
    drive = Drive.of(calibration.counts, calibration.spikes, task)
    refined = []
    for place, made in enumerate(coded.weights):
        if not made.synapses.size:
            continue
        before = calibration.distance(totals)
        trials = []
        for penalty in PENALTIES:
            masks = refined_masks(made, drive, penalty=penalty, task=task)
            trial = _with(coded, place, replace(made, masks=masks))
            answer = chip_totals(build(trial), calibration.counts, task)
            trials.append((calibration.distance(answer), trial, answer))
        distance, trial, answer = min(trials, key=lambda t: t[0])
        name = task.named(made.core)
        changes = int((trial.weights[place].masks != made.masks).sum())
        text = f"{name}: refined masks were {distance:.0f} spikes off those before quantisation, "
        if distance <= before and changes:
            coded, totals = trial, answer
            refined.append(name)
            text += f"others {before:.0f}: {changes} masks changed"
        else:
            text += f"others {before:.0f}: the masks stay"
        task.findings.add(codes.REFINEMENT.at(None, text, value=distance, limit=before))
    return coded, totals, refined


def _with(coded: Coded, place: int, made: CoreWeights) -> Coded:
    weights = list(coded.weights)
    weights[place] = made
    return replace(coded, weights=tuple(weights))


def _agreement(calibration: Calibration, totals: Floats, task: Task) -> dict[str, float]:
    """Report how well the spike counts of every population agree."""
    found = {}
    wanted = calibration.totals
    for p in task.network.populations:
        ours, theirs = totals[:, p.neurons], wanted[:, p.neurons]
        total = float(ours.sum() + theirs.sum())
        off = float(np.abs(ours - theirs).sum())
        found[p.name] = 1.0 - off / total if total else 1.0
        text = (
            f"{100 * found[p.name]:.1f} % agreement of spike counts with those before quantisation "
            f"({theirs.sum():.0f} spikes there, {ours.sum():.0f} on the chip)"
        )
        value = round(found[p.name], 4)
        task.findings.add(codes.SPIKE_AGREEMENT.at(p.name, text, value=value))
    return found
