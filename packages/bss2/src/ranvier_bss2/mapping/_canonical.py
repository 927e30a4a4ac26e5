"""Canonical neurons in the terms of the chip's numerics, with everything that differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import CHANGED_VALUE, Findings
from ranvier.graph import IF, AdEx, Neuron, SpikingNeuron, decay_factor

from .. import diagnostics as codes
from ..config.ranges import RANGES

Floats = NDArray[np.float64]

TAU_WITHOUT_LEAK = 10e-6
"""Time constant of neurons without leak, in s of the chip: sets only the scale of weights."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Canonical:
    """Parameters of a canonical neuron node as the chip's numerics take them, (n,) each.

    Times in s of the chip; ``gain`` and ``groups`` as in `ranvier_bss2.mapping._neurons.Neurons`.
    ``threshold`` is None without firing.
    """

    leaky: bool
    leak: Floats
    rest: Floats
    tau_mem: Floats
    gain: Floats
    groups: tuple[tuple[str, ...], ...]
    tau_syn: tuple[Floats, ...]
    threshold: Floats | None
    reset: Floats
    refractory: Floats


def canonical(
    name: str, node: Neuron, *, dt: float, time_scale: float, findings: Findings
) -> Canonical:
    """Translate a canonical neuron node or an AdEx.

    Notes
    -----
    The graph's ``V <- alpha V + I`` with ``I <- beta I + x`` is the chip's
    ``v <- v + dt / tau_mem (i - v)`` with ``tau_mem = dt / (1 - alpha)`` and weights larger by
    ``tau_mem / dt``, one step later; a constant b per step is a leak potential of
    ``b tau_mem / dt``.
    """
    step = dt * time_scale
    adex = isinstance(node, AdEx)
    leaky = not isinstance(node, IF)
    tau_mem = np.full(node.size, TAU_WITHOUT_LEAK)
    if leaky:
        (tau_mem,) = _time(node, "tau_mem", dt=dt, time_scale=time_scale)
    gain = np.ones(node.size) if adex else tau_mem / step
    groups, tau_syn, charge = _synapses(name, node, dt=dt, time_scale=time_scale, findings=findings)
    if node.decay != "euler" and not adex and leaky:
        own = _flat(node, "tau_mem")
        text = (
            f"decay {node.decay!r}: tau_mem {own[0]:.4g} s is {tau_mem[0] * 1e6:.4g} us on the "
            f"chip, whose step is {step * 1e6:.4g} us"
        )
        findings.add(codes.DECAY_AS_EULER.at(name, text))
    rest, leak = _rest(name, node, leaky=leaky, gain=gain, findings=findings)
    shift = 0.0 if leaky else _flat(node, "v_rest")
    threshold, reset = None, rest
    if isinstance(node, SpikingNeuron):
        threshold = _flat(node, "threshold") - shift
        reset = _reset(name, node, findings) - shift
    return Canonical(
        leaky=leaky,
        leak=leak,
        rest=rest,
        tau_mem=tau_mem,
        gain=gain * charge,
        groups=groups,
        tau_syn=tau_syn,
        threshold=threshold,
        reset=reset,
        refractory=_refractory(name, node, dt, time_scale, findings),
    )


def _time(node: Neuron, name: str, *, dt: float, time_scale: float) -> Floats:
    """Return time constants whose Euler factors are the graph's, in s of the chip, (k, n)."""
    values = np.asarray(node.parameter(name), dtype=np.float64)
    if node.decay != "euler" and not isinstance(node, AdEx):
        factor: Any = decay_factor(values, dt=dt, decay=node.decay)  # type: ignore[arg-type]
        with np.errstate(divide="ignore"):
            values = dt / (1.0 - factor)
    return np.asarray(values * time_scale).reshape(-1, node.size)


