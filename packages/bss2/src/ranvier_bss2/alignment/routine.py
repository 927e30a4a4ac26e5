"""The alignment: rest, threshold, response to single spikes, and the numbers that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings, describe
from ranvier.errors import InputError, SimulationError

from ..calibration import CalibrationResult
from ..calibration.silicon import assumed_kappa
from ..chip import VirtualChip
from ..diagnostics import NO_RESPONSE, NO_SPIKE, OUT_OF_CONVERTER_RANGE
from ..mapping.strength import psp_peak, synaptic_strength
from ..network import BssPopulation
from ..targets import limits_of
from . import measures
from .bench import EmulatorBench, MembraneBench
from .population import circuits_of, population_of
from .result import Alignment

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RELIABLE = (30.0, 210.0)
"""Readings of the CADC that can be relied on, in LSB (calix @e573081)."""
_SRAM_TIME = 165e-6
_HIGHEST_PSP = 40.0


def align(
    model: Any,
    chip: VirtualChip | CalibrationResult | Callable[[BssPopulation, Ints], MembraneBench],
    *,
    population: str | None = None,
    runs: int = 10,
    dt: float = 1e-6,
    time_scale: float = 1.0,
    kappa: float | None = None,
    circuits: Ints | None = None,
    substeps: int = 1,
    seed: int = 0,
) -> Alignment:
    """Measure how a layer of a chip relates to its model.

    Baseline: mean reading without input. Threshold: highest reading under the weakest constant
    input that makes a neuron fire, averaged over the runs. Response: single spikes of many weights
    and both signs against the model's response. From these: trace scale, trace offset, weight
    scale and time shift.

    Parameters
    ----------
    model : AnalogNeuron, BssPopulation, Bss2Config or a layer of ranvier_bss2.nn
        Model parameters and targets of the chip.
    chip : VirtualChip, CalibrationResult or callable
        Virtual or calibrated chip, for the emulator; or a function from population and channel
        weights to another `MembraneBench`.
    population : str or None
        Which population of a configuration; its circuits are used.
    runs : int
        Over which everything is averaged, >= 1.
    dt : float
        Time step, in s of the chip; a configuration brings its own.
    time_scale : float
        Chip seconds per second of an `AnalogNeuron`.
    kappa : float or None
        Drive per weight LSB that the emulated chip has, in LSB; None: the configuration's or the
        manifest's.
    circuits : array of int, (n,) or (n, circuits), or None
        Where the neurons are; None: the configuration's, or placed anew.
    substeps : int
        Integration steps of the emulator per time step.
    seed : int
        Of the temporal noise, >= 0.

    Returns
    -------
    Alignment

    Raises
    ------
    SimulationError
        No neuron fires, or none answers to its synapses.
    MappingError
        The population does not fit on the chip.
    InputError
        Model or chip is something else, or a number is out of range.

    Notes
    -----
    Read noise lifts the highest reading: by about 0.4 LSB at the calibrated preset. The slow
    converter sees a rise only at its samples, which is why the input is as weak as possible.
    Saturation of the synaptic input lowers the responses of large weights: by 1 to 2 % there.

    References
    ----------
    hxtorch @3bfc7aa, dynamic range utilities; brainscales2-demos @11e31d8.
    """
    if runs < 1 or seed < 0 or not dt > 0:
        raise InputError(
            f"bss2 align: runs is {runs}, seed {seed}, dt {dt} s; expected runs >= 1, seed >= 0 "
            "and dt > 0"
        )
    own, stated = population_of(model, name=population, time_scale=time_scale)
    if hasattr(model, "chip_dt"):
        dt = float(model.chip_dt)
        kappa = float(model.kappa) if kappa is None else kappa
        circuits = circuits_of(model, own.name) if circuits is None else circuits
    weights = measures.stimulus_weights(_largest_weight(own, kappa))
    if isinstance(chip, CalibrationResult):
        chip = chip.chip()
    if isinstance(chip, VirtualChip):
        bench: MembraneBench = EmulatorBench(
            own,
            chip,
            weights=weights,
            dt=dt,
            kappa=kappa,
            circuits=None if circuits is None else _places(circuits, own),
            substeps=substeps,
        )
    elif callable(chip):
        bench = chip(own, weights)
    else:
        raise InputError(
            f"bss2 align: the chip is a {type(chip).__name__}, expected a VirtualChip, a "
            "CalibrationResult or a function that makes a bench"
        )
    return _measured(bench, stated, runs=runs, seed=seed)


def _places(circuits: Any, population: BssPopulation) -> Ints:
    given = np.asarray(circuits)
    wanted = population.size * population.circuits
    if given.size != wanted or given.dtype.kind not in "iu":
        raise InputError(
            f"bss2 align: circuits are {given.dtype} of shape {given.shape}, expected {wanted} "
            f"numbers of circuits: ({population.size}, {population.circuits})"
        )
    return given.reshape(population.size, -1).astype(np.int64)


def _largest_weight(population: BssPopulation, kappa: float | None) -> int:
    """Return a weight whose response stays well below the threshold, and in the range."""
    known = assumed_kappa() if kappa is None else kappa
    per_lsb = synaptic_strength(known, population.targets)
    tau_mem, tau_syn = population.targets["tau_mem"], population.targets["tau_syn_exc"]
    shape = psp_peak(tau_mem, tau_syn) if "leaky" in population.switches else tau_syn / tau_mem
    peak = per_lsb * shape
    room = np.full(population.size, _HIGHEST_PSP)
    if "fire" in population.switches:
        distance = population.targets["threshold"] - population.targets["leak"]
        room = np.minimum(room, 0.45 * np.maximum(distance, 1.0))
    return int(np.clip(np.floor((room / peak).min()), 1, limits_of().weight_max))


def _measured(bench: MembraneBench, stated: Floats, *, runs: int, seed: int) -> Alignment:
    own, findings = bench.population, Findings()
    steps = max(int(_SRAM_TIME / bench.dt), 4 * measures.START)
    at_rest = measures.rest(bench, steps=steps, runs=runs, seed=seed)
    answer = measures.response(
        bench, at_rest.baseline, steps=_response_steps(bench, steps), runs=runs, seed=seed + 1
    )
    slope = (answer.exciting + answer.inhibiting) / 2
    slope = _filled(slope, slope > 0, findings, own.name, NO_RESPONSE, "do not answer to spikes")
    leak = np.asarray(own.model["leak"], dtype=np.float64)
    fires = "fire" in own.switches
    goal = np.asarray(own.model["threshold"], np.float64) if fires else np.full(own.size, np.nan)
    scale, reached = stated, np.full(own.size, np.nan)
    if fires:
        levels = measures.firing_level(bench, steps=steps, seed=seed + 2)
        reached = measures.threshold(bench, levels, steps=steps, runs=runs, seed=seed + 3)
        distance = reached - at_rest.baseline
        good = np.isfinite(distance) & (distance > 0)
        text = "do not fire under constant input"
        distance = _filled(distance, good, findings, own.name, NO_SPIKE, text)
        scale = (goal - leak) / distance
    _check_range(own.name, at_rest, reached, answer, findings)
    per_neuron = 1.0 / (slope * scale)
    return Alignment(
        name=own.name,
        trace_scale=scale,
        trace_offset=at_rest.baseline - leak / scale,
        weight_scale=float(1.0 / np.mean(slope * scale)),
        time_shift=answer.shift,
        kappa=_kappa(own, slope),
        weight_scales=per_neuron,
        baseline=at_rest.baseline,
        threshold=reached,
        slope_exc=answer.exciting,
        slope_inh=answer.inhibiting,
        noise=at_rest.noise,
        runs=runs,
        model_leak=leak,
        model_threshold=goal,
        diagnostics=tuple(findings),
    )


def _kappa(population: BssPopulation, slope: Floats) -> float:
    """Return the drive per weight LSB at nominal codes that explains the responses, in LSB."""
    gain = population.model["tau_mem"] / population.model["capacitance"]
    return float(np.mean(slope * gain / synaptic_strength(1.0, population.targets)))


def _response_steps(bench: MembraneBench, most: int) -> int:
    """Return how long responses to single spikes last, in steps."""
    targets = bench.population.targets
    slowest = max(float(targets[n].max()) for n in ("tau_mem", "tau_syn_exc", "tau_syn_inh"))
    return min(most, measures.START + int(np.ceil(8 * slowest / bench.dt)))


def _filled(
    values: Floats, good: NDArray[np.bool_], findings: Findings, name: str, code: Any, text: str
) -> Floats:
    """Give neurons that could not be measured the mean of the others, and say so."""
    if good.all():
        return values
    bad = np.flatnonzero(~good)
    shown = ", ".join(str(k) for k in bad[:5]) + ("..." if bad.size > 5 else "")
    found = code.at(
        name,
        f"{bad.size} of {good.size} neurons {text} (neurons {shown}); they get the mean of the "
        "others",
        value=int(bad.size),
        limit=0,
    )
    if not good.any():
        raise SimulationError(describe((found,), heading=f"bss2 align: {name!r} has no answer"))
    findings.add(found)
    return np.where(good, values, values[good].mean())


def _check_range(
    name: str,
    at_rest: measures.Rest,
    reached: Floats,
    answer: measures.Response,
    findings: Findings,
) -> None:
    seen = [float(at_rest.baseline.min()), float(at_rest.baseline.max())]
    seen += [answer.lowest, answer.highest]
    if np.isfinite(reached).any():
        seen.append(float(np.nanmax(reached)))
    low, high = RELIABLE
    if min(seen) < low or max(seen) > high:
        findings.add(
            OUT_OF_CONVERTER_RANGE.at(
                name,
                f"readings reach from {min(seen):.0f} to {max(seen):.0f} LSB, reliable are "
                f"{low:.0f} to {high:.0f} LSB",
                value=min(seen) if min(seen) < low else max(seen),
                limit=f"{low:g} to {high:g}",
            )
        )
