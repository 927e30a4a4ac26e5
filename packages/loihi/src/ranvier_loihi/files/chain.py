"""The graph that grows while the layers of a .net file are read one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ranvier.graph import Edge, Flatten, Graph, Input, Node, Output, Shape


@dataclass(frozen=True)
class Tip:
    """Where the next layer connects.

    Parameters
    ----------
    name : str or None
        Node; None behind a layer that could not be read.
    shape : tuple of int or None
        Shape of what it emits, None if unknown.
    hop : int
        Steps that an edge to a synapse carries: 1 behind neurons.
    """

    name: str | None
    shape: Shape | None
    hop: int = 0


@dataclass
class Chain:
    """Nodes and edges so far, the open ends, and the ends of every layer by number."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    tips: list[Tip] = field(default_factory=list)
    ends: dict[int, list[Tip]] = field(default_factory=dict)

    @property
    def size(self) -> int | None:
        """Values that all tips emit together, None if unknown."""
        shapes = [tip.shape for tip in self.tips]
        if not shapes or any(shape is None for shape in shapes):
            return None
        return sum(int(np.prod(shape)) for shape in shapes if shape is not None)

    def begin(self, shape: Shape) -> None:
        """Start with an Input."""
        self.nodes["input"] = Input(shape=shape)
        self.tips = [Tip("input", shape)]

    def add(self, name: str, node: Node, tip: Tip, *, synapse: bool) -> Tip:
        """Append a node behind a tip; return the new tip.

        Parameters
        ----------
        name : str
            Name of the node.
        node : Node
            With one input.
        tip : Tip
            What feeds it.
        synapse : bool
            Whether the hop ends here.
        """
        self.nodes[name] = node
        if tip.name is not None:
            delay = tip.hop if synapse else 0
            self.edges.append(Edge(tip.name, name, port=node.ports[0], delay=delay))
        return Tip(name, node.output_shape, 0 if synapse else tip.hop)

    def in_series(self, names: Sequence[str], nodes: Sequence[Node], tip: Tip) -> Tip:
        """Append the nodes of one synapse behind a tip; return the last."""
        for name, node in zip(names, nodes, strict=True):
            tip = self.add(name, node, tip, synapse=True)
        return tip

    def flatten(self, name: str) -> None:
        """Merge the axes of every tip that has several, and of one that has one only."""
        many = len(self.tips) > 1
        for i, tip in enumerate(self.tips):
            if tip.shape is not None and (len(tip.shape) > 1 or not many):
                own = f"{name}.{i}" if many else name
                self.tips[i] = self.add(own, Flatten(shape=tip.shape), tip, synapse=False)

    def neuron(self, name: str, node: Node, sources: Sequence[tuple[str, Tip]]) -> None:
        """Append neurons that several ports feed; they become the only tip."""
        self.nodes[name] = node
        for port, tip in sources:
            if tip.name is not None:
                self.edges.append(Edge(tip.name, name, port=port))
        self.tips = [Tip(name, node.output_shape, 1)]

    def recur(self, name: str, node: Node, port: str) -> None:
        """Feed the neurons of the tip with their own spikes of the step before."""
        tip = self.tips[0]
        back = self.add(name, node, tip, synapse=True)
        self.edges.append(Edge(str(back.name), str(tip.name), port))

    def finished(self, *, dt: float, metadata: dict[str, object]) -> Graph:
        """Close the tips with an Output and return the graph."""
        for i, tip in enumerate(self.tips):
            name = "output" if not i else f"output_{i}"
            self.add(name, Output(shape=tip.shape or (1,)), tip, synapse=False)
        return Graph(self.nodes, tuple(self.edges), dt, metadata)
