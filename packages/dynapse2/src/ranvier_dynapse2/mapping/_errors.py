"""All problems of a mapping in one error."""

from __future__ import annotations

from ranvier.diagnostics import Findings
from ranvier.errors import raise_mapping_errors

from .. import diagnostics as codes

RESOURCES = {
    codes.TOO_MANY_NEURONS.code: "neurons_per_core",
    codes.PARAMETER_SETS.code: "cores_per_chip",
    codes.FAN_IN.code: "synapses_per_neuron",
    codes.NO_SUCH_SLOT.code: "synapses_per_neuron",
    codes.SLOTS_EXHAUSTED.code: "synapses_per_neuron",
    codes.BOARD_FULL.code: "cores_per_chip",
    codes.TAGS_EXHAUSTED.code: "tags",
    codes.TAGS_NOT_COMMON.code: "tags",
    codes.TOO_MANY_DESTINATIONS.code: "destinations_per_neuron",
}
"""Fact of the manifest behind each diagnostic about a resource."""


def raise_errors(findings: Findings, *, target: str) -> None:
    """Raise one `MappingError` with all errors; `ResourceError` if only resources ran out."""
    raise_mapping_errors(findings, target=target, resources=RESOURCES)
