"""Synapses of the whole network, and constant inputs as direct currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.graph import Graph

from .. import diagnostics as codes
from ..layout import Layout
from ..network import Population
from ..nodes import PORTS
from ._folding import constant_into, weights_into
from ._neurons import SIGNED, Parameters
from ._sparse import Weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AMPA, GABA = PORTS.index("ampa"), PORTS.index("gaba")


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses before grouping.

    Parameters
    ----------
    source : array of int, (S,)
        Channels of all inputs first, then neurons.
    target, port : array of int, (S,)
        Neuron, and index into `ranvier_dynapse2.nodes.PORTS`.
    weight : array, (S,)
        Magnitude, > 0, in units of the target's ``i_scale``.
    """

    source: Ints
    target: Ints
    port: Ints
    weight: Floats


def synapses_of(
    graph: Graph,
    populations: Sequence[Population],
    parameters: Mapping[str, Parameters],
    findings: Findings,
) -> Synapses:
    """Return the synapses of all neurons; report negative weights on ports that have a sign.

    Parameters
    ----------
    graph : Graph
        Without loops of stateless nodes.
    populations : sequence of Population
        All neuron nodes.
    parameters : mapping of str to Parameters
        Roles of their ports.
    findings : Findings
        Receives errors.
    """
    starts = _starts(graph, populations)
    parts: list[tuple[Ints, Ints, Ints, Floats]] = []
    for population in populations:
        for role, ports in _by_role(parameters[population.name].ports).items():
            for origin, weights in weights_into(graph, population.name, ports):
                port, value = _signed(weights, role, population.name, origin, findings)
                source = weights.source + starts[origin]
                parts.append((source, weights.target + population.start, port, value))
    none = np.zeros(0, dtype=np.int64)
    parts.append((none, none, none, np.zeros(0)))
    return Synapses(
        source=np.concatenate([p[0] for p in parts]),
        target=np.concatenate([p[1] for p in parts]),
        port=np.concatenate([p[2] for p in parts]),
        weight=np.concatenate([p[3] for p in parts]),
    )


def _starts(graph: Graph, populations: Sequence[Population]) -> dict[str, int]:
    """Return the first source number of every input and population."""
    starts, total = {}, 0
    for name in graph.inputs:
        starts[name] = total
        total += graph.nodes[name].size
    return {**starts, **{p.name: total + p.start for p in populations}}


def _by_role(ports: Mapping[str, str]) -> dict[str, list[str]]:
    roles: dict[str, list[str]] = {}
    for port, role in ports.items():
        roles.setdefault(role, []).append(port)
    return roles


def _signed(
    weights: Weights, role: str, name: str, origin: str, findings: Findings
) -> tuple[Ints, Floats]:
    """Return the synapse type and the magnitude of every weight."""
    if role == SIGNED:
        return np.where(weights.value > 0, AMPA, GABA), np.abs(weights.value)
    lowest = float(weights.value.min(initial=0.0))
    if lowest < 0:
        count = int(np.sum(weights.value < 0))
        message = (
            f"{count} weights from {origin!r} to port {role!r} are negative, down to {lowest:.4g}, "
            "must be >= 0"
        )
        findings.add(codes.NEGATIVE_WEIGHT.at(name, message, value=lowest, limit=0))
    kind = np.full(weights.value.size, PORTS.index(role), dtype=np.int64)
    return kind, np.abs(weights.value)


def with_constants(
    graph: Graph,
    parameters: Mapping[str, Parameters],
    *,
    layout: Layout,
    findings: Findings,
) -> dict[str, Parameters]:
    """Return the neurons with all constant inputs as direct current; report what cannot be one.

    Parameters
    ----------
    graph : Graph
        Without loops of stateless nodes.
    parameters : mapping of str to Parameters
        Of all neuron nodes.
    layout : Layout
        Capacitances.
    findings : Findings
        Receives errors, and a loss for every node with a constant input.
    """
    result = {}
    for name, own in parameters.items():
        constant = np.zeros(own.i_scale.size)
        for port, role in own.ports.items():
            arriving = constant_into(graph, name, port)
            if role in (SIGNED, "ampa"):
                constant = constant + arriving
            elif np.any(arriving):
                largest = float(np.abs(arriving).max())
                message = f"maps add up to {largest:.4g} to port {port!r} in every step, must be 0"
                findings.add(codes.BIAS_ON_SYNAPSE.at(name, message, value=largest, limit=0))
        added = own.settled(constant, layout=layout, dt=graph.dt)
        result[name] = own.with_constant(added) if np.any(added) else own
        _report_constant(name, result[name], own.bias + added, findings)
    return result


def _report_constant(name: str, own: Parameters, biases: Floats, findings: Findings) -> None:
    current = own.currents["i_dc"]
    lowest, largest = float(current.min()), float(np.abs(biases).max())
    if lowest < 0:
        count = int(np.sum(current < 0))
        message = (
            f"constant input of {count} of {current.size} neurons is negative, down to "
            f"{lowest:.4g} A, must be >= 0"
        )
        findings.add(codes.NEGATIVE_BIAS.at(name, message, value=lowest, limit=0))
    elif largest > 0:
        message = f"direct current up to {largest:.4g} A"
        findings.add(codes.BIAS_AS_CURRENT.at(name, message, value=largest))
