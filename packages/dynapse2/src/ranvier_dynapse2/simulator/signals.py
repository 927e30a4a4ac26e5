"""From simulated neurons to signals of the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Signal, SpikeTrain, Trace

from ..config import Dynapse2Config
from ..dpi import DpiRun
from ..nodes import synapse_states
from .board import Board


def quantities(model: str) -> tuple[str, ...]:
    """Return what can be recorded of a neuron.

    Parameters
    ----------
    model : {"merged_synapse", "four_synapse"}
        How synapses act.
    """
    synapses = ("i_syn",) if model == "merged_synapse" else synapse_states()
    return ("spikes", *synapses, "i_ahp", "i_mem", "v_mem")


def signal(config: Dynapse2Config, board: Board, result: DpiRun, *, key: tuple[str, str]) -> Signal:
    """Return a recorded quantity of a node in the node's shape.

    Parameters
    ----------
    config : Dynapse2Config
        What ran.
    board : Board
        Which neuron is which.
    result : DpiRun
        Must hold the trace.
    key : (str, str)
        Node and quantity.
    """
    node, quantity = key
    own, shape = board.columns[node], config.node_shapes[node]
    if quantity == "spikes":
        values = _of_node(result.spikes, own, at_rest=0)
        return SpikeTrain.from_raster(values.reshape(*values.shape[:2], *shape), dt=config.dt)
    voltage = quantity == "v_mem"
    values = _of_node(result.traces[quantity], own, at_rest=0.0 if voltage else config.layout.i_o)
    return Trace(
        values.reshape(*values.shape[:2], *shape),
        interval=config.dt,
        unit="V" if voltage else "A",
    )


def _of_node(values: NDArray[Any], own: NDArray[np.int64], *, at_rest: float) -> NDArray[Any]:
    """Return the columns of a node; neurons that are switched off stay at rest."""
    off = own < 0
    if not off.any():
        return values[:, :, own]
    found = np.full((*values.shape[:2], own.size), at_rest, dtype=values.dtype)
    found[:, :, ~off] = values[:, :, own[~off]]
    return found
