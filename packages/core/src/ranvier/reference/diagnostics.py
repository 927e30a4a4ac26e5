"""Findings of the reference."""

from __future__ import annotations

from ..diagnostics import DiagnosticCode

UNKNOWN_KIND = DiagnosticCode(
    "REF001",
    "error",
    "The node's kind is not defined in the core.",
    "install the plugin that contributes it, or replace the node",
)
"""Only kinds of the core have a reference definition."""
NO_SUCH_SCHEME = DiagnosticCode(
    "REF002",
    "error",
    "The node kind is defined for one decay scheme only.",
    "use the scheme of the definition",
)
"""AdEx is integrated by forward Euler, the resonator by its exact rotation."""
BAD_TIME_CONSTANT = DiagnosticCode(
    "REF003",
    "error",
    "A time constant is too short for the time step.",
    "use a smaller dt or decay='exponential'",
)
"""Euler decay with tau below dt would oscillate."""
