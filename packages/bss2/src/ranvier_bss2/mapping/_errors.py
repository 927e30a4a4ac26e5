"""All problems of a mapping in one error."""

from __future__ import annotations

from ranvier.diagnostics import Findings
from ranvier.errors import raise_mapping_errors

from .. import diagnostics as codes

RESOURCES = {
    codes.SEVERAL_MADC.code: "madc_neurons_hxtorch",
    codes.TOO_LARGE.code: "neuron_circuits",
    codes.FAN_IN_TOO_LARGE.code: "rows",
    codes.TOO_MANY_CIRCUITS.code: "neuron_circuits",
    codes.NO_FREE_PLACE.code: "neuron_circuits",
    codes.ROWS_ON_BUS.code: "rows_per_bus",
    codes.TOO_MANY_SOURCES.code: "label_max",
    codes.TOO_MANY_GENERATORS.code: "background_sources",
    codes.GENERATOR_OUT_OF_REACH.code: "background_sources",
    codes.LOOP_TOO_LARGE.code: "neuron_circuits",
}
"""Fact of the manifest behind each diagnostic about a resource."""


def raise_errors(findings: Findings, *, target: str) -> None:
    """Raise one `MappingError` with all errors; `ResourceError` if only resources ran out."""
    raise_mapping_errors(findings, target=target, resources=RESOURCES)
