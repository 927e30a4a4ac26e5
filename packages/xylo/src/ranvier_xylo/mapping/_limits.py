"""Counting what a network needs against what the chip has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import DiagnosticCode, Findings
from ranvier.errors import raise_mapping_errors
from ranvier.graph import Graph

from .. import diagnostics as codes
from ..targets import Limits
from ._structure import Roles

RESOURCES = {
    codes.TOO_MANY_CHANNELS.code: "input_channels",
    codes.TOO_MANY_HIDDEN.code: "hidden_neurons",
    codes.TOO_MANY_OUTPUTS.code: "output_neurons",
    codes.TOO_MANY_WITH_INPUT.code: "input_expansion_neurons",
    codes.TOO_MANY_WITH_OUTPUT.code: "output_expansion_neurons",
    codes.FAN_OUT.code: "fan_out",
    codes.TOO_MANY_WEIGHTS.code: "recurrent_weights",
    codes.TOO_MANY_SYNAPSES.code: "synapses_per_hidden_neuron",
}
"""Fact of the manifest behind each diagnostic about a resource."""


def check_sizes(graph: Graph, roles: Roles, limits: Limits, findings: Findings) -> None:
    """Report channels and neurons beyond the chip's."""
    _check(codes.TOO_MANY_CHANNELS, _size(graph, graph.inputs), limits.input_channels, findings)
    _check(codes.TOO_MANY_HIDDEN, _size(graph, roles.hidden), limits.hidden_neurons, findings)
    _check(codes.TOO_MANY_OUTPUTS, _size(graph, roles.outputs), limits.output_neurons, findings)


def check_connections(
    *,
    n_ien: int,
    n_oen: int,
    pairs: NDArray[np.bool_],
    owners: Sequence[str],
    limits: Limits,
    findings: Findings,
) -> None:
    """Report expansion neurons, fan-out and recurrent weights beyond the chip's.

    Parameters
    ----------
    n_ien, n_oen : int
        Hidden neurons that may receive input, and that may drive outputs.
    pairs : array of bool, (n_hid, n_hid)
        Which hidden neurons are connected, source first.
    owners : sequence of str
        Node of each hidden neuron.
    """
    if limits.input_expansion_neurons < limits.hidden_neurons:
        _check(codes.TOO_MANY_WITH_INPUT, n_ien, limits.input_expansion_neurons, findings)
    if limits.output_expansion_neurons < limits.hidden_neurons:
        _check(codes.TOO_MANY_WITH_OUTPUT, n_oen, limits.output_expansion_neurons, findings)
    _check(codes.TOO_MANY_WEIGHTS, int(pairs.sum()), limits.recurrent_weights, findings)
    fan_out = pairs.sum(axis=1)
    for node in dict.fromkeys(owners):
        own = fan_out[[owner == node for owner in owners]]
        over = int(np.sum(own > limits.fan_out))
        if over:
            findings.add(
                codes.FAN_OUT.at(
                    node,
                    f"{over} neuron(s) reach up to {own.max()} hidden neurons, "
                    f"allowed are {limits.fan_out}",
                    value=int(own.max()),
                    limit=limits.fan_out,
                )
            )


def _size(graph: Graph, names: Sequence[str]) -> int:
    return sum(graph.nodes[n].size for n in names)


def _check(code: DiagnosticCode, needed: int, available: int, findings: Findings) -> None:
    if needed > available:
        what = RESOURCES[code.code].replace("_", " ")
        message = f"{needed} {what} needed, {available} available"
        findings.add(code.at(None, message, value=needed, limit=available))


def raise_errors(findings: Findings, *, target: str) -> None:
    """Raise one `MappingError` with all errors; `ResourceError` if only resources ran out."""
    raise_mapping_errors(findings, target=target, resources=RESOURCES)
