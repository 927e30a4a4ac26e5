"""All problems of a mapping in one error."""

from __future__ import annotations

from ranvier.diagnostics import Findings
from ranvier.errors import raise_mapping_errors

from .. import diagnostics as codes

RESOURCES = {
    codes.FAN_IN_TOO_LARGE.code: "axons_in_per_core",
    codes.SYNAPSES_TOO_LARGE.code: "synapse_words_per_core",
    codes.FAN_OUT_TOO_LARGE.code: "axons_out_per_core",
    codes.TOO_MANY_GROUPS.code: "groups_per_core",
    codes.TOO_MANY_THRESHOLDS.code: "thresholds_per_core",
    codes.BOARD_FULL.code: "cores_per_chip",
}
"""Fact of the manifest behind each diagnostic about a resource."""


def raise_errors(findings: Findings, *, target: str) -> None:
    """Raise one `MappingError` with all errors; `ResourceError` if only resources ran out."""
    raise_mapping_errors(findings, target=target, resources=RESOURCES)
