"""Diagnostics of the verb *map*: errors BS001 to BS029, losses and notes BS101 to BS129."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

UNSUPPORTED_NODE = DiagnosticCode(
    "BS001",
    "error",
    "The chip has no counterpart of this kind of node.",
    "replace it by IF, LIF, CubaLIF, LI, CubaLI, AdEx or bss2.neuron nodes and linear maps",
)
"""A node kind outside the target's list."""
LOOP_WITHOUT_NEURON = DiagnosticCode(
    "BS002", "error", "Stateless nodes form a loop.", "put a neuron node on the loop"
)
"""It would be a filter with a memory of its own."""
OUTPUT_NOT_NEURON = DiagnosticCode(
    "BS003",
    "error",
    "An output does not show exactly one neuron node.",
    "put neurons behind the last map: LI or CubaLI show their membrane",
)
"""A linear map as last layer, an input as output, several nodes, or a delay before an output."""
NO_NEURONS = DiagnosticCode(
    "BS004", "error", "The network has no neurons.", "put a neuron node behind the maps"
)
"""Inputs, maps and outputs alone need no chip."""
READOUT_INSIDE = DiagnosticCode(
    "BS005",
    "error",
    "Neurons that do not fire drive other neurons.",
    "use spiking neurons there: only spikes travel between circuits",
)
"""A membrane is read by a converter, and goes nowhere else."""
DELAY = DiagnosticCode(
    "BS006",
    "error",
    "A delay that the chip cannot make.",
    "remove the delay, or put a relay neuron on the connection for each further step",
)
"""Events travel in less than a step; only the synapse's own step can take the place of a delay."""
BIAS_WITHOUT_LEAK = DiagnosticCode(
    "BS007",
    "error",
    "A constant input of neurons without leak.",
    "remove the bias, use leaky neurons, or drive them by a channel that fires in every step",
)
"""A bias is a shift of the leak potential; without leak there is nothing to shift."""
TIME_RANGE = DiagnosticCode(
    "BS008",
    "error",
    "A time constant outside of what the chip can be calibrated to.",
    "change the time constant or the option time_scale",
)
"""Times on the chip are those of the graph times time_scale."""
POTENTIAL_RANGE = DiagnosticCode(
    "BS009",
    "error",
    "A potential outside of what the chip can be calibrated to.",
    "choose a larger trace_scale, or potentials that lie closer together",
)
"""In LSB of the CADC."""
CODE_RANGE = DiagnosticCode(
    "BS010",
    "error",
    "A calibration target outside of its range.",
    "choose a value inside the range",
)
"""Codes of bias currents and of the membrane capacitance."""
SYNAPSES_DIFFER = DiagnosticCode(
    "BS011",
    "error",
    "Synapses of one neuron need more time constants than there are receptors.",
    "give all synapses one time constant, or exciting weights one and inhibiting weights another",
)
"""A circuit has an exciting and an inhibiting synaptic input, each with its own time constant."""
UNEQUAL_CODES = DiagnosticCode(
    "BS012",
    "error",
    "Neurons of one run are to have different synaptic strengths.",
    "give all neurons of one execution instance the same value",
)
"""hxtorch @3bfc7aa requires equal synapse_dac_bias and i_synin_gm for all neurons of a run."""
SEVERAL_MADC = DiagnosticCode(
    "BS013",
    "error",
    "The fast converter is to record several neurons in one run.",
    "keep one node in the option madc",
)
"""hxtorch @3bfc7aa records one neuron per execution instance."""
MEMORY_MIXED = DiagnosticCode(
    "BS014",
    "error",
    "The slow converter is to record into both memories in one run.",
    "use 'sram' or 'dram' for all nodes of one execution instance",
)
"""hxtorch @3bfc7aa refuses the mixture."""
UNKNOWN_NODE = DiagnosticCode(
    "BS015",
    "error",
    "An option names a node that the network does not have as neurons.",
    "use the name of a neuron node",
)
"""Options by node: circuits, trace_scale, weight_scale, cadc, madc, constraints."""
MEMBRANE_NOT_RECORDED = DiagnosticCode(
    "BS016",
    "error",
    "An output shows a membrane that is not recorded.",
    "set cadc to 'sram' or 'dram' for this node",
)
"""Without samples there is no trace."""
THRESHOLD_BELOW_REST = DiagnosticCode(
    "BS017",
    "error",
    "The threshold is not above the resting potential.",
    "raise the threshold above v_rest",
)
"""The distance between them sets the scale of the membrane."""
TOO_LARGE = DiagnosticCode(
    "BS018",
    "error",
    "The network has far more channels and neurons than the chip.",
    "make layers smaller, or map parts of the network",
)
"""Weights are not worth the memory then."""
MADC_NEURON = DiagnosticCode(
    "BS019",
    "error",
    "The fast converter is to record a neuron that does not exist.",
    "give a neuron number below the size of the node",
)
"""Option madc."""

