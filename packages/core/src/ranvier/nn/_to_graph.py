"""From torch modules to a graph: containers are unfolded, everything else is traced by torch.fx."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from ..errors import GraphError
from ..graph import Delay, Edge, Flatten, Graph, Input, Linear, Node, Output, Shape
from . import _layers as layers
from ._containers import Residual, Sequential
from ._dropout import TimeStepDropout, UnitDropout
from ._from_graph import GraphNetwork
from ._neuron import Neuron
from ._synnet import SynNet
from ._to_nodes import node_of, recurrent_weights

_CONTAINERS = (Sequential, SynNet, GraphNetwork)
_SILENT = (TimeStepDropout, UnitDropout)


@dataclass(frozen=True)
class Flow:
    """A signal between modules: the sum of some nodes' outputs, each delayed by some steps."""

    sources: tuple[tuple[str, int], ...]
    shape: Shape

    def later(self, steps: int) -> Flow:
        """Return the flow delayed."""
        return Flow(tuple((name, delay + steps) for name, delay in self.sources), self.shape)

    def plus(self, other: Flow) -> Flow:
        """Return the sum of two flows."""
        if self.shape != other.shape:
            raise GraphError(f"to_graph: shapes {self.shape} and {other.shape} are added")
        if set(self.sources) & set(other.sources):
            raise GraphError("to_graph: a signal is added to itself; scale its weights instead")
        return Flow(self.sources + other.sources, self.shape)


