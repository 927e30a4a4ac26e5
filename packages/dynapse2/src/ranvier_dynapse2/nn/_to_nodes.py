"""Graph node of the layer; recurrent weights become a Linear with a delay of one step."""

from __future__ import annotations

from typing import Any

import numpy as np

import ranvier.nn as rnn
from ranvier.errors import GraphError
from ranvier.graph import Shape

from ..nodes import Dpi
from ._dpi import DPI


def node_of_dpi(layer: DPI, shape: Shape | None = None) -> Dpi:
    """Return the graph node of a layer, with its values in double precision.

    Parameters
    ----------
    layer : DPI
        The layer.
    shape : tuple of int, optional
        Shape of its input; not needed.

    Raises
    ------
    GraphError
        The layer is to give something else than spikes.
    """
    if layer.readout != "spikes":
        raise GraphError(
            f"to_graph: DPI with readout {layer.readout!r} has no counterpart; set readout='spikes'"
        )
    fields: dict[str, Any] = {
        name: values.reshape(layer.shape) if np.ptp(values) else values[0]
        for name, values in layer.values().items()
    }
    return Dpi(shape=layer.shape, model=layer.model, **fields)


rnn.register_module(DPI, node_of_dpi)