RESET_TO_VALUE = DiagnosticCode(
    "BS101",
    "loss",
    "A reset by subtraction becomes a reset to a value.",
    "train with reset='to_value' to see the same dynamics",
)
"""A circuit connects its membrane with the reset potential."""
SYNAPSE_ADDED = DiagnosticCode(
    "BS102",
    "loss",
    "Input without a synaptic current passes one of a short time constant.",
    "train with CubaLIF or CubaLI to see the same dynamics",
)
"""Every synapse of the chip has an exponential current."""
COMPARISON_STRICT = DiagnosticCode(
    "BS103", "info", "The threshold has to be exceeded; the graph fires at it.", ""
)
"""Matters only where a membrane meets its threshold exactly."""
SPIKE_LIMIT = DiagnosticCode(
    "BS104",
    "loss",
    "Several spikes of one neuron in one step become one.",
    "train with max_spikes=1",
)
"""A step of a record shows one spike at most."""
DECAY_AS_EULER = DiagnosticCode(
    "BS105",
    "info",
    "Time constants were chosen so that decays per step are the graph's.",
    "",
)
"""The numerics of the chip are forward Euler: ``tau = dt / (1 - factor)``."""
BIAS_AS_LEAK = DiagnosticCode(
    "BS106",
    "loss",
    "A constant input becomes a shift of the leak potential.",
    "nothing to do; the membrane starts where the bias would bring it",
)
"""Equal once settled; the start differs."""
TIME_SCALED = DiagnosticCode(
    "BS107",
    "info",
    "Times of the graph are shorter on the chip.",
    "set the option time_scale to 1 for a graph in times of the chip",
)
"""The chip is about a thousand times faster than biology: 1 ms becomes 1 us."""
REFRACTORY_ROUNDED = DiagnosticCode(
    "BS108", "info", "A refractory time was rounded to whole steps, as in the graph.", ""
)
"""The graph's own rule."""
REFRACTORY_SHORTEST = DiagnosticCode(
    "BS109",
    "info",
    "Neurons without refractory time get the shortest that the chip has.",
    "",
)
"""Shorter than a step, so that no step is blocked."""
TWO_RECEPTORS = DiagnosticCode(
    "BS110",
    "loss",
    "Exciting and inhibiting synapses have different time constants.",
    "simulate at the level 'emulator'; the level 'numeric' uses the exciting one for both",
)
"""The published numerics know one time constant per neuron."""
SYNAPSES_MERGED = DiagnosticCode(
    "BS111", "info", "Synapses with equal time constants became one.", ""
)
"""Their currents are summed anyway."""
WEIGHTS_SPLIT = DiagnosticCode(
    "BS112",
    "info",
    "Large weights use several synapses each.",
    "set the option large_weights to 'clip' to save rows",
)
"""A synapse holds 0..63."""
WEIGHTS_CLIPPED = DiagnosticCode(
    "BS113",
    "loss",
    "Large weights were cut to what one synapse holds.",
    "set the option large_weights to 'split', or choose a larger trace_scale",
)
"""A synapse holds 0..63."""
RANGE_REDUCED = DiagnosticCode(
    "BS114",
    "info",
    "The distance of threshold and leak potential is smaller than the nominal one.",
    "",
)
"""Other potentials of the same neurons would have left their range."""
PSP_BEYOND_CADC = DiagnosticCode(
    "BS115",
    "loss",
    "The largest weight alone can drive the membrane out of the range of the CADC.",
    "choose a larger trace_scale for this node",
)
"""Reads between 20 and 220 LSB can be relied on after calibration."""
READOUT_MAY_SATURATE = DiagnosticCode(
    "BS116",
    "info",
    "The membrane leaves the range of the CADC if all its sources fire at once.",
    "quantize with calibration spikes, which choose the scale from the activity",
)
"""A bound; real activity is lower."""
MISALIGNED = DiagnosticCode(
    "BS117",
    "loss",
    "Potentials on the chip do not follow from those of the model.",
    "set leak_lsb, reset_lsb and threshold_lsb to those that the message gives",
)
"""``lsb = leak_lsb + (v - leak) / trace_scale``."""
ADEX_UNCALIBRATED = DiagnosticCode(
    "BS118",
    "loss",
    "Adaptation and the exponential term cannot be calibrated.",
    "tune their codes on the chip; the emulator uses the values of the model",
)
"""hxtorch @3bfc7aa writes the values as they are, truncated to codes."""
SRAM_DEPTH = DiagnosticCode(
    "BS119",
    "info",
    "The slow converter records a limited number of samples.",
    "set cadc to 'dram' for longer runs; it samples more slowly",
)
"""100 samples in the memory of the chip; further ones are dropped."""
GAIN_CHANGED = DiagnosticCode(
    "BS120",
    "loss",
    "Given scales of weights and traces change the size of postsynaptic potentials.",
    "leave one of weight_scale and trace_scale out; it follows from the other",
)
"""Exact are ``weight_scale = 1 / (kappa trace_scale)``."""
UNUSED_CHANNELS = DiagnosticCode(
    "BS121", "info", "Some input channels drive no neuron.", "remove them, or leave them"
)
"""They take no rows."""
STRENGTH_ASSUMED = DiagnosticCode(
    "BS122",
    "info",
    "The synaptic strength of the chip is assumed, not measured.",
    "measure it with ranvier_bss2.alignment and give the option kappa",
)
"""Linear in synapse_dac_bias, i_synin_gm and the inverse capacitance: an assumption too."""
LEAK_MOVED = DiagnosticCode(
    "BS124",
    "info",
    "The leak potential was moved so that all potentials can be calibrated.",
    "choose leak_lsb yourself, or a larger trace_scale",
)
"""Only where the membrane sits in the range of the CADC; its dynamics stay the same."""
GENERATOR_RANGE = DiagnosticCode(
    "BS020",
    "error",
    "A background generator has no such setting.",
    "choose a value that the message allows",
)
"""Period, rate, seed, number and channels have ranges of their own."""
NO_HOST_INPUT = DiagnosticCode(
    "BS021",
    "error",
    "Background generators alone do not say how long a run is.",
    "add an Input node; its channels may stay silent",
)
"""The length of a run is that of its input."""
GENERATOR_ROUNDED = DiagnosticCode(
    "BS123",
    "loss",
    "The period of a background generator was rounded to whole cycles.",
    "choose a period of whole cycles of 8 ns of the chip",
)
"""The event clock runs at 125 MHz."""
