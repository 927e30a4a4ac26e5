"""Diagnostics of calibration and alignment."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

TARGET_OUT_OF_RANGE = DiagnosticCode(
    "BS401",
    "error",
    "A target lies outside the range that the chip can be calibrated to.",
    "choose a target inside the range",
)
"""Ranges of `ranvier_bss2.config.ranges.RANGES`."""
CIRCUITS_FAILED = DiagnosticCode(
    "BS402",
    "loss",
    "Circuits did not reach a target of the calibration.",
    "leave these circuits out by a placement constraint, or choose another target",
)
"""The last codes are kept; the success mask names the circuits."""
TARGETS_DIFFER = DiagnosticCode(
    "BS403",
    "loss",
    "A circuit has different targets in different execution instances.",
    "use equal targets, or calibrate one configuration per instance",
)
"""The first instance decides."""
OTHER_TARGETS = DiagnosticCode(
    "BS404",
    "loss",
    "The chip was calibrated to other targets; what its calibration left over is added to these.",
    "calibrate for the configuration: ranvier_bss2.calibration.calibrate(chip, config)",
)
"""A chip keeps the values that it was calibrated to; how far it would deviate here is unknown."""
NO_SPIKE = DiagnosticCode(
    "BS410",
    "loss",
    "A neuron does not fire under the strongest input.",
    "lower its threshold, raise i_synin_gm or synapse_dac_bias, or give trace_scale yourself",
)
"""The threshold cannot be measured."""
OUT_OF_CONVERTER_RANGE = DiagnosticCode(
    "BS411",
    "loss",
    "A membrane leaves the range in which the converter is reliable.",
    "move leak and threshold away from the ends of the range",
)
"""30 to 210 LSB."""
NO_RESPONSE = DiagnosticCode(
    "BS412",
    "loss",
    "A neuron does not answer to its synapses.",
    "leave it out by a placement constraint, or calibrate the chip",
)
"""The measured amplitude per weight is not positive."""
