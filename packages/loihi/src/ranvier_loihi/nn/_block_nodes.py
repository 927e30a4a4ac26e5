"""Graph nodes of blocks with neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic
from ranvier.errors import GraphError
from ranvier.graph import CubaLIF, Linear, Neuron, Node, Scale, Shape

from ..diagnostics import GRADED_SPIKES, INPUT_ROUNDED, NORM_BIAS, NORM_EXPONENT
from ..nodes import Delta, InputLayer, KWinners, Sigma
from ._blocks import Block
from ._input import InputBlock
from ._kwta import KWTABlock
from ._neuron import UNIT
from ._neuron_nodes import leak, neuron_node, spread
from ._readout import AffineBlock, OutputBlock
from ._synapse_nodes import parts_of, synapse_nodes, values_of

Values = NDArray[np.float64]
Found = list[Diagnostic]
_NORM_ON_INPUT = ("ALIF",)


def nodes_of_layer(
    name: str, block: Block, *, dt: float
) -> tuple[tuple[dict[str, Node], ...], Found]:
    """Return the nodes of a block: a chain of maps per port, then the neurons or nothing.

    Parameters
    ----------
    name : str
        Start of the names.
    block : Block
        With a synapse.
    dt : float
        Time step, in s.

    Raises
    ------
    GraphError
        A part has no counterpart.
    """
    if block.synapse is None or block.out_shape is None:
        raise GraphError(f"to_graph: block {name} of kind {type(block).__name__} is unknown")
    found: Found = []
    neuron = block.neuron
    mean, exponent = _norm(name, neuron, found)
    factor = 2.0**-exponent
    on_input = neuron is not None and neuron.device_type in _NORM_ON_INPUT
    drive = None if mean is None or not on_input else -mean * factor
    chains = [
        synapse_nodes(f"{name}.{part}", synapse, factor=factor, bias=drive)
        for part, synapse in parts_of(block.synapse).items()
    ]
    bias: Values | float = 0.0
    if mean is not None and not on_input:
        bias = spread(-mean * factor, block.out_shape)
    own = getattr(neuron, "bias", None)
    if own is not None:
        bias = bias + spread(values_of(own), block.out_shape)
    last = _last(name, block, dt=dt, bias=bias)
    if getattr(neuron, "graded_spike", False):
        found.append(GRADED_SPIKES.at(f"{name}.neuron", "graded_spike is True"))
    return (*chains, last), found


def _last(name: str, block: Block, *, dt: float, bias: Values | float) -> dict[str, Node]:
    shape = block.out_shape or ()
    if isinstance(block, OutputBlock):
        return {f"{name}.sigma": Sigma(shape=shape)}
    if isinstance(block, AffineBlock) and not block.dynamics:
        return {}
    if isinstance(block, KWTABlock):
        return {f"{name}.neuron": _winners(name, block, shape, dt=dt, bias=bias)}
    return {f"{name}.neuron": neuron_node(block.neuron, shape, dt=dt, bias=bias)}


def _winners(
    name: str, block: KWTABlock, shape: Shape, *, dt: float, bias: Values | float
) -> KWinners:
    codes: dict[str, Any] = dict(block.neuron.device_params())
    if codes["type"] != "CUBA":
        raise GraphError(
            f"to_graph: block {name} is a KWTA of {codes['type']} neurons; a graph has it for CUBA "
            "neurons only, use cuba.KWTA"
        )
    return KWinners(
        shape=shape,
        bias=np.asarray(bias),
        threshold=spread(codes["vThMant"], shape) / 64.0,
        num_winners=block.num_winners,
        self_excitation=float(block.feedback[0, 0].detach()),
        decay="euler",
        **leak(codes, shape, dt=dt),
    )


def _norm(name: str, neuron: Any, found: Found) -> tuple[Values | None, int]:
    """Return the mean that a norm subtracts and the exponent by which it divides."""
    norm = getattr(neuron, "norm", None)
    if norm is None:
        return None, 0
    node = f"{name}.neuron"
    exponent = int(getattr(norm, "weight_exponent", 0))
    mean = -values_of(norm.bias_codes) / 64.0
    if np.any(mean):
        largest = float(np.abs(mean).max())
        found.append(NORM_BIAS.at(node, f"means up to {largest:g}", value=largest))
    if exponent:
        message = f"the norm divides by 2**{exponent}"
        found.append(NORM_EXPONENT.at(node, message, value=exponent, limit=0))
    return mean, exponent


def nodes_of_input(
    name: str, block: InputBlock, shape: Shape, *, dt: float
) -> tuple[dict[str, Node], Found]:
    """Return the chain of nodes of an input block; none without neurons."""
    if block.neuron is None:
        return {}, []
    weight, offset = (
        default if value is None else float(block.quantized(value).detach())
        for value, default in ((block.weight, 1.0), (block.bias, 0.0))
    )
    found: Found = []
    mean, exponent = _norm(name, block.neuron, found)
    if exponent or mean is not None:
        raise GraphError(f"to_graph: input block {name} has a norm; leave it out")
    if block.pre_hook is not None:
        found.append(INPUT_ROUNDED.at(f"{name}.neuron", "the input is rounded in training"))
    if block.neuron.device_type == "SDNN":
        threshold = block.neuron.device_params()["vThMant"] / 64.0
        node: Neuron = Delta(shape=shape, threshold=threshold)
    else:
        node = neuron_node(block.neuron, shape, dt=dt)
        driven = _driven(node, block, weight, offset, dt=dt)
        if driven is not None:
            return {f"{name}.neuron": driven}, found
    return _scaled(name, shape, weight, offset) | {f"{name}.neuron": node}, found


def _driven(
    node: Neuron, block: InputBlock, weight: float, offset: float, *, dt: float
) -> InputLayer | None:
    """Return neurons that are driven through their bias, which have no synaptic current."""
    codes = block.neuron.device_params()
    if not isinstance(node, CubaLIF) or np.any(np.asarray(codes["iDecay"]) != UNIT):
        return None
    return InputLayer(
        shape=node.shape,
        weight=np.array(weight),
        offset=np.array(offset),
        threshold=node.threshold,
        tau_mem=node.tau_mem,
        decay="euler",
    )


def _scaled(name: str, shape: Shape, weight: float, offset: float) -> dict[str, Node]:
    """Return what multiplies the input, and adds to it where the shape is flat."""
    if offset and len(shape) > 1:
        raise GraphError(
            f"to_graph: input block {name} adds {offset:g} to maps; use current_decay=1 and CUBA "
            "neurons, which take it as their bias, or bias=None"
        )
    if offset:
        (n,) = shape
        return {f"{name}.affine": Linear(weight=weight * np.eye(n), bias=np.full(n, offset))}
    if weight != 1.0:
        return {f"{name}.scale": Scale(shape=shape, scale=np.array(weight))}
    return {}
