"""LIF and CubaLIF neurons of the core as currents of the chip.

A membrane value of 1 becomes the current ``i_scale``, so that thresholds, biases and weights keep
their ratio. Leaks follow from time constants and capacitances, gains are fixed multiples of leaks,
as in the conversion of rockpool 3.1.0, devices/dynapse/mapping. That conversion takes 25 pF for
every synapse; here each synapse has its own capacitance, so that the time constants of the chip
are those of the graph. Adaptation is off.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import DiagnosticCode, Findings
from ranvier.graph import CubaLIF, Neuron, SpikingNeuron, decay_factor, tau_from_decay_factor

from .. import diagnostics as codes
from ..layout import Layout
from ..translation import DEFAULTS, SYNAPSES
from .options import MapOptions

Floats = NDArray[np.float64]


def converted_currents(
    name: str, node: Neuron, *, dt: float, layout: Layout, options: MapOptions, findings: Findings
) -> dict[str, Floats]:
    """Return the currents of a LIF or CubaLIF node.

    Parameters
    ----------
    name : str
        Node in the graph.
    node : LIF or CubaLIF
        n neurons.
    dt : float
        Time step of the graph, in s.
    layout : Layout
        Capacitances.
    options : MapOptions
        ``i_scale``, gains, and times that the graph does not have.
    findings : Findings
        Receives everything that changes.

    Returns
    -------
    dict of str to array, (n,)
        Every one of `ranvier_dynapse2.nodes.CURRENTS`, in A.
    """
    size = node.size
    tau_mem = _time_constant(node, "tau_mem", dt).reshape(size)
    tau_syn = _synaptic(name, node, dt, options, findings)
    currents = {"i_tau_mem": layout.leak_current(tau_mem, layout.c_mem)}
    currents["i_gain_mem"] = options.r_gain_mem * currents["i_tau_mem"]
    for synapse in SYNAPSES:
        leak = layout.leak_current(tau_syn, getattr(layout, f"c_{synapse}"))
        currents[f"i_tau_{synapse}"] = leak
        currents[f"i_gain_{synapse}"] = options.r_gain_syn * leak
    leak = layout.leak_current(np.full(size, DEFAULTS["tau_ahp"]), layout.c_ahp)
    currents["i_tau_ahp"] = leak
    currents["i_gain_ahp"] = DEFAULTS["r_gain_ahp"] * leak
    currents["i_w_ahp"] = np.zeros(size)
    currents["i_f_nmda"] = np.zeros(size)
    currents["i_pulse"] = layout.pulse_current(np.full(size, options.t_pulse), layout.c_pulse)
    pulse_ahp = np.full(size, DEFAULTS["t_pulse_ahp"])
    currents["i_pulse_ahp"] = layout.pulse_current(pulse_ahp, layout.c_pulse_ahp)
    currents["i_ref"] = layout.pulse_current(
        _refractory(name, node, options, findings), layout.c_ref
    )
    currents["i_spkthr"] = options.i_scale * _threshold(name, node, findings)
    currents["i_dc"] = options.i_scale * _flat(node, "bias")
    chip, own = _steady(node, tau_mem, tau_syn, dt=dt, options=options)
    message = (
        f"{node.kind} membranes become currents; an input of 1 in every step settles at {own:.3g} "
        f"in the network, at about {chip:.3g} i_scale on the chip"
    )
    findings.add(codes.EXPONENTIAL_DYNAMICS.at(name, message, value=chip, limit=own))
    _report_firing(name, node, findings)
    return currents


def _steady(
    node: Neuron, tau_mem: Floats, tau_syn: Floats, *, dt: float, options: MapOptions
) -> tuple[float, float]:
    """Return where membranes settle under an input of 1 per step, on the chip and in the graph.

    The median over the neurons, below threshold and without the membrane's positive feedback.
    """
    syn = -np.expm1(-dt / tau_syn)
    pulse = -np.expm1(-options.t_pulse / tau_syn)
    chip = options.r_gain_mem * options.r_gain_syn * pulse / syn
    own = -1.0 / np.expm1(-dt / tau_mem)
    if isinstance(node, CubaLIF):
        own = own / syn
    return float(np.median(chip)), float(np.median(own))


def _flat(node: Neuron, field: str) -> Floats:
    return np.array(node.parameter(field), dtype=np.float64).ravel()


def _time_constant(node: Neuron, field: str, dt: float) -> Floats:
    """Return time constants whose exponential decay is the graph's factor per step."""
    taus = _flat(node, field)
    if node.decay == "exponential":
        return taus
    factor = decay_factor(taus, dt=dt, decay=node.decay)  # type: ignore[arg-type]
    lasting = factor > 0
    equal = tau_from_decay_factor(np.where(lasting, factor, 0.5), dt=dt)
    return np.where(lasting, equal, taus)


