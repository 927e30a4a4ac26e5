"""Neuron nodes in the terms of the chip's numerics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.graph import AdEx, Graph, Neuron

from .. import diagnostics as codes
from ..config.ranges import RANGES
from ..nodes import CODES, MODEL, POTENTIALS, SWITCHES, AnalogNeuron
from ._canonical import Canonical, canonical

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Neurons:
    """A neuron node, flattened to n neurons; times in s of the chip.

    Parameters
    ----------
    name : str
        Node.
    switches : tuple of str
        Those of `ranvier_bss2.nodes.SWITCHES` that are on.
    model : mapping of str to array, (n,)
        Every one of `ranvier_bss2.nodes.MODEL`.
    rest : array, (n,)
        Leak potential of the model without constant inputs.
    gain : array, (n,)
        Synaptic current of the model per weight of the graph.
    groups : tuple of tuple of str
        Ports whose synapses have one time constant.
    tau_syn : tuple of array, (n,)
        Time constant of each group.
    given : mapping of str to array, (n,)
        Targets of the chip's own neuron: `POTENTIALS`, `CODES` and ``trace_scale``; empty for
        converted ones.
    """

    name: str
    switches: tuple[str, ...]
    model: Mapping[str, Floats]
    rest: Floats
    gain: Floats
    groups: tuple[tuple[str, ...], ...]
    tau_syn: tuple[Floats, ...]
    given: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(self.rest.size)

    @property
    def fires(self) -> bool:
        """Whether the neurons emit spikes."""
        return "fire" in self.switches

    @property
    def psp_gain(self) -> Floats:
        """What a constant synaptic current of 1 lifts the membrane by, (n,)."""
        return self.model["tau_mem"] / self.model["capacitance"]


def neurons_of(
    name: str, node: Neuron, *, dt: float, time_scale: float, findings: Findings
) -> Neurons:
    """Translate a neuron node.

    Parameters
    ----------
    name : str
        Its name.
    node : Neuron
        What is translated.
    dt : float
        Time step of the graph, in s.
    time_scale : float
        Chip seconds per second of the graph.
    findings : Findings
        Receives what changes.
    """
    if isinstance(node, AnalogNeuron):
        return _own(name, node, time_scale, findings)
    found = canonical(name, node, dt=dt, time_scale=time_scale, findings=findings)
    switches = ("leaky",) if found.leaky else ()
    if found.threshold is not None:
        switches = (*switches, "fire")
    model = _model(found)
    if isinstance(node, AdEx):
        extra, terms = _adex(name, node, time_scale, findings)
        model |= extra
        switches = (*switches, *terms)
    return Neurons(
        name=name,
        switches=switches,
        model=model,
        rest=found.rest,
        gain=found.gain,
        groups=found.groups,
        tau_syn=found.tau_syn,
    )


def _model(found: Canonical) -> dict[str, Floats]:
    """Return all parameters of the model; terms that are off get harmless values."""
    one = np.ones(found.rest.size)
    fires = found.threshold is not None
    return {
        "leak": found.leak,
        "reset": found.reset if fires else found.leak,
        "threshold": found.leak + one if found.threshold is None else found.threshold,
        "tau_mem": found.tau_mem,
        "tau_syn": found.tau_syn[0],
        "capacitance": found.tau_mem,
        "refractory": found.refractory,
        "exp_slope": one,
        "exp_threshold": 0 * one,
        "a": 0 * one,
        "b": 0 * one,
        "tau_adaptation": 100e-6 * one,
        "leak_adaptation": found.rest,
    }


def _adex(
    name: str, node: AdEx, time_scale: float, findings: Findings
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Return parameters and switches of adaptation and exponential term."""
    slope, a, b = (flat(node, n) for n in ("slope", "a", "b"))
    terms = {
        "exponential": np.any(slope > 0),
        "subthreshold_adaptation": np.any(a),
        "spike_triggered_adaptation": np.any(b),
    }
    switches = tuple(n for n, on in terms.items() if on)
    if switches:
        findings.add(codes.ADEX_UNCALIBRATED.at(name, f"uses {', '.join(switches)}"))
    parameters = {
        "exp_slope": np.where(slope > 0, slope, 1.0),
        "exp_threshold": np.where(slope > 0, flat(node, "v_exp"), _NEVER),
        "a": a,
        "b": b,
        "tau_adaptation": flat(node, "tau_adaptation") * time_scale,
    }
    return parameters, switches


_NEVER = 1e9
"""Onset of an exponential term that does nothing, for single neurons without one."""


def _own(name: str, node: AnalogNeuron, time_scale: float, findings: Findings) -> Neurons:
    """Take a neuron of the chip as it is."""
    terms = [s for s in SWITCHES[2:] if getattr(node, s)]
    if terms:
        findings.add(codes.ADEX_UNCALIBRATED.at(name, f"uses {', '.join(terms)}"))
    model = {n: flat(node, n) for n in MODEL}
    for time in ("tau_mem", "tau_syn", "capacitance", "refractory", "tau_adaptation"):
        model[time] = model[time] * time_scale
    return Neurons(
        name=name,
        switches=tuple(s for s in SWITCHES if getattr(node, s)),
        model=model,
        rest=model["leak"],
        gain=np.ones(node.size),
        groups=(tuple(node.ports),),
        tau_syn=(model["tau_syn"],),
        given={n: flat(node, n) for n in (*POTENTIALS, *CODES, "trace_scale")},
    )


def flat(node: Neuron, name: str) -> Floats:
    """Return a parameter of every neuron, (n,)."""
    return np.array(node.parameter(name), dtype=np.float64).ravel()


def shortest_refractory(name: str, refractory: Floats, *, findings: Findings) -> Floats:
    """Return refractory times that the chip has: none is shorter than its shortest."""
    least = RANGES["refractory"].least
    if np.any(refractory == 0):
        count = int(np.sum(refractory == 0))
        text = f"{count} neuron(s) without refractory time get {least * 1e6:g} us"
        findings.add(codes.REFRACTORY_SHORTEST.at(name, text, value=0, limit=least))
    return np.asarray(np.where(refractory == 0, least, refractory))


def all_neurons(
    graph: Graph, kinds: tuple[str, ...], *, time_scale: float, findings: Findings
) -> dict[str, Neurons]:
    """Translate every neuron node of an accepted kind."""
    return {
        name: neurons_of(name, node, dt=graph.dt, time_scale=time_scale, findings=findings)
        for name, node in graph.nodes.items()
        if isinstance(node, Neuron) and node.kind in kinds
    }
