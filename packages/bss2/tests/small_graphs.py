"""Small graphs and runs that the tests of mapping, quantisation and configurations share."""

from __future__ import annotations

import numpy as np

from ranvier import pipeline
from ranvier.errors import MappingError
from ranvier.graph import CubaLI, CubaLIF, Edge, Graph, Input, Linear, Output
from ranvier_bss2.mapping import MapOptions, map_network
from ranvier_bss2.network import BssNetwork
from ranvier_bss2.quantization import QuantizeOptions, quantize_network
from ranvier_bss2.quantization._numeric import model_weights, run_network
from ranvier_bss2.targets import target_named

DT = 1e-3


def lif(n, **changes):
    fields = {"tau_mem": 10e-3, "tau_syn": 5e-3, "reset": "to_value", "comparison": ">"}
    return CubaLIF(shape=(n,), **{**fields, **changes})


def li(n, **changes):
    return CubaLI(shape=(n,), **{"tau_mem": 10e-3, "tau_syn": 5e-3, **changes})


def chain(*layers, n_in=4, seed=0, scale=1.0, weights=None, biases=None, dt=DT, **metadata):
    """Return input, maps and layers one after the other; draws weights that are not given."""
    rng = np.random.default_rng(seed)
    nodes, before = {"input": Input(shape=(n_in,))}, n_in
    for k, layer in enumerate(layers):
        weight = scale * rng.normal(0.15, 0.3, (layer.size, before))
        if weights is not None and k < len(weights) and weights[k] is not None:
            weight = np.asarray(weights[k])
        nodes[f"map{k}"] = Linear(weight=weight, bias=(biases or {}).get(k))
        nodes[f"layer{k}"] = layer
        before = layer.size
    nodes["output"] = Output(shape=layers[-1].shape)
    edges = [Edge(a, b) for a, b in zip(nodes, list(nodes)[1:], strict=False)]
    return Graph(nodes, tuple(edges), dt, metadata)


def looped(weight, *, delay=1, **changes):
    """Return one recurrent layer."""
    n = len(weight)
    graph = chain(lif(n, **changes), n_in=n, weights=[np.eye(n)])
    nodes = {**graph.nodes, "loop": Linear(weight=np.asarray(weight))}
    edges = (*graph.edges, Edge("layer0", "loop", delay=delay), Edge("loop", "layer0"))
    return Graph(nodes, edges, DT, {})


def run_map(graph, **options):
    return map_network(graph, target_named(), MapOptions(**options))


def refused(graph, **options):
    """Return the error with which a graph is refused."""
    try:
        run_map(graph, **options)
    except MappingError as error:
        return error
    raise AssertionError("the graph was mapped")


def mapped_network(graph, **options):
    mapped = run_map(graph, **options)
    own = {n: v for n, v in mapped.arrays.items() if not n.startswith("layout/")}
    return BssNetwork.from_parts(own, mapped.settings["network"])


def build(graph, *, quantize=None, **options):
    return quantize_network(run_map(graph, **options), QuantizeOptions(**(quantize or {})))


def codes_of(found):
    """Return the codes of a result's or an error's diagnostics."""
    return [d.code for d in found.diagnostics]


def spikes_for(graph, *, batch=2, steps=60, rate=0.3, seed=1):
    shape = graph.nodes[graph.inputs[0]].output_shape
    return (np.random.default_rng(seed).random((batch, steps, *shape)) < rate).astype(np.int64)


def numeric(graph, spikes, **options):
    """Return membranes of the mapped network at the level of the numerics, in model units."""
    mapped = run_map(graph, **options)
    own = {n: v for n, v in mapped.arrays.items() if not n.startswith("layout/")}
    network = BssNetwork.from_parts(own, mapped.settings["network"])
    weights = model_weights(
        network, [q.weight for q in network.projections], mapped.settings["kappa"]
    )
    return mapped, run_network(network, {graph.inputs[0]: spikes}, weights).v_mem


def reference(graph, spikes):
    """Return the graph's own recording."""
    return pipeline.simulate(pipeline.build(graph, "reference"), spikes, record=True)
