"""Diagnostics of the placement."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

NO_SUCH_SLOT = DiagnosticCode(
    "DY030",
    "error",
    "A neuron needs more CAM entries than any neuron of the board offers.",
    "prune its smallest weights, let more sources share equal weights, split its sources over a "
    "layer in between, or allow worse CAM entries (cam_profile, cam_error_max)",
)
"""CAM entries of one neuron: one per group of sources with equal synapses, and port."""
BOARD_FULL = DiagnosticCode(
    "DY031",
    "error",
    "The network needs more cores than the board has.",
    "use a larger board (chips=), make layers smaller, or let more neurons share their parameters",
)
"""Neurons of one cluster of parameters per core, summed over the clusters."""
SLOTS_EXHAUSTED = DiagnosticCode(
    "DY032",
    "error",
    "Too few neurons of the board have enough usable CAM entries.",
    "use a larger board (chips=), prune weights, or allow worse CAM entries (cam_error_max)",
)
"""Slots with enough usable CAM entries, where a profile of the chip excludes some."""
TAGS_EXHAUSTED = DiagnosticCode(
    "DY033",
    "error",
    "A core has too few tags for the sources that reach it.",
    "use a larger board (chips=) so that fewer neurons share a core, let more sources have equal "
    "weights, prune sources, or allow more tags (tag_pool)",
)
"""Every group of sources that reaches a core needs a tag of its own there."""
TAGS_NOT_COMMON = DiagnosticCode(
    "DY034",
    "error",
    "Packets to several cores find no tag that is usable and free in all of them.",
    "allow more tags (tag_pool), use a larger board (chips=), or monitor fewer neurons, so that "
    "they may send a packet per core",
)
"""One packet carries one tag to all cores of its mask."""
TOO_MANY_DESTINATIONS = DiagnosticCode(
    "DY035",
    "error",
    "A neuron reaches more chips than it has words in its SRAM.",
    "monitor fewer neurons (one word each; monitor='outputs'), prune weights so that the neuron "
    "reaches fewer chips, or make the network fit fewer chips",
)
"""One word per chip that a neuron reaches, and one for monitoring."""
PACKETS_SPLIT = DiagnosticCode(
    "DY130",
    "info",
    "Some sources send several packets to one chip, because no tag is free in all of its cores.",
    "nothing to do; spikes of these sources cost more packets",
)
"""Tags were short, words were left."""
