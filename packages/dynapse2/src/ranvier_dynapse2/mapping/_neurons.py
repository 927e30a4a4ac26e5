"""Neurons in the chip's currents: one set of arrays per neuron node."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.graph import CubaLIF, Graph, Neuron

from .. import diagnostics as codes
from ..biases import PARAMETER_BIASES, published_table
from ..layout import LAYOUT, Layout
from ..nodes import CONSTANTS, CURRENTS, PORTS, Dpi
from ..translation import FILTERS, SYNAPSES
from ._conversion import converted_currents
from .options import MapOptions

Floats = NDArray[np.float64]

SIGNED = "signed"
"""Role of a port whose weights have either sign."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """A neuron node in the chip's terms, flattened to n neurons.

    Parameters
    ----------
    currents : mapping of str to array, (n,)
        Every one of `ranvier_dynapse2.nodes.CURRENTS`, in A.
    i_scale : array, (n,)
        Synaptic current of a weight of 1, in A.
    ports : mapping of str to str
        What each port of the node drives: one of `ranvier_dynapse2.nodes.PORTS`, or `SIGNED`: AMPA
        with positive, GABA with negative weights.
    bias : array, (n,)
        Constant input of the neurons themselves, in A, part of ``currents["i_dc"]``.
    """

    currents: Mapping[str, Floats]
    i_scale: Floats
    ports: Mapping[str, str]
    bias: Floats

    def settled(self, constant: Floats, *, layout: Layout, dt: float) -> Floats:
        """Return the current at which AMPA settles when each step brings a constant input.

        Parameters
        ----------
        constant : array, (n,)
            Weighted input of every step.
        layout : Layout
            Capacitances.
        dt : float
            Time step, in s.

        Returns
        -------
        array, (n,)
            ``i_scale constant (i_gain / i_tau) (1 - exp(-t_pulse / tau)) / (1 - exp(-dt / tau))``,
            in A: the fixed point of the synapse's rule.
        """
        leak = np.maximum(self.currents["i_tau_ampa"], layout.i_o)
        gain = np.maximum(self.currents["i_gain_ampa"], layout.i_o)
        tau = layout.time_constant(leak, layout.c_ampa)
        pulse = layout.pulse_width(self.currents["i_pulse"], layout.c_pulse)
        share = np.expm1(-pulse / tau) / np.expm1(-dt / tau)
        return np.asarray(self.i_scale * constant * gain / leak * share)

    def with_constant(self, current: Floats) -> Parameters:
        """Return the neurons with more direct current, (n,), in A."""
        currents = {**self.currents, "i_dc": self.currents["i_dc"] + current}
        return dataclasses.replace(self, currents=currents)


def model_of(graph: Graph, options: MapOptions, findings: Findings) -> str:
    """Return the synapse model of the whole network; report a mixture."""
    own: dict[str, str] = {
        n: node.model for n, node in graph.nodes.items() if isinstance(node, Dpi)
    }
    wanted: str = options.model or [*own.values(), "merged_synapse"][0]
    for name, model in own.items():
        if model != wanted:
            message = f"model is {model!r}, the network's is {wanted!r}"
            findings.add(codes.MIXED_MODELS.at(name, message, value=model, limit=wanted))
    return wanted


def layout_of(graph: Graph, findings: Findings) -> Layout:
    """Return the constants of all neurons; report those that are not one value."""
    nodes = [node for node in graph.nodes.values() if isinstance(node, Dpi)]
    if not nodes:
        return LAYOUT
    values = {
        name: np.unique(np.r_[*[getattr(n, name).ravel() for n in nodes]]) for name in CONSTANTS
    }
    for name, found in values.items():
        if found.size > 1:
            message = (
                f"{name} has {found.size} values from {found[0]:.4g} to {found[-1]:.4g}, a network "
                "has 1"
            )
            findings.add(codes.UNEQUAL_CONSTANTS.at(None, message, value=int(found.size), limit=1))
    return Layout(**{name: float(found[0]) for name, found in values.items()})


def parameters_of(
    name: str,
    node: Neuron,
    *,
    dt: float,
    model: str,
    layout: Layout,
    options: MapOptions,
    findings: Findings,
) -> Parameters:
    """Translate a neuron node; what changes or cannot be is added to ``findings``."""
    if isinstance(node, Dpi):
        return _chip_neurons(name, node, layout=layout, findings=findings)
    currents = converted_currents(
        name, node, dt=dt, layout=layout, options=options, findings=findings
    )
    if model == "four_synapse":
        findings.add(codes.SIGNS_SPLIT.at(name, f"{node.kind} with signed weights"))
    if isinstance(node, CubaLIF) and node.synapses > 1:
        findings.add(codes.SYNAPSES_MERGED.at(name, f"{node.synapses} synapses became one"))
    return Parameters(
        currents=currents,
        i_scale=np.full(node.size, options.i_scale),
        ports=dict.fromkeys(node.ports, SIGNED),
        bias=currents["i_dc"],
    )


def _chip_neurons(name: str, node: Dpi, *, layout: Layout, findings: Findings) -> Parameters:
    currents = {n: _flat(node, n) for n in CURRENTS}
    ports = {port: port for port in PORTS}
    if node.model == "merged_synapse":
        ports = {"in": SIGNED}
        currents = _alike(name, currents, layout, findings)
    return Parameters(
        currents=currents,
        i_scale=_flat(node, "i_scale"),
        ports=ports,
        bias=np.zeros(node.size),
    )


def _flat(node: Neuron, name: str) -> Floats:
    return np.array(node.parameter(name), dtype=np.float64).ravel()


def _alike(
    name: str, currents: Mapping[str, Floats], layout: Layout, findings: Findings
) -> dict[str, Floats]:
    """Give the other synapses the time constant and gain of AMPA: the merged model has one."""
    changed = dict(currents)
    moved = []
    for synapse in SYNAPSES[1:]:
        ratio = getattr(layout, f"c_{synapse}") / layout.c_ampa
        for kind in ("i_tau", "i_gain"):
            wanted = currents[f"{kind}_ampa"] * ratio
            if not np.allclose(wanted, currents[f"{kind}_{synapse}"], rtol=1e-6, atol=0.0):
                changed[f"{kind}_{synapse}"] = wanted
                moved.append(f"{kind}_{synapse}")
    if moved:
        findings.add(codes.SYNAPSES_ALIKE.at(name, f"{', '.join(moved)} changed", value=len(moved)))
    return changed


def check_ranges(
    name: str, own: Parameters, *, model: str, layout: Layout, findings: Findings
) -> None:
    """Report currents beyond their bias, and leaks and gains below the dark current.

    Parameters
    ----------
    name : str
        Neuron node.
    own : Parameters
        Its currents.
    model : str
        Synapse model.
    layout : Layout
        Constants.
    findings : Findings
        Receives errors and losses.
    """
    table = published_table()
    for current in CURRENTS:
        values = own.currents[current]
        limit = table.largest(PARAMETER_BIASES[current])
        largest = float(values.max())
        if largest > limit * (1 + 1e-9):
            over = int(np.sum(values > limit * (1 + 1e-9)))
            message = (
                f"{current} is {largest:.4g} A in {over} of {values.size} neurons, its bias "
                f"{PARAMETER_BIASES[current]} gives at most {limit:.4g} A"
            )
            findings.add(
                codes.CURRENT_OUT_OF_RANGE.at(
                    name, message, value=largest, limit=limit, hint=_advice(current)
                )
            )
    filters = FILTERS if model == "four_synapse" else ("ampa", "mem", "ahp")
    for part in filters:
        if part == "ahp" and float(own.currents["i_w_ahp"].max()) <= layout.i_o:
            continue
        _check_floor(name, own, part, layout, findings)


def _check_floor(name: str, own: Parameters, part: str, layout: Layout, findings: Findings) -> None:
    for current in (f"i_tau_{part}", f"i_gain_{part}"):
        smallest = float(own.currents[current].min())
        if smallest >= layout.i_o * (1 - 1e-9):
            continue
        message = f"{current} is {smallest:.4g} A, the dark current is {layout.i_o:.4g} A"
        if current.startswith("i_tau_"):
            longest = float(layout.time_constant(layout.i_o, getattr(layout, f"c_{part}")))
            message += f": the time constant becomes {longest:.4g} s"
        findings.add(codes.CURRENT_BELOW_FLOOR.at(name, message, value=smallest, limit=layout.i_o))


def _advice(current: str) -> str:
    if current.startswith("i_tau_"):
        return "choose a longer time constant"
    if current.startswith("i_gain_"):
        return "choose a smaller gain ratio or a longer time constant"
    if current in ("i_pulse", "i_pulse_ahp", "i_ref"):
        return "choose a longer pulse or refractory time"
    if current in ("i_spkthr", "i_dc"):
        return "lower the threshold or bias, or the current scale i_scale"
    return "lower it"
