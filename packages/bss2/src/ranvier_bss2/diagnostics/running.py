"""Findings of a run."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

SAMPLES_DROPPED = DiagnosticCode(
    "BS230",
    "loss",
    "The slow converter's memory is full: samples are dropped.",
    "shorten the run, record fewer steps, or record through DRAM (cadc = 'dram')",
)
"""100 samples in SRAM, 204800 in DRAM."""
SEVERAL_SPIKES = DiagnosticCode(
    "BS231",
    "loss",
    "Several spikes of one channel in one step are sent as one event.",
    "spread spikes over steps, or repeat the input channel",
)
"""An input step is an event or none."""
OUT_OF_RANGE = DiagnosticCode(
    "BS232",
    "loss",
    "Samples of the slow converter are at the end of its range.",
    "use smaller weights, or move the potentials (leak_lsb, threshold_lsb) into the range",
)
"""The membrane is beyond 0..255 LSB."""
NO_READOUT = DiagnosticCode(
    "BS233",
    "error",
    "An output shows a membrane that no converter samples.",
    "record the population with cadc = 'sram' or 'dram'",
)
"""Membranes reach the host only through a converter."""
TOO_FEW_STEPS = DiagnosticCode(
    "BS234",
    "error",
    "A time constant is not longer than the integration step.",
    "use more substeps, decay = 'exact', or a shorter dt",
)
"""Forward Euler needs h < tau."""
