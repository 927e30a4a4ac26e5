"""From a graph to a torch module that computes the same and can be trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import graph as g
from ..errors import GraphError
from ..graph import Edge, Graph, Node, order_nodes
from . import _layers as layers, _lif as lif
from ._adaptive import AdaptiveLIF, AdEx
from ._export import ToGraph
from ._neuron import Neuron, forget_states, holds_series, on_series
from ._resonate import ResonateAndFire
from ._sigma_delta import SigmaDelta
from ._to_nodes import UNLIMITED, node_of, recurrent_weights


def from_graph(graph: Graph, *, train_neurons: bool = False, **options: Any) -> GraphNetwork:
    """Turn a graph into a module.

    Parameters
    ----------
    graph : Graph
        One Input, one Output. Recurrence is allowed from a neuron layer through one Linear with a
        delay of one step back to itself.
    train_neurons : bool
        Make time constants, thresholds and biases trainable where the module can.
    **options
        Further arguments for the modules of the CUBA-LIF family: ``surrogate``, ``backend``.

    Returns
    -------
    GraphNetwork
        Maps ``(batch, time, *input_shape)`` to ``(batch, time, *output_shape)``.

    Raises
    ------
    GraphError
        The graph has a kind, a loop, or several inputs or outputs that have no module; all
        problems in one message.
    """
    return GraphNetwork(graph, train_neurons=train_neurons, **options)


class GraphNetwork(ToGraph, nn.Module):
    """A graph as a torch module; every node is a submodule under its name (dots become ``__``).

    Parameters
    ----------
    graph, train_neurons, **options
        As in `from_graph`.

    Attributes
    ----------
    graph : Graph
        What the module was made of. `current_graph` has the present parameters.
    """

    def __init__(self, graph: Graph, *, train_neurons: bool = False, **options: Any) -> None:
        super().__init__()
        self.graph = graph
        loops = _self_loops(graph)
        self._loops = {target: names for target, names in loops.items() if names}
        inner = {name for names in self._loops.values() for name in names.values()}
        problems = _problems(graph, inner)
        self._order = _order_without(graph, inner)
        for name in self._order:
            node = graph.nodes[name]
            if isinstance(node, g.Input | g.Output):
                continue
            try:
                module = _module_of(node, graph.dt, train_neurons, options, self._weights(name))
            except GraphError as error:
                problems.append(f"node {name!r}: {error}")
                continue
            self.add_module(_attribute(name), module)
        if problems:
            raise GraphError("from_graph: " + "; ".join(problems))

    def _weights(self, name: str) -> dict[str, NDArray[np.float64]]:
        found = {}
        for port, loop in self._loops.get(name, {}).items():
            linear = self.graph.nodes[loop]
            if isinstance(linear, g.Linear):
                found[port] = linear.weight
        return found

    def module_of(self, name: str) -> nn.Module:
        """Return the module of a node by the node's name."""
        return self.get_submodule(_attribute(name))

    def reset_state(self) -> None:
        """Forget the states of all layers."""
        forget_states(self.children())

    def forward(self, x: Tensor, *, record: bool = False) -> Any:
        """Run the network over ``(batch, time, *input_shape)``.

        Parameters
        ----------
        x : Tensor, series or list of series
            Spikes or values; series give series back, without gradients.
        record : bool
            Also return the traces of all neuron layers; see `ranvier.nn.record`.
        """
        if holds_series(x):
            return on_series(self, x, record=record)
        if record:
            from ._recording import record as record_network

            with record_network(self) as traces:
                return self.forward(x), traces
        values: dict[str, Tensor] = {}
        for name in self._order:
            node = self.graph.nodes[name]
            if isinstance(node, g.Input):
                values[name] = x
                continue
            inputs = self._inputs(name, node, values)
            values[name] = inputs if isinstance(node, g.Output) else self.module_of(name)(inputs)
        return values[self.graph.outputs[0]]

    def _inputs(self, name: str, node: Node, values: Mapping[str, Tensor]) -> Tensor:
        skipped = set(self._loops.get(name, {}).values())
        edges = [e for e in self.graph.edges_into(name) if e.source not in skipped]
        ports = {p: [e for e in edges if e.port == p] for p in node.ports}
        parts = [_sum(ports[p], values) for p in node.ports]
        if len(parts) == 1 and parts[0] is not None:
            return parts[0]
        like = next(p for p in parts if p is not None)
        full = [torch.zeros_like(like) if p is None else p for p in parts]
        return torch.stack(full, dim=-1).flatten(2)  # columns neuron * n_ports + port

    def current_graph(self) -> Graph:
        """Return the graph with the present parameters of the modules."""
        nodes: dict[str, Node] = {}
        for name in self._order:
            node = self.graph.nodes[name]
            if isinstance(node, g.Input | g.Output):
                continue
            module = self.module_of(name)
            nodes[name] = _current(node, module, self.graph.dt)
            weights = dict(zip(node.ports, recurrent_weights(module), strict=False))
            for port, loop in self._loops.get(name, {}).items():
                nodes[loop] = self.graph.nodes[loop].replace(weight=weights[port])
        return self.graph.with_nodes(nodes)


