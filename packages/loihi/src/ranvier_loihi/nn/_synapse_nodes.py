"""Graph nodes of synapses: the weights after their hook."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ranvier.errors import GraphError
from ranvier.graph import (
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    Node,
    Scale,
    SumPool2d,
)

from ..nodes import Unpool as UnpoolNode
from ._pool import Pool, Unpool
from ._recurrent import FeedbackBlock
from ._synapse import Complex, Conv, ConvT, Dense, Synapse

Values = NDArray[np.float64]


def values_of(tensor: Tensor) -> Values:
    """Return a tensor as float64 array."""
    values: Values = tensor.detach().cpu().double().numpy()
    return values


def synapse_nodes(
    name: str, synapse: Synapse, *, factor: float = 1.0, bias: Values | None = None
) -> dict[str, Node]:
    """Return the chain of nodes of a synapse.

    Parameters
    ----------
    name : str
        Start of the names.
    synapse : Synapse
        Module.
    factor : float
        Factor on the weights.
    bias : array or None
        Constant drive per channel of the output, (n,).

    Raises
    ------
    GraphError
        A bias behind a synapse that has none.
    """
    if isinstance(synapse, Dense):
        node: Node = Linear(weight=values_of(synapse.used_weight) * factor, bias=bias)
        flat: dict[str, Node] = {}
        if len(synapse.in_shape) > 1:
            flat[f"{name}.flatten"] = Flatten(shape=synapse.in_shape)
        return flat | {name: node}
    if isinstance(synapse, Conv):
        kind = ConvTranspose2d if isinstance(synapse, ConvT) else Conv2d
        return {
            name: kind(
                shape=synapse.in_shape,
                weight=values_of(synapse.used_weight) * factor,
                bias=bias,
                stride=synapse.stride,
                padding=synapse.padding,
                dilation=synapse.dilation,
                groups=synapse.groups,
            )
        }
    if bias is not None and np.any(bias):
        raise GraphError(
            f"to_graph: {name!r} is a pool whose neurons have a norm on their input; "
            "leave the norm out"
        )
    return _fixed(name, synapse, factor * float(synapse.used_weight.detach()))


def _fixed(name: str, synapse: Synapse, weight: float) -> dict[str, Node]:
    """Return the nodes of a pool or its transpose: one weight for all."""
    node: Node
    if isinstance(synapse, Pool) and any(synapse.extension):
        return {name: _extended_pool(synapse, weight)}
    if isinstance(synapse, Pool):
        node = SumPool2d(
            shape=synapse.in_shape,
            kernel_size=synapse.kernel_size,
            stride=synapse.stride,
            padding=synapse.padding,
        )
    elif isinstance(synapse, Unpool):
        node = UnpoolNode(shape=synapse.in_shape, kernel_size=synapse.kernel_size)
    else:
        raise GraphError(f"to_graph: synapse {type(synapse).__name__} has no counterpart")
    nodes: dict[str, Node] = {name: node}
    if weight != 1.0:
        nodes[f"{name}.scale"] = Scale(shape=synapse.out_shape, scale=np.array(weight))
    return nodes


def _extended_pool(pool: Pool, weight: float) -> Conv2d:
    """Return a pool that is extended below and to the right only, as a convolution.

    Padding is equal on both sides in a graph; leading zeros in the kernel undo what it adds above
    and to the left.
    """
    low, right = pool.extension
    rows, columns = pool.kernel_size
    channels = pool.in_shape[0]
    kernel = np.zeros((channels, 1, rows + low, columns + right))
    kernel[:, :, low:, right:] = weight
    return Conv2d(
        shape=pool.in_shape,
        weight=kernel,
        stride=pool.stride,
        padding=(pool.padding[0] + low, pool.padding[1] + right),
        groups=channels,
    )


def feedback_nodes(name: str, block: FeedbackBlock) -> dict[str, Node]:
    """Return the linear maps of a loop, one per port of the neurons."""
    weights: Any = block.feedback
    parts = weights if isinstance(weights, tuple) else (weights,)
    names = ("real", "imag") if isinstance(weights, tuple) else ("synapse",)
    return {
        f"{name}.recurrent_{part}": Linear(weight=values_of(w))
        for part, w in zip(names, parts, strict=True)
    }


def parts_of(synapse: Synapse | Complex) -> dict[str, Synapse]:
    """Return the synapses of a block by the end of their name."""
    if isinstance(synapse, Complex):
        return {"synapse_real": synapse.real, "synapse_imag": synapse.imag}
    return {"synapse": synapse}
