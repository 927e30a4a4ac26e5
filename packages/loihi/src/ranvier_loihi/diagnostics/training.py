"""Diagnostics of networks that were trained in the chip's arithmetic."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

GRADED_SPIKES = DiagnosticCode(
    "LO145",
    "loss",
    "Trained neurons emit their voltage as graded spikes; the neurons of the graph emit 0 or 1.",
    "train with graded_spike=False",
)
"""Trained neurons emit their voltage as graded spikes; the neurons of the graph emit 0 or 1."""

NORM_EXPONENT = DiagnosticCode(
    "LO146",
    "loss",
    "A norm divides by a power of two, which the graph has in its weights: the integers of current "
    "and voltage are rounded elsewhere.",
    "use MeanOnlyBatchNorm for equal spikes",
)
"""A norm divides by a power of two, which the graph has in its weights."""

NORM_BIAS = DiagnosticCode(
    "LO147",
    "info",
    "The mean that a norm subtracts became the neurons' bias, which acts from the chip's first "
    "step on, one step earlier than in training.",
    "compare spikes after the first steps",
)
"""The mean that a norm subtracts became the neurons' bias, which acts one step earlier."""

INPUT_ROUNDED = DiagnosticCode(
    "LO148",
    "info",
    "In training the input block rounds its input to steps of 1/32 within -4..3.97; the graph "
    "takes the input as it is.",
    "give input on this grid for equal spikes",
)
"""In training the input block rounds its input; the graph takes it as it is."""

INPUT_STEP = DiagnosticCode(
    "LO149",
    "info",
    "An input block without neurons only delays by one step, which a .net file does not hold: the "
    "network in the file answers one step earlier.",
    "save as .rv to keep the step",
)
"""An input block without neurons only delays by one step, which a .net file does not hold."""
