"""Graph maps as synapse layers of a .net file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.graph import (
    AvgPool2d,
    Conv2d,
    ConvTranspose2d,
    Linear,
    Node,
    SparseLinear,
    SumPool2d,
)

from ..diagnostics import NET_UNWRITABLE, NET_ZERO_WEIGHTS
from ..nodes import Unpool
from .codes import Coder
from .source import WEIGHT_RANGE

MAPS = (Linear, SparseLinear, Conv2d, ConvTranspose2d, SumPool2d, AvgPool2d, Unpool)
_MOST_WEIGHTS = 1 << 28


def synapse_record(node: Node, gain: Any, coder: Coder) -> dict[str, Any]:
    """Return the datasets of a map, real weights under ``weight``.

    Parameters
    ----------
    node : Node
        One of `MAPS`.
    gain : array
        Factor on its output; must be the same everywhere.
    coder : Coder
        Of the map.
    """
    factors = np.asarray(gain, dtype=np.float64).reshape(-1)
    if np.any(factors != factors[0]):
        message = "is followed by a Scale whose factors differ; fold them into the weights"
        coder.findings.add(NET_UNWRITABLE.at(coder.name, message))
    factor = float(factors[0])
    if isinstance(node, (Linear, SparseLinear)):
        return _dense(node, factor, coder)
    if isinstance(node, (Conv2d, ConvTranspose2d)):
        return _convolution(node, factor, coder)
    return _pool(node, factor, coder)


def weight_codes(weight: NDArray[Any], coder: Coder, name: str = "weight") -> NDArray[np.int64]:
    """Return weights as integers of the file."""
    codes = coder.mantissa(name, weight, *WEIGHT_RANGE)
    if not np.any(codes):
        coder.findings.add(NET_ZERO_WEIGHTS.at(coder.name, f"all {codes.size} weights are zero"))
    return codes


def matrix_of(node: Linear | SparseLinear, coder: Coder) -> NDArray[np.float64]:
    """Return the weights of a linear map as a matrix (out, in)."""
    if isinstance(node, Linear):
        return node.weight
    n_out = node.output_shape[0]
    if n_out * node.n_in > _MOST_WEIGHTS:
        message = f"{n_out} x {node.n_in} weights; the format has full matrices only"
        limit = _MOST_WEIGHTS
        coder.findings.add(
            NET_UNWRITABLE.at(coder.name, message, value=n_out * node.n_in, limit=limit)
        )
        return np.zeros((1, 1))
    weight = np.zeros((n_out, node.n_in))
    np.add.at(weight, (np.repeat(np.arange(n_out), np.diff(node.indptr)), node.indices), node.data)
    return weight


def map_bias(node: Node) -> NDArray[np.float64]:
    """Return what a map adds in every step, such that it broadcasts to its output; 0 if nothing."""
    bias = getattr(node, "bias", None)
    if bias is None or not np.any(bias):
        return np.asarray(0.0)
    values: NDArray[np.float64] = bias
    return values.reshape(-1, *(1,) * (len(node.output_shape) - 1))


def _dense(node: Linear | SparseLinear, factor: float, coder: Coder) -> dict[str, Any]:
    weight = matrix_of(node, coder)
    return {
        "type": "dense",
        "shape": node.output_shape,
        "inFeatures": weight.shape[1],
        "outFeatures": weight.shape[0],
        "weight": weight_codes(weight * factor, coder),
    }


def _convolution(node: Conv2d | ConvTranspose2d, factor: float, coder: Coder) -> dict[str, Any]:
    return {
        "type": "convT" if isinstance(node, ConvTranspose2d) else "conv",
        "shape": node.output_shape,
        "inChannels": node.shape[0],
        "outChannels": node.output_shape[0],
        "kernelSize": node.weight.shape[2:],
        "stride": node.stride,
        "padding": node.padding,
        "dilation": node.dilation,
        "groups": node.groups,
        "weight": weight_codes(node.weight * factor, coder),
    }


def _pool(node: Any, factor: float, coder: Coder) -> dict[str, Any]:
    size = node.kernel_size
    if isinstance(node, AvgPool2d):
        factor /= size[0] * size[1]
    window: Mapping[str, Any] = {
        "kernelSize": size,
        "stride": getattr(node, "stride", size),
        "padding": getattr(node, "padding", (0, 0)),
        "dilation": (1, 1),
    }
    return {
        "type": "unpool" if isinstance(node, Unpool) else "pool",
        "shape": node.output_shape,
        **window,
        "weight": weight_codes(np.full((1, 1, *size), factor), coder),
    }
