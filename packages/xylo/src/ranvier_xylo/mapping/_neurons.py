"""Parameters of the canonical neuron in the chip's terms.

The canonical neuron computes, per synapse, ``I[t] = beta I[t-1] + x[t]``; the chip adds before it
decays: ``I[t] = beta (I[t-1] + y[t]) = beta I[t-1] + beta y[t]``. With ``y = x / beta``, a gain of
``1 / beta`` on every weight of this neuron and synapse, both are the same sequence. Membrane,
comparison and reset are then equal term by term, so that the spikes are equal too.

Where the wanted decay ``beta`` has no shift, the chip decays with ``b = 1 - 2**-dash``. A spike of
weight x carries the charge ``x / (1 - beta)``; a gain of ``(1 - b) / (b (1 - beta))`` keeps it, a
gain of ``1 / b`` keeps the peak instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic, DiagnosticCode, Findings
from ranvier.graph import Neuron, SpikingNeuron, decay_factor, tau_from_decay_factor

from .. import diagnostics as codes
from ..targets import Limits
from .options import MapOptions

Array = NDArray[np.float64]

SAME_DECAY = 1e-4
"""Relative difference of ``1 - decay`` that counts as equal: constants in single precision."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """One neuron node in the chip's terms, flattened to ``n`` neurons with ``S`` synapses.

    Parameters
    ----------
    ports : tuple of tuple of str
        Input ports of the node that each synapse of the chip takes.
    alpha, beta : array, (n,) and (n, S)
        Wanted decay factors; ``beta`` is 0 for a neuron without synaptic state.
    dash_mem, dash_syn : array of int, (n,) and (n, S)
        Decay shifts.
    gain : array, (n, S)
        Factor on all weights of a neuron's synapse.
    threshold, bias : array, (n,)
        Infinite for neurons that only integrate.
    bias_gain : array, (n, S)
        Steady state of a constant input of one: ``1 / (1 - beta)``.
    v_offset : array, (n,)
        Model membrane minus chip membrane.
    """

    ports: tuple[tuple[str, ...], ...]
    alpha: Array
    beta: Array
    dash_mem: NDArray[np.int64]
    dash_syn: NDArray[np.int64]
    gain: Array
    threshold: Array
    bias: Array
    bias_gain: Array
    v_offset: Array

    @property
    def n_synapses(self) -> int:
        """Number of synaptic states."""
        return int(self.beta.shape[1])


def parameters_of(
    name: str,
    node: Neuron,
    *,
    dt: float,
    output: bool,
    limits: Limits,
    options: MapOptions,
    findings: Findings,
) -> Parameters:
    """Translate a neuron node; what cannot be translated exactly is added to ``findings``."""
    alpha = decay_factor(_flat(node, "tau_mem"), dt=dt, decay=node.decay)  # type: ignore[arg-type]
    dash_mem = _shifts(name, node, "tau_mem", alpha, dt=dt, limits=limits, findings=findings)
    ports, beta, dash_syn = _synapses(
        name, node, dt=dt, output=output, limits=limits, findings=findings
    )
    decay = 1.0 - np.exp2(-dash_syn.astype(np.float64))
    charge = (1.0 - decay) / (decay * (1.0 - beta))
    gain = charge if options.match == "charge" else 1.0 / decay
    exact = np.abs(decay - beta) <= SAME_DECAY * (1.0 - decay)
    with np.errstate(divide="ignore"):
        gain = np.where(exact, 1.0 / beta, gain)
    bias, v_offset = _rest(name, node, dash_mem, findings)
    findings.add(*_firing(name, node, output=output, limits=limits, options=options))
    spiking = isinstance(node, SpikingNeuron)
    return Parameters(
        ports=ports,
        alpha=alpha,
        beta=beta,
        dash_mem=dash_mem,
        dash_syn=dash_syn,
        gain=gain,
        threshold=_flat(node, "threshold") if spiking else np.full(node.size, np.inf),
        bias=bias,
        bias_gain=1.0 / (1.0 - beta),
        v_offset=v_offset,
    )


def _flat(node: Neuron, name: str) -> Array:
    return np.asarray(node.parameter(name), dtype=np.float64).ravel()


def _synapses(
    name: str, node: Neuron, *, dt: float, output: bool, limits: Limits, findings: Findings
) -> tuple[tuple[tuple[str, ...], ...], Array, NDArray[np.int64]]:
    """Return ports, wanted decays and shifts per synapse; equal synapses share one if need be."""
    if not hasattr(node, "tau_syn"):
        findings.add(
            codes.SYNAPSE_ADDED.at(
                name, f"{node.kind} has no synapse; input passes one with dash {limits.dash_min}"
            )
        )
        shape = (node.size, 1)
        return (("in",),), np.zeros(shape), np.full(shape, limits.dash_min, dtype=np.int64)
    taus = np.asarray(node.parameter("tau_syn")).reshape(node.n_synapses, node.size)
    ports: tuple[tuple[str, ...], ...] = tuple((port,) for port in node.ports)
    most = limits.synapses_per_output_neuron if output else limits.synapses_per_hidden_neuron
    if len(taus) > most:
        if np.all(taus == taus[0]):
            ports, taus = (tuple(node.ports),), taus[:1]
            findings.add(codes.SYNAPSES_MERGED.at(name, f"{node.n_synapses} synapses became one"))
        else:
            where = "an output" if output else "a hidden"
            findings.add(
                codes.TOO_MANY_SYNAPSES.at(
                    name,
                    f"{len(taus)} synapses per neuron, {where} neuron has {most}",
                    value=len(taus),
                    limit=most,
                )
            )
    beta = decay_factor(taus, dt=dt, decay=node.decay)  # type: ignore[arg-type]
    dash = _shifts(name, node, "tau_syn", beta, dt=dt, limits=limits, findings=findings)
    return ports, beta.T, dash.T


def _shifts(
    name: str,
    node: Neuron,
    field: str,
    factor: Array,
    *,
    dt: float,
    limits: Limits,
    findings: Findings,
) -> NDArray[np.int64]:
    """Return ``rint(-log2(1 - factor))``, kept in range; report short, long and changed ones."""
    # A shift k reproduces tau exactly when factor = 1 - 2**-k. With exponential or Euler decays
    # tau <= dt means a state that is nearly gone after one step, which no shift expresses.
    taus = np.asarray(node.parameter(field), dtype=np.float64)
    if node.decay != "bitshift" and float(taus.min()) <= dt:
        findings.add(
            codes.SHORT_TIME_CONSTANT.at(
                name,
                f"{field} = {taus.min():g} s is not above dt = {dt:g} s",
                value=float(taus.min()),
                limit=dt,
            )
        )
    with np.errstate(divide="ignore"):
        wanted = np.rint(-np.log2(1.0 - factor))
    if np.any(wanted > limits.dash_max):
        findings.add(_beyond(name, field, taus, wanted, dt=dt, limits=limits))
    dash = np.clip(wanted, limits.dash_min, limits.dash_max).astype(np.int64)
    chip = 1.0 - np.exp2(-dash.astype(np.float64))
    error = np.abs(chip - factor) / (1.0 - chip)
    if np.any(error > SAME_DECAY):
        worst = int(np.argmax(error))
        want, got = factor.flat[worst], chip.flat[worst]
        tau_want = float(tau_from_decay_factor(max(want, 1e-300), dt=dt))
        tau_got = float(tau_from_decay_factor(got, dt=dt))
        findings.add(
            codes.DECAY_CHANGED.at(
                name,
                f"{field} changed in {int(np.sum(error > SAME_DECAY))} of {error.size} values, "
                f"most from {tau_want:.4g} s to {tau_got:.4g} s (dash {dash.flat[worst]})",
                value=tau_want,
                limit=tau_got,
            )
        )
    return dash


def _beyond(
    name: str, field: str, taus: Array, wanted: Array, *, dt: float, limits: Limits
) -> Diagnostic:
    return codes.LONG_TIME_CONSTANT.at(
        name,
        f"{field} = {taus.max():g} s needs dash {wanted.max():g} at dt = {dt:g} s, "
        f"allowed are {limits.dash_min}..{limits.dash_max}",
        value=float(wanted.max()),
        limit=limits.dash_max,
    )


def _rest(
    name: str, node: Neuron, dash_mem: NDArray[np.int64], findings: Findings
) -> tuple[Array, Array]:
    """Return bias and membrane offset.

    A neuron that only integrates is shifted by its resting value. One that fires cannot be: its
    reset subtracts the threshold counted from zero. It gets a bias that holds it at rest.
    """
    bias, rest = _flat(node, "bias"), _flat(node, "v_rest")
    if not isinstance(node, SpikingNeuron):
        return bias, rest
    if np.any(rest):
        findings.add(
            codes.RESTING_VALUE.at(
                name, f"v_rest up to {np.abs(rest).max():g}", value=float(np.abs(rest).max())
            )
        )
    return bias + rest * np.exp2(-dash_mem.astype(np.float64)), np.zeros(node.size)


def _firing(
    name: str, node: Neuron, *, output: bool, limits: Limits, options: MapOptions
) -> list[Diagnostic]:
    if not isinstance(node, SpikingNeuron):
        return []
    found: list[Diagnostic] = []

    def report(code: DiagnosticCode, message: str, **numbers: Any) -> None:
        found.append(code.at(name, message, **numbers))

    if node.reset == "to_value":
        code = codes.RESET_APPROXIMATED if options.approximate_reset else codes.RESET_TO_VALUE
        report(code, "reset is 'to_value', the chip's is 'subtract'", value="to_value")
    lowest = float(node.threshold.min())
    if lowest <= 0:
        report(codes.THRESHOLD_NOT_POSITIVE, f"threshold {lowest:g}, must be > 0", value=lowest)
    longest = float(node.refractory.max())
    if longest > 0:
        report(codes.REFRACTORY_DROPPED, f"refractory time {longest:g} s", value=longest)
    if node.comparison != ">=":
        report(codes.COMPARISON_CHANGED, "comparison is '>', the chip's is '>='")
    most = limits.output_spikes_max if output else limits.hidden_spikes_max
    if node.max_spikes != most:
        where = "output" if output else "hidden"
        report(
            codes.SPIKE_LIMIT_CHANGED,
            f"max_spikes is {node.max_spikes}, {where} neurons emit up to {most} per step",
            value=node.max_spikes,
            limit=most,
        )
    return found
