"""Diagnostics of the .net reader and writer: LO401-LO419 errors, LO421- losses, LO441- infos."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

NET_LAYOUT = DiagnosticCode(
    "LO401",
    "error",
    "The layers of a .net file are not laid out as a chain.",
    "the group 'layer' holds the groups '0', '1', ... without gaps, an input layer only first",
)
"""Missing or misnumbered layer groups, or an input layer elsewhere than first."""
NET_UNKNOWN_TYPE = DiagnosticCode(
    "LO402", "error", "A layer or neuron of a .net file has an unknown type.", "check the spelling"
)
"""A type string that the format does not have."""
NET_MISSING = DiagnosticCode(
    "LO403", "error", "A dataset that the layer needs is missing.", "export the network again"
)
"""A layer without its weights, shape or neuron settings."""
NET_SHAPE = DiagnosticCode(
    "LO404",
    "error",
    "Shapes in a .net file do not fit each other.",
    "shapes are (C, H, W); weights (out, in) or (out, in / groups, kh, kw)",
)
"""A stored shape contradicts the one that follows from the layers before, or none follows."""
NET_WEIGHT_RANGE = DiagnosticCode(
    "LO405", "error", "Weights are outside -256..255.", "quantise the network again"
)
"""A weight that no synapse holds."""
NET_VALUE = DiagnosticCode(
    "LO406", "error", "A setting of a .net file is outside its range.", "export the network again"
)
"""Decays outside 0..4096, negative thresholds or delays, values that are not finite."""
NET_CYCLE = DiagnosticCode(
    "LO407",
    "error",
    "A concat layer joins layers that come after it.",
    "'layers' may name only layers before it",
)
"""The file describes a cycle."""
NET_UNWRITABLE = DiagnosticCode(
    "LO408",
    "error",
    "The .net format has no place for this part of the network.",
    "the format holds one chain of synapse and neuron layers; save as .rv instead",
)
"""Branches, foreign node kinds, resets and settings that the format cannot express."""
NET_NOT_WHOLE = DiagnosticCode(
    "LO409",
    "error",
    "A value is no integer code of the chip.",
    "quantise first: build for a loihi target, then `ranvier export CONFIG DIR --form net`",
)
"""Weights, thresholds, biases or decays between two codes, or outside their range."""
NET_TRUNCATED = DiagnosticCode(
    "LO421",
    "loss",
    "Values with a fraction were cut to integers, as the vendor's reader cuts them.",
    "round the weights in training",
)
"""Weights, biases or delays that are no integers."""
NET_DELAY_CLIPPED = DiagnosticCode(
    "LO422",
    "loss",
    "Delays above 62 steps were clipped to 62, as the vendor's reader clips them.",
    "train with a shorter largest delay",
)
"""The chip delays a synapse by 62 further steps at most."""
NET_EXPONENT = DiagnosticCode(
    "LO423",
    "loss",
    "A weight exponent was ignored, as the vendor's reader ignores it.",
    "fold the exponent into the weights",
)
"""``wgtExp`` or ``weight_exp`` differs from 0."""
NET_GRADED = DiagnosticCode(
    "LO424",
    "loss",
    "Trained with graded spikes; the neuron emits 0 or 1 here and in the vendor's reader.",
    "train with graded_spike=False",
)
"""``gradedSpike`` is set."""
NET_THETA = DiagnosticCode(
    "LO425", "loss", "theta contradicts vThMant; vThMant was used.", "theta is 64 * vThMant"
)
"""Two different thresholds in one layer."""
NET_INPUT_CURRENT = DiagnosticCode(
    "LO426",
    "loss",
    "The current decay of an input layer has no effect: it is driven through its bias.",
    "train the input layer with a current decay of 1",
)
"""``iDecay`` of an input layer is not 4096."""
NET_CHANGED = DiagnosticCode(
    "LO427", "loss", "A setting was changed to what the .net format can express.", ""
)
"""Comparisons at the threshold, offsets of a sigma-delta input."""
NET_VENDOR_NO_NEURON = DiagnosticCode(
    "LO441",
    "info",
    "A layer without a neuron was read as the vendor's reader runs it.",
    "export the layer with its dynamics to state its decays",
)
"""Read as a read-out whose current sums up and whose voltage equals the current."""
NET_VENDOR_REFUSES = DiagnosticCode(
    "LO442", "info", "The vendor's reader cannot open this layer.", ""
)
"""pool, unpool, convT, average, concat and ALIF."""
NET_VENDOR_ADRF = DiagnosticCode(
    "LO443", "info", "The vendor's reader runs this neuron without its adaptation.", ""
)
"""ADRF types are run as plain resonators there."""
NET_VENDOR_CONV_DELAY = DiagnosticCode(
    "LO444", "info", "The vendor's reader ignores the delays of this layer; they are kept.", ""
)
"""Delays of convolutions."""
NET_VENDOR_REFRACTORY = DiagnosticCode(
    "LO445", "info", "The vendor's reader ignores the refractory delay; it is kept.", ""
)
"""``refDelay`` differs from 1."""
NET_ZERO_WEIGHTS = DiagnosticCode(
    "LO446", "info", "All weights are zero; the vendor's reader fails on such a layer.", ""
)
"""Logarithm of zero there, nothing special here."""
NET_READOUT = DiagnosticCode(
    "LO447",
    "info",
    "The threshold is the largest of 17 bits or beyond; read as a read-out that never fires.",
    "",
)
"""``vThMant`` of 131071 and more."""
NET_VENDOR_INPUT = DiagnosticCode(
    "LO448",
    "info",
    "The input drives the neurons' bias; training quantised it to 1/32 and clipped it to 4.",
    "",
)
"""Real-valued inputs reach the membrane as integers."""
NET_IGNORED = DiagnosticCode(
    "LO449", "info", "Fields without a meaning for running the network were left out.", ""
)
"""Surrogate settings, message bits, and names that the format does not have."""
NET_FLATTENED = DiagnosticCode(
    "LO450", "info", "The file has no flatten layer here; the axes were merged, channel first.", ""
)
"""A dense layer behind a map (C, H, W)."""
NET_VENDOR_DELAY_BIAS = DiagnosticCode(
    "LO451",
    "info",
    "Delayed behind the neuron, as trained; the vendor's reader delays in front of it.",
    "",
)
"""The two differ for a neuron with a bias."""
NET_KIND = DiagnosticCode("LO452", "info", "Written as the format's neuron with equal steps.", "")
"""A LIF is a CUBA neuron whose current decays at once."""
NET_ADDED_STEP = DiagnosticCode(
    "LO453",
    "info",
    "The graph has no step between these layers; networks of .net files have one.",
    "",
)
"""Everything behind arrives one step later than in the graph."""
