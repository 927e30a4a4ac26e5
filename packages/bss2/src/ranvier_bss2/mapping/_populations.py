"""Populations and projections of a network, with all values of the chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.graph import Graph

from .. import diagnostics as codes
from ..config.ranges import CADC_RELIABLE, RANGES, applies
from ..network import BssPopulation, BssProjection, Readout
from ._currents import Connection, receptors_of
from ._neurons import Neurons, shortest_refractory
from ._scaling import Scales, scales_of
from .options import MapOptions
from .strength import psp_peak

Floats = NDArray[np.float64]
WEIGHT_MAX = 63


def population_of(
    graph: Graph,
    own: Neurons,
    connections: Sequence[Connection],
    *,
    kappa: float,
    late: int,
    options: MapOptions,
    findings: Findings,
) -> tuple[BssPopulation, list[BssProjection]]:
    """Return a population and what projects to it.

    Parameters
    ----------
    graph : Graph
        For the shape.
    own : Neurons
        The population in model units.
    connections : sequence of Connection
        Into it.
    kappa : float
        LSB of synaptic drive per weight LSB at nominal targets.
    late : int
        Steps by which its signal is later than in the graph.
    options : MapOptions
        See there.
    findings : Findings
        Receives what changes, and what does not fit.
    """
    largest = max((_largest(c.weight * own.psp_gain[:, None]) for c in connections), default=0.0)
    scales = scales_of(own, largest, kappa=kappa, options=options, findings=findings)
    exciting, inhibiting = receptors_of(own, connections, findings)
    model = {**own.model, "tau_syn": exciting}
    population = BssPopulation(
        name=own.name,
        shape=graph.nodes[own.name].output_shape,
        switches=own.switches,
        model=model,
        targets=_targets(own, scales, (exciting, inhibiting), options, findings),
        readout=_readout(own, scales, options, findings),
        circuits=options.of("circuits", own.name),
        late=late,
    )
    projections = [_projection(c, scales, options, findings) for c in connections]
    _check_swing(population, projections, scales, findings)
    return population, projections


def _largest(values: Floats) -> float:
    return float(np.abs(values).max(initial=0.0))


def _targets(
    own: Neurons,
    scales: Scales,
    tau_syn: tuple[Floats, Floats],
    options: MapOptions,
    findings: Findings,
) -> dict[str, Floats]:
    refractory = own.model["refractory"]
    least = RANGES["refractory"].least
    if own.fires:
        refractory = shortest_refractory(own.name, refractory, findings=findings)
    else:
        refractory = np.full(own.size, least)
    return {
        **scales.targets,
        "tau_mem": own.model["tau_mem"],
        "tau_syn_exc": tau_syn[0],
        "tau_syn_inh": tau_syn[1],
        "refractory": refractory,
        "holdoff": np.full(own.size, options.holdoff),
    }


def _readout(own: Neurons, scales: Scales, options: MapOptions, findings: Findings) -> Readout:
    neuron = options.madc.get(own.name, -1)
    if neuron >= own.size:
        text = f"madc asks for neuron {neuron}, there are {own.size}"
        findings.add(codes.MADC_NEURON.at(own.name, text, value=neuron, limit=own.size - 1))
    offset = options.of("trace_offset", own.name)
    return Readout(
        cadc=options.of("cadc", own.name),
        madc_neuron=neuron,
        trace_scale=scales.trace_scale,
        trace_offset=scales.trace_offset if offset is None else np.full(own.size, float(offset)),
        shift_to_first=options.shift_to_first,
        time_shift=options.time_shift,
        interpolation=options.interpolation,
    )


def _projection(
    connection: Connection, scales: Scales, options: MapOptions, findings: Findings
) -> BssProjection:
    """Return weights in LSB; report those beyond one synapse."""
    weight = connection.weight * scales.weight_scale[:, None]
    connected = np.ones(weight.shape, np.bool_) if options.keep_zeros else weight != 0
    beyond = np.floor(np.abs(weight) + 0.5) > WEIGHT_MAX
    if beyond.any():
        count, largest = int(beyond.sum()), _largest(weight)
        text = f"{count} weights from {connection.source!r} are beyond {WEIGHT_MAX}, up to "
        text += f"{largest:.4g} LSB"
        if options.large_weights == "clip":
            weight = np.clip(weight, -float(WEIGHT_MAX), float(WEIGHT_MAX))
            code = codes.WEIGHTS_CLIPPED
        else:
            text += f": up to {int(np.ceil(np.floor(largest + 0.5) / WEIGHT_MAX))} synapses each"
            code = codes.WEIGHTS_SPLIT
        findings.add(code.at(connection.target, text, value=largest, limit=WEIGHT_MAX))
    return BssProjection(
        source=connection.source,
        target=connection.target,
        weight=weight,
        connected=connected,
        delay=connection.delay,
    )


def _check_swing(
    population: BssPopulation,
    projections: Sequence[BssProjection],
    scales: Scales,
    findings: Findings,
) -> None:
    """Report membranes that one event, or all sources at once, drive out of the CADC's range."""
    targets, size = population.targets, population.size
    single = {1: np.zeros(size), -1: np.zeros(size)}
    total = {1: np.zeros(size), -1: np.zeros(size)}
    for sign, tau in ((1, "tau_syn_exc"), (-1, "tau_syn_inh")):
        peak = scales.strength * psp_peak(targets["tau_mem"], targets[tau])
        for q in projections:
            weight = np.maximum(sign * q.weight, 0) * peak[:, None]
            single[sign] = np.maximum(single[sign], weight.max(axis=1, initial=0.0))
            total[sign] += weight.sum(axis=1)
    fires = "fire" in population.switches
    high = targets["threshold"] if fires else targets["leak"]
    low = np.minimum(targets["leak"], targets["reset"]) if fires else targets["leak"]
    swings = [(codes.PSP_BEYOND_CADC, "one event moves", high + single[1], low - single[-1])]
    if not fires:
        code = codes.READOUT_MAY_SATURATE
        swings.append((code, "all sources at once move", high + total[1], low - total[-1]))
    for code, words, up, down in swings:
        top, bottom = float(up.max()), float(down.min())
        if top > CADC_RELIABLE.most or bottom < CADC_RELIABLE.least:
            text = f"{words} the membrane between {bottom:.4g} and {top:.4g} LSB, the CADC reads "
            text += str(CADC_RELIABLE)
            findings.add(code.at(population.name, text, value=round(top, 3), limit=220))


