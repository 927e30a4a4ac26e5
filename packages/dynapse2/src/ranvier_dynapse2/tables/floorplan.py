"""A picture of the board: one rectangle per core, with how full it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..config import Dynapse2Config

COLUMNS = 2
"""Cores of a chip side by side; the vendor publishes no positions."""


def floorplan(config: Dynapse2Config) -> dict[str, Any]:
    """Return one rectangle per core of the board, with how full it is.

    Cores lie two by two, chips side by side in the order of the row.

    Parameters
    ----------
    config : Dynapse2Config
        The board.

    Returns
    -------
    dict
        ``"chips"``, ``"columns"``, ``"rows"`` (of one chip's grid) and ``"rectangles"``: a list of
        dictionaries with ``chip``, ``core``, ``x``, ``y``, ``width``, ``height`` (in cores; chips
        are one core apart), ``occupancy`` (share of the fullest resource, 0..1), ``resource``
        (its name: ``"neurons"``, ``"cam"``, the CAM entries of the fullest neuron, or ``"tags"``;
        None where the core is empty) and ``populations`` (neurons by node).
    """
    n_cores = config.limits.cores_per_chip
    rows = -(-n_cores // COLUMNS)
    rectangles = [
        {
            "chip": chip,
            "core": core,
            "x": chip * (COLUMNS + 1) + core % COLUMNS,
            "y": core // COLUMNS,
            "width": 1,
            "height": 1,
            **_content(config, chip, core),
        }
        for chip in range(config.chips)
        for core in range(n_cores)
    ]
    return {"chips": config.chips, "columns": COLUMNS, "rows": rows, "rectangles": rectangles}


def _content(config: Dynapse2Config, chip: int, core: int) -> dict[str, Any]:
    limits, place = config.limits, config.placement
    neurons = place.port.index("neuron") if "neuron" in place.port else -1
    here = (place.port_id == neurons) & (place.chip == chip) & (place.core == core)
    held = np.bincount(place.node_id[here], minlength=len(place.node))
    cam = config.cam_dendrite[chip, core] != 0
    shares = {
        "neurons": float(here.sum()) / limits.neurons_per_core,
        "cam": float(cam.sum(axis=1).max()) / limits.synapses_per_neuron,
        "tags": np.unique(config.cam_tag[chip, core][cam]).size / limits.tags,
    }
    name = max(shares, key=lambda n: shares[n])
    populations = {place.node[k]: int(n) for k, n in enumerate(held) if n}
    return {
        "occupancy": shares[name],
        "resource": name if shares[name] else None,
        "populations": populations,
    }
