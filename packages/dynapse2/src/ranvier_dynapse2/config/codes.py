"""What the numbers in a configuration stand for."""

from __future__ import annotations

from ..nodes import MODELS as MODELS, PORTS

DENDRITES = ("none", *PORTS)
"""Synapse types: ``cam_dendrite`` is the index; 0 is an unused CAM entry."""
LATCHES = (
    "so_dc",
    "so_adaptation",
    "soif_kill",
    "soif_type",
    "coho_ca_mem",
    "ho_enable",
    "ho_active",
    "ho_so_de",
    "deam_ampa",
    "denm_nmda",
    "de_conductance",
    "deam_alpha",
    "denm_alpha",
    "de_mux",
)
"""Switches of a neuron, in order of the last axis of ``latches``."""
CAM_FLAGS = ("stp", "precise_delay", "mismatched_delay")
"""Switches of a CAM entry: bit k of ``cam_flags``."""
CHIP_BIASES = ("LBWR_VB_P", "R2R_BUFFER_CCB")
"""Biases of a chip: its shared parameters (the first) and its global ones."""
EXTRA_CORE_BIASES = ("SYSA_VRES_N", "SYSA_VB_P")
"""Biases of a core that no parameter of a neuron stands behind, but that boards need."""