def to_graph(
    module: nn.Module,
    *,
    input_shape: int | tuple[int, ...] | None = None,
    dt: float | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Graph:
    """Turn a module into a graph.

    Parameters
    ----------
    module : torch.nn.Module
        A module of `ranvier.nn`, or any module whose ``forward`` calls such modules in a way that
        torch.fx can trace: calls, additions, flattening. Dropout disappears.
    input_shape : tuple of int or None
        Shape of the input without batch and time; known where the first module is linear or
        a neuron layer.
    dt : float or None
        Time step, in s; that of the neuron layers, which must agree.
    metadata : mapping or None
        Notes kept with the graph.

    Returns
    -------
    Graph
        Nodes are called as the modules, ``"block.linear"``.

    Raises
    ------
    GraphError
        A module or an operation has no counterpart, the time steps differ, a shape is unknown.
    """
    step = _time_step(module, dt)
    builder = _Builder(step)
    shape = _input_shape(module, input_shape)
    start = builder.add("input", Input(shape=shape), None)
    end = builder.run("", module, start)
    builder.add("output", Output(shape=end.shape), end)
    notes = {"tool": "ranvier.nn", **(metadata or {})}
    return Graph(builder.nodes, tuple(builder.edges), step, notes)


@dataclass
class _Builder:
    dt: float
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def add(self, name: str, node: Node, flow: Flow | None) -> Flow:
        """Add a node behind a flow."""
        chosen = self._free(name)
        self.nodes[chosen] = node
        port = node.ports[0]
        for source, delay in flow.sources if flow is not None else ():
            self.edges.append(Edge(source, chosen, port, delay))
        return Flow(((chosen, 0),), node.output_shape)

    def _free(self, name: str) -> str:
        if name not in self.nodes:
            return name
        return next(f"{name}_{i}" for i in range(1, 10**6) if f"{name}_{i}" not in self.nodes)

    def run(self, name: str, module: nn.Module, flow: Flow) -> Flow:
        """Convert a module behind a flow; return what it gives."""
        if isinstance(module, SynNet):
            return self.run(name, module.seq, flow)
        if isinstance(module, GraphNetwork):
            return self._embed(name, module, flow)
        if isinstance(module, Sequential):
            return self._chain(name, module, flow)
        if isinstance(module, _SILENT):
            return flow
        if isinstance(module, layers.Delay):
            return self._delay(name, module, flow)
        if isinstance(module, Neuron):
            return self._neurons(name or "neurons", module, flow)
        if _known(module) or _is_plain_torch(module):
            node = node_of(module, flow.shape)
            return flow if node is None else self.add(name or type(module).__name__, node, flow)
        return _Tracing(self, name, module).run(flow)

    def _chain(self, name: str, chain: Sequential, flow: Flow) -> Flow:
        hops = chain.hops
        end = flow
        for child, module in chain.named_children():
            end = self.run(_join(name, child), module, end.later(hops[child]))
        return end.plus(flow) if isinstance(chain, Residual) else end

    def _delay(self, name: str, module: layers.Delay, flow: Flow) -> Flow:
        steps = module.steps.cpu().numpy()
        if steps.min() == steps.max():
            return flow.later(int(steps.max()))
        node = Delay(shape=flow.shape, delay=np.broadcast_to(steps, flow.shape) * self.dt)
        return self.add(name or "delay", node, flow)

    def _neurons(self, name: str, module: Neuron, flow: Flow) -> Flow:
        node = node_of(module, flow.shape)
        if node is None:
            raise GraphError(f"to_graph: {type(module).__name__} has no counterpart")
        chosen = self._free(name)
        self.nodes[chosen] = node
        if len(node.ports) == 1:
            shaped = self._shaped(chosen, flow, node.output_shape)
            self._connect(shaped, chosen, node.ports[0])
        else:
            self._connect_synapses(chosen, node, flow)
        for port, weight in zip(node.ports, recurrent_weights(module), strict=False):
            loop = self._free(f"{chosen}.rec" if port == "in" else f"{chosen}.rec_{port}")
            self._recur(chosen, loop, port, node, weight)
        return Flow(((chosen, 0),), node.output_shape)

    def _recur(self, name: str, loop: str, port: str, node: Node, weight: Any) -> None:
        if len(node.output_shape) != 1:
            raise GraphError(
                f"to_graph: the recurrent layer {name!r} has shape {node.output_shape}; "
                "flatten it to one axis"
            )
        self.nodes[loop] = Linear(weight=weight)
        self.edges += [Edge(name, loop, delay=1), Edge(loop, name, port)]

    def _shaped(self, name: str, flow: Flow, shape: Shape) -> Flow:
        """Flatten a flow where a layer takes its columns flattened."""
        if flow.shape == shape:
            return flow
        if int(np.prod(flow.shape)) == int(np.prod(shape)) and len(shape) == 1:
            return self.add(f"{name}.flatten", Flatten(shape=flow.shape), flow)
        raise GraphError(f"to_graph: layer {name!r} of shape {shape} gets input of {flow.shape}")

    def _connect(self, flow: Flow, name: str, port: str) -> None:
        self.edges += [Edge(source, name, port, delay) for source, delay in flow.sources]

    def _connect_synapses(self, name: str, node: Node, flow: Flow) -> None:
        """Give each port its columns ``neuron * n_ports + port``."""
        ports = node.ports
        size = int(np.prod(node.output_shape))
        if len(node.output_shape) != 1 or flow.shape != (size * len(ports),):
            raise GraphError(
                f"to_graph: layer {name!r} with ports {ports} and shape {node.output_shape} needs "
                f"an input of ({size * len(ports)},), got {flow.shape}"
            )
        for source, delay in flow.sources:
            self._split(source, delay, name, ports)

    def _split(self, source: str, delay: int, name: str, ports: tuple[str, ...]) -> None:
        linear = self.nodes[source]
        count = len(ports)
        only_here = not any(e.source == source for e in self.edges)
        for number, port in enumerate(ports):
            if isinstance(linear, Linear) and only_here:
                bias = None if linear.bias is None else linear.bias[number::count]
                part = self._free(f"{source}.{port}")
                self.nodes[part] = Linear(weight=linear.weight[number::count], bias=bias)
                before = [e for e in self.edges if e.target == source]
                self.edges += [Edge(e.source, part, e.port, e.delay) for e in before]
            else:
                part = self._free(f"{name}.{port}")
                self.nodes[part] = Linear(weight=np.eye(linear.size)[number::count])
                self.edges.append(Edge(source, part))
            self.edges.append(Edge(part, name, port, delay))
        if isinstance(linear, Linear) and only_here:
            del self.nodes[source]
            self.edges = [e for e in self.edges if e.target != source]

    def _embed(self, name: str, network: GraphNetwork, flow: Flow) -> Flow:
        """Insert a graph that was turned into a module."""
        inner = network.current_graph()
        names = {n: self._free(_join(name, n)) for n in inner.nodes}
        entry, exit_ = inner.inputs[0], inner.outputs[0]
        for inner_name, node in inner.nodes.items():
            if inner_name not in (entry, exit_):
                self.nodes[names[inner_name]] = node
        end: tuple[tuple[str, int], ...] = ()
        for edge in inner.edges:
            sources = (
                flow.later(edge.delay).sources
                if edge.source == entry
                else ((names[edge.source], edge.delay),)
            )
            if edge.target == exit_:
                end += sources
                continue
            self.edges += [Edge(s, names[edge.target], edge.port, d) for s, d in sources]
        return Flow(end, inner.nodes[exit_].output_shape)


class _Leaves(fx.Tracer):
    """Everything that the builder converts itself is a leaf."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        ours = isinstance(m, (*_CONTAINERS, *_SILENT, Neuron))
        return ours or _known(m) or super().is_leaf_module(m, module_qualified_name)


def _known(module: nn.Module) -> bool:
    return node_of.dispatch(type(module)) is not node_of.dispatch(nn.Module)


def _is_plain_torch(module: nn.Module) -> bool:
    """Say whether a module is one of torch's own and not a container of others."""
    return type(module).__module__.startswith("torch.nn") and not list(module.children())


class _Tracing:
    """Converts a module of the user's own by interpreting its fx graph."""

    def __init__(self, builder: _Builder, name: str, module: nn.Module) -> None:
        self.builder = builder
        self.name = name
        self.module = module
        try:
            self.traced = _Leaves().trace(module)
        except Exception as error:
            raise GraphError(
                f"to_graph: {type(module).__name__} cannot be traced by torch.fx ({error}); "
                "its forward may call modules, add and flatten, without control flow on data"
            ) from error

    def run(self, flow: Flow) -> Flow:
        """Interpret the traced operations with flows in place of tensors."""
        values: dict[fx.Node, Flow] = {}
        for operation in self.traced.nodes:
            if operation.op == "placeholder":
                if values:
                    if operation.args:
                        continue
                    raise GraphError(f"to_graph: {type(self.module).__name__} has several inputs")
                values[operation] = flow
            elif operation.op == "output":
                result = operation.args[0]
                if not isinstance(result, fx.Node):
                    raise GraphError("to_graph: forward must return one tensor")
                return values[result]
            else:
                values[operation] = self._apply(operation, values)
        raise GraphError("to_graph: forward returns nothing")

    def _apply(self, operation: fx.Node, values: dict[fx.Node, Flow]) -> Flow:
        flows = [values[a] for a in operation.args if isinstance(a, fx.Node)]
        if operation.op == "call_module" and len(flows) == 1:
            path = str(operation.target)
            return self.builder.run(
                _join(self.name, path), self.module.get_submodule(path), flows[0]
            )
        if operation.target in (operator.add, operator.iadd, torch.add, "add") and len(flows) == 2:
            return flows[0].plus(flows[1])
        if operation.target in (torch.flatten, "flatten") and operation.args[1:] == (2,):
            shape = flows[0].shape
            if len(shape) == 1:
                return flows[0]
            return self.builder.add(_join(self.name, "flatten"), Flatten(shape=shape), flows[0])
        raise GraphError(
            f"to_graph: operation {operation.format_node()} has no counterpart; a graph has "
            "module calls, additions and flatten(2)"
        )


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _input_shape(module: nn.Module, given: int | tuple[int, ...] | None) -> Shape:
    if given is not None:
        return (given,) if isinstance(given, int) else tuple(given)
    if isinstance(module, GraphNetwork):
        return module.graph.nodes[module.graph.inputs[0]].output_shape
    for part in module.modules():
        if isinstance(part, layers.Linear):
            return (part.n_in,)
        if isinstance(part, nn.Linear):
            return (part.in_features,)
        if isinstance(part, Neuron):
            return part.shape if part.columns == part.n else (part.columns,)
        if isinstance(part, layers.Conv2d | nn.Conv2d | layers.SumPool2d | layers.AvgPool2d):
            break
    raise GraphError("to_graph: the shape of the input is unknown; pass input_shape=(c, h, w)")


def _time_step(module: nn.Module, given: float | None) -> float:
    steps = {m.dt for m in module.modules() if isinstance(m, Neuron)}
    steps |= {m.graph.dt for m in module.modules() if isinstance(m, GraphNetwork)}
    if given is not None:
        steps.add(given)
    if len(steps) != 1:
        found = "no neuron layer states one" if not steps else f"found {sorted(steps)}"
        raise GraphError(f"to_graph: one time step is needed, {found}; pass dt= in s")
    return steps.pop()
