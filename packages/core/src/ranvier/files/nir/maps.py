"""Stateless NIR nodes and Delay as nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from ...graph import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Delay,
    Flatten,
    Input,
    Linear,
    Node,
    Output,
    Scale,
    Shape,
    SumPool2d,
    Threshold,
)
from .source import RawNode


def convert_map(
    node: RawNode, shape: Shape, *, time_unit: float = 1.0, comparison: str = ">"
) -> Node | None:
    """Return the graph's node of a stateless NIR node or Delay, None for neurons.

    Parameters
    ----------
    node : RawNode
        As stored.
    shape : tuple of int
        What arrives.
    time_unit : float
        Seconds per unit of delays.
    comparison : {">", ">="}
        When a Threshold fires; NIR's step function is strict.

    Raises
    ------
    GraphError
        The fields contradict each other or the shape.
    """
    if node.type == "Delay":
        return Delay(shape=shape, delay=fitted(node.fields["delay"], shape) * time_unit)
    if node.type == "Threshold":
        threshold = fitted(node.fields["threshold"], shape)
        return Threshold(shape=shape, threshold=threshold, comparison=comparison)
    builder = _BUILDERS.get(node.type)
    return None if builder is None else builder(node.fields, shape)


def fitted(value: Any, shape: Shape) -> NDArray[np.float64]:
    """Return a parameter in float64; single values become scalars, a leading batch axis goes."""
    values = np.asarray(value, dtype=np.float64)
    if values.size == 1:
        return values.reshape(())
    while values.ndim > len(shape) and values.shape[0] == 1:
        values = values[0]
    return values


def _input(fields: Mapping[str, Any], shape: Shape) -> Node:
    return Input(shape=shape)


def _output(fields: Mapping[str, Any], shape: Shape) -> Node:
    return Output(shape=shape)


def _linear(fields: Mapping[str, Any], shape: Shape) -> Node:
    weight = np.asarray(fields["weight"], dtype=np.float64)
    while weight.ndim > 2 and weight.shape[0] == 1:
        weight = weight[0]
    if weight.ndim != 2:
        raise GraphError(
            f"weight has shape {weight.shape}; a stack of matrices has no counterpart, split it"
        )
    bias = fields.get("bias")
    return Linear(weight=weight, bias=None if bias is None else _bias(bias, weight.shape[0]))


def _bias(value: Any, width: int) -> NDArray[np.float64]:
    bias = np.asarray(value, dtype=np.float64)
    if bias.size == 1:
        return np.full(width, float(bias.reshape(())))
    return bias.reshape(-1) if bias.size == width else bias


def _scale(fields: Mapping[str, Any], shape: Shape) -> Node:
    return Scale(shape=shape, scale=fitted(fields["scale"], shape))


def _flatten(fields: Mapping[str, Any], shape: Shape) -> Node:
    start, end = (int(np.asarray(fields[n]).reshape(())) for n in ("start_dim", "end_dim"))
    first, last = (d + len(shape) if d < 0 else d for d in (start, end))
    whole = last == len(shape) - 1 and first <= _last_single(shape)
    if not whole and not batch_counted(fields, shape):
        raise GraphError(
            f"Flatten of axes {start}..{end} of shape {shape} keeps some axes; only flattening "
            "to one axis has a counterpart, use start_dim=0 (NIR does not count the batch)"
        )
    return Flatten(shape=shape)


def _last_single(shape: Shape) -> int:
    """Return how many leading axes have size one, the last axis not counted."""
    singles = 0
    while singles < len(shape) - 1 and shape[singles] == 1:
        singles += 1
    return singles


def batch_counted(fields: Mapping[str, Any], shape: Shape) -> bool:
    """Say whether a Flatten has torch's default ``start_dim=1``, which counts the batch axis."""
    start, end = (int(np.asarray(fields[n]).reshape(())) for n in ("start_dim", "end_dim"))
    return start == 1 and end in (-1, len(shape)) and _last_single(shape) == 0 and len(shape) > 1


def _convolution(kind: type[Conv1d] | type[Conv2d], axes: int) -> Callable[..., Node]:
    def build(fields: Mapping[str, Any], shape: Shape) -> Node:
        weight = np.asarray(fields["weight"], dtype=np.float64)
        if weight.ndim != axes + 2:
            raise GraphError(f"weight has shape {weight.shape}, expected {axes + 2} axes")
        stride, dilation = (_pairs(fields[n], axes) for n in ("stride", "dilation"))
        padding = fields["padding"]
        if isinstance(padding, str):
            weight, dilation, pad = _named_padding(padding, weight, stride, dilation)
        else:
            pad = _pairs(padding, axes)
        return kind(
            shape=shape,
            weight=weight,
            bias=_bias(fields["bias"], weight.shape[0]),
            stride=stride,
            padding=pad,
            dilation=dilation,
            groups=int(np.asarray(fields["groups"]).reshape(())),
        )

    return build


def _pairs(value: Any, axes: int) -> Shape:
    values = np.asarray(value)
    if values.size not in (1, axes) or values.dtype.kind not in "iu":
        raise GraphError(f"{value!r} is not one whole number per axis")
    return tuple(int(v) for v in np.broadcast_to(values.reshape(-1), (axes,)))


def _named_padding(
    padding: str, weight: NDArray[np.float64], stride: Shape, dilation: Shape
) -> tuple[NDArray[np.float64], Shape, Shape]:
    """Turn "valid" and "same" into numbers.

    Where "same" needs an odd number of zeros, torch puts the odd one at the end; a kernel with a
    zero in front does the same with equal padding on both sides.
    """
    if padding == "valid":
        return weight, dilation, (0,) * len(stride)
    if padding != "same" or any(s != 1 for s in stride):
        raise GraphError(f"padding {padding!r} with stride {stride}; use numbers, or stride 1")
    spread = list(dilation)
    for axis, d in enumerate(dilation):
        position = axis + 2
        if d * (weight.shape[position] - 1) % 2:
            weight = _dense_kernel(weight, position, d)
            spread[axis] = 1
    pad = tuple(d * (k - 1) // 2 for d, k in zip(spread, weight.shape[2:], strict=True))
    return weight, tuple(spread), pad


def _dense_kernel(weight: NDArray[np.float64], axis: int, dilation: int) -> NDArray[np.float64]:
    """Write the gaps of a dilated kernel as zeros and put one more zero in front."""
    length = dilation * (weight.shape[axis] - 1) + 1
    shape = (*weight.shape[:axis], length + 1, *weight.shape[axis + 1 :])
    dense = np.zeros(shape)
    place = [slice(None)] * weight.ndim
    place[axis] = slice(1, None, dilation)
    dense[tuple(place)] = weight
    return dense


def _pool(kind: type[SumPool2d] | type[AvgPool2d]) -> Callable[..., Node]:
    def build(fields: Mapping[str, Any], shape: Shape) -> Node:
        names = ("kernel_size", "stride", "padding")
        return kind(shape=shape, **{n: _pairs(fields[n], 2) for n in names})

    return build


_BUILDERS = cast(
    "Mapping[str, Callable[[Mapping[str, Any], Shape], Node]]",
    {
        "Input": _input,
        "Output": _output,
        "Linear": _linear,
        "Affine": _linear,
        "Scale": _scale,
        "Flatten": _flatten,
        "Conv1d": _convolution(Conv1d, 1),
        "Conv2d": _convolution(Conv2d, 2),
        "SumPool2d": _pool(SumPool2d),
        "AvgPool2d": _pool(AvgPool2d),
    },
)
