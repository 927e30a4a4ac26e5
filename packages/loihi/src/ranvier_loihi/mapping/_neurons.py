"""Parameters of neuron nodes as the chip's models take them, still in real numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import DiagnosticCode, Findings
from ranvier.graph import (
    IF,
    LI,
    CubaLI,
    CubaLIF,
    I,
    Neuron,
    ResonateAndFire,
    SigmaDelta,
    SpikingNeuron,
    decay_factor,
)

from .. import diagnostics as codes
from ..network import MappedPopulation
from ..nodes import Delta, InputLayer, Sigma, Ternary
from ..targets import Limits
from .options import MapOptions

Floats = NDArray[np.float64]
Report = Callable[..., None]


def population_of(
    name: str,
    node: Neuron,
    *,
    dt: float,
    limits: Limits,
    options: MapOptions,
    findings: Findings,
) -> MappedPopulation:
    """Translate a neuron node; what has no counterpart is added to ``findings``.

    Parameters
    ----------
    name : str
        Name of the node.
    node : Neuron
        Of a kind that the target accepts.
    dt : float
        Time step, in s.
    limits : Limits
        Of the target.
    options : MapOptions
        See there.
    findings : Findings
        Receives errors, losses and notes.
    """

    def report(code: DiagnosticCode, message: str, **numbers: Any) -> None:
        findings.add(code.at(name, message, **numbers))

    if isinstance(node, ResonateAndFire):
        return _resonator(name, node, dt=dt, report=report)
    if isinstance(node, SigmaDelta | Delta | Sigma):
        return _graded(name, node, report)
    return _integrator(name, node, dt=dt, limits=limits, options=options, report=report)


def drives(node: Any) -> bool:
    """Whether the host writes the values of an Input to these neurons, instead of synapses."""
    return isinstance(node, InputLayer | Delta)


def _integrator(
    name: str, node: Neuron, *, dt: float, limits: Limits, options: MapOptions, report: Report
) -> MappedPopulation:
    rest = _array(node, "v_rest")
    values: dict[str, Any] = {
        "beta": _beta(node, dt=dt, report=report),
        "alpha": _alpha(node, dt=dt),
        "bias": _array(node, "bias"),
        "v_rest": rest,
        "spiking": not isinstance(node, I | LI | CubaLI),
    }
    if isinstance(node, SpikingNeuron):
        values["threshold"] = compact(_array(node, "threshold") - rest)
        values["comparison"] = node.comparison
        values["refractory"] = _refractory(node, dt=dt, limits=limits, report=report)
        _check_firing(node, values["threshold"], options=options, report=report)
        _check_reset(node, options=options, report=report)
    if isinstance(node, Ternary):
        values["threshold_low"] = compact(_array(node, "threshold_low") - rest)
        highest = float(values["threshold_low"].max())
        if highest >= 0:
            report(
                codes.THRESHOLD_NOT_POSITIVE,
                f"threshold_low is {highest:g} above the resting value, must be below",
                value=highest,
                limit=0.0,
            )
    if isinstance(node, InputLayer):
        values["drive_weight"] = _array(node, "weight")
        values["drive_offset"] = compact(_array(node, "offset") + values.pop("bias"))
    model = "ternary" if isinstance(node, Ternary) else "lif"
    return MappedPopulation(name=name, model=model, shape=node.shape, **values)


def _alpha(node: Neuron, *, dt: float) -> Floats:
    if isinstance(node, IF | I):
        return np.ones(1)
    return compact(decay_factor(_array(node, "tau_mem"), dt=dt, decay=node.decay))  # type: ignore[arg-type]


def _beta(node: Neuron, *, dt: float, report: Report) -> Floats:
    """Return the decay of the current; several synapses share it if they are alike."""
    if not hasattr(node, "tau_syn"):
        return np.zeros(1)
    taus = np.asarray(node.parameter("tau_syn"), dtype=np.float64)
    if isinstance(node, CubaLIF | CubaLI) and node.n_synapses > 1:
        if np.any(taus != taus[0]):
            report(
                codes.UNEQUAL_SYNAPSES,
                f"{len(taus)} synapses with time constants from {taus.min():g} s to "
                f"{taus.max():g} s, a neuron has 1",
                value=len(taus),
                limit=1,
            )
        else:
            report(codes.SYNAPSES_MERGED, f"{len(taus)} synapses became one", value=len(taus))
        taus = taus[0]
    return compact(decay_factor(taus.ravel(), dt=dt, decay=node.decay))  # type: ignore[arg-type]


def _refractory(
    node: SpikingNeuron, *, dt: float, limits: Limits, report: Report
) -> NDArray[np.int64]:
    steps = np.rint(_array(node, "refractory") / dt).astype(np.int64) + 1
    most = 1 if isinstance(node, Ternary) else limits.refractory_max
    longest = int(steps.max())
    if longest > most:
        report(
            codes.REFRACTORY_TOO_LONG,
            f"refractory time {node.refractory.max():g} s: {longest} steps from spike to spike, "
            f"allowed are {most}",
            value=longest,
            limit=most,
        )
    return steps


def _check_firing(
    node: SpikingNeuron, threshold: Floats, *, options: MapOptions, report: Report
) -> None:
    lowest = float(threshold.min())
    if lowest < 0 or (lowest == 0 and node.comparison == ">="):
        report(
            codes.THRESHOLD_NOT_POSITIVE,
            f"threshold is {lowest:g} above the resting value, must be > 0",
            value=lowest,
            limit=0.0,
        )
    if node.comparison == ">=":
        report(codes.COMPARISON_ABSORBED, "comparison is '>=', the chip's is '>'")
    if node.max_spikes > 1 and options.approximate_reset:
        report(
            codes.SPIKE_LIMIT_CHANGED,
            f"max_spikes is {node.max_spikes}, neurons emit up to 1 per step",
            value=node.max_spikes,
            limit=1,
        )


def _check_reset(node: SpikingNeuron, *, options: MapOptions, report: Report) -> None:
    if node.reset == "subtract":
        code = codes.RESET_APPROXIMATED if options.approximate_reset else codes.RESET_SUBTRACT
        several = f" and max_spikes {node.max_spikes}" if node.max_spikes > 1 else ""
        report(
            code,
            f"reset is 'subtract'{several}, the chip's is 'to_value'",
            value="subtract",
            limit="to_value",
        )
        return
    apart = np.abs(_array(node, "v_reset") - _array(node, "v_rest"))
    if np.any(apart):
        report(
            codes.RESET_VALUE,
            f"v_reset and v_rest are up to {apart.max():g} apart, must be equal",
            value=float(apart.max()),
            limit=0.0,
        )


def _resonator(name: str, node: ResonateAndFire, *, dt: float, report: Report) -> MappedPopulation:
    damping = np.exp(-dt / _array(node, "tau"))
    angle = 2.0 * np.pi * _array(node, "frequency") * dt
    threshold = _array(node, "threshold")
    _no_bias(node, report)
    if float(threshold.min()) <= 0:
        report(
            codes.THRESHOLD_NOT_POSITIVE,
            f"threshold is {threshold.min():g}, must be > 0",
            value=float(threshold.min()),
            limit=0.0,
        )
    return MappedPopulation(
        name=name,
        model="rf" if node.trigger == "phase" else "rf_iz",
        shape=node.shape,
        threshold=threshold,
        comparison=">=",
        cosine=compact(damping * np.cos(angle)),
        sine=compact(damping * np.sin(angle)),
    )


def _graded(name: str, node: SigmaDelta | Delta | Sigma, report: Report) -> MappedPopulation:
    values: dict[str, Any] = {}
    if isinstance(node, SigmaDelta):
        values = {"bias": _array(node, "bias"), "activation": node.activation}
    else:
        _no_bias(node, report)
    if not isinstance(node, Sigma):
        values["threshold"] = _array(node, "threshold")
    model = {SigmaDelta: "sigma_delta", Delta: "delta", Sigma: "sigma"}[type(node)]
    return MappedPopulation(name=name, model=model, shape=node.shape, comparison=">=", **values)


def _no_bias(node: Neuron, report: Report) -> None:
    largest = float(np.abs(node.bias).max())
    if largest:
        report(codes.NO_BIAS, f"{node.kind} has a bias up to {largest:g}", value=largest, limit=0.0)


def _array(node: Neuron, name: str) -> Floats:
    """Return a parameter, (1,) if one value holds for all, else (n,)."""
    given = np.asarray(getattr(node, name), dtype=np.float64)
    return given.reshape(1) if given.size == 1 else compact(node.parameter(name).ravel())


def compact(values: Floats) -> Floats:
    """Return ``(1,)`` where all values are equal, else the values."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    return flat[:1].copy() if np.all(flat == flat[0]) else np.ascontiguousarray(flat)
