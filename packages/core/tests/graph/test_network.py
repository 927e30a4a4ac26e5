import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import GraphError
from ranvier.graph import LIF, Edge, Graph, Input, Linear, Output, UnknownNode

DT = 1e-3


def chain(**changes):
    nodes = {
        "input": Input(shape=(3,)),
        "fc": Linear(weight=np.ones((2, 3))),
        "lif": LIF(shape=(2,), tau_mem=0.02),
        "output": Output(shape=(2,)),
    }
    edges = [("input", "fc"), ("fc", "lif"), ("lif", "output")]
    return {"nodes": nodes, "edges": edges, "dt": DT, **changes}


def test_tuples_become_edges():
    graph = Graph(**chain(edges=[("input", "fc"), ("fc", "lif", "in", 2), ("lif", "output")]))

    assert graph.edges[1] == Edge("fc", "lif", delay=2)
    assert str(graph.edges[1]) == "fc -> lif [2 steps]"


def with_edge(*edge):
    parts = chain()
    return {**parts, "edges": [*parts["edges"], edge]}


def with_node(name, node):
    parts = chain()
    return {**parts, "nodes": {**parts["nodes"], name: node}}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"nodes": {}, "edges": [], "dt": DT}, "needs at least one"),
        (chain(dt=0), "dt is 0"),
        (chain(dt=-1e-3), "dt is -0.001"),
        (chain(dt=float("nan")), "dt is nan"),
        (chain(dt=None), "dt is None, must be a finite number of seconds > 0"),
        (with_edge("lif", "nowhere"), "names 'nowhere', which is not a node"),
        (with_edge("lif", "input"), "ends at an Input"),
        (with_edge("output", "lif"), "starts at an Output"),
        (with_edge("fc", "lif", "in2"), "LIF has no port 'in2'"),
        (with_edge("fc", "lif", "in", -1), "delay -1 must be a whole number"),
        (with_edge("fc", "lif", "in", 1.5), "delay 1.5 must be a whole number"),
        (with_edge("input", "lif"), r"'input' emits shape \(3,\), 'lif' expects \(2,\)"),
        (with_edge("fc", "lif"), "appears twice"),
        (with_edge("lif", "lif"), r"a cycle without delay runs through .*give the recurrent edge"),
        (with_node("a/b", LIF(shape=(2,), tau_mem=1.0)), "'a/b' must be printable text without"),
        (with_node("", LIF(shape=(2,), tau_mem=1.0)), "must be printable"),
        (with_node("..", LIF(shape=(2,), tau_mem=1.0)), "reserved"),
        (with_node("x", LIF(shape=(2,), tau_mem=1.0)), r"'x' \(LIF\) has no input edge"),
        (with_node("x", "LIF"), "'x' is a str, not a Node"),
        (with_node("lif", LIF(shape=(2,), tau_mem=1e-4, decay="euler")), "'lif': tau_mem: Euler"),
    ],
)
def test_bad_graph_is_refused_with_its_fault(parts, message):
    with pytest.raises(GraphError, match=message):
        Graph(**parts)


def test_all_faults_are_reported_at_once():
    parts = with_edge("lif", "nowhere")

    with pytest.raises(GraphError) as caught:
        Graph(**{**parts, "dt": -1.0})

    assert "dt is -1.0" in str(caught.value)
    assert "nowhere" in str(caught.value)


def test_network_without_ends_is_refused():
    with pytest.raises(GraphError, match="no Input node; there is no Output node"):
        Graph({"lif": LIF(shape=(1,), tau_mem=0.02)}, [("lif", "lif", "in", 1)], DT)


def test_recurrence_with_a_delay_is_a_graph():
    graph = Graph(**with_edge("lif", "lif", "in", 1))

    assert graph.order == ("input", "fc", "lif", "output")


def test_sequential_adds_ends_and_names():
    graph = Graph.sequential([Linear(weight=np.ones((2, 3))), Linear(weight=np.ones((2, 2)))], dt=1)

    assert graph.order == ("input", "linear", "linear_1", "output")
    assert graph.nodes["input"].shape == (3,)
    assert graph.dt == 1.0


def test_sequential_of_nothing_is_refused():
    with pytest.raises(GraphError, match="needs at least one"):
        Graph.sequential([], dt=DT)


def test_views_name_inputs_outputs_and_neurons():
    graph = Graph(**chain())

    assert (graph.inputs, graph.outputs, graph.neurons) == (("input",), ("output",), ("lif",))
    assert graph.edges_into("lif") == (Edge("fc", "lif"),)
    assert graph.edges_from("lif") == (Edge("lif", "output"),)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(["input", "fc", "lif", "output"]))
def test_order_follows_the_edges_however_nodes_are_listed(order):
    parts = chain()
    nodes = {name: parts["nodes"][name] for name in order}

    assert Graph(nodes, parts["edges"], DT).order == ("input", "fc", "lif", "output")


def test_replaced_node_is_checked_against_its_neighbours():
    graph = Graph(**chain())

    changed = graph.with_nodes({"lif": LIF(shape=(2,), tau_mem=0.01)})

    assert changed != graph
    with pytest.raises(GraphError, match="no node named"):
        graph.with_nodes({"nothing": Output(shape=(2,))})
    with pytest.raises(GraphError, match="expects"):
        graph.with_nodes({"lif": LIF(shape=(3,), tau_mem=0.01)})


def test_graph_survives_its_payload_through_json():
    graph = Graph(**chain(metadata={"origin": "test"}))
    arrays, document = graph.to_payload()

    again = Graph.from_payload(arrays, json.loads(json.dumps(document)))

    assert again == graph
    assert hash(again) == hash(graph)


def test_hash_sees_a_single_weight():
    graph = Graph(**chain())
    weight = np.ones((2, 3))
    weight[1, 2] += 1e-12

    assert graph.with_nodes({"fc": Linear(weight=weight)}).content_hash != graph.content_hash


def test_unknown_nodes_keep_the_graph_printable():
    cell = UnknownNode(original_kind="vendor.cell", arrays={}, plain={"shape": [2]})
    nodes = {"x": Input(shape=(2,)), "cell": cell, "y": Output(shape=(2,))}

    text = str(Graph(nodes, [("x", "cell"), ("cell", "y")], DT))

    assert "vendor.cell" in text
    assert text.splitlines()[0] == "Graph: 3 nodes, 2 edges, dt = 0.001 s"
