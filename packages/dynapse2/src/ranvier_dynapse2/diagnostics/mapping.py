"""Diagnostics of the verb *map*: errors DY001 to DY019, losses and notes DY101 to DY119."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

UNSUPPORTED_NODE = DiagnosticCode(
    "DY001",
    "error",
    "The chip has no counterpart of this kind of node.",
    "replace it by LIF, CubaLIF or dynapse2.dpi neurons and linear maps",
)
"""A node kind outside the target's list."""
LOOP_WITHOUT_NEURON = DiagnosticCode(
    "DY002", "error", "Stateless nodes form a loop.", "put a neuron node on the loop"
)
"""It would be a filter with a memory of its own."""
OUTPUT_NOT_NEURON = DiagnosticCode(
    "DY003",
    "error",
    "An output does not show exactly one neuron node.",
    "put neurons behind the last map; the chip reports spikes of neurons, nothing else",
)
"""A linear map as last layer, an input as output, several nodes, or a delay before an output."""
NO_NEURONS = DiagnosticCode(
    "DY004",
    "error",
    "The network has no neurons.",
    "put LIF, CubaLIF or dynapse2.dpi neurons behind the maps",
)
"""Inputs, maps and outputs alone need no chip."""
INPUT_WITHOUT_MAP = DiagnosticCode(
    "DY005",
    "error",
    "An input reaches neurons without weights in between.",
    "put a Linear in front of the neurons; an identity matrix keeps the network as it is",
)
"""Neurons as first layer."""
DELAY = DiagnosticCode(
    "DY006",
    "error",
    "A delay that the chip cannot make.",
    "remove the delay, or put a relay neuron on the connection for each further step",
)
"""The hop from neuron to neuron is the only delay; inputs arrive at once."""
MIXED_MODELS = DiagnosticCode(
    "DY007",
    "error",
    "Neurons of both synapse models in one network.",
    "give all dynapse2.dpi nodes one model, and leave the option 'model' out",
)
"""The simulator of a configuration uses one model."""
UNEQUAL_CONSTANTS = DiagnosticCode(
    "DY008",
    "error",
    "Capacitances or transistor constants differ between neurons.",
    "use one value for the whole network; deviations from neuron to neuron are what VirtualChip, "
    "the mismatch of a simulation, is for",
)
"""The layout of the chip is fixed."""
SEVERAL_SYNAPSES = DiagnosticCode(
    "DY009",
    "error",
    "Several synapses of a neuron have different time constants.",
    "use equal time constants (the synapses are merged then), or dynapse2.dpi neurons with "
    "model='four_synapse'",
)
"""A converted neuron has one synaptic time constant."""
THRESHOLD_NOT_POSITIVE = DiagnosticCode(
    "DY010",
    "error",
    "A threshold is not above the resting value.",
    "raise the threshold; the membrane is a current, its threshold must be > 0 A",
)
"""Only with reset 'to_value' or a resting value can a graph have such a threshold."""
NEGATIVE_BIAS = DiagnosticCode(
    "DY011",
    "error",
    "A constant input is negative.",
    "train without bias, keep it >= 0, or drive a GABA synapse with a constant spike train; the "
    "direct current of a neuron only excites",
)
"""Bias of neurons and of the maps in front of them together."""
BIAS_ON_SYNAPSE = DiagnosticCode(
    "DY012",
    "error",
    "A map with a bias drives a synapse that has no constant input.",
    "remove the bias, or send it to the port 'ampa', where it becomes the direct current",
)
"""Ports gaba, nmda and shunt of the four-synapse model."""
NEGATIVE_WEIGHT = DiagnosticCode(
    "DY013",
    "error",
    "A negative weight on a synapse that has a sign of its own.",
    "use weights >= 0, and the port 'gaba' for inhibition",
)
"""Ports of the four-synapse model."""
CURRENT_OUT_OF_RANGE = DiagnosticCode(
    "DY014",
    "error",
    "A current is beyond what its bias gives.",
    "choose a longer time constant, a smaller gain, or a wider pulse",
)
"""The bias generator would saturate."""
TOO_MANY_NEURONS = DiagnosticCode(
    "DY015",
    "error",
    "More neurons than the board has.",
    "make layers smaller, or allow more chips",
)
"""All neuron nodes together."""
PARAMETER_SETS = DiagnosticCode(
    "DY016",
    "error",
    "More different sets of neuron parameters than cores.",
    "neurons of a core share all parameters: use equal parameters within a layer, or merge similar "
    "sets with the option 'tolerance'",
)
"""Each set takes a core of its own, and one more for each further 256 neurons."""
FAN_IN = DiagnosticCode(
    "DY017",
    "error",
    "A neuron needs more synapses than it has.",
    "prune its smallest weights, make the layers in front smaller or sparser, or train sources "
    "with equal weights: they share an entry",
)
"""CAM entries, counted after sources with equal synapses were grouped."""
BAD_TAG_POOL = DiagnosticCode(
    "DY018",
    "error",
    "The pool of usable tags cannot be used.",
    "give 'published', or a .npy file of booleans (cores, 2048)",
)
"""Option tag_pool."""
BAD_CAM_PROFILE = DiagnosticCode(
    "DY019",
    "error",
    "The profile of the CAM cannot be used.",
    "give a .npy file of error probabilities (chips, 4, 256, 64) or (4, 256, 64)",
)
"""Option cam_profile."""
EXPONENTIAL_DYNAMICS = DiagnosticCode(
    "DY101",
    "loss",
    "A linear integrate-and-fire neuron becomes the chip's adaptive exponential one.",
    "train with dynapse2.dpi neurons to see the chip's dynamics in training; r_gain_mem and "
    "r_gain_syn set the gain",
)
"""A dimensionless membrane becomes a current; the threshold and weights keep their ratio, what a
weight does to the membrane does not."""
RESET_TO_REST = DiagnosticCode(
    "DY102",
    "loss",
    "The chip resets to rest, not by subtraction.",
    "train with reset='to_value' and v_reset equal to v_rest",
)
"""reset 'subtract'."""
RESET_VALUE = DiagnosticCode(
    "DY103",
    "loss",
    "The chip resets to rest, not to another value.",
    "train with v_reset equal to v_rest",
)
"""v_reset differs from v_rest."""
RESTING_VALUE = DiagnosticCode(
    "DY104", "info", "The threshold is counted from the resting value.", ""
)
"""The membrane current rests at the dark current: v_rest is a shift of the scale."""
COMPARISON_CHANGED = DiagnosticCode("DY105", "info", "The chip fires above the threshold only.", "")
"""comparison '>='."""
SPIKE_LIMIT = DiagnosticCode(
    "DY106",
    "loss",
    "The number of spikes in a time step is not limited to max_spikes.",
    "use a refractory time of at least dt, so that a neuron rarely fires twice in a step",
)
"""The chip has no time steps; the model of it may count several spikes in one."""
DECAY_SCHEME = DiagnosticCode(
    "DY107", "info", "Decays are continuous; time constants keep the factor per time step.", ""
)
"""decay 'euler' or 'bitshift'."""
SYNAPSE_ADDED = DiagnosticCode(
    "DY108",
    "loss",
    "The neuron has no synaptic state; the chip's synapse filters its input.",
    "train with CubaLIF, or choose the option 'tau_syn'",
)
"""LIF."""
SYNAPSES_MERGED = DiagnosticCode("DY109", "info", "Equal synapses of a neuron became one.", "")
"""Ports in, in2, ... with equal time constants."""
REFRACTORY_ADDED = DiagnosticCode(
    "DY110",
    "loss",
    "The chip's neurons have a refractory period.",
    "train with it, or choose the option 't_ref'",
)
"""refractory 0."""
BIAS_AS_CURRENT = DiagnosticCode(
    "DY111",
    "loss",
    "A constant input becomes the neurons' direct current.",
    "it is shared by a core: keep it equal within a layer; train without bias to avoid it",
)
"""Bias of neurons or of the maps in front; those of maps as the current they settle at."""
LINEAR_FOLDED = DiagnosticCode(
    "DY112",
    "info",
    "Two linear layers in a row were multiplied into one matrix.",
    "rank may shrink and fan-in may grow: put neurons between them, or train one layer",
)
"""No neurons in between."""
SIGNS_SPLIT = DiagnosticCode(
    "DY113",
    "loss",
    "Positive weights drive AMPA, negative ones GABA, each with a current of its own.",
    "use model='merged_synapse' for signed sums in each time step",
)
"""Converted neurons in the four-synapse model."""
SYNAPSES_ALIKE = DiagnosticCode(
    "DY114",
    "info",
    "GABA, NMDA and shunt take over time constant and gain of AMPA.",
    "use model='four_synapse' for synapses with values of their own",
)
"""The merged model has one synapse, the chip needs values for all four."""
CLUSTERS_MERGED = DiagnosticCode(
    "DY115",
    "loss",
    "Neurons with different parameters share a core.",
    "lower the option 'tolerance', or use equal parameters within a layer",
)
"""Parameters became their geometric mean."""
CURRENT_BELOW_FLOOR = DiagnosticCode(
    "DY116",
    "loss",
    "A leak or gain current is below the dark current, which takes its place.",
    "choose a shorter time constant",
)
"""The longest time constants: about 0.2 s of membranes, 1.7 s of synapses."""
UNUSED_CHANNELS = DiagnosticCode("DY117", "info", "Input channels that drive no neuron.", "")
"""All their weights are zero; the host sends nothing for them."""
