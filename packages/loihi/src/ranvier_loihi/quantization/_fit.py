"""The scale of a layer: what passes unchanged, and candidates for what does not.

A layer's states are integers in units of ``1 / scale``. A large scale makes truncation and the
threshold's steps of 64 negligible; the weight exponent reaches it without more weight bits. What
bounds it are the rails: 24 bits for current, voltage and threshold, the register of the bias.
Within an octave the scale decides how close the weights fall to their codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ..targets import Limits
from ..weights import sign_mode_of
from ._bias import bias_too_large
from ._units import (
    GRAIN,
    LIF_MODELS,
    RAIL,
    RESONATORS,
    STATE_SCALE,
    Layer,
    row_reach,
    slowest_gain,
    whole,
)
from ._weights import (
    DELTA_EXPONENT_MAX,
    EXPONENTS,
    Codes,
    exact_codes,
    exponent_for,
    limit_of,
    rounded_codes,
    rounding_power,
)

Floats = NDArray[np.float64]

SAMPLE = 1 << 15
"""Weights per connection that take part in choosing the scale."""
DRIVE_REACH = 1.0
"""Largest magnitude expected of a real-valued input."""
MEASURED_ROOM = 1.5
"""Least room above states that were measured."""
FLOOR_EXPONENTS = 2
"""Negative exponents that the worst case may ask for: they floor the sum of the weights."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Largest magnitudes expected of a layer's states, in model units.

    Parameters
    ----------
    current, voltage : float
        0: nothing is known.
    measured : bool
        Whether they come from calibration spikes.
    """

    current: float
    voltage: float
    measured: bool = False


def exact_layer(layer: Layer, limits: Limits) -> list[Codes] | None:
    """Return the codes of a layer whose every number is one of the chip's, else None."""
    p = layer.population
    if p.model in LIF_MODELS:
        if p.comparison != ">" and p.spiking:
            return None
        grids = [(1.0 - p.beta) * 4096, (1.0 - p.alpha) * 4096]
        mantissas = [p.threshold * GRAIN] if p.spiking else []
        if p.model == "ternary":
            mantissas.append(-p.threshold_low * GRAIN)
    elif p.model in RESONATORS:
        grids, mantissas = [p.cosine * 4096, p.sine * 4096, p.threshold * STATE_SCALE], []
    else:
        grids = [] if p.model == "sigma" else [p.threshold * layer.native_scale]
        mantissas = []
    if any(whole(np.asarray(values)) is None for values in grids):
        return None
    for values in mantissas:
        found = whole(np.asarray(values))
        if found is None or found.min() < 0 or found.max() > limits.threshold_max:
            return None
    if p.drive is None and np.any(p.bias):
        common = whole(p.bias * GRAIN)
        if common is None or (not layer.fixed_scale and bias_too_large(common, limits)):
            return None
    found_codes = [
        exact_codes(
            c.weight,
            layer.weight_unit(number, layer.native_scale),
            kernel=c.kind == "conv",
            top=_top_exponent(layer),
        )
        for number, c in enumerate(layer.connections)
    ]
    exact = [entry for entry in found_codes if entry is not None]
    return exact if len(exact) == len(found_codes) else None


def candidates(layer: Layer, reach: Reach, *, limits: Limits, headroom: float) -> Floats:
    """Return scales, the one with the least expected error first.

    Parameters
    ----------
    layer : Layer
    reach : Reach
        States to expect.
    limits : Limits
        Ranges of the registers.
    headroom : float, >= 1
        Room that is kept above the voltages to expect.

    Returns
    -------
    array, (n_candidates,), >= 1
    """
    if layer.fixed_scale:
        return np.array([layer.native_scale])
    largest = _largest(layer)
    cap = _cap(layer, reach, largest, limits=limits, headroom=headroom)
    if not largest:
        return np.array([2.0 ** np.floor(np.log2(cap))])
    scales = _grid(layer, largest, cap)
    samples = [_sampled(c.weight) for c in layer.connections]
    error = np.array([_expected_error(layer, samples, scale) for scale in scales])
    return np.asarray(scales[np.lexsort((-scales, error))])


