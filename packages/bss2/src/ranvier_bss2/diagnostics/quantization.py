"""Diagnostics of the verb *quantize*: BS201 to BS229."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

WEIGHT_PRECISION = DiagnosticCode(
    "BS201", "info", "Weights were rounded to whole steps of the synapses.", ""
)
"""Root mean square error, relative to the weights."""
LOW_PRECISION = DiagnosticCode(
    "BS202",
    "loss",
    "Rounding changes the weights of a projection by more than a tenth.",
    "map with range='full' or a smaller trace_scale, so that weights use more of 63 steps",
)
"""Root mean square error over root mean square."""
WEIGHTS_CUT = DiagnosticCode(
    "BS203",
    "loss",
    "Weights beyond their synapses were cut.",
    "map again with large_weights='split', or choose a larger trace_scale",
)
"""63 times the synapses that the layout gives to the connection."""
WEIGHTS_TO_ZERO = DiagnosticCode(
    "BS204",
    "info",
    "Small weights became zero.",
    "map with range='full' or a smaller trace_scale, or prune them before",
)
"""Below half a step."""
SCALE_ADJUSTED = DiagnosticCode(
    "BS205",
    "info",
    "The scale of a population was chosen from the calibration spikes.",
    "",
)
"""Weights, potentials and trace_scale change together: postsynaptic potentials stay."""
CADC_SATURATED = DiagnosticCode(
    "BS206",
    "loss",
    "On the calibration spikes the membrane leaves the range of the CADC.",
    "choose a larger trace_scale for this node, or the option adjust_scale",
)
"""Reads between 20 and 220 LSB can be relied on after calibration."""
ADEX_CODES = DiagnosticCode(
    "BS207",
    "loss",
    "Values of adaptation or exponential term become codes without calibration.",
    "choose values whose whole part, 0..1022, is the code that is meant",
)
"""Truncated and clipped to 0..1022, as hxtorch @3bfc7aa does."""
REFRACTORY_COUNTED = DiagnosticCode(
    "BS208", "info", "Refractory times follow from whole cycles of a clock.", ""
)
"""Largest difference of the realised from the wanted time."""
POTENTIALS_ROUNDED = DiagnosticCode(
    "BS209", "info", "Potentials were rounded to whole LSB of the CADC.", ""
)
"""At most half an LSB."""
REFRACTORY_CLOCK = DiagnosticCode(
    "BS210",
    "error",
    "No clock of the refractory counters fits.",
    "choose refractory and holdoff times that lie closer together",
)
"""Counters have 8 bits, clocks are shared by all neurons of a run."""
STATES_ALTERED = DiagnosticCode(
    "BS211",
    "error",
    "The mapped network does not fit its layout.",
    "map the graph again",
)
"""A changed or foreign mapped network."""
SPIKING_BEYOND_CADC = DiagnosticCode(
    "BS212",
    "info",
    "On the calibration spikes, membranes of firing neurons leave the range of the CADC.",
    "choose a larger trace_scale for this node if its membrane is to be read",
)
"""Their spikes do not depend on it, unless the membrane itself is cut off; recorded traces do."""
SYNAPSE_SATURATED = DiagnosticCode(
    "BS213",
    "loss",
    "On the calibration spikes a synaptic input is driven beyond where it saturates.",
    "choose a larger trace_scale or longer membrane time constants, or train with a virtual chip",
)
"""The level of saturation is an estimate, see the fact ``synapse_saturation``."""
