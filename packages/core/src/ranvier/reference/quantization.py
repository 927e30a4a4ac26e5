"""Mapped network to configuration: the values stay as they are."""

from __future__ import annotations

from ..artifacts import MappedNetwork
from .config import ReferenceConfig
from .outputs import output_channel


def quantize_network(mapped: MappedNetwork) -> ReferenceConfig:
    """Wrap a graph as configuration; float64 has a code for every value."""
    graph = mapped.graph
    return ReferenceConfig(
        target=mapped.target,
        dt=graph.dt,
        input_shapes={name: graph.nodes[name].output_shape for name in graph.inputs},
        outputs=tuple(output_channel(graph, name) for name in graph.outputs),
        node_shapes={name: node.output_shape for name, node in graph.nodes.items()},
        placement=mapped.placement,
        latency=dict(mapped.latency),
        diagnostics=mapped.diagnostics,
        provenance={"graph": graph.content_hash},
        graph=graph,
    )
