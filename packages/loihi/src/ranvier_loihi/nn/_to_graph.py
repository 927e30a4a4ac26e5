"""From blocks to a graph, without a forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from ranvier.diagnostics import Diagnostic
from ranvier.errors import GraphError
from ranvier.graph import Delay, Edge, Flatten, Graph, Input, Node, Output, Shape

from ..nodes import Average, TimeDecimation
from ._axon import Delay as AxonDelay
from ._block_nodes import nodes_of_input, nodes_of_layer
from ._blocks import Block
from ._input import InputBlock
from ._kwta import KWTABlock
from ._recurrent import FeedbackBlock
from ._reshape import AverageBlock, FlattenBlock, TimeDecimationBlock
from ._synapse_nodes import feedback_nodes


@dataclass(frozen=True)
class Flow:
    """A signal on its way: the node it comes from, its shape, the steps it still has to wait."""

    source: str
    shape: Shape
    steps: int = 0


def shapes_of(blocks: Iterable[nn.Module]) -> tuple[Shape | None, ...]:
    """Return the shape of every block's output; None until the first block with a shape.

    Raises
    ------
    GraphError
        Two blocks do not fit.
    """
    shapes: list[Shape | None] = []
    shape: Shape | None = None
    for block in blocks:
        checked = _checked(block)
        before = checked.in_shape if shape is None else shape
        shape = None if before is None else checked.shape_after(before)
        shapes.append(shape)
    return tuple(shapes)


def to_graph(
    blocks: Iterable[nn.Module], *, dt: float = 1e-3, input_shape: Shape | None = None
) -> Graph:
    """Turn blocks that follow one another into a graph; nothing has to run before.

    Parameters
    ----------
    blocks : iterable of Block
        A `Network`'s, or the ``torch.nn.ModuleList`` of a module of your own.
    dt : float
        Time step, in s, > 0.
    input_shape : tuple of int or None
        Shape of the input; that of the first block which has one.

    Returns
    -------
    Graph
        Weights and thresholds are multiples of 1/64, time constants stand for the integer decays.
        A block with a delay shift puts one step on the edge to the next block, none on that to the
        output: the blocks' output is the graph's, one step later.

    Raises
    ------
    GraphError
        A module is no block, the shape of the input is unknown, two blocks do not fit, or a block
        has no counterpart.

    Notes
    -----
    ``graph.diagnostics`` lists what differs from the trained network: graded spikes, norms,
    rounded input.
    """
    chain = tuple(blocks)
    if not chain:
        raise GraphError("to_graph: there is no block; pass at least one")
    builder = _Builder(dt)
    flow = builder.start(_input_shape(chain) if input_shape is None else tuple(input_shape))
    for number, block in enumerate(chain):
        flow = builder.block(str(number), _checked(block), flow)
    return builder.finish(flow)


def _checked(block: nn.Module) -> Block:
    if not isinstance(block, Block):
        raise GraphError(
            f"to_graph: {type(block).__name__} is no block; use blocks of ranvier_loihi.nn, "
            "or convert it with ranvier.nn.to_graph"
        )
    return block


def _input_shape(chain: tuple[nn.Module, ...]) -> Shape:
    for block in chain:
        checked = _checked(block)
        if checked.in_shape is not None:
            return checked.in_shape
        if isinstance(checked, FlattenBlock | AverageBlock):
            break
    raise GraphError(
        "to_graph: the shape of the input is unknown; pass in_shape= to the first block"
    )


@dataclass
class _Builder:
    dt: float
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)

    def start(self, shape: Shape) -> Flow:
        """Add the input."""
        self.nodes["input"] = Input(shape=shape)
        return Flow("input", shape)

    def finish(self, flow: Flow) -> Graph:
        """Add the output; there is no next layer, so the last step falls away."""
        self.nodes["output"] = Output(shape=flow.shape)
        self.edges.append(Edge(flow.source, "output", delay=max(0, flow.steps - 1)))
        notes: dict[str, Any] = {"tool": "ranvier_loihi.nn"}
        if self.found:
            notes["diagnostics"] = [d.to_dict() for d in self.found]
        return Graph(self.nodes, tuple(self.edges), self.dt, notes)

    def block(self, name: str, block: Block, flow: Flow) -> Flow:
        """Add a block behind a flow."""
        after = block.shape_after(flow.shape)
        if isinstance(block, FlattenBlock):
            return self._pass(f"{name}.flatten", Flatten(shape=flow.shape), flow)
        if isinstance(block, AverageBlock):
            node = Average(shape=flow.shape, num_outputs=block.num_outputs)
            return self._pass(f"{name}.average", node, flow)
        if isinstance(block, TimeDecimationBlock):
            node_ = TimeDecimation(shape=flow.shape, factor=block.factor)
            return Flow(self.add(f"{name}.decimation", node_, flow), flow.shape)
        if isinstance(block, InputBlock):
            chain, diagnostics = nodes_of_input(name, block, flow.shape, dt=self.dt)
            source = self._chain(chain, flow) if chain else flow.source
            steps = 0 if chain else flow.steps
        else:
            parts, diagnostics = nodes_of_layer(name, block, dt=self.dt)
            source, steps = self._layer(parts, flow), 0
        self.found += diagnostics
        if isinstance(block, FeedbackBlock) and not isinstance(block, KWTABlock):
            self._loop(name, block, source)
        if block.delay is not None:
            source = self._axons(name, block.delay, after, source)
        return Flow(source, after, steps + (block.shift is not None))

    def add(self, name: str, node: Node, flow: Flow, port: str = "in") -> str:
        """Add a node behind a flow, which arrives after the steps it has to wait."""
        self.nodes[name] = node
        self.edges.append(Edge(flow.source, name, port, flow.steps))
        return name

    def _pass(self, name: str, node: Node, flow: Flow) -> Flow:
        """Add a node that is the same before and after a delay."""
        self.add(name, node, Flow(flow.source, flow.shape))
        return Flow(name, node.output_shape, flow.steps)

    def _chain(self, made: Mapping[str, Node], flow: Flow) -> str:
        for name, node in made.items():
            port = node.ports[0]
            flow = Flow(self.add(name, node, flow, port), node.output_shape)
        return flow.source

    def _layer(self, made: tuple[dict[str, Node], ...], flow: Flow) -> str:
        """Add maps (one chain per port) and the node that they drive, if there is one."""
        *chains, last = made
        ends = [self._chain(chain, flow) for chain in chains]
        for name, node in last.items():
            self.nodes[name] = node
            self.edges += [
                Edge(end, name, port) for end, port in zip(ends, node.ports, strict=False)
            ]
            return name
        return ends[0]

    def _loop(self, name: str, block: FeedbackBlock, source: str) -> None:
        ports = self.nodes[source].ports
        for port, (part, node) in zip(ports, feedback_nodes(name, block).items(), strict=False):
            self.nodes[part] = node
            self.edges += [Edge(source, part, delay=1), Edge(part, source, port)]

    def _axons(self, name: str, axons: AxonDelay, shape: Shape, source: str) -> str:
        steps = axons.steps.cpu().numpy().reshape(-1, *(1,) * (len(shape) - 1))
        node = Delay(shape=shape, delay=steps * self.dt)
        return self.add(f"{name}.delay", node, Flow(source, shape))
