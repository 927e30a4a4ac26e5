"""Every diagnostic of this plugin.

XY0xx are mapping errors, XY1xx mapping losses, XY2xx belong to quantisation and runs, XY3xx to
boards.
"""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

UNSUPPORTED_NODE = DiagnosticCode(
    "XY001",
    "error",
    "The chip has no counterpart of this kind of node.",
    "replace it by LIF or CubaLIF neurons and linear maps",
)
"""A node kind outside the target's list."""
TOO_MANY_CHANNELS = DiagnosticCode(
    "XY002", "error", "More input channels than the chip has.", "reduce or pool the inputs"
)
"""All Input nodes together exceed the input channels."""
TOO_MANY_HIDDEN = DiagnosticCode(
    "XY003", "error", "More hidden neurons than the chip has.", "make the hidden layers smaller"
)
"""All hidden layers together exceed the hidden neurons."""
TOO_MANY_OUTPUTS = DiagnosticCode(
    "XY004",
    "error",
    "More output neurons than the chip has.",
    "use fewer classes, or a target with more outputs",
)
"""All output layers together exceed the output neurons."""
TOO_MANY_WITH_INPUT = DiagnosticCode(
    "XY005",
    "error",
    "Too many hidden neurons receive input.",
    "make the first layer smaller, or use a target on which every neuron may receive input",
)
"""Input expansion neurons (IEN)."""
TOO_MANY_WITH_OUTPUT = DiagnosticCode(
    "XY006",
    "error",
    "Too many hidden neurons drive outputs.",
    "make the last hidden layer smaller, or use a target on which every neuron may drive outputs",
)
"""Output expansion neurons (OEN)."""
FAN_OUT = DiagnosticCode(
    "XY007",
    "error",
    "A hidden neuron reaches too many other hidden neurons.",
    "prune its smallest weights, or make the layers behind it smaller",
)
"""Recurrent fan-out of one neuron; hidden-to-hidden layers count, whether recurrent or not."""
TOO_MANY_WEIGHTS = DiagnosticCode(
    "XY008",
    "error",
    "Too many weights between hidden neurons.",
    "prune small weights, or make the hidden layers smaller",
)
"""Nonzero source-target pairs; both synapses of a pair count once."""
TOO_MANY_SYNAPSES = DiagnosticCode(
    "XY009",
    "error",
    "More synaptic states per neuron than the chip has.",
    "use equal time constants for the synapses (they are merged then), or fewer synapses",
)
"""Ports in, in2, ... with different time constants."""
NO_BIAS = DiagnosticCode(
    "XY010",
    "error",
    "The chip has no bias.",
    "train without bias and with v_rest = 0, or use a target with bias",
)
"""A bias of a neuron or of a linear map, or a resting value."""
SHORT_TIME_CONSTANT = DiagnosticCode(
    "XY011",
    "error",
    "A time constant is not above the time step.",
    "use a smaller dt, a longer time constant, or decay='bitshift'",
)
"""tau <= dt has no shift."""
LONG_TIME_CONSTANT = DiagnosticCode(
    "XY012",
    "error",
    "A time constant is beyond the largest decay shift.",
    "use a larger dt or a shorter time constant",
)
"""The shift would exceed 15."""
RESET_TO_VALUE = DiagnosticCode(
    "XY013",
    "error",
    "The chip resets by subtraction only.",
    "train with reset='subtract', or accept the difference with approximate_reset=True",
)
"""reset 'to_value' without the option that allows it."""
THRESHOLD_NOT_POSITIVE = DiagnosticCode(
    "XY014",
    "error",
    "A threshold is not positive.",
    "use thresholds > 0; a neuron at rest above its threshold would fire in every step",
)
"""Only with reset 'to_value' can a graph have such a threshold."""
ONE_LAYER = DiagnosticCode(
    "XY015",
    "error",
    "The chip needs a hidden and an output layer.",
    "put a hidden neuron layer between input and output",
)
"""No hidden layer."""
INPUT_TO_OUTPUT = DiagnosticCode(
    "XY016",
    "error",
    "An input reaches output neurons directly.",
    "route the input through hidden neurons",
)
"""Input weights lead to hidden neurons only."""
OUTPUT_DRIVES = DiagnosticCode(
    "XY017",
    "error",
    "Output neurons cannot be recurrent or drive other neurons.",
    "put the recurrence into a hidden layer in front of the output",
)
"""Edges from an output layer to a neuron."""
OUTPUT_NOT_NEURON = DiagnosticCode(
    "XY018",
    "error",
    "An Output must be fed by exactly one neuron layer, directly and without delay.",
    "connect one neuron node to the Output",
)
"""Weights, several sources or a delay in front of an Output."""
READOUT_INSIDE = DiagnosticCode(
    "XY019",
    "error",
    "A layer that emits its membrane must be the output.",
    "use LIF or CubaLIF inside the network",
)
"""LI and CubaLI feeding neurons."""
DELAY = DiagnosticCode(
    "XY020",
    "error",
    "The chip cannot delay a signal by this much.",
    "use delay 0 or 1 between neurons, and 0 from an input",
)
"""A path from neuron to neuron takes one step on the chip, one from the input takes none."""
MIXED_READOUT = DiagnosticCode(
    "XY021",
    "error",
    "Outputs of different quantities, or a quantity that the layer does not have.",
    "use one kind of output layer; readout 'spikes' needs spiking output neurons",
)
"""One readout for the whole chip."""
LOOP_WITHOUT_NEURON = DiagnosticCode(
    "XY022",
    "error",
    "Linear nodes form a loop without a neuron.",
    "put a neuron into the loop",
)
"""Such a loop would be a filter with memory of its own."""