def _sum(edges: list[Edge], values: Mapping[str, Tensor]) -> Tensor | None:
    total: Tensor | None = None
    for edge in edges:
        value = values[edge.source]
        if edge.delay:
            past = value.new_zeros(value.shape[0], edge.delay, *value.shape[2:])
            value = torch.cat([past, value], 1)[:, : value.shape[1]]
        total = value if total is None else total + value
    return total


def _attribute(name: str) -> str:
    return name.replace(".", "__")


def _self_loops(graph: Graph) -> dict[str, dict[str, str]]:
    """Return, per neuron node, the Linear of each port that feeds back its previous spikes."""
    loops: dict[str, dict[str, str]] = {}
    for name in graph.neurons:
        loops[name] = {}
        for edge in graph.edges_into(name):
            before, after = graph.edges_into(edge.source), graph.edges_from(edge.source)
            plain = isinstance(graph.nodes[edge.source], g.Linear) and len(after) == 1
            if plain and len(before) == 1 and before[0].source == name:
                linear = graph.nodes[edge.source]
                one_step = before[0].delay + edge.delay == 1
                if one_step and isinstance(linear, g.Linear) and linear.bias is None:
                    loops[name][edge.port] = edge.source
    return loops


def _problems(graph: Graph, inner: set[str]) -> list[str]:
    problems = []
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        problems.append(
            f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs; one of each is possible"
        )
    place = {name: i for i, name in enumerate(_order_without(graph, inner))}
    problems += [
        f"edge {e} closes a loop that is not one layer's own recurrence"
        for e in graph.edges
        if not {e.source, e.target} & inner and place[e.source] >= place[e.target]
    ]
    return problems


def _order_without(graph: Graph, inner: set[str]) -> tuple[str, ...]:
    """Return the order of the nodes outside the recurrent loops, delayed edges included."""
    nodes = {name: node for name, node in graph.nodes.items() if name not in inner}
    edges = [e for e in graph.edges if not {e.source, e.target} & inner]
    return order_nodes(nodes, edges)


def _tensor(values: Any) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.get_default_dtype())


def _module_of(
    node: Node,
    dt: float,
    train: bool,
    options: Mapping[str, Any],
    weights: Mapping[str, NDArray[np.float64]],
) -> nn.Module:
    if isinstance(node, g.Neuron):
        return _neuron_module(node, dt, train, options, weights)
    if isinstance(node, g.Linear | g.Conv2d):
        return _weighted(node)
    if isinstance(node, g.SumPool2d | g.AvgPool2d):
        kind = layers.SumPool2d if isinstance(node, g.SumPool2d) else layers.AvgPool2d
        (kh, kw), (sh, sw), (ph, pw) = node.kernel_size, node.stride, node.padding
        return kind((kh, kw), stride=(sh, sw), padding=(ph, pw))
    if isinstance(node, g.Flatten):
        return layers.Flatten()
    if isinstance(node, g.Delay):
        return layers.Delay(_tensor(np.rint(np.broadcast_to(node.delay, node.shape) / dt)))
    if isinstance(node, g.Scale):
        return _Scale(_tensor(node.scale))
    raise GraphError(f"kind {node.kind} has no torch module")


def _weighted(node: g.Linear | g.Conv2d) -> nn.Module:
    has_bias = node.bias is not None
    module: layers.Linear | layers.Conv2d
    if isinstance(node, g.Linear):
        n_out, n_in = node.weight.shape
        module = layers.Linear(n_in, n_out, bias=has_bias)
    else:
        c_out, c_in, kh, kw = node.weight.shape
        module = layers.Conv2d(
            c_in * node.groups,
            c_out,
            (kh, kw),
            stride=(node.stride[0], node.stride[1]),
            padding=(node.padding[0], node.padding[1]),
            dilation=(node.dilation[0], node.dilation[1]),
            groups=node.groups,
            bias=has_bias,
        )
    with torch.no_grad():
        module.weight.copy_(_tensor(node.weight))
        if module.bias is not None:
            module.bias.copy_(_tensor(node.bias))
    return module


