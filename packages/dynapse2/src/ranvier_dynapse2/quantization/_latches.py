"""Switches of the neurons."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import diagnostics as codes
from ..config.codes import LATCHES
from ..nodes import PORTS
from ._connections import Kept
from ._task import Task

_SLACK = 1e-9


def refuse_latches(task: Task) -> None:
    """Report switches of the options that neurons do not have."""
    for name in task.options.latches:
        if name not in LATCHES:
            close = difflib.get_close_matches(name, LATCHES, n=3)
            advice = f"; did you mean {', '.join(close)}?" if close else ""
            text = f"there is no switch {name!r}{advice}"
            task.findings.add(codes.UNKNOWN_LATCH.at(None, text, value=name))


def latch_registers(kept: Kept, task: Task) -> NDArray[np.bool_]:
    """Return the switches of all neurons, (chips, 4, 256, 14).

    ``so_dc`` is on where ``i_dc`` > 0, ``so_adaptation`` where ``i_w_ahp`` is above the dark
    current, ``denm_nmda`` where a neuron of the four-synapse model has NMDA synapses; the options
    replace each for all neurons of the network.
    """
    network, limits = task.network, task.limits
    dark = network.layout.i_o * (1 + _SLACK)
    gated = np.zeros(network.n_neurons, dtype=bool)
    if network.model == "four_synapse":
        gated[kept.target[kept.port == PORTS.index("nmda")]] = True
    own: dict[str, Any] = {
        "so_dc": network.currents["i_dc"] > 0,
        "so_adaptation": network.currents["i_w_ahp"] > dark,
        "denm_nmda": gated,
        **task.options.latches,
    }
    shape = (network.chips, limits.cores_per_chip, limits.neurons_per_core, len(LATCHES))
    latches = np.zeros(shape, dtype=bool)
    if task.options.kill_unused:
        latches[..., LATCHES.index("soif_kill")] = True
    place = network.chip, network.core, network.slot
    latches[(*place, LATCHES.index("soif_kill"))] = False
    for name, values in own.items():
        latches[(*place, LATCHES.index(name))] = values
    return latches
