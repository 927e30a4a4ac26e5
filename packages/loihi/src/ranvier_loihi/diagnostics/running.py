"""Findings of a run: what the chip's number ranges cost."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

CURRENT_WRAPPED = DiagnosticCode(
    "LO230",
    "loss",
    "A synaptic current left its 24 bits and wrapped around to the other sign.",
    "use a smaller weight exponent or smaller weights, or a faster current decay",
)
"""Currents wrap once per step; what then still is too large stays."""
VOLTAGE_CLIPPED = DiagnosticCode(
    "LO231",
    "loss",
    "A voltage reached the end of its 24 bits.",
    "use smaller weights or biases, or a faster voltage decay",
)
"""Voltages saturate at +-(2**23 - 1)."""
READOUT_LIMIT = DiagnosticCode(
    "LO232",
    "loss",
    "A read-out without spikes reached its largest voltage: it saturated, or fired and was reset.",
    "quantise with a smaller scale for the read-out",
)
"""Its threshold is the largest there is, but it is one."""
INPUT_COUNT = DiagnosticCode(
    "LO233",
    "loss",
    "Input counts above 1 act as 1: the synapse takes binary spikes.",
    "use a shorter dt, clip the counts, or graded messages (num_message_bits > 0)",
)
"""num_message_bits is 0."""
CONVOLUTION_WRAPPED = DiagnosticCode(
    "LO234",
    "loss",
    "A sum of a convolution left its 24 bits and wrapped around.",
    "use smaller kernels or messages",
)
"""Convolutions wrap before the neuron adds."""