def check_ranges(population: BssPopulation, *, time_scale: float, findings: Findings) -> None:
    """Report targets outside of what can be calibrated.

    Parameters
    ----------
    population : BssPopulation
        What is checked.
    time_scale : float
        Chip seconds per second of the graph, for advice.
    findings : Findings
        Receives one error per target.
    """
    by_unit = {"s": codes.TIME_RANGE, "LSB": codes.POTENTIAL_RANGE, "code": codes.CODE_RANGE}
    for name, allowed in RANGES.items():
        values = population.targets[name]
        outside = allowed.outside(values)
        if not outside.any() or not applies(name, population.switches):
            continue
        worst = float(values[outside][0])
        text = (
            f"{name} is {allowed.shown(worst)} in {int(outside.sum())} of {values.size} neurons, "
            f"allowed are {allowed}"
        )
        limit = allowed.most if worst > allowed.most else allowed.least
        code = by_unit[allowed.unit]
        hint = _time_advice(values, name, time_scale) if allowed.unit == "s" else code.hint
        findings.add(code.at(population.name, text, value=worst, limit=limit, hint=hint))


def _time_advice(values: Floats, name: str, time_scale: float) -> str:
    allowed = RANGES[name]
    low = time_scale * allowed.least / float(values[values > 0].min(initial=np.inf))
    high = time_scale * allowed.most / float(values.max(initial=1e-30))
    if low <= high:
        return f"time_scale from {low:.3g} to {high:.3g} brings it into range, or change the time"
    return "choose times that lie closer together"


def recorded_longest(
    populations: Mapping[str, BssPopulation], *, dt: float, period: float, samples: int
) -> int:
    """Return the steps that the memory of the chip holds, 0 if nothing records into it.

    Parameters
    ----------
    populations : mapping of str to BssPopulation
        All of them.
    dt, period : float
        Step and time between samples, in s.
    samples : int
        Samples that fit.
    """
    if all(p.readout.cadc != "sram" for p in populations.values()):
        return 0
    return int(samples * period / dt + 1e-9)
