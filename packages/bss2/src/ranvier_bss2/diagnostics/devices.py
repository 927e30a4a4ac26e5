"""Findings of runs on a chip, or behind the loopback."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

NEVER_ON_SILICON = DiagnosticCode(
    "BS301",
    "info",
    "This driver was checked against an emulated software stack only, never on a chip.",
    "compare with ranvier.simulate",
)
"""Travels with every recording from a chip."""
STARTED_AT_REST = DiagnosticCode(
    "BS302",
    "loss",
    "The neurons were at rest before this run; a chip does not carry a state over.",
    "give the whole input in one run, or call reset() between runs that are independent",
)
"""Second and later runs without a reset between them."""
TRACES_END_EARLY = DiagnosticCode(
    "BS303",
    "loss",
    "The run takes longer than the memory of the slow converter lasts; traces end early.",
    "use shorter runs, or cadc='dram' when mapping",
)
"""Samples of the SRAM or DRAM of the slow converter; the stack drops the rest."""
TARGETS_OF_FILE = DiagnosticCode(
    "BS304",
    "info",
    "Potentials and time constants are those of the calibration file, not of the configuration.",
    "make sure that both were made for the same targets, or leave the file out to calibrate",
)
"""A calibration was loaded."""
ON_STEPS = DiagnosticCode(
    "BS305",
    "info",
    "Times are whole steps: the stack gives spikes and traces on its grid, not as recorded.",
)
"""Spikes of one step count once, samples of the slow converter are interpolated already."""
SAMPLE_TIMES_DIFFER = DiagnosticCode(
    "BS306",
    "info",
    "The fast converter sampled at other times in other samples of the batch.",
    "run the samples one by one to keep their own times",
)
"""One time base for the batch: that of the first sample."""
NO_GENERATOR = DiagnosticCode(
    "BS307",
    "error",
    "This stack cannot set up a background generator.",
    "give its spikes as an input",
)
"""hxtorch @3bfc7aa has no module for generators, pynn-brainscales @fd4f926 one for Poisson ones."""
GENERATOR_OF_STACK = DiagnosticCode(
    "BS308",
    "loss",
    "PyNN chooses generator, period and draws of a Poisson source; only rate and seed are given.",
    "compare rates, not single spikes",
)
"""Its events cannot be recorded either."""
