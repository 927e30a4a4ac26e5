"""Graphs for the tests of *map*, and the matrix that a mapped network connects with."""

import numpy as np
import pytest

from ranvier.errors import MappingError
from ranvier.graph import CubaLIF, Edge, Folding, Graph, Input, Linear, Output
from ranvier_dynapse2.mapping import MapOptions, map_network
from ranvier_dynapse2.network import DpiNetwork
from ranvier_dynapse2.nodes import PORTS
from ranvier_dynapse2.targets import target_named

DT = 1e-3


def cuba(n, **changes):
    fields = {"tau_mem": 20e-3, "tau_syn": 10e-3, "reset": "to_value", "comparison": ">"}
    return CubaLIF(shape=(n,), **{**fields, **changes})


def chain(neuron=None, weight=None, **changes):
    """Input, Linear, neurons, Output."""
    weight = np.ones((3, 2)) if weight is None else weight
    neuron = cuba(len(weight), **changes) if neuron is None else neuron
    return Graph.sequential({"map": Linear(weight=weight), "neurons": neuron}, dt=DT)


def recurrent(seed, *, n_in=6, sizes=(9, 5), density=0.4):
    """Two layers with loops inside and between them, and a residual connection from the input."""
    rng = np.random.default_rng(seed)

    def weight(n_out, n):
        return rng.normal(size=(n_out, n)) * (rng.random((n_out, n)) < density)

    a, b = sizes
    nodes = {
        "input": Input(shape=(n_in,)),
        "to_first": Linear(weight=weight(a, n_in)),
        "first": cuba(a),
        "loop": Linear(weight=weight(a, a)),
        "to_second": Linear(weight=weight(b, a)),
        "around": Linear(weight=weight(b, n_in)),
        "second": cuba(b, tau_mem=30e-3),
        "back": Linear(weight=weight(a, b)),
        "output": Output(shape=(b,)),
    }
    edges = (
        Edge("input", "to_first"),
        Edge("to_first", "first"),
        Edge("first", "loop", delay=1),
        Edge("loop", "first"),
        Edge("first", "to_second", delay=1),
        Edge("to_second", "second"),
        Edge("input", "around"),
        Edge("around", "second"),
        Edge("second", "back", delay=1),
        Edge("back", "first"),
        Edge("second", "output"),
    )
    return Graph(nodes, edges, DT)


def run_map(graph, **options):
    return map_network(graph, target_named(), MapOptions(**options))


def network_of(mapped):
    return DpiNetwork.from_parts(dict(mapped.arrays), mapped.settings["network"])


def mapped_network(graph, **options):
    return network_of(run_map(graph, **options))


def refused(graph, **options):
    """Map a graph that must be refused, and return the diagnostics."""
    with pytest.raises(MappingError) as caught:
        run_map(graph, **options)
    return caught.value.diagnostics


def matrix_of(network):
    """Return the magnitude of every connection, (sources, neurons, ports)."""
    matrix = np.zeros((network.group.size, network.n_neurons, len(PORTS)))
    for source, group in enumerate(network.group):
        own = network.synapse_group == group
        matrix[source, network.synapse_target[own], network.synapse_port[own]] = (
            network.synapse_weight[own] if group >= 0 else 0.0
        )
    return matrix


def intended(graph, network):
    """Return the signed matrix that the graph asks for, (sources, neurons), by the core's maths."""
    starts, n = {}, 0
    for name in [*graph.inputs, *(p.name for p in network.populations)]:
        starts[name] = n
        n += graph.nodes[name].size
    wanted = np.zeros((n, network.n_neurons))
    folding = Folding(graph, graph.edges)
    for population in network.populations:
        for port in graph.nodes[population.name].ports:
            for (source, _), part in folding.weights_into(population.name, port).parts.items():
                rows = slice(starts[source], starts[source] + len(part))
                wanted[rows, population.neurons] += part
    return wanted


def signed(matrix):
    return matrix[..., 0] - matrix[..., 1]
