"""Diagnostics of the placement."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

FAN_IN_TOO_LARGE = DiagnosticCode(
    "BS030",
    "error",
    "A neuron has more synapses than the rows of its circuits.",
    "give its neurons more circuits, or prune its smallest weights",
)
"""Rows per circuit: a signed input takes two, whatever its weight."""
TOO_MANY_CIRCUITS = DiagnosticCode(
    "BS031",
    "error",
    "The neurons need more circuits than the chip has.",
    "make layers smaller, or distribute them over execution instances (partition)",
)
"""Circuits of one execution instance."""
NO_FREE_PLACE = DiagnosticCode(
    "BS032",
    "error",
    "The shapes of the neurons do not fit side by side.",
    "use an even number of circuits per neuron, or distribute layers over execution instances",
)
"""Circuits are free, but not next to each other."""
ROWS_ON_BUS = DiagnosticCode(
    "BS033",
    "error",
    "The sources of a neuron need more rows on one bus than it has.",
    "spread the source population over more columns, or give the neuron more circuits",
)
"""A neuron's events enter an array only through bus ``(column div 32) mod 4``."""
TOO_MANY_SOURCES = DiagnosticCode(
    "BS034",
    "error",
    "More sources of events than labels tell apart.",
    "distribute layers over execution instances (partition), or reduce the inputs",
)
"""64 labels per row address."""
INSTANCE_ORDER = DiagnosticCode(
    "BS035",
    "error",
    "A projection leads back to an earlier execution instance.",
    "keep populations that form a loop in one execution instance",
)
"""Instances run one after the other: spikes are replayed forward only."""
BAD_CONSTRAINT = DiagnosticCode(
    "BS036",
    "error",
    "A placement constraint cannot be met.",
    "give (n, circuits) free circuits of the chip for every neuron, each neuron's side by side",
)
"""Shape, range, overlap or neighbourhood of given circuits."""
NO_ROUTING = DiagnosticCode(
    "BS037",
    "error",
    "No assignment of rows and labels was found.",
    "give the neurons more circuits, prune weights, or distribute layers over execution instances",
)
"""Every count fits, but the search ended without a result."""
LOOP_TOO_LARGE = DiagnosticCode(
    "BS038",
    "error",
    "Populations that form a loop do not fit into one execution instance.",
    "make them smaller; only feed-forward layers can be distributed",
)
"""Recurrent populations cannot be split."""
TOO_MANY_GENERATORS = DiagnosticCode(
    "BS039",
    "error",
    "More background generators than the chip has.",
    "let several populations share one with several channels, or send spikes from the host",
)
"""Generators of one execution instance."""
GENERATOR_TAKEN = DiagnosticCode(
    "BS040",
    "error",
    "Two nodes ask for the same background generator.",
    "give them different ones, or leave generator out",
)
"""0-7; each has one period, rate and seed."""
GENERATOR_OUT_OF_REACH = DiagnosticCode(
    "BS041",
    "error",
    "A background generator cannot reach all neurons that it is to drive.",
    "use two bss2.background nodes, or place its targets in one row of circuits with the option "
    "constraints: 0..255 for generators 0-3, 256..511 for 4-7",
)
"""A generator drives one bus of one array, which feeds one row of circuits."""
REARRANGED = DiagnosticCode(
    "BS130",
    "info",
    "Neurons are not placed in the order of their registration.",
    "nothing to do; give constraints to place them by hand",
)
"""First fit would not have been routable, or would have left gaps."""
PARTITIONED = DiagnosticCode(
    "BS131",
    "info",
    "The network runs in several execution instances, one after the other.",
    "nothing to do; spikes are replayed from one to the next",
)
"""Layers were distributed."""
MORE_CIRCUITS = DiagnosticCode(
    "BS132",
    "info",
    "Neurons use several circuits to have enough rows.",
    "nothing to do",
)
"""Circuits per neuron were raised to what the fan-in needs."""
