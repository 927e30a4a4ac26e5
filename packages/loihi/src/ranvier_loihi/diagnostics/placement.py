"""Diagnostics of the placement."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

FAN_IN_TOO_LARGE = DiagnosticCode(
    "LO030",
    "error",
    "A neuron has more sources than a core has input axons.",
    "prune its smallest weights, or split its sources over a layer in between",
)
"""No core can hold this neuron: input axons."""
SYNAPSES_TOO_LARGE = DiagnosticCode(
    "LO031",
    "error",
    "The synapses of one neuron exceed the memory of a core.",
    "prune its smallest weights, split its sources over a layer in between, or raise "
    "synapse_words if the board has more",
)
"""No core can hold this neuron: synaptic memory."""
FAN_OUT_TOO_LARGE = DiagnosticCode(
    "LO032",
    "error",
    "A neuron reaches more cores than a core has output axons.",
    "prune its weights, make the layers behind it smaller, or copy the neuron",
)
"""Output axons: one per neuron and reached core."""
TOO_MANY_GROUPS = DiagnosticCode(
    "LO033",
    "error",
    "More different sets of neuron parameters than all cores of the board hold.",
    "share time constants and thresholds within a layer or channel, or use a board with more chips "
    "(chips=)",
)
"""Parameter sets (decays, threshold, refractory time, model) per core times cores."""
TOO_MANY_THRESHOLDS = DiagnosticCode(
    "LO034",
    "error",
    "More different thresholds than all cores of the board hold.",
    "share thresholds within a layer or channel, or use a board with more chips (chips=)",
)
"""Thresholds per core times cores."""
BOARD_FULL = DiagnosticCode(
    "LO035",
    "error",
    "The network needs more cores than the board has.",
    "use a larger board (chips=), prune weights, or make layers smaller",
)
"""Cores needed by the best placement found, or by a bound that no placement beats."""
NOT_REFINED = DiagnosticCode(
    "LO036",
    "info",
    "The network is too large for the refinement of its placement; layers fill cores in order.",
    "nothing to do; the placement keeps every limit",
)
"""Counters of all sources against all cores would exceed the memory set aside for them."""
