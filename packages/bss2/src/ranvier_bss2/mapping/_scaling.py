"""Scales of a population: LSB of the CADC per model unit, and weight LSB per model weight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ..config.ranges import RANGES
from ..nodes import CODES, POTENTIALS
from ._neurons import Neurons
from .options import MapOptions
from .strength import synaptic_strength

Floats = NDArray[np.float64]

_SLACK = 1e-9
MISALIGNED_LSB = 0.75
"""Difference of a given potential from that of the model above which it is reported, in LSB; the
chip takes whole numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scales:
    """How a population's model values become values of the chip, (n,) each.

    Parameters
    ----------
    trace_scale : array
        Model units per LSB.
    trace_offset : array
        LSB at which the model's 0 lies.
    weight_scale : array
        Weight LSB per synaptic current of the model.
    targets : mapping of str to array
        ``leak``, ``reset``, ``threshold`` in LSB, and the codes of `ranvier_bss2.nodes.CODES`.
    strength : array
        LSB of synaptic drive per weight LSB.
    """

    trace_scale: Floats
    trace_offset: Floats
    weight_scale: Floats
    targets: Mapping[str, Floats]
    strength: Floats


def scales_of(
    own: Neurons, largest: float, *, kappa: float, options: MapOptions, findings: Findings
) -> Scales:
    """Choose the scales of a population.

    Parameters
    ----------
    own : Neurons
        The population.
    largest : float
        Largest absolute weight into it, as a steady membrane: current times ``psp_gain``.
    kappa : float
        LSB of synaptic drive per weight LSB at nominal targets.
    options : MapOptions
        Range, distances, scales that are given.
    findings : Findings
        Receives what does not fit.

    Notes
    -----
    Potentials are ``leak_lsb + (v - rest) / trace_scale``. A weight keeps the size of its
    postsynaptic potential with ``weight_scale = tau_mem / capacitance / (strength trace_scale)``.
    """
    if own.given:
        codes_of = {n: own.given[n] for n in CODES}
    else:
        codes_of = {n: np.full(own.size, float(getattr(options, n))) for n in CODES}
    strength = synaptic_strength(kappa, codes_of)
    usable = np.isfinite(strength) & (strength > 0)
    strength = np.where(usable, strength, kappa)  # the check of ranges tells codes of 0
    given_weight = options.of("weight_scale", own.name)
    trace = options.of("trace_scale", own.name)
    if trace is not None:
        inverse = np.full(own.size, 1.0 / trace)
    elif own.given:
        inverse = 1.0 / own.given["trace_scale"]
    elif given_weight is not None:
        worst = float(np.max(given_weight * strength / own.psp_gain))
        inverse = np.full(own.size, worst)
    else:
        chosen = _chosen(own, largest, float(strength.min()), options, findings)
        inverse = np.full(own.size, chosen)
    exact = own.psp_gain * inverse / strength
    weight = exact if given_weight is None else np.full(own.size, given_weight)
    _check_gain(own.name, weight / exact, findings)
    potentials, offset = _potentials(own, inverse, options, findings)
    return Scales(
        trace_scale=1.0 / inverse,
        trace_offset=offset,
        weight_scale=weight,
        targets={**potentials, **codes_of},
        strength=strength,
    )


def _chosen(
    own: Neurons, largest: float, strength: float, options: MapOptions, findings: Findings
) -> float:
    """Return the LSB per model unit of converted neurons."""
    feasible = feasible_inverse(own)
    weights = math.inf if largest <= 0 else 63 * strength / largest
    if not own.fires:
        chosen = min(feasible, weights)
        return chosen if math.isfinite(chosen) else options.nominal_distance
    distance = float((own.model["threshold"] - own.rest).max())
    if distance <= 0:
        text = f"the threshold is {-distance:.4g} below the resting potential, must be above it"
        findings.add(codes.THRESHOLD_BELOW_REST.at(own.name, text, value=distance, limit=0))
        return options.nominal_distance
    nominal = options.nominal_distance / distance
    wanted = weights if options.range == "full" and math.isfinite(weights) else nominal
    if min(wanted, feasible) * distance < options.nominal_distance * (1 - _SLACK):
        got = min(wanted, feasible) * distance
        text = f"the threshold is {got:.4g} LSB above the leak potential"
        findings.add(
            codes.RANGE_REDUCED.at(own.name, text, value=got, limit=options.nominal_distance)
        )
    whole = math.floor(min(wanted, feasible) * distance + _SLACK)
    return max(whole, 1) / distance


