"""Diagnostics of the verb *map*: errors LO001 to LO029, losses and notes LO101 to LO149."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

UNSUPPORTED_NODE = DiagnosticCode(
    "LO001",
    "error",
    "The chip has no counterpart of this kind of node.",
    "replace it by IF, LIF, CubaLIF or LI neurons and linear maps",
)
"""A node kind outside the target's list."""
LOOP_WITHOUT_NEURON = DiagnosticCode(
    "LO002",
    "error",
    "Stateless nodes form a loop.",
    "put a neuron node on the loop",
)
"""It would be a filter with a memory of its own."""
OUTPUT_NOT_NEURON = DiagnosticCode(
    "LO003",
    "error",
    "An output does not show exactly one neuron node.",
    "add LI neurons in front of the output, they sum and weigh what arrives",
)
"""Between neurons and an Output only delays and Flatten are possible."""
READOUT_INSIDE = DiagnosticCode(
    "LO004",
    "error",
    "Neurons that do not spike feed other neurons.",
    "use LIF or CubaLIF inside the network; I, LI and CubaLI only in front of an Output",
)
"""Membrane voltages do not leave a core."""
RESET_SUBTRACT = DiagnosticCode(
    "LO005",
    "error",
    "The chip resets to a value, not by subtraction.",
    "train with reset='to_value', or accept the difference with approximate_reset=True",
)
"""reset 'subtract' without the option that allows it."""
RESET_VALUE = DiagnosticCode(
    "LO006",
    "error",
    "The chip resets to the resting value only.",
    "use v_reset equal to v_rest",
)
"""v_reset differs from v_rest."""
UNEQUAL_SYNAPSES = DiagnosticCode(
    "LO007",
    "error",
    "Several synapses of a neuron have different time constants.",
    "use equal time constants (the synapses are merged then), or one population per synapse",
)
"""A compartment has one current."""
THRESHOLD_NOT_POSITIVE = DiagnosticCode(
    "LO008",
    "error",
    "A threshold is not above the resting value.",
    "raise the threshold; a neuron at rest would fire in every step",
)
"""Relative to v_rest; zero is possible with comparison '>'. Also a lower threshold above rest."""
REFRACTORY_TOO_LONG = DiagnosticCode(
    "LO009",
    "error",
    "A refractory time is beyond what the chip offers.",
    "use a shorter refractory time or a larger dt",
)
"""Steps from a spike to the next possible one; models other than LIF have none."""
DELAY_TOO_LONG = DiagnosticCode(
    "LO010",
    "error",
    "A synaptic delay is beyond the largest of the chip.",
    "shorten the delay or the skipping path, or put a layer of relay neurons on it",
)
"""Delays of the graph and the steps by which a shorter path waits for a longer one."""
DRIVE_NOT_INPUT = DiagnosticCode(
    "LO011",
    "error",
    "Neurons that are driven by values do not get them from one Input directly.",
    "connect loihi.input and loihi.delta to one Input node, without delay and without map",
)
"""Their bias or input is written by the host."""
MIXED_INPUTS = DiagnosticCode(
    "LO012",
    "error",
    "Inputs mix real values and spikes.",
    "let every Input feed only loihi.input or loihi.delta layers, or none of them",
)
"""A run has one type of input."""
NO_BIAS = DiagnosticCode(
    "LO013",
    "error",
    "This model of neuron cannot have such a bias.",
    "remove the bias of the node, or of the linear map in front of it",
)
"""Resonators, sums, and currents without decay, in which a constant input grows for ever."""
UNKNOWN_BOARD = DiagnosticCode(
    "LO014",
    "error",
    "The target has no such board.",
    "name one of its boards, or give the number of chips",
)
"""Option ``board``."""
NO_GRADED_MESSAGES = DiagnosticCode(
    "LO015",
    "error",
    "The target's messages carry no value.",
    "use input_message_bits=0, or loihi2",
)
"""Option ``input_message_bits``."""
UNKNOWN_RATES = DiagnosticCode(
    "LO016",
    "error",
    "Rates of a node do not fit the graph.",
    "give one rate, or one per neuron, for names of Input or neuron nodes",
)
"""Option ``rates``."""
ABSORBED_SKEW = DiagnosticCode(
    "LO101",
    "info",
    "Synaptic delays let a shorter path wait for a longer one.",
)
"""The network computes the same as the graph, some steps later."""
MAP_BIAS = DiagnosticCode(
    "LO102",
    "loss",
    "The bias of a linear map acts in its steady state from the first step on.",
    "the first steps differ; without synaptic time constant and delay it is exact",
)
"""The chip adds a bias to the voltage, behind the synaptic current."""
RESET_APPROXIMATED = DiagnosticCode(
    "LO103",
    "loss",
    "Reset by subtraction is replaced by a reset to the resting value.",
    "train with reset='to_value'",
)
"""What exceeds the threshold is lost at every spike."""
SPIKE_LIMIT_CHANGED = DiagnosticCode(
    "LO104",
    "loss",
    "Neurons emit one spike per step at most.",
    "train with max_spikes=1",
)
"""Only with reset 'subtract' can a graph ask for more."""
SYNAPSES_MERGED = DiagnosticCode(
    "LO105", "info", "Synapses with equal time constants share one current."
)
"""The sum of their currents is what the neuron sees."""
COMPARISON_ABSORBED = DiagnosticCode(
    "LO106",
    "info",
    "Neurons fire at the threshold, those of the chip above it.",
)
"""Quantisation lowers the threshold by one unit of the state."""
RESET_INTERVAL_ODD = DiagnosticCode(
    "LO107",
    "info",
    "A reset interval is no power of two.",
    "use 2, 4, 8, ... on a board; the simulator and Lava's CPU models take any",
)
"""The vendor's tutorials say that Loihi 2 needs a power of two; uncertain."""
