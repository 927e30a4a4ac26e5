"""Diagnostics of the verb *quantize*: LO201-LO229."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

WEIGHT_RANGE = DiagnosticCode(
    "LO201",
    "error",
    "A weight has no code on the chip.",
    "scale the weights of this layer down together with its threshold",
)
"""Sigma-delta layers, whose scale is fixed, and convolutions, which have no exponent."""
THRESHOLD_RANGE = DiagnosticCode(
    "LO202",
    "error",
    "A threshold has no code on the chip.",
    "use a threshold above zero, small against 2**11 times the largest weight",
)
"""Not positive, or beyond the register next to the weights of the layer."""
BIAS_RANGE = DiagnosticCode(
    "LO203",
    "error",
    "A bias has no code on the chip.",
    "make the bias smaller against the weights of the layer",
)
"""Mantissa of 13 bits, exponent up to 7."""
DECAY_ROUNDED = DiagnosticCode(
    "LO204",
    "loss",
    "A decay differs noticeably from the graph's.",
    "use time constants between dt / 4 and 400 dt; the chip rounds 1 - factor to 1/4096",
)
"""More than 5 % of the decay, or all of it."""
LAYER_PRECISION = DiagnosticCode("LO205", "info", "Precision of a layer's weights.", "")
"""Signal-to-quantisation-noise ratio of the incoming weights."""
LOW_PRECISION = DiagnosticCode(
    "LO206",
    "loss",
    "The weights of a layer lose much of their precision.",
    "narrow the spread of the weights, or train with ranvier_loihi.nn",
)
"""Below 20 dB."""
THRESHOLD_SHIFTED = DiagnosticCode(
    "LO207",
    "info",
    "The chip fires slightly below the threshold of the graph.",
    "",
)
"""'>=' as a strict comparison with the next lower mantissa, or a rounded mantissa."""
THRESHOLD_COARSE = DiagnosticCode(
    "LO208",
    "loss",
    "The threshold of the chip differs noticeably from the graph's.",
    "raise the threshold against the weights, or use comparison='>' with thresholds on the grid",
)
"""More than 2 % of the threshold."""
BIAS_ROUNDED = DiagnosticCode(
    "LO209",
    "loss",
    "A bias differs noticeably from the graph's.",
    "use larger biases, or smaller weights and thresholds in this layer",
)
"""More than 5 % of a bias that is small against a unit of the state."""
EARLY_BIAS = DiagnosticCode(
    "LO210",
    "loss",
    "A bias acts before the first input arrives, and no initial voltage makes up for it.",
    "run a few silent steps first, or use a smaller bias",
)
"""The layer's input is late by the hops before it, its bias is not."""
SPIKE_AGREEMENT = DiagnosticCode(
    "LO211", "info", "How well chip and float network agree on the calibration spikes.", ""
)
"""Share of equal spikes; 1 - relative difference for a membrane."""
CURRENT_MAY_WRAP = DiagnosticCode(
    "LO212",
    "info",
    "Currents could leave their 24 bits if all sources fired at once.",
    "give calibration spikes, or watch i_syn in the simulator",
)
"""The worst case over all inputs; it is rarely met."""
NOT_CALIBRATED = DiagnosticCode(
    "LO213",
    "info",
    "Calibration spikes could not be used.",
    "the scales were chosen from the weights alone",
)
"""The reference cannot run the graph."""
PASSED_UNCHANGED = DiagnosticCode(
    "LO214", "info", "The layer is in the chip's numbers already and was taken unchanged.", ""
)
"""Every weight, decay, threshold and bias is an integer in the chip's units."""
ROTATION_ROUNDED = DiagnosticCode(
    "LO215",
    "loss",
    "A resonator's rotation differs noticeably from the graph's.",
    "use damping time constants below 400 dt",
)
"""The radius per step is rounded to 1/4096, and may even round to 1."""
RELATIVE_VOLTAGE = DiagnosticCode(
    "LO216",
    "info",
    "Voltages are recorded relative to v_rest.",
    "add v_rest to recorded voltages",
)
"""The chip rests at zero."""
STATE_SATURATES = DiagnosticCode(
    "LO217",
    "loss",
    "A voltage reaches the rails of its 24 bits on the calibration spikes.",
    "raise the option headroom",
)
"""Voltages are clipped there."""
