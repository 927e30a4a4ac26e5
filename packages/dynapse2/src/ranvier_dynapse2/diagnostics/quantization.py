"""Diagnostics of the verb *quantize*: DY201-DY229."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

CORE_NOT_UNIFORM = DiagnosticCode(
    "DY201",
    "error",
    "Neurons of one core differ in a parameter that they share on the chip.",
    "map the graph again; mapping puts equal neurons on a core",
)
"""All 256 neurons of a core have one bias generator."""
BIAS_RANGE = DiagnosticCode(
    "DY202",
    "error",
    "A current is beyond what its bias can give.",
    "choose longer time constants, wider pulses, or smaller gains and thresholds",
)
"""Largest code (5, 255) times the scale factor of the bias."""
UNKNOWN_BIAS = DiagnosticCode(
    "DY203",
    "error",
    "The option biases names a bias that the chip does not have.",
    "use one of the names in ranvier_dynapse2.biases.SCALE_FACTORS",
)
"""Close matches are in the message."""
BIAS_CODE_RANGE = DiagnosticCode(
    "DY204",
    "error",
    "The option biases holds a code that does not exist.",
    "give (coarse, fine) with coarse 0..5 and fine 0..255",
)
"""Coarse code of 6 ranges, fine code of 8 bits."""
UNKNOWN_LATCH = DiagnosticCode(
    "DY205",
    "error",
    "The option latches names a switch that neurons do not have.",
    "use one of the names in ranvier_dynapse2.config.LATCHES",
)
"""Close matches are in the message."""
CAM_FULL = DiagnosticCode(
    "DY206",
    "error",
    "A neuron has more synapses than usable CAM entries.",
    "prune its smallest weights, or give a CAM profile with more usable entries",
)
"""64 entries per neuron, fewer where a profile of the chip excludes some."""
SRAM_FULL = DiagnosticCode(
    "DY207",
    "error",
    "A neuron needs more words than its SRAM has.",
    "let it reach fewer chips, or do not monitor it",
)
"""One word per chip that the neuron reaches, and one for monitoring."""
NO_TAG = DiagnosticCode(
    "DY208",
    "error",
    "A synapse listens to a source that sends nothing to its core.",
    "map the graph again",
)
"""The mapped network was altered after mapping."""
WEIGHTS_SATURATE = DiagnosticCode(
    "DY209",
    "loss",
    "The current scale is so large that weights are beyond all base currents together.",
    "leave the option i_scale out, or use a smaller one",
)
"""Four times the largest current of SYAM_W0_P..W3_P is the largest weight."""
BASE_AT_LIMIT = DiagnosticCode(
    "DY210",
    "loss",
    "A base current sits at its limit, which costs precision of the weights.",
    "leave the option i_scale out, or use a smaller one",
)
"""The levels that fit the weights best would need a larger base current."""
GAIN_OUT_OF_RANGE = DiagnosticCode(
    "DY211",
    "loss",
    "The gain of a synapse cannot make up for the current scale.",
    "use an option i_scale closer to the i_scale of the neurons, or leave it out",
)
"""The compensated gain is above the largest current of its bias, or below the dark current."""
BIAS_ROUNDED = DiagnosticCode(
    "DY212",
    "loss",
    "A current differs noticeably from the network's.",
    "use larger currents: shorter time constants or narrower pulses",
)
"""More than the option bias_tolerance."""
BIAS_FLOOR = DiagnosticCode(
    "DY213",
    "info",
    "A current at or below the dark current stands for 'off', but the chip has no exact zero.",
    "",
)
"""Code (0, 0) still gives a small current."""
REFRACTORY_CHANGED = DiagnosticCode(
    "DY214",
    "loss",
    "The refractory period blocks a different number of steps than in the network.",
    "use a refractory period between two multiples of the time step",
)
"""No code close to the wanted current keeps the number."""
REFRACTORY_KEPT = DiagnosticCode(
    "DY215",
    "info",
    "The code of the refractory period is not the closest one, but blocks as many steps as the "
    "network.",
    "",
)
"""The closest code would move the period across a step boundary."""
WEIGHTS_DROPPED = DiagnosticCode(
    "DY216",
    "loss",
    "Weights are so small that they need no base current: their synapses are left out.",
    "narrow the spread of the weights in each core, or prune while training",
)
"""A mask of 0."""
WEIGHT_PRECISION = DiagnosticCode("DY217", "info", "Precision of the weights of a core.", "")
"""Root mean square error relative to the root mean square weight."""
LOW_PRECISION = DiagnosticCode(
    "DY218",
    "loss",
    "The weights of a core lose much of their precision.",
    "narrow the spread of the weights, or train with the four base currents in the loop",
)
"""More than 10 % root mean square error."""
SCALE_CHANGED = DiagnosticCode(
    "DY219",
    "info",
    "A core uses another current scale than the network; its synapses' gains make up for it.",
    "",
)
"""Weights of the core become currents where the bias generator is precise and does not saturate."""
SCALE_NOT_COMPENSATED = DiagnosticCode(
    "DY220",
    "loss",
    "A core uses another current scale than the network, and gains were left alone.",
    "set the option gain_compensation; the simulator corrects by drive_factor, a board does not",
)
"""The option gain_compensation is off."""
BIAS_BY_HAND = DiagnosticCode(
    "DY221", "info", "The option biases replaces the code of a bias that the network sets.", ""
)
"""On all cores, or all chips."""
SPIKE_AGREEMENT = DiagnosticCode(
    "DY222",
    "info",
    "How well the chip and the network before quantisation agree on the calibration spikes.",
    "",
)
"""1 - summed differences of the spike counts per neuron and sample, over the sum of both counts.
Before quantisation, converted neurons are in currents already."""
REFINEMENT = DiagnosticCode(
    "DY223", "info", "What the refinement on calibration spikes did to the masks.", ""
)
"""Masks are kept where the spike counts come no farther from the float network."""