def feasible_inverse(own: Neurons) -> float:
    """Return the most LSB per model unit at which all potentials can be calibrated, maybe inf."""
    offsets = model_offsets(own)
    least = math.inf
    for upper, high in offsets.items():
        for lower, low in offsets.items():
            spread = float(high.max() - low.min())
            if spread > 0:
                least = min(least, (RANGES[upper].most - RANGES[lower].least) / spread)
    return least


def model_offsets(own: Neurons) -> dict[str, Floats]:
    """Return the potentials that matter, relative to the resting one, in model units."""
    names = ("leak", "reset", "threshold") if own.fires else ("leak",)
    return {n: own.model[n] - own.rest for n in names}


def _potentials(
    own: Neurons, inverse: Floats, options: MapOptions, findings: Findings
) -> tuple[dict[str, Floats], Floats]:
    """Return the potentials in LSB, and the LSB of the model's 0."""
    if own.given:
        base = own.given["leak_lsb"]
        shift = (own.model["leak"] - own.rest) * inverse
        _check_given(own, inverse, findings)
        names = (p.removesuffix("_lsb") for p in POTENTIALS)
        found = {n: own.given[f"{n}_lsb"] for n in names}
        return {**found, "leak": base + shift}, base - own.rest * inverse
    offsets = model_offsets(own)
    wanted = options.leak_lsb if own.fires else options.readout_leak_lsb
    base_lsb = fitted_base(offsets, inverse, wanted)
    if abs(base_lsb - wanted) > MISALIGNED_LSB:
        text = f"the leak potential is {base_lsb:.4g} LSB instead of {wanted:.4g} LSB"
        findings.add(codes.LEAK_MOVED.at(own.name, text, value=base_lsb, limit=wanted))
    found = {n: base_lsb + offset * inverse for n, offset in offsets.items()}
    resting = np.full(own.size, base_lsb)
    full = {n: found.get(n, resting) for n in ("leak", "reset", "threshold")}
    return full, resting - own.rest * inverse


def fitted_base(offsets: Mapping[str, Floats], inverse: Floats, wanted: float) -> float:
    """Return the resting potential, in LSB, closest to a wanted one with all others in range.

    Where there is none, the wanted one is returned; the check of ranges then reports it.
    """
    low = max(RANGES[n].least - float((x * inverse).min()) for n, x in offsets.items())
    high = min(RANGES[n].most - float((x * inverse).max()) for n, x in offsets.items())
    return wanted if low > high + _SLACK else float(min(max(wanted, low), high))


def _check_given(own: Neurons, inverse: Floats, findings: Findings) -> None:
    """Report given potentials that do not follow from the model."""
    if not own.fires:
        return
    base = own.given["leak_lsb"]
    for name in ("reset", "threshold"):
        expected = base + (own.model[name] - own.rest) * inverse
        off = np.abs(own.given[f"{name}_lsb"] - expected)
        worst = int(np.argmax(off))
        if off[worst] > MISALIGNED_LSB:
            text = (
                f"{name}_lsb is {own.given[f'{name}_lsb'][worst]:.4g}, the model asks for "
                f"{expected[worst]:.4g} (leak_lsb {base[worst]:.4g}, trace_scale "
                f"{1 / inverse[worst]:.4g})"
            )
            value = float(own.given[f"{name}_lsb"][worst])
            findings.add(
                codes.MISALIGNED.at(own.name, text, value=value, limit=float(expected[worst]))
            )


def _check_gain(name: str, ratio: Floats, findings: Findings) -> None:
    worst = float(ratio[int(np.argmax(np.abs(np.log(ratio))))])
    if abs(worst - 1) > 1e-3:
        text = f"postsynaptic potentials are {worst:.4g} times those of the model"
        findings.add(codes.GAIN_CHANGED.at(name, text, value=worst, limit=1))
