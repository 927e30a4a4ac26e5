"""Findings of a run: what the board would do otherwise than the simulation."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

PACKET_LOST = DiagnosticCode(
    "DY230",
    "loss",
    "Packets leave the board neither to a core nor on the west side, where the host listens.",
    "correct the hops of these words, or use a board with more chips",
)
"""Hops point beyond the row of chips."""
NEURON_KILLED = DiagnosticCode(
    "DY231",
    "info",
    "Neurons of the network are switched off.",
    "set the latch soif_kill to False to use them",
)
"""They do not fire and keep the state of rest."""
SWITCH_IGNORED = DiagnosticCode(
    "DY232",
    "info",
    "A switch is on whose circuit the model does not have: the board behaves differently.",
    "switch it off, or measure on a board",
)
"""Homeostasis, conductance synapses, alpha synapses, short-term plasticity, delays."""
OUTPUT_UNHEARD = DiagnosticCode(
    "DY233",
    "info",
    "A simulation shows every neuron; on a board the host does not hear these outputs.",
    "monitor the node when mapping, or give the neurons a word with 7 hops to the west",
)
"""No word of the neuron's SRAM leaves the row in the west."""
OUTPUT_AMBIGUOUS = DiagnosticCode(
    "DY234",
    "info",
    "On a board the host cannot tell these outputs from other neurons.",
    "give every monitored neuron of a chip its own tag",
)
"""Several neurons send events with equal tag and hops."""