def rounded_layer(layer: Layer, scale: float, findings: Findings) -> list[Codes]:
    """Return the codes of a layer for a scale; what has none is an error in ``findings``."""
    result = []
    for number, c in enumerate(layer.connections):
        unit = layer.weight_unit(number, scale)
        largest, mode = float(np.abs(c.weight).max(initial=0.0)), sign_mode_of(c.weight)
        needed = exponent_for(largest, unit, mode)
        exponent = 0 if c.kind == "conv" else min(needed, _top_exponent(layer))
        if needed > exponent:
            most = limit_of(mode) * 2.0**exponent / unit
            findings.add(
                codes.WEIGHT_RANGE.at(
                    c.target,
                    f"weights from {c.source!r} are up to {largest:g}, allowed are {most:g}",
                    value=largest,
                    limit=most,
                )
            )
        result.append(rounded_codes(c.weight, unit, exponent=exponent))
    return result


def _top_exponent(layer: Layer) -> int:
    return DELTA_EXPONENT_MAX if layer.fixed_scale else EXPONENTS[1]


def precision_of(layer: Layer, found: list[Codes], scale: float) -> float | None:
    """Return the signal-to-quantisation-noise ratio of weights, in dB; None without weights."""
    signal = noise = 0.0
    for number, (c, entry) in enumerate(zip(layer.connections, found, strict=True)):
        back = 2.0**entry.exponent / layer.weight_unit(number, scale)
        signal += float(np.sum(np.square(c.weight)))
        noise += float(np.sum(np.square(entry.values * back - c.weight)))
    if not signal:
        return None
    return float(10.0 * np.log10(signal / max(noise, 1e-30 * signal)))


def worst_current(layer: Layer) -> float:
    """Return the largest current if every source fires in every step, in model units.

    Sources with a value count as one, and a current that does not decay as one of 4096 steps.
    """
    size = layer.population.size
    rows = sum((row_reach(c, size) for c in layer.connections), start=np.zeros(1))
    return float(np.max(rows, initial=0.0)) * slowest_gain(layer.population.beta)


def expected_reach(layer: Layer) -> Reach:
    """Return the worst case of a layer's states, in model units."""
    p = layer.population
    current = worst_current(layer)
    if p.model in RESONATORS:
        return Reach(current=0.0, voltage=current * slowest_gain(np.hypot(p.cosine, p.sine)))
    constant = float(np.abs(p.bias).max(initial=0.0))
    return Reach(current=current, voltage=(current + constant) * slowest_gain(p.alpha))


def _largest(layer: Layer) -> float:
    """Return the largest weight in codes of scale 1."""
    return max(
        (
            float(np.abs(c.weight).max(initial=0.0)) * layer.weight_unit(number, 1.0)
            for number, c in enumerate(layer.connections)
        ),
        default=0.0,
    )