def _synaptic(
    name: str, node: Neuron, dt: float, options: MapOptions, findings: Findings
) -> Floats:
    """Return the synaptic time constant of every neuron, (n,)."""
    if not isinstance(node, CubaLIF):
        message = f"{node.kind} gets synapses with tau_syn = {options.tau_syn:g} s"
        findings.add(codes.SYNAPSE_ADDED.at(name, message, value=options.tau_syn))
        return np.full(node.size, options.tau_syn)
    taus = _time_constant(node, "tau_syn", dt).reshape(node.synapses, node.size)
    if np.any(taus != taus[0]):
        spread = f"{taus.min():g} s to {taus.max():g} s"
        findings.add(
            codes.SEVERAL_SYNAPSES.at(
                name,
                f"{node.synapses} synapses with time constants from {spread}, a converted neuron "
                "has 1",
                value=node.synapses,
                limit=1,
            )
        )
    return np.asarray(taus[0])


def _refractory(name: str, node: Neuron, options: MapOptions, findings: Findings) -> Floats:
    times = _flat(node, "refractory")
    none = times <= 0
    if np.any(none):
        message = f"{int(none.sum())} of {times.size} neurons get {options.t_ref:g} s"
        findings.add(codes.REFRACTORY_ADDED.at(name, message, value=options.t_ref))
    return np.where(none, options.t_ref, times)


def _threshold(name: str, node: Neuron, findings: Findings) -> Floats:
    """Return thresholds counted from the resting value, all > 0 unless reported."""
    rest = _flat(node, "v_rest")
    threshold = _flat(node, "threshold") - rest
    if np.any(rest):
        largest = float(np.abs(rest).max())
        findings.add(codes.RESTING_VALUE.at(name, f"v_rest up to {largest:g}", value=largest))
    lowest = float(threshold.min())
    if lowest <= 0:
        message = f"threshold is {lowest:g} above v_rest, must be > 0"
        findings.add(codes.THRESHOLD_NOT_POSITIVE.at(name, message, value=lowest, limit=0))
    return threshold


def _report_firing(name: str, node: Neuron, findings: Findings) -> None:
    """Report everything about decay, firing and reset that the chip does its own way."""

    def report(code: DiagnosticCode, message: str, **numbers: Any) -> None:
        findings.add(code.at(name, message, **numbers))

    if node.decay != "exponential":
        report(codes.DECAY_SCHEME, f"decay is {node.decay!r}", value=node.decay)
    if not isinstance(node, SpikingNeuron):
        return
    if node.reset == "subtract":
        report(codes.RESET_TO_REST, "reset is 'subtract'", value="subtract", limit="to_value")
    elif np.any(node.v_reset != node.v_rest):
        distance = float(np.abs(node.v_reset - node.v_rest).max())
        message = f"v_reset is up to {distance:g} away from v_rest"
        report(codes.RESET_VALUE, message, value=distance, limit=0)
    if node.comparison != ">":
        report(codes.COMPARISON_CHANGED, f"comparison is {node.comparison!r}, the chip's is '>'")
    report(codes.SPIKE_LIMIT, f"max_spikes is {node.max_spikes}", value=node.max_spikes)
