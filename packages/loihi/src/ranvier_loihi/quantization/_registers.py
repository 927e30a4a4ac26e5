"""Registers of a population for a given scale, with what they lose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ..config import Population
from ..config._checks import DELTA_BIAS_EXP_MAX, STATE_THRESHOLD_MAX
from ..network import LoihiNetwork, MappedPopulation
from ..targets import Limits
from ._bias import bias_too_large, fit_bias, initial_voltages
from ._units import DELTA_MODELS, GRAIN, LIF_MODELS, MESSAGE_EXP, RESONATORS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DECAY_TOLERANCE = 0.05
THRESHOLD_TOLERANCE = 0.02
BIAS_TOLERANCE = 0.05


@dataclass(frozen=True, kw_only=True)
class Resets:
    """Periodic reset of the whole network, in steps of the chip; interval 0: none.

    Every population is reset when the input of the interval's first step reaches it.

    Parameters
    ----------
    interval, offset : int
        Steps between resets, and step of the first within the interval.
    arrivals : mapping of str to int
        Steps that the fastest path from an input takes to each population.
    """

    interval: int = 0
    offset: int = 0
    arrivals: Mapping[str, int] = field(default_factory=dict)

    def offset_of(self, name: str) -> int:
        """Return the register of a population."""
        return (self.offset + 1 + self.arrivals.get(name, 0)) % self.interval


def arrivals_of(network: LoihiNetwork) -> dict[str, int]:
    """Return the steps from an input to every population, by the fastest path."""
    known = {name: 0 for name in network.inputs}
    known |= {p.name: 0 for p in network.populations if p.drive is not None}
    for _ in network.populations:
        for c in network.connections:
            if c.source in known:
                steps = known[c.source] + 1 + int(np.min(c.delay))
                known[c.target] = min(steps, known.get(c.target, steps))
    return known


def population_of(
    p: MappedPopulation, scale: float, *, limits: Limits, resets: Resets, findings: Findings
) -> Population:
    """Return the registers of a population; what has no code is an error in ``findings``.

    Parameters
    ----------
    p : MappedPopulation
    scale : float
        State units of 1.0 in the graph.
    limits : Limits
        Ranges of the registers.
    resets : Resets
        Periodic reset.
    findings : Findings
        Takes losses, notes and errors.
    """
    fields: dict[str, Any] = {"u_lsb": np.array([1.0 / scale]), "v_lsb": np.array([1.0 / scale])}
    fields["threshold"] = _threshold(p, scale, limits=limits, findings=findings)
    if p.model in LIF_MODELS:
        fields |= _lif(p, scale, fields["threshold"], limits=limits, findings=findings)
        if resets.interval:
            fields["reset_interval"] = resets.interval
            fields["reset_offset"] = resets.offset_of(p.name)
    elif p.model in RESONATORS:
        fields |= _rotation(p, findings)
    elif np.any(p.bias):
        wide = replace(limits, bias_exp_max=DELTA_BIAS_EXP_MAX)
        fields |= _bias(p, p.bias * scale, limits=wide, findings=findings)
        if p.late:
            _report_early(p, int(np.count_nonzero(p.full("bias"))), findings)
    if p.model in DELTA_MODELS:
        fields["spike_exp"] = MESSAGE_EXP
    if p.drive is not None and p.model not in LIF_MODELS:
        fields |= {"drive_weight": p.drive_weight, "drive_offset": p.drive_offset}
    if np.any(p.v_rest):
        rest = float(p.v_rest[np.argmax(np.abs(p.v_rest))])
        findings.add(codes.RELATIVE_VOLTAGE.at(p.name, f"v_rest is up to {rest:g}", value=rest))
    return Population(
        name=p.name,
        model=p.model,
        shape=p.shape,
        spiking=p.spiking,
        activation=p.activation,
        refractory=p.refractory.astype(np.int64),
        drive=p.drive,
        **fields,
    )


def threshold_mantissa(x: Floats, comparison: str) -> Ints:
    """Return the mantissa for a threshold of ``x`` mantissas; the chip compares with ">".

    For ">=" it is the last one with which a voltage of exactly ``x``, in units of 1/64, fires.

    Examples
    --------
    >>> threshold_mantissa(np.array([100.0, 100.3]), ">=").tolist()
    [99, 100]
    """
    if comparison == ">":
        return np.rint(x).astype(np.int64)
    return np.floor(x - 1.0 / GRAIN + 1e-9 * np.maximum(1.0, x)).astype(np.int64)


def _threshold(p: MappedPopulation, scale: float, *, limits: Limits, findings: Findings) -> Ints:
    if p.model in LIF_MODELS:
        if not p.spiking:
            return np.array([limits.threshold_max])
        x = p.threshold * (scale / GRAIN)
        mantissa = threshold_mantissa(x, p.comparison)
        _report_shift(p, x, mantissa, findings)
        most = limits.threshold_max
    else:
        x = p.threshold * scale
        nearest = np.rint(x)
        up = (p.comparison == ">") & (np.abs(x - nearest) <= 1e-6) & (p.model in RESONATORS)
        mantissa = np.where(up, nearest + 1, nearest).astype(np.int64)
        most = STATE_THRESHOLD_MAX
    if p.model == "sigma":
        return np.array([0])
    bad = (mantissa < 0) | (mantissa > most)
    if bool(np.any(bad)):
        worst = float(np.broadcast_to(p.threshold, bad.shape)[bad][0])
        findings.add(
            codes.THRESHOLD_RANGE.at(
                p.name,
                f"threshold {worst:g} becomes {int(mantissa[bad][0])}, allowed are 0..{most}",
                value=int(mantissa[bad][0]),
                limit=most,
            )
        )
    return np.clip(mantissa, 0, most)


def _report_shift(p: MappedPopulation, x: Floats, mantissa: Ints, findings: Findings) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = float(np.nanmax(np.abs(x - mantissa) / np.abs(x)))
    if shift <= 1e-9 or not np.isfinite(shift):
        return
    code = codes.THRESHOLD_COARSE if shift > THRESHOLD_TOLERANCE else codes.THRESHOLD_SHIFTED
    findings.add(
        code.at(
            p.name,
            f"'{p.comparison}' {float(p.threshold.flat[0]):g} is '> {int(mantissa.flat[0])} * 64' "
            f"on the chip, off by up to {shift:.2e} of the threshold",
            value=shift,
            limit=THRESHOLD_TOLERANCE,
        )
    )


def _lif(
    p: MappedPopulation, scale: float, threshold: Ints, *, limits: Limits, findings: Findings
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "decay_u": _decay(p, p.beta, "current", findings),
        "decay_v": _decay(p, p.alpha, "voltage", findings),
    }
    if p.model == "ternary":
        low = threshold_mantissa(-p.threshold_low * (scale / GRAIN), p.comparison)
        if bool(np.any((low < 0) | (low > limits.threshold_max))):
            text = f"lower threshold {float(p.threshold_low.max()):g} has no code below zero"
            findings.add(codes.THRESHOLD_RANGE.at(p.name, text, limit=limits.threshold_max))
        fields["threshold_low"] = -np.clip(low, 0, limits.threshold_max)
    if p.drive is not None:
        fields["drive_weight"] = p.drive_weight * (scale / GRAIN)
        fields["drive_offset"] = (p.drive_offset + p.bias) * (scale / GRAIN)
        fields["bias_exp"] = np.array([6])
        return fields
    if not np.any(p.bias):
        return fields
    fields |= _bias(p, p.bias * scale, limits=limits, findings=findings)
    if p.late:
        lowest = fields["threshold_low"] * GRAIN if "threshold_low" in fields else None
        found, unsolved = initial_voltages(
            fields["bias_mant"] << fields["bias_exp"],
            fields["decay_v"],
            late=p.late,
            threshold=threshold * GRAIN if p.spiking else np.array([limits.threshold_max * GRAIN]),
            threshold_low=lowest,
        )
        fields["v_initial"] = found
        if unsolved:
            _report_early(p, unsolved, findings)
    return fields


def _report_early(p: MappedPopulation, count: int, findings: Findings) -> None:
    text = f"{count} neuron(s) have a bias that starts {p.late} step(s) early"
    findings.add(codes.EARLY_BIAS.at(p.name, text, value=count, limit=0))


def _bias(
    p: MappedPopulation, bias: Floats, *, limits: Limits, findings: Findings
) -> dict[str, Any]:
    mantissa, exponent = fit_bias(bias, limits)
    if bias_too_large(mantissa, limits):
        most = limits.bias_mant_max << limits.bias_exp_max
        largest = float(np.abs(bias).max())
        text = f"bias is up to {largest:g} state units, allowed are {most}"
        findings.add(codes.BIAS_RANGE.at(p.name, text, value=largest, limit=most))
        mantissa = np.clip(mantissa, limits.bias_mant_min, limits.bias_mant_max)
    found = (mantissa << exponent).astype(np.float64)
    error = np.abs(found - bias) / np.maximum(np.abs(bias), 1e-300)
    worst = int(np.argmax(error))
    if error[worst] > BIAS_TOLERANCE:
        text = f"a bias of {bias[worst]:.4g} state units became {found[worst]:g}"
        value = float(error[worst])
        findings.add(codes.BIAS_ROUNDED.at(p.name, text, value=value, limit=BIAS_TOLERANCE))
    return {"bias_mant": mantissa, "bias_exp": exponent}


def _decay(p: MappedPopulation, factor: Floats, name: str, findings: Findings) -> Ints:
    wanted = (1.0 - factor) * 4096.0
    decay = np.clip(np.rint(wanted), 0, 4096).astype(np.int64)
    error = np.abs(decay - wanted) / np.maximum(wanted, 1e-9)
    worst = int(np.argmax(np.where(np.abs(decay - wanted) > 1e-6, error, 0.0)))
    if abs(decay[worst] - wanted[worst]) > 1e-6 and error[worst] > DECAY_TOLERANCE:
        findings.add(
            codes.DECAY_ROUNDED.at(
                p.name,
                f"the {name} should lose {wanted[worst]:.3g}/4096 per step and loses "
                f"{int(decay[worst])}/4096",
                value=float(error[worst]),
                limit=DECAY_TOLERANCE,
            )
        )
    return decay


def _rotation(p: MappedPopulation, findings: Findings) -> dict[str, Any]:
    cosine = np.rint(p.cosine * 4096).astype(np.int64)
    sine = np.rint(p.sine * 4096).astype(np.int64)
    wanted = 1.0 - np.hypot(p.cosine, p.sine)
    found = 1.0 - np.hypot(cosine, sine) / 4096.0
    error = np.abs(found - wanted)
    worst = int(np.argmax(error))
    if error[worst] > DECAY_TOLERANCE * max(abs(float(np.ravel(wanted)[worst])), 1e-6) + 1e-9:
        findings.add(
            codes.ROTATION_ROUNDED.at(
                p.name,
                f"the amplitude should lose {float(np.ravel(wanted)[worst]):.3g} per step and "
                f"loses {float(np.ravel(found)[worst]):.3g}",
                value=float(error[worst]),
            )
        )
    return {"sin_decay": sine, "cos_decay": cosine}