def _cap(layer: Layer, reach: Reach, largest: float, *, limits: Limits, headroom: float) -> float:
    """Return the largest scale at which registers and expected states fit."""
    p = layer.population
    thresholds = [np.abs(p.threshold).max(initial=0.0)] if p.spiking else []
    if p.model == "ternary":
        thresholds.append(np.abs(p.threshold_low).max(initial=0.0))
    top_threshold = min(RAIL / headroom, float(limits.threshold_max * GRAIN))
    hard = [top_threshold / float(t) for t in thresholds if t > 0]
    constant = np.abs(p.bias)
    if p.drive is not None:
        drive = np.abs(p.drive_weight) * DRIVE_REACH + np.abs(p.drive_offset) + constant
        hard.append(limits.bias_mant_max * GRAIN / max(float(np.max(drive)), 1e-30))
    elif np.any(constant):
        hard.append((limits.bias_mant_max << limits.bias_exp_max) / float(constant.max()))
    hard += [
        254 * 2.0 ** (0 if c.kind == "conv" else EXPONENTS[1]) / (top * unit)
        for c, top, unit in (
            (c, float(np.abs(c.weight).max(initial=0.0)), layer.weight_unit(n, 1.0))
            for n, c in enumerate(layer.connections)
        )
        if top * unit > 0
    ]
    fires = p.spiking and p.model in LIF_MODELS
    voltage = reach.voltage if reach.measured or not fires else 0.0
    state = max(reach.current, voltage)
    bound = min(hard, default=np.inf)
    if state > 0:
        bound = min(bound, _soft_cap(state, largest, headroom=headroom, measured=reach.measured))
    return float(bound) if np.isfinite(bound) else STATE_SCALE


def _soft_cap(state: float, largest: float, *, headroom: float, measured: bool) -> float:
    """Return the largest scale that keeps the states to expect off the rails.

    It gives way to the precision of the weights: below exponent 0 the sum of the weights is floored
    to their unit. Measured states keep a smaller room even then; the worst case is rarely met.
    """
    if not measured:
        precise = 254 * 2.0**-FLOOR_EXPONENTS / largest if largest else 0.0
        return max(RAIL / state, precise)
    precise = 254 / largest if largest else 0.0
    return max(RAIL / (headroom * state), min(precise, RAIL / (MEASURED_ROOM * state)))


def _grid(layer: Layer, largest: float, cap: float) -> Floats:
    """Return scales that turn the largest weight into an integer, in the two octaves below cap."""
    whole_codes = np.arange(64, 256) if largest * cap >= 64 * 2.0 ** EXPONENTS[0] else None
    kernels = any(c.kind == "conv" for c in layer.connections)
    if whole_codes is None or (kernels and largest * cap < 256):
        steps = np.arange(1, 256) * (1.0 if kernels else 2.0 ** EXPONENTS[0])
        scales = steps / largest
    else:
        exponents = np.arange(EXPONENTS[0], EXPONENTS[1] + 1)
        scales = np.unique(np.outer(2.0**exponents, whole_codes)) / largest
    below = scales[scales <= cap * (1 + 1e-9)]
    if not below.size:
        return np.array([cap])
    return np.asarray(below[below >= below.max() / 4])


def _sampled(weight: Floats) -> Floats:
    flat = weight.reshape(-1)
    if flat.size <= SAMPLE:
        return flat
    picked = flat[:: -(-flat.size // SAMPLE)]
    ends = np.array([flat.min(), flat.max()])  # they decide sign mode and range
    return np.concatenate([picked, ends])


def _expected_error(layer: Layer, samples: list[Floats], scale: float) -> float:
    """Return squared errors of weights and threshold, relative to weights and threshold."""
    signal = noise = 0.0
    for number, (c, weight) in enumerate(zip(layer.connections, samples, strict=True)):
        unit = layer.weight_unit(number, scale)
        needed = exponent_for(float(np.abs(weight).max(initial=0.0)), unit, sign_mode_of(weight))
        exponent = 0 if c.kind == "conv" else needed
        if needed > (0 if c.kind == "conv" else EXPONENTS[1]):
            return float("inf")
        size = c.weight.size
        signal += size * float(np.mean(np.square(weight))) if weight.size else 0.0
        noise += size * rounding_power(weight, unit, exponent=exponent)
        if exponent < 0:  # the sum is floored: half a code on average
            noise += layer.population.size * (1.0 / 3.0) / unit**2
    error = noise / signal if signal else 0.0
    p = layer.population
    if p.spiking and p.model in LIF_MODELS:
        x = p.threshold * (scale / GRAIN)
        error += float(np.mean(np.square(0.5 / np.maximum(x, 1.0))))
    return error