DECAY_CHANGED = DiagnosticCode(
    "XY101",
    "loss",
    "The chip decays with powers of two; a time constant changed.",
    "train with decay='bitshift' so that training sees the chip's decays",
)
"""The nearest shift was taken."""
SYNAPSE_ADDED = DiagnosticCode(
    "XY102",
    "loss",
    "The chip always filters input by a synapse; this neuron has none.",
    "use CubaLIF with decay='bitshift' and a tau_syn of at least 2 dt",
)
"""LIF and LI get the shortest synapse, at equal charge."""
MAP_BIAS = DiagnosticCode(
    "XY103",
    "loss",
    "The bias of a linear map became the neuron's bias at its steady state b / (1 - beta).",
    "use the neuron's bias instead",
)
"""Exact after the synapse has settled, not in the first steps."""
RESTING_VALUE = DiagnosticCode(
    "XY104",
    "loss",
    "The resting value became a bias; the membrane starts at 0 and drifts there.",
    "train with v_rest = 0",
)
"""Exact after the start transient."""
RESET_APPROXIMATED = DiagnosticCode(
    "XY105",
    "loss",
    "Reset to a value became reset by subtraction.",
    "train with reset='subtract'",
)
"""Charge above the threshold survives a spike."""
REFRACTORY_DROPPED = DiagnosticCode(
    "XY106", "loss", "The chip has no refractory time.", "train with refractory=0"
)
"""Dropped."""
COMPARISON_CHANGED = DiagnosticCode(
    "XY107",
    "loss",
    "The chip fires at the threshold, the neuron only above it.",
    "train with comparison='>='",
)
"""Differs when the membrane equals the threshold."""
SPIKE_LIMIT_CHANGED = DiagnosticCode(
    "XY108",
    "loss",
    "The chip's spike limit per step differs from the neuron's.",
    "train hidden layers with max_spikes=31 and output layers with max_spikes=1",
)
"""31 in hidden and 1 in output neurons."""
BIAS_STARTS_EARLY = DiagnosticCode(
    "XY109",
    "loss",
    "A bias acts from the first step, but the node's input arrives later than in the graph.",
    "train with the chip's hops (Sequential(latency=1)), or without bias",
)
"""Shifted by its latency, the node has integrated its bias for that many steps more."""

RESIDUAL_ALIAS = DiagnosticCode(
    "XY201",
    "info",
    "A residual connection uses the chip's aliases.",
    "the 31 spikes per step of the target include those of its source",
)
"""Same spikes as with doubled weights, without their cost."""
RESIDUAL_WEIGHTS = DiagnosticCode(
    "XY202",
    "info",
    "A residual connection uses doubled weights.",
    "",
)
"""Aliases were switched off or their rules do not allow this one."""
SYNAPSES_MERGED = DiagnosticCode(
    "XY203",
    "info",
    "Synapses with equal time constants share one current.",
    "recorded currents are the sum",
)
"""Exact."""
LAYER_PRECISION = DiagnosticCode(
    "XY204", "info", "Precision of a layer's weights after quantisation.", ""
)
"""Signal-to-quantisation-noise ratio."""
SPIKE_AGREEMENT = DiagnosticCode(
    "XY205", "info", "How well the integers reproduce the network in floating point.", ""
)
"""Measured on the calibration spikes."""
LOW_PRECISION = DiagnosticCode(
    "XY206",
    "loss",
    "A layer's weights lost much of their precision.",
    "use method='fit', bring the weights of a layer to similar size, or train with noise on them",
)
"""Below 20 dB."""
THRESHOLD_COARSE = DiagnosticCode(
    "XY207",
    "loss",
    "Thresholds are below 8 counts.",
    "reduce bias or weights in proportion to the threshold",
)
"""Coarse thresholds make coarse membranes."""
SATURATION = DiagnosticCode(
    "XY208",
    "loss",
    "A state reaches the 16-bit rails on the calibration spikes.",
    "use method='fit' or a larger headroom",
)
"""Charge is lost at the rails."""
INPUT_CLIPPED = DiagnosticCode(
    "XY209",
    "loss",
    "Input counts above 15 act as 15.",
    "scale the input encoding down or use a shorter dt",
)
"""Four bits per channel and step."""
STATE_NOT_CLEARED = DiagnosticCode(
    "XY301",
    "loss",
    "The board cannot clear the chip's state; the run starts from whatever it holds.",
    "power-cycle the board before opening it, or use soft_reset=True",
)
"""Audio 3 has no working state reset (rockpool 3.1.0 warns of it)."""
NO_POWER_SAMPLES = DiagnosticCode(
    "XY302",
    "info",
    "The run was too short for a power sample.",
    "run longer, or raise power_rate",
)
"""Power was to be measured and the board sent no finite value."""
NEVER_ON_SILICON = DiagnosticCode(
    "XY303",
    "info",
    "This driver was checked against an emulated SDK only, never on a board.",
    "compare with ranvier.simulate",
)
"""Travels with every recording from a board."""
