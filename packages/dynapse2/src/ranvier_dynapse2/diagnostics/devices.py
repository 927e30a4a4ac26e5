"""Findings of runs on a board, or behind the loopback."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

NEVER_ON_SILICON = DiagnosticCode(
    "DY301",
    "info",
    "This driver was checked against an emulated SDK only, never on a board.",
    "compare with ranvier.simulate",
)
"""Travels with every recording from a board."""
UNKNOWN_EVENTS = DiagnosticCode(
    "DY302",
    "info",
    "The board sent events that no monitored neuron stands behind.",
    "look at the session's attribute unknown; another rule for monitor_y may decode them",
)
"""Stray packets, or hops that come back otherwise than expected."""
STEP_OVERFULL = DiagnosticCode(
    "DY303",
    "loss",
    "More input spikes in a time step than the board's clock has ticks in it: some act later, "
    "and not at all after the last step.",
    "send fewer spikes per step, or use a larger dt",
)
"""Input spikes of one step are sent one tick apart."""
DOUBLE_EVENTS = DiagnosticCode(
    "DY304", "info", "Events of a neuron that follow each other too closely were counted once."
)
"""What the option double_window dropped."""
OUTSIDE_OF_RUN = DiagnosticCode(
    "DY305", "info", "Spikes before the first or after the last time step are not in the recording."
)
"""Spontaneous activity around a run."""
ERROR_EVENTS = DiagnosticCode(
    "DY306",
    "loss",
    "The SDK queued errors during a run.",
    "run again; open the board again if they stay",
)
"""Contents of the SDK's error queue after a run."""
STARTED_AT_REST = DiagnosticCode(
    "DY307",
    "loss",
    "The neurons were discharged before this run; a board does not carry a state over.",
    "give the whole input in one run, or call reset() between runs that are independent",
)
"""Second and later runs without a reset between them."""
ONLY_SIMULATED = DiagnosticCode(
    "DY308",
    "loss",
    "An output shows a state; the loopback has it from the simulator, a board cannot report it.",
    "let the output show spikes",
)
"""Membrane or current read-outs behind the loopback."""
