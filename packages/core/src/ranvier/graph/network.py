"""The chip-neutral network: named nodes, edges with ports and delays, a time step."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..diagnostics import Diagnostic
from ..errors import GraphError
from ._validation import order_nodes, validate
from .maps import Input, Output
from .neuron import Neuron
from .node import Node, node_from_fields


@dataclass(frozen=True)
class Edge:
    """A connection that hands the output of ``source`` to a port of ``target``.

    Parameters
    ----------
    source, target : str
        Node names.
    port : str
        Input port of the target.
    delay : int
        Steps of the graph's dt, >= 0. Every cycle needs at least one.
    """

    source: str
    target: str
    port: str = "in"
    delay: int = 0

    def __str__(self) -> str:
        port = "" if self.port == "in" else f".{self.port}"
        delay = f" [{self.delay} steps]" if self.delay else ""
        return f"{self.source} -> {self.target}{port}{delay}"


@dataclass(frozen=True, eq=False)
class Graph:
    """A network of nodes and edges, validated on construction.

    Parameters
    ----------
    nodes : mapping of str to Node
        Names are free of "/" and control characters; order is kept.
    edges : iterable of Edge or tuple
        Tuples are ``(source, target[, port[, delay]])``. Inputs to one port are summed.
    dt : float
        Time step, in s, > 0.
    metadata : mapping
        JSON-able notes: origin, conventions used on import.

    Raises
    ------
    GraphError
        All problems found: empty graph, unknown or dangling names, ports, shapes along each edge,
        a cycle without delay, dt.

    Examples
    --------
    >>> import numpy as np
    >>> from ranvier.graph import Graph, Linear, LIF
    >>> graph = Graph.sequential(
    ...     {"fc": Linear(weight=np.ones((2, 3))), "lif": LIF(shape=(2,), tau_mem=0.02)}, dt=1e-3
    ... )
    >>> graph.order
    ('input', 'fc', 'lif', 'output')
    """

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    dt: float
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        edges = tuple(e if isinstance(e, Edge) else Edge(*e) for e in self.edges)
        object.__setattr__(self, "nodes", MappingProxyType(dict(self.nodes)))
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        validate(self)
        object.__setattr__(self, "dt", float(self.dt))

    @classmethod
    def sequential(
        cls,
        nodes: Mapping[str, Node] | Iterable[Node],
        *,
        dt: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> Graph:
        """Chain nodes; Input and Output are added where they are missing.

        Parameters
        ----------
        nodes : mapping of str to Node, or iterable of Node
            An iterable gets names from the kinds: ``linear``, ``lif``, ``linear_1``, ...
        dt : float
            Time step, in s.
        metadata : mapping or None
            Notes kept with the graph.
        """
        named = dict(nodes) if isinstance(nodes, Mapping) else _named(nodes)
        if not named:
            raise GraphError("graph: there is no node; a network needs at least one")
        parts = list(named.values())
        if not isinstance(parts[0], Input):
            shape = parts[0].input_shape(parts[0].ports[0])
            named = {_free("input", named): Input(shape=shape), **named}
        if not isinstance(parts[-1], Output):
            named = {**named, _free("output", named): Output(shape=parts[-1].output_shape)}
        names = list(named)
        edges = [Edge(a, b, port=named[b].ports[0]) for a, b in itertools.pairwise(names)]
        return cls(named, tuple(edges), dt, metadata or {})

    @property
    def order(self) -> tuple[str, ...]:
        """Node names such that every undelayed edge points forwards; stable."""
        return order_nodes(self.nodes, self.edges)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the Input nodes, in order of the mapping."""
        return tuple(n for n, node in self.nodes.items() if isinstance(node, Input))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the Output nodes, in order of the mapping."""
        return tuple(n for n, node in self.nodes.items() if isinstance(node, Output))

    @property
    def neurons(self) -> tuple[str, ...]:
        """Names of the neuron nodes, in topological order."""
        return tuple(n for n in self.order if isinstance(self.nodes[n], Neuron))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What the reader of a foreign file lost, changed or chose."""
        entries = self.metadata.get("diagnostics", ())
        return tuple(Diagnostic.from_dict(e) for e in entries if isinstance(e, Mapping))

    def edges_into(self, name: str) -> tuple[Edge, ...]:
        """Return the edges that end at a node."""
        return tuple(e for e in self.edges if e.target == name)

    def edges_from(self, name: str) -> tuple[Edge, ...]:
        """Return the edges that start at a node."""
        return tuple(e for e in self.edges if e.source == name)

    def with_nodes(self, changes: Mapping[str, Node]) -> Graph:
        """Return a copy in which some nodes are replaced, by name."""
        unknown = sorted(set(changes) - set(self.nodes))
        if unknown:
            raise GraphError(f"graph: no node named {unknown}; nodes: {list(self.nodes)}")
        return Graph({**self.nodes, **changes}, self.edges, self.dt, self.metadata)

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the graph as named arrays and a JSON-able document."""
        arrays: dict[str, NDArray[Any]] = {}
        nodes = []
        for name, node in self.nodes.items():
            node_arrays, plain = node.to_fields()
            arrays |= {f"nodes/{name}/{key}": np.asarray(v) for key, v in node_arrays.items()}
            kind = getattr(node, "original_kind", node.kind)
            nodes.append({"name": name, "kind": kind, "fields": plain})
        edges = [[e.source, e.target, e.port, e.delay] for e in self.edges]
        document = {"dt": self.dt, "nodes": nodes, "edges": edges, "metadata": dict(self.metadata)}
        return arrays, document

    @classmethod
    def from_payload(cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> Graph:
        """Build a graph from what `to_payload` returned."""
        nodes = {}
        for entry in document["nodes"]:
            prefix = f"nodes/{entry['name']}/"
            own = {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
            nodes[entry["name"]] = node_from_fields(entry["kind"], own, entry["fields"])
        edges = tuple(Edge(*edge) for edge in document["edges"])
        return cls(nodes, edges, document["dt"], document["metadata"])

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content, hexadecimal."""
        return payload_hash(*self.to_payload())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __str__(self) -> str:
        width = max(len(n) for n in self.nodes)
        lines = [f"Graph: {len(self.nodes)} nodes, {len(self.edges)} edges, dt = {self.dt:g} s"]
        for name in self.order:
            node = self.nodes[name]
            sources = ", ".join(
                e.source + (f" [{e.delay}]" if e.delay else "") for e in self.edges_into(name)
            )
            arrow = f"  <- {sources}" if sources else ""
            kind = getattr(node, "original_kind", node.kind)
            lines.append(f"  {name:<{width}}  {kind:<13} {node.output_shape!s:<12}{arrow}")
        return "\n".join(lines)

    __repr__ = __str__


def payload_hash(arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of named arrays and a JSON-able document, independent of their order.

    Parameters
    ----------
    arrays : mapping of str to array
        Any shapes; name, type, shape and values count.
    document : mapping
        What ``json`` can write.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode())
    for name in sorted(arrays):
        values = np.asarray(arrays[name])
        digest.update(f"{name}:{values.dtype.str}:{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _named(nodes: Iterable[Node]) -> dict[str, Node]:
    named: dict[str, Node] = {}
    for node in nodes:
        named[_free(re.sub(r"\W+", "_", node.kind.lower()), named)] = node
    return named


def _free(name: str, taken: Mapping[str, Any]) -> str:
    if name not in taken:
        return name
    return next(f"{name}_{i}" for i in range(1, len(taken) + 2) if f"{name}_{i}" not in taken)