class _Scale(nn.Module):
    """Elementwise factor of every step."""

    scale: Tensor

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        """Scale ``(batch, time, *shape)``."""
        return x * self.scale


@node_of.register
def _scale_node(module: _Scale, shape: tuple[int, ...]) -> Node:
    return g.Scale(shape=shape, scale=module.scale.detach().cpu().double().numpy())


_LIF_FIELDS = ("v_rest", "bias", "threshold", "v_reset", "tau_mem")
_LIF_OPTIONS = ("reset", "comparison", "decay")
_PLAIN: dict[type[Node], tuple[type[Neuron], tuple[str, ...]]] = {
    g.AdaptiveLIF: (
        AdaptiveLIF,
        (
            "tau_mem",
            "tau_syn",
            "threshold",
            "threshold_step",
            "tau_threshold",
            "tau_refractory",
            "bias",
        ),
    ),
    g.AdEx: (
        AdEx,
        (
            "tau_mem",
            "tau_syn",
            "tau_adaptation",
            "threshold",
            "v_rest",
            "v_reset",
            "slope",
            "v_exp",
            "a",
            "b",
            "bias",
        ),
    ),
    g.ResonateAndFire: (ResonateAndFire, ("frequency", "tau", "threshold", "bias")),
    g.SigmaDelta: (SigmaDelta, ("threshold", "bias")),
}
_PLAIN_OPTIONS = {g.ResonateAndFire: "trigger", g.SigmaDelta: "activation"}


def _neuron_module(
    node: g.Neuron,
    dt: float,
    train: bool,
    options: Mapping[str, Any],
    weights: Mapping[str, NDArray[np.float64]],
) -> nn.Module:
    if type(node) in _PLAIN:
        kind, names = _PLAIN[type(node)]
        extra = _PLAIN_OPTIONS.get(type(node))
        chosen = {extra: getattr(node, extra)} if extra else {}
        parameters: dict[str, Any] = {n: _tensor(getattr(node, n)) for n in names}
        return kind(node.shape, dt=dt, **parameters, **chosen)
    module_kind: type[lif.LifFamily] = getattr(lif, node.kind, lif.LifFamily)
    if module_kind is lif.LifFamily:
        raise GraphError(f"kind {node.kind} has no torch module")
    values: dict[str, Any] = {
        name: _tensor(getattr(node, name)) for name in _LIF_FIELDS if hasattr(node, name)
    }
    values |= {name: getattr(node, name) for name in _LIF_OPTIONS if hasattr(node, name)}
    if isinstance(node, g.CubaLIF | g.CubaLI):
        several = node.synapses > 1
        tau_syn = np.moveaxis(node.parameter("tau_syn"), 0, -1) if several else node.tau_syn
        values["tau_syn"] = _tensor(tau_syn)
        values["n_synapses"] = node.synapses
    if isinstance(node, g.SpikingNeuron):
        values["max_spikes"] = None if node.max_spikes == UNLIMITED else node.max_spikes
        values["refractory"] = _uniform(node.refractory)
        values["train_threshold"] = train
    trained = {"train_tau": train and hasattr(node, "tau_mem"), "train_bias": train}
    recurrent = bool(weights)
    module = module_kind(
        node.shape, dt=dt, recurrent=recurrent, **(trained | values | dict(options))
    )
    if recurrent and module.weight_rec is not None:
        zero = np.zeros((node.size, node.size))
        parts = np.stack([weights.get(port, zero) for port in node.ports], axis=1)
        with torch.no_grad():
            module.weight_rec.copy_(_tensor(parts.reshape(-1, node.size)))
    return module


def _uniform(values: NDArray[np.float64]) -> float:
    if np.any(values != values.flat[0]):
        raise GraphError("refractory times differ between neurons; the module has one")
    return float(values.flat[0])


def _current(node: Node, module: nn.Module, dt: float) -> Node:
    """Return a node with the present parameters of its module."""
    if isinstance(node, g.Delay | g.Flatten | g.SumPool2d | g.AvgPool2d):
        return node
    return node_of(module, node.input_shape(node.ports[0])) or node
