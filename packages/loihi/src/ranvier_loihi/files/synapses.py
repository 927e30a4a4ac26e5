"""Synapses of a .net file as graph maps: weights in files are 64 times those of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ranvier.graph import Conv2d, ConvTranspose2d, Linear, Node, Scale, Shape, SumPool2d

from ..diagnostics import (
    NET_MISSING,
    NET_SHAPE,
    NET_TRUNCATED,
    NET_VALUE,
    NET_VENDOR_REFUSES,
    NET_WEIGHT_RANGE,
    NET_ZERO_WEIGHTS,
)
from ..nodes import Unpool
from .source import MANTISSA_UNIT, WEIGHT_RANGE, RawLayer

Weights = NDArray[np.float64]
Maps = tuple[Node, ...]
"""Nodes in series."""


def has_weights(layer: RawLayer) -> bool:
    """Say whether a layer has weights, real or complex."""
    return any(name in layer for name in ("weight", "weight/real", "weight/imag"))


def weight_names(layer: RawLayer) -> Mapping[str, str]:
    """Return the ports of the neuron and the datasets of their weights."""
    if "weight/real" in layer or "weight/imag" in layer:
        return {"re": "weight/real", "im": "weight/imag"}
    return {"in": "weight"}


def whole(layer: RawLayer, name: str) -> NDArray[np.int64]:
    """Return a numeric field cut to integers (towards zero); cutting is a loss."""
    values = layer.numbers(name)
    cut = np.trunc(values)
    fractions = int(np.sum(cut != values))
    if fractions:
        message = f"{fractions} of {values.size} values of {name} have a fraction and were cut"
        layer.report(NET_TRUNCATED, message, value=fractions)
    if np.max(np.abs(cut)) > 2**31:
        raise layer.broken(NET_VALUE, f"{name} has values beyond 32 bits")
    codes: NDArray[np.int64] = cut.astype(np.int64)
    return codes


def read_weights(layer: RawLayer, name: str) -> Weights:
    """Return weights in model units; their range is checked."""
    values = whole(layer, name)
    least, most = int(values.min()), int(values.max())
    if least < WEIGHT_RANGE[0] or most > WEIGHT_RANGE[1]:
        limit = f"{WEIGHT_RANGE[0]}..{WEIGHT_RANGE[1]}"
        message = f"{name} is {least}..{most}, allowed are {limit}"
        raise layer.broken(NET_WEIGHT_RANGE, message, value=most, limit=limit)
    if not least and not most:
        layer.report(NET_ZERO_WEIGHTS, f"all {values.size} values of {name} are zero")
    return values / MANTISSA_UNIT


def read_bias(layer: RawLayer, shape: Shape) -> Weights:
    """Return the bias of the neurons in model units, one per channel; 0 without one."""
    from .neurons import channel_values

    if "bias" not in layer:
        return np.asarray(0.0)
    values = whole(layer, "bias")
    if not np.any(values):
        return np.asarray(0.0)
    return channel_values(layer, "bias", values, shape) / MANTISSA_UNIT


def declared_shape(layer: RawLayer) -> Shape | None:
    """Return the stored shape, None without one."""
    if "shape" not in layer:
        return None
    shape = tuple(int(n) for n in layer.integers("shape").reshape(-1))
    if min(shape) < 1 or len(shape) > 3:
        raise layer.broken(NET_SHAPE, f"shape is {shape}, expected (n,) or (C, H, W), all >= 1")
    return shape


def check_declared(layer: RawLayer, shape: Shape) -> None:
    """Refuse a stored shape other than the one that follows from weights and input."""
    declared = declared_shape(layer)
    if declared is not None and squeezed(declared) != squeezed(shape):
        message = f"shape is stored as {declared}, input and weights give {shape}"
        raise layer.broken(NET_SHAPE, message, value=str(declared), limit=str(shape))


def squeezed(shape: Shape) -> Shape:
    """Return ``(n,)`` for ``(n, 1, 1)`` and ``(1, 1, n)``."""
    size = int(np.prod(shape))
    return (size,) if size == max(shape) else shape


def dense_size(layer: RawLayer) -> int:
    """Return the number of outputs of a dense layer."""
    if "outFeatures" in layer:
        return layer.integer("outFeatures")
    shape = declared_shape(layer)
    if shape is not None:
        return int(np.prod(shape))
    name = next((n for n in weight_names(layer).values() if n in layer), "weight")
    weight = layer.numbers(name)
    if weight.ndim < 2:
        raise layer.broken(NET_MISSING, "has neither shape nor outFeatures, and flat weights")
    return int(weight.shape[0])


def dense_inputs(layer: RawLayer) -> int | None:
    """Return the number of inputs that a dense layer itself states, None if it states none."""
    if "inFeatures" in layer:
        return layer.integer("inFeatures")
    name = next((n for n in weight_names(layer).values() if n in layer), None)
    if name is None:
        return None
    size = int(layer.numbers(name).size)
    n_out = dense_size(layer)
    return size // n_out if n_out > 0 and size % n_out == 0 else None


def dense_matrix(layer: RawLayer, name: str, *, n_out: int, n_in: int) -> Weights:
    """Return a matrix (out, in) that is stored so, flat, or with trailing axes."""
    weight = read_weights(layer, name)
    fits = weight.size == n_out * n_in and (weight.ndim < 2 or weight.shape[0] == n_out)
    if not fits:
        message = f"{name} has shape {weight.shape}, expected ({n_out}, {n_in})"
        raise layer.broken(NET_SHAPE, message, value=str(weight.shape), limit=f"({n_out}, {n_in})")
    return weight.reshape(n_out, n_in)


def dense(layer: RawLayer, name: str, shape: Shape) -> Maps:
    """Return the map of a dense layer on an input of one axis."""
    n_out, n_in = dense_size(layer), int(np.prod(shape))
    stated = layer.integer("inFeatures", n_in)
    if stated != n_in or n_out < 1:
        message = f"inFeatures is {stated}, outFeatures {n_out}; the layer before has {n_in}"
        raise layer.broken(NET_SHAPE, message, value=stated, limit=n_in)
    return (Linear(weight=dense_matrix(layer, name, n_out=n_out, n_in=n_in)),)


def _window(layer: RawLayer, name: str, default: int) -> tuple[int, int]:
    values = layer.integers(name, (default, default)).reshape(-1)
    if values.size not in (1, 2):
        raise layer.broken(NET_SHAPE, f"{name} has {values.size} values, expected (h, w)")
    return int(values[0]), int(values[-1])


def _kernels(layer: RawLayer, name: str, leading: tuple[str, str], groups: int) -> Weights:
    """Return kernels (a, b, kh, kw), stored so, with a trailing 1, or flat."""
    weight = read_weights(layer, name)
    if weight.ndim == 5 and weight.shape[4] == 1:
        return weight[..., 0]
    if weight.ndim == 4:
        return weight
    if weight.ndim == 1 and "kernelSize" in layer:
        first, second = layer.integer(leading[0]), layer.integer(leading[1]) // max(groups, 1)
        shape = (first, second, *_window(layer, "kernelSize", 1))
        if weight.size == int(np.prod(shape)):
            return weight.reshape(shape)
    message = f"{name} has shape {weight.shape}, expected four axes, the last (kh, kw)"
    raise layer.broken(NET_SHAPE, message, value=str(weight.shape))


def convolution(layer: RawLayer, name: str, shape: Shape) -> Maps:
    """Return the map of a conv or convT layer."""
    transposed = layer.type == "convt"
    groups = layer.integer("groups", 1)
    ends = ("inChannels", "outChannels") if transposed else ("outChannels", "inChannels")
    weight = _kernels(layer, name, ends, groups)
    channels = int(weight.shape[0]) if transposed else int(weight.shape[1]) * groups
    stated = layer.integer("inChannels", channels)
    if len(shape) != 3 or channels != shape[0] or stated != channels:
        message = f"{name} {weight.shape} with groups {groups} does not fit the input {shape}"
        raise layer.broken(NET_SHAPE, message, value=channels, limit=int(shape[0]))
    if "kernelSize" in layer and _window(layer, "kernelSize", 1) != weight.shape[2:]:
        message = f"kernelSize contradicts the kernels {weight.shape[2:]} of {name}"
        raise layer.broken(NET_SHAPE, message)
    if transposed:
        layer.report(NET_VENDOR_REFUSES, "the vendor's reader has no layer type convT")
    return (
        (ConvTranspose2d if transposed else Conv2d)(
            shape=shape,
            weight=weight,
            stride=_window(layer, "stride", 1),
            padding=_window(layer, "padding", 0),
            dilation=_window(layer, "dilation", 1),
            groups=groups,
        ),
    )


def pool(layer: RawLayer, name: str, shape: Shape) -> Maps:
    """Return the map of a pool or unpool layer: a window sum and, if needed, a factor."""
    weight = read_weights(layer, name).reshape(-1)
    size = _window(layer, "kernelSize", 1) if "kernelSize" in layer else _from_kernel(layer, name)
    stride = _window(layer, "stride", 1) if "stride" in layer else size
    padding = _window(layer, "padding", 0)
    if len(shape) != 3 or weight.size not in (1, size[0] * size[1]):
        message = f"{name} has {weight.size} values for the window {size} on the input {shape}"
        raise layer.broken(NET_SHAPE, message, value=int(weight.size))
    if _window(layer, "dilation", 1) != (1, 1):
        raise layer.broken(NET_VALUE, "a pool with a dilation other than 1 is not read")
    layer.report(NET_VENDOR_REFUSES, f"the vendor's reader has no layer type {layer.type}")
    if np.any(weight != weight[0]):
        return (_depthwise(layer, weight, shape, size, stride, padding),)
    if layer.type == "unpool":
        if stride != size or padding != (0, 0):
            raise layer.broken(NET_VALUE, f"unpool has stride {stride} and window {size}")
        node: Node = Unpool(shape=shape, kernel_size=size)
    else:
        node = SumPool2d(shape=shape, kernel_size=size, stride=stride, padding=padding)
    if weight[0] == 1.0:
        return (node,)
    return (node, Scale(shape=node.output_shape, scale=weight[0]))


def _from_kernel(layer: RawLayer, name: str) -> tuple[int, int]:
    shape = layer.numbers(name).shape
    spatial = shape[2:4] if len(shape) >= 4 else ()
    if len(spatial) != 2:
        raise layer.broken(NET_MISSING, "has no dataset 'kernelSize'")
    return int(spatial[0]), int(spatial[1])


def _depthwise(layer: RawLayer, weight: Weights, shape: Shape, *window: tuple[int, int]) -> Node:
    """Return a pool whose weights differ over the window as a convolution per channel."""
    size, stride, padding = window
    cls = ConvTranspose2d if layer.type == "unpool" else Conv2d
    kernels = np.broadcast_to(weight.reshape(1, 1, *size), (shape[0], 1, *size))
    return cls(shape=shape, weight=kernels, stride=stride, padding=padding, groups=shape[0])


MAPS: Mapping[str, Callable[[RawLayer, str, Shape], Maps]] = {
    "dense": dense,
    "dense_rec": dense,
    "conv": convolution,
    "convt": convolution,
    "pool": pool,
    "unpool": pool,
}
"""Layer types that are synapses, in lower case."""


def recurrent_maps(layer: RawLayer, n: int, ports: tuple[str, ...]) -> Mapping[str, Linear]:
    """Return the recurrent weights of a dense_rec layer by port of its neurons."""
    if "weight_rec/real" in layer or "weight_rec/imag" in layer:
        names = {"re": "weight_rec/real", "im": "weight_rec/imag"}
    else:
        names = {ports[0]: "weight_rec"}
    return {
        port: Linear(weight=dense_matrix(layer, name, n_out=n, n_in=n))
        for port, name in names.items()
    }
