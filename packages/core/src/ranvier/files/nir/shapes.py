"""Shapes of all nodes from the weights, inputs and parameters; stored types are not trusted.

NIR 1.0.8 types grouped and non-square convolutions wrongly, some exporters leave a batch axis of
one in Input and Output, others store scalar parameters; a reader has to find the widths itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import FileError, GraphError
from ...graph import Node, Shape
from .maps import convert_map
from .source import RawGraph, RawNode

_PARAMETERS = (
    "tau",
    "tau_mem",
    "tau_syn",
    "r",
    "v_leak",
    "v_threshold",
    "v_reset",
    "w_in",
    "scale",
    "delay",
    "threshold",
)
_CONVOLUTIONS = {"Conv1d": 2, "Conv2d": 3}
_POOLS = ("SumPool2d", "AvgPool2d")
_RESHAPING = (*_CONVOLUTIONS, *_POOLS, "Flatten")


def input_shapes(flat: RawGraph, *, where: str) -> dict[str, Shape]:
    """Return the input shape of every node.

    Parameters
    ----------
    flat : RawGraph
        Without subgraphs, with ends.
    where : str
        For messages.

    Raises
    ------
    FileError
        A shape cannot be found, or a node cannot take what arrives.
    """
    nodes = {n: v for n, v in flat.nodes.items() if isinstance(v, RawNode)}
    known: dict[str, Shape] = {}
    for name, node in nodes.items():
        if node.type in ("Linear", "Affine"):
            known[name] = (_matrix_width(name, node, where),)
        elif node.type == "Input" and "shape" in node.fields:
            known[name] = _input_shape(name, nodes, flat.edges)
    sources = _neighbours(flat.edges, forwards=False)
    targets = _neighbours(flat.edges, forwards=True)
    while len(known) < len(nodes):
        if _spread(nodes, known, sources, where) or _from_parameters(nodes, known):
            continue
        if not _from_targets(nodes, known, targets):
            _single(nodes, known)
    return known


def _neighbours(
    edges: Sequence[tuple[str, str]], *, forwards: bool
) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for source, target in edges:
        key, value = (source, target) if forwards else (target, source)
        found[key] = (*found.get(key, ()), value)
    return found


def _matrix_width(name: str, node: RawNode, where: str) -> int:
    weight = np.asarray(node.fields["weight"])
    if weight.ndim < 2:
        raise FileError(f"{where}: node {name!r}: weight has shape {weight.shape}, not (out, in)")
    return int(weight.shape[-1])


def _spread(
    nodes: Mapping[str, RawNode],
    known: dict[str, Shape],
    sources: Mapping[str, tuple[str, ...]],
    where: str,
) -> bool:
    """Give every node behind a known one its shape; say whether anything was found."""
    waiting = [n for n in nodes if n not in known]
    for name in waiting:
        before = next((s for s in sources.get(name, ()) if s in known), None)
        if before is not None:
            known[name] = _output_shape(before, nodes[before], known[before], where)
    return any(n in known for n in waiting)


def _output_shape(name: str, node: RawNode, shape: Shape, where: str) -> Shape:
    try:
        built = convert_map(node, shape)
    except GraphError as error:
        raise FileError(f"{where}: node {name!r}: {error}") from error
    return built.output_shape if isinstance(built, Node) else shape


def _from_parameters(nodes: Mapping[str, RawNode], known: dict[str, Shape]) -> bool:
    """Take shapes from per-neuron parameters where nothing known arrives."""
    for name, node in nodes.items():
        shape = parameter_shape(node)
        if name not in known and shape is not None:
            known[name] = stripped(shape)
            return True
    return False


def _from_targets(
    nodes: Mapping[str, RawNode], known: dict[str, Shape], targets: Mapping[str, tuple[str, ...]]
) -> bool:
    """Take shapes from what comes next: only nodes that keep the shape are left."""
    for name, node in nodes.items():
        after = next((t for t in targets.get(name, ()) if t in known), None)
        if name not in known and after is not None and node.type not in _RESHAPING:
            known[name] = known[after]
            return True
    return False


def _single(nodes: Mapping[str, RawNode], known: dict[str, Shape]) -> None:
    name = next(n for n in nodes if n not in known)
    stated = nodes[name].fields.get("shape")
    known[name] = (1,) if stated is None else stripped(shape_of(stated))


def parameter_shape(node: RawNode) -> Shape | None:
    """Return the broadcast shape of the parameters, None if they are single values."""
    shapes = [np.shape(node.fields[p]) for p in _PARAMETERS if p in node.fields]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        shape = max(shapes, key=len)
    return shape if int(np.prod(shape)) > 1 else None


def shape_of(value: Any) -> Shape:
    """Return a stored shape vector as a tuple."""
    return tuple(int(v) for v in np.atleast_1d(np.asarray(value)))


def stripped(shape: Shape) -> Shape:
    """Remove leading axes of one, but keep at least one axis."""
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _input_shape(
    name: str, nodes: Mapping[str, RawNode], edges: Sequence[tuple[str, str]]
) -> Shape:
    """Choose how many leading axes of one belong to the data: as many as the next node takes."""
    stated = shape_of(nodes[name].fields["shape"])
    candidates = [stated]
    while len(candidates[-1]) > 1 and candidates[-1][0] == 1:
        candidates.append(candidates[-1][1:])
    fitting = (c for c in candidates if _accepted(name, c, nodes, edges))
    return next(fitting, stated)


def _accepted(
    start: str, shape: Shape, nodes: Mapping[str, RawNode], edges: Sequence[tuple[str, str]]
) -> bool:
    """Say whether all nodes that this shape reaches unchanged can take it."""
    after = _neighbours(edges, forwards=True)
    waiting, seen = list(after.get(start, ())), set()
    while waiting:
        name = waiting.pop()
        node = nodes[name]
        if name in seen:
            continue
        seen.add(name)
        verdict = _takes(node, shape)
        if verdict is False:
            return False
        if verdict is None:
            waiting.extend(after.get(name, ()))
    return True


def _takes(node: RawNode, shape: Shape) -> bool | None:
    """Say whether a node takes a shape; None if any shape passes through unchanged."""
    if node.type in ("Linear", "Affine"):
        return shape == (np.shape(node.fields["weight"])[-1],)
    if node.type in _CONVOLUTIONS:
        weight = np.shape(node.fields["weight"])
        groups = int(np.asarray(node.fields["groups"]).reshape(-1)[0])
        return len(shape) == _CONVOLUTIONS[node.type] and shape[0] == weight[1] * groups
    if node.type in _POOLS:
        return len(shape) == 3
    if node.type == "Flatten":
        stated = node.fields.get("input_type")
        return stated is None or shape == shape_of(stated)
    if node.type == "Output":
        stated = node.fields.get("shape")
        return None if stated is None else shape in (shape_of(stated), stripped(shape_of(stated)))
    parameters = parameter_shape(node)
    if parameters is None:
        return None
    if shape != parameters and stripped(shape) == parameters:
        return False
    try:
        return np.broadcast_shapes(parameters, shape) == shape or None
    except ValueError:
        return False