def _synapses(
    name: str, node: Neuron, *, dt: float, time_scale: float, findings: Findings
) -> tuple[tuple[tuple[str, ...], ...], tuple[Floats, ...], Floats]:
    """Return ports by time constant, the time constants, and a factor of the weights."""
    step = dt * time_scale
    if not hasattr(node, "tau_syn"):
        tau = np.full(node.size, max(step, RANGES["tau_syn_exc"].least))
        text = f"{node.kind} has no synaptic current; it gets {tau[0] * 1e6:.4g} us"
        findings.add(codes.SYNAPSE_ADDED.at(name, text, value=float(tau[0]), limit=0))
        return (tuple(node.ports),), (tau,), step / tau
    taus = _time(node, "tau_syn", dt=dt, time_scale=time_scale)
    ports: dict[bytes, list[str]] = {}
    own: dict[bytes, Floats] = {}
    for port, tau in zip(node.ports, taus, strict=True):
        key = np.ascontiguousarray(tau).tobytes()
        ports.setdefault(key, []).append(port)
        own[key] = tau
    if len(ports) < len(node.ports):
        text = f"{len(node.ports)} synapses became {len(ports)}"
        findings.add(codes.SYNAPSES_MERGED.at(name, text, value=len(ports)))
    return tuple(tuple(p) for p in ports.values()), tuple(own.values()), np.ones(node.size)


def _rest(
    name: str, node: Neuron, *, leaky: bool, gain: Floats, findings: Findings
) -> tuple[Floats, Floats]:
    """Return the leak potential without and with the neuron's own bias."""
    bias, rest = _flat(node, "bias"), _flat(node, "v_rest")
    largest = float(np.abs(bias).max())
    if not leaky:
        if np.any(rest):
            text = f"v_rest {float(np.abs(rest).max()):.4g} is taken off: membranes start at 0"
            findings.add(CHANGED_VALUE.at(name, text))
        if largest:
            text = f"bias up to {largest:.4g}, must be 0"
            findings.add(codes.BIAS_WITHOUT_LEAK.at(name, text, value=largest, limit=0))
        return np.zeros(node.size), np.zeros(node.size)
    if largest:
        shift = float(np.abs(bias * gain).max())
        text = f"bias up to {largest:.4g} moves the leak potential by up to {shift:.4g}"
        findings.add(codes.BIAS_AS_LEAK.at(name, text, value=shift))
    return rest, rest + bias * gain


def _reset(name: str, node: SpikingNeuron, findings: Findings) -> Floats:
    """Return the potential after a spike, and report how firing differs."""
    if node.comparison == ">=":
        findings.add(codes.COMPARISON_STRICT.at(name, "comparison is '>=', the chip's is '>'"))
    if node.max_spikes > 1:
        text = f"max_spikes is {node.max_spikes}, a step of the chip has at most 1"
        findings.add(codes.SPIKE_LIMIT.at(name, text, value=node.max_spikes, limit=1))
    if node.reset == "to_value":
        return _flat(node, "v_reset")
    findings.add(
        codes.RESET_TO_VALUE.at(name, "reset is 'subtract', the chip resets to 0", value="subtract")
    )
    return np.zeros(node.size)


def _refractory(
    name: str, node: Neuron, dt: float, time_scale: float, findings: Findings
) -> Floats:
    """Return refractory times in whole steps, as the graph counts them, in s of the chip."""
    if not isinstance(node, SpikingNeuron):
        return np.zeros(node.size)
    wanted = _flat(node, "refractory")
    steps = np.rint(wanted / dt)
    change = float(np.abs(steps * dt - wanted).max())
    if change > 1e-6 * dt:
        text = f"changed by up to {change:.4g} s, steps are {dt:.4g} s"
        findings.add(codes.REFRACTORY_ROUNDED.at(name, text, value=change, limit=dt))
    return np.asarray(steps * (dt * time_scale))


def _flat(node: Neuron, name: str) -> Floats:
    return np.array(node.parameter(name), dtype=np.float64).ravel()
