"""Diagnostics of devices: LO301 on."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

NO_REFRACTORY = DiagnosticCode(
    "LO301",
    "error",
    "Lava's fixed-point LIF has no refractory period.",
    "use refractory = 0 or one time step, or device='loopback'",
)
"""`LIFRefractory` exists in floating point only."""
NO_PERIODIC_RESET = DiagnosticCode(
    "LO302",
    "error",
    "Lava resets only LIF neurons periodically.",
    "leave out reset_interval for this layer, or use device='loopback'",
)
"""`LIFReset` is the only process that has it."""
NO_INITIAL_STATE = DiagnosticCode(
    "LO303",
    "error",
    "This model starts at rest in Lava.",
    "leave out v_initial for this layer, or use device='loopback'",
)
"""Only LIF processes take an initial voltage."""
NO_CONVOLUTION_DELAY = DiagnosticCode(
    "LO304",
    "error",
    "Lava's Conv has no delays.",
    "leave out the delay in front of this convolution, or use device='loopback'",
)
"""Delays exist for dense and sparse synapses."""
SHAPES_DIFFER = DiagnosticCode(
    "LO305",
    "error",
    "Convolutions see one layer in different shapes.",
    "give the layer one shape (c, h, w)",
)
"""A Lava process has one shape."""
WIDE_CONVOLUTION = DiagnosticCode(
    "LO306",
    "loss",
    "Wide convolutions may lose spikes on the chip.",
    "use inputs less than 256 wide, or compare with device='loopback'",
)
"""Printed by the vendor's compiler for x >= 256."""
NO_BIAS_HERE = DiagnosticCode(
    "LO307",
    "error",
    "This model has no bias in Lava.",
    "set the bias of this layer to zero",
)
"""Resonators, delta encoders and sums."""
NO_DRIVE_HERE = DiagnosticCode(
    "LO308",
    "error",
    "Lava cannot drive this layer by an input.",
    "use 'lif', 'ternary' or 'delta'; a delta encoder is driven or fed by synapses, not both",
)
"""Messages and weighted sums have different fractional bits at a delta encoder."""
EARLY_START = DiagnosticCode(
    "LO309",
    "loss",
    "This layer starts before its input on the chip.",
    "compare with device='loopback'; without bias and initial voltage nothing differs",
)
"""The adapter in front of the chip holds input back by one step, not what is in the neurons."""
NEVER_ON_SILICON = DiagnosticCode(
    "LO310",
    "info",
    "This way to a chip was checked against an emulation of the SDK only.",
    "compare the first recordings with device='loopback'",
)
"""The extension for hardware is given to members of Intel's research community only."""
DELAYS_ROUND_APART = DiagnosticCode(
    "LO311",
    "loss",
    "Lava rounds the sums of each axon delay apart.",
    "use weights that are multiples of 2**-weight_exp, as optimised weights are",
)
"""With a negative exponent the shift cuts off fractions before the sums are joined, not after."""
