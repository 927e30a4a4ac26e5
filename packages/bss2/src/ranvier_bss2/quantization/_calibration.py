"""Calibration spikes: which membranes leave the CADC's range, and scales that use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts.session import check_inputs
from ranvier.diagnostics import Findings
from ranvier.errors import InputError

from .. import diagnostics as codes
from ..config.ranges import CADC_RELIABLE, RANGES
from ..network import BssNetwork, BssPopulation, BssProjection
from ._numeric import largest_drive, model_weights, run_network
from ._weights import WEIGHT_MAX, Ints

Floats = NDArray[np.float64]
_SLACK = 1e-9


def calibration_spikes(
    spikes: Any, network: BssNetwork, *, samples: int
) -> dict[str, NDArray[np.int64]]:
    """Return calibration spikes by input, (batch, time, channels).

    Raises
    ------
    InputError
        Shapes, negative or fractional counts, unknown inputs; or no steps.
    """
    arrays, _ = check_inputs(spikes, network.inputs, counts=True)
    if not arrays or not all(a.size for a in arrays.values()):
        raise InputError("calibration: there are no samples or no steps; give at least one")
    return {n: a.reshape(*a.shape[:2], -1)[:samples].astype(np.int64) for n, a in arrays.items()}


def adjusted(
    network: BssNetwork,
    spikes: Mapping[str, NDArray[np.int64]],
    *,
    parts: Sequence[Ints],
    kappa: float,
    fixed: Sequence[str],
    margin: float,
    findings: Findings,
) -> BssNetwork:
    """Return a network whose silent neurons use the CADC as far as the calibration spikes allow.

    Parameters
    ----------
    network : BssNetwork
        With real weights.
    spikes : mapping of str to array, (batch, time, channels)
        Calibration spikes.
    parts : sequence of array, (2, n_target, n_source)
        Synapses of every connection, inhibiting and exciting.
    kappa : float
        LSB of synaptic drive per weight LSB.
    fixed : sequence of str
        Populations that keep their scale.
    margin : float
        Share of the range that stays free.
    findings : Findings
        Receives a note for every population that changes.

    Notes
    -----
    Weights in LSB, potentials and the inverse of trace_scale grow by one factor, so that
    postsynaptic potentials in model units stay. Largest is the factor at which no weight exceeds
    its synapses and no membrane leaves the range.
    """
    real = [q.weight for q in network.projections]
    traces = run_network(network, spikes, model_weights(network, real, kappa)).v_mem
    populations, factors = [], {}
    for p in network.populations:
        if "fire" in p.switches or p.name in fixed:
            populations.append(p)
            continue
        into = [
            _room(q, own)
            for q, own in zip(network.projections, parts, strict=True)
            if q.target == p.name
        ]
        changed, factor = _rescaled(p, traces[p.name], min(into, default=np.inf), margin=margin)
        populations.append(changed)
        factors[p.name] = factor
        moved = float(changed.targets["leak"].mean() - p.targets["leak"].mean())
        if abs(factor - 1) > 1e-3 or abs(moved) > 1e-3:
            text = f"{factor:.4g} times as many LSB (trace_scale "
            text += (
                f"{changed.readout.trace_scale[0]:.4g}), leak potential moved by {moved:.4g} LSB"
            )
            findings.add(codes.SCALE_ADJUSTED.at(p.name, text, value=round(factor, 6)))
    projections = tuple(
        dataclasses.replace(q, weight=q.weight * factors.get(q.target, 1.0))
        for q in network.projections
    )
    return dataclasses.replace(network, populations=tuple(populations), projections=projections)


def _room(projection: BssProjection, parts: Ints) -> float:
    """Return the factor by which weights may grow within their synapses."""
    weight = projection.weight
    limit = WEIGHT_MAX * np.where(weight > 0, parts[1], parts[0])
    used = (weight != 0) & (limit > 0)
    return float(np.min(limit[used] / np.abs(weight[used]), initial=np.inf))


def _rescaled(
    population: BssPopulation, trace: Floats, room: float, *, margin: float
) -> tuple[BssPopulation, float]:
    """Return a population with the largest scale at which its membrane stays in range."""
    old = 1.0 / float(population.readout.trace_scale[0])
    free = margin / 2 * (CADC_RELIABLE.most - CADC_RELIABLE.least)
    leak = population.model["leak"]
    extent = [
        (RANGES["leak"].least, RANGES["leak"].most, float(leak.min()), float(leak.max())),
        (
            CADC_RELIABLE.least + free,
            CADC_RELIABLE.most - free,
            min(float(trace.min()), float(leak.min())),
            max(float(trace.max()), float(leak.max())),
        ),
    ]
    most = old * room
    for low, _, bottom, _ in extent:
        for _, high, _, top in extent:
            if top - bottom > 0:
                most = min(most, (high - low) / (top - bottom))
    if not np.isfinite(most):
        return population, 1.0
    offset_low = max(low - bottom * most for low, _, bottom, _ in extent)
    offset_high = min(high - top * most for _, high, _, top in extent)
    wanted = float(population.targets["leak"].mean()) - float(leak.mean()) * most
    offset = min(max(wanted, offset_low), max(offset_high, offset_low))
    size = population.size
    readout = dataclasses.replace(
        population.readout,
        trace_scale=np.full(size, 1.0 / most),
        trace_offset=np.full(size, offset),
    )
    targets = {**population.targets, "leak": offset + leak * most}
    targets |= {n: targets["leak"] for n in ("reset", "threshold")}
    return dataclasses.replace(population, readout=readout, targets=targets), most / old


def report_saturation(
    network: BssNetwork,
    spikes: Mapping[str, NDArray[np.int64]],
    rounded: Sequence[Ints],
    *,
    kappa: float,
    saturation: float,
    findings: Findings,
) -> dict[str, Any]:
    """Report membranes beyond the CADC's range, and synaptic inputs that saturate.

    Returns ``membrane_lsb`` (lowest, highest) and ``drive_lsb`` (largest) by population.

    Parameters
    ----------
    network : BssNetwork
        What the configuration holds.
    spikes : mapping of str to array, (batch, time, channels)
        Calibration spikes.
    rounded : sequence of array of int
        Weights of the chip.
    kappa : float
        LSB of synaptic drive per weight LSB.
    saturation : float
        LSB of drive at which a synaptic input saturates.
    findings : Findings
        Receives losses for neurons that do not fire, and notes for others.
    """
    run = run_network(network, spikes, model_weights(network, rounded, kappa))
    extents: dict[str, Any] = {}
    for p in network.populations:
        lsb = p.readout.trace_offset + run.v_mem[p.name] / p.readout.trace_scale
        low, high = float(lsb.min()), float(lsb.max())
        drive = largest_drive(network, p.name, run.spikes, rounded, kappa=kappa)
        extents[p.name] = {"membrane_lsb": [round(low, 3), round(high, 3)]}
        extents[p.name]["drive_lsb"] = round(drive, 3)
        if drive > saturation:
            text = f"one receptor is driven by up to {drive:.4g} LSB, it is assumed to saturate "
            text += f"around {saturation:.4g} LSB"
            findings.add(
                codes.SYNAPSE_SATURATED.at(p.name, text, value=round(drive, 3), limit=saturation)
            )
        if p.readout.cadc == "off":
            continue
        if low < CADC_RELIABLE.least - _SLACK or high > CADC_RELIABLE.most + _SLACK:
            text = f"the membrane is between {low:.4g} and {high:.4g} LSB, the CADC reads "
            text += str(CADC_RELIABLE)
            fires = "fire" in p.switches
            code = codes.SPIKING_BEYOND_CADC if fires else codes.CADC_SATURATED
            findings.add(code.at(p.name, text, value=round(high, 3), limit=220))
    return extents
