"""Graph to NIR: standard fields that step alike in the Euler scheme, and the exact graph beside.

For a canonical neuron with decay factors alpha and beta the file states::

    tau   = dt / (1 - alpha)      r    = tau / dt        (so that r dt / tau = 1)
    tau_syn = dt / (1 - beta)     w_in = tau_syn / dt
    v_leak = v_rest + bias / (1 - alpha)

so that ``i += dt/tau_syn (w_in x - i)``, ``v += dt/tau (v_leak - v + r i)``, which norse, snnTorch,
spikingjelly and Lava run with this dt, makes the same steps. With the Euler scheme ``tau`` is the
neuron's own; with the exponential one it is longer by about dt / 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from os import PathLike
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...diagnostics import CHANGED_VALUE, LOST_FIELD, Diagnostic, Findings, describe
from ...errors import FileError, GraphError, InputError
from ...graph import (
    CubaLI,
    CubaLIF,
    Edge,
    Flatten,
    Graph,
    Linear,
    Neuron,
    Node,
    SparseLinear,
    SpikingNeuron,
    Threshold,
)
from ..container import checked_path
from .hints import KEY, hints_of
from .neurons import gap
from .source import RawGraph, RawNode, image_of

_PLAIN = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Scale": ("scale",),
    "Delay": ("delay",),
    "Threshold": ("threshold",),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
}
_NEURONS = ("I", "IF", "LI", "LIF", "CubaLI", "CubaLIF")
_CONVOLUTIONS = ("Conv1d", "Conv2d")
WRITABLE = ("Linear", "SparseLinear", "Flatten", *_PLAIN, *_NEURONS, *_CONVOLUTIONS)
"""Node kinds with a counterpart in NIR."""


def write_nir(graph: Graph, path: str | PathLike[str]) -> tuple[Diagnostic, ...]:
    """Write a graph to a NIR file, completely or not at all.

    Parameters
    ----------
    graph : Graph
        Only with node kinds that NIR has.
    path : path
        An existing file is replaced.

    Returns
    -------
    tuple of Diagnostic
        What other frameworks will not find in the standard fields. `read_nir` finds everything in
        the metadata, as long as nobody changes the fields.

    Raises
    ------
    GraphError
        Nodes have no counterpart in NIR; all are listed.
    FileError
        The file cannot be written; a previous file is intact.
    """
    from ...events.atomic import replacing

    target = checked_path(path, "write_nir")
    if not isinstance(graph, Graph):
        raise InputError(f"write_nir: expected a Graph, got {type(graph).__name__}")
    raw, findings = raw_from_graph(graph)
    try:
        noted = RawGraph(raw.nodes, raw.edges, {**raw.metadata, KEY: hints_of(graph, raw)})
    except (TypeError, ValueError, RecursionError) as error:
        raise FileError(
            f"{target}: the graph holds notes that are not JSON ({error}); keep metadata to text, "
            "numbers, lists and dictionaries"
        ) from error
    image = image_of(noted)
    with replacing(target) as temporary:
        temporary.write_bytes(image)
    return findings


def raw_from_graph(graph: Graph) -> tuple[RawGraph, tuple[Diagnostic, ...]]:
    """Return the standard fields of a graph and what they do not hold.

    Raises
    ------
    GraphError
        Nodes have no counterpart in NIR; all are listed.
    """
    _check_kinds(graph)
    findings = Findings()
    nodes = {name: _node(name, node, graph.dt, findings) for name, node in graph.nodes.items()}
    edges = []
    for edge in graph.edges:
        explicit = edge.delay - _implied_delay(edge, graph, findings)
        if explicit:
            shape = graph.nodes[edge.source].output_shape
            name = _unused(f"{edge.source}.delay.{edge.target}", nodes)
            nodes[name] = RawNode("Delay", {"delay": np.full(shape, explicit * graph.dt)})
            edges += [(edge.source, name), (name, edge.target)]
        else:
            edges.append((edge.source, edge.target))
    return RawGraph(nodes, tuple(edges), _notes(graph)), tuple(findings)


def _check_kinds(graph: Graph) -> None:
    problems = []
    for name, node in graph.nodes.items():
        if node.kind not in WRITABLE:
            kind = getattr(node, "original_kind", node.kind)
            problems.append(LOST_FIELD.at(name, f"NIR has no counterpart of {kind}"))
        elif isinstance(node, (CubaLI, CubaLIF)) and node.synapses > 1:
            message = f"NIR has one synapse per neuron, this one has {node.synapses}"
            problems.append(LOST_FIELD.at(name, message, value=node.synapses, limit=1))
    if problems:
        heading = f"write_nir: {len(problems)} node(s) cannot be written; save as .rv instead"
        raise GraphError(describe(problems, heading=heading), problems)


def _notes(graph: Graph) -> dict[str, Any]:
    resets = {n.reset for n in graph.nodes.values() if isinstance(n, SpikingNeuron)}
    notes = {
        "tool": "ranvier",
        "tool_version": version("ranvier"),
        "dt": graph.dt,
        "scheme": "euler",
        "time_unit": 1.0,
    }
    return {**notes, "reset": resets.pop()} if len(resets) == 1 else notes


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name


def _implied_delay(edge: Edge, graph: Graph, findings: Findings) -> int:
    """Return 1 for the only delayed edge of a cycle: readers delay an edge that closes one."""
    if not edge.delay or not _reaches(edge.target, edge.source, graph, delayed=True):
        return 0
    if _reaches(edge.target, edge.source, graph, delayed=False):
        return 1
    findings.add(
        CHANGED_VALUE.at(
            edge.source,
            f"edge {edge} is in a cycle with other delays; NIR readers add one more step to it",
        )
    )
    return 0


def _reaches(start: str, goal: str, graph: Graph, *, delayed: bool) -> bool:
    waiting, seen = [start], set()
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += [e.target for e in graph.edges_from(name) if delayed or not e.delay]
    return False


def _node(name: str, node: Node, dt: float, findings: Findings) -> RawNode:
    if isinstance(node, Neuron):
        return _neuron(name, node, dt, findings)
    if isinstance(node, SparseLinear):
        return _matrix(_dense(node), node.bias)
    if isinstance(node, Linear):
        return _matrix(node.weight, node.bias)
    if isinstance(node, Flatten):
        shape = np.asarray(node.shape)
        return RawNode("Flatten", {"start_dim": 0, "end_dim": -1, "input_type": shape})
    if node.kind in _CONVOLUTIONS:
        return _convolution(node)
    if isinstance(node, Threshold) and node.comparison == ">=":
        findings.add(_strict(name))
    return RawNode(node.kind, {f: _value(node, f) for f in _PLAIN[node.kind]})


def _value(node: Node, field: str) -> NDArray[Any]:
    value = np.asarray(getattr(node, field))
    per_element = field in ("scale", "delay", "threshold")
    return np.broadcast_to(value, node.output_shape).copy() if per_element else value


def _matrix(weight: NDArray[np.float64], bias: NDArray[np.float64] | None) -> RawNode:
    if bias is None:
        return RawNode("Linear", {"weight": weight})
    return RawNode("Affine", {"weight": weight, "bias": bias})


def _dense(node: SparseLinear) -> NDArray[np.float64]:
    weight = np.zeros((node.output_shape[0], node.n_in))
    rows = np.repeat(np.arange(node.output_shape[0]), np.diff(node.indptr))
    np.add.at(weight, (rows, node.indices), node.data)
    return weight


def _convolution(node: Any) -> RawNode:
    spatial = [np.asarray(getattr(node, n)) for n in ("stride", "padding", "dilation")]
    if node.kind == "Conv1d":
        spatial = [v.reshape(()) for v in spatial]
    size = node.shape[1] if node.kind == "Conv1d" else np.asarray(node.shape[1:])
    bias = np.zeros(node.weight.shape[0]) if node.bias is None else node.bias
    values = dict(zip(("stride", "padding", "dilation"), spatial, strict=True))
    fields = {"input_shape": size, "weight": node.weight, "bias": bias, "groups": node.groups}
    return RawNode(node.kind, {**fields, **values})


def _neuron(name: str, node: Neuron, dt: float, findings: Findings) -> RawNode:
    build = cast("Callable[..., dict[str, Any]]", _leaky if hasattr(node, "tau_mem") else _leakless)
    fields = build(name, node, dt, findings)
    if isinstance(node, SpikingNeuron):
        fields |= {"v_threshold": node.parameter("threshold"), "v_reset": _reset_value(node)}
        _report_firing(name, node, dt, findings)
    full = {k: np.broadcast_to(v, node.shape).copy() for k, v in fields.items()}
    return RawNode(node.kind, full)


def _leaky(name: str, node: Any, dt: float, findings: Findings) -> dict[str, Any]:
    leak = gap(node.parameter("tau_mem"), dt=dt, decay=node.decay)
    tau = dt / leak
    if np.any(node.v_rest):
        message = "the membrane starts at v_rest here, in most readers of NIR at 0"
        findings.add(CHANGED_VALUE.at(name, message))
    fields = {"r": tau / dt, "v_leak": node.parameter("v_rest") + node.parameter("bias") / leak}
    if isinstance(node, (CubaLI, CubaLIF)):
        tau_syn = dt / gap(node.parameter("tau_syn"), dt=dt, decay=node.decay)[0]
        return {**fields, "tau_mem": tau, "tau_syn": tau_syn, "w_in": tau_syn / dt}
    return {**fields, "tau": tau}


def _leakless(name: str, node: Neuron, dt: float, findings: Findings) -> dict[str, Any]:
    for field in ("bias", "v_rest"):
        if np.any(getattr(node, field)):
            message = f"NIR's {node.kind} has no {field}; only ranvier will read it"
            findings.add(LOST_FIELD.at(name, message))
    return {"r": np.asarray(1.0 / dt)}


def _reset_value(node: SpikingNeuron) -> NDArray[np.float64]:
    value = node.parameter("v_reset")
    return value if node.reset == "to_value" else np.zeros_like(value)


def _report_firing(name: str, node: SpikingNeuron, dt: float, findings: Findings) -> None:
    if node.comparison == ">=":
        findings.add(_strict(name))
    if node.reset == "subtract":
        message = "NIR states no reset by subtraction; other readers choose their own reset"
        findings.add(LOST_FIELD.at(name, message, value=node.reset))
    if node.max_spikes > 1:
        message = f"NIR neurons emit one spike, this one up to {node.max_spikes} per step"
        findings.add(LOST_FIELD.at(name, message, value=node.max_spikes, limit=1))
    if np.any(node.refractory):
        longest = float(np.max(node.refractory))
        message = f"NIR has no refractory time, this neuron has {longest:g} s"
        findings.add(LOST_FIELD.at(name, message, value=longest))


def _strict(name: str) -> Diagnostic:
    return CHANGED_VALUE.at(name, "NIR fires above the threshold, this node also at the threshold")
