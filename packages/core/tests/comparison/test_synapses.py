import numpy as np
import pytest

from ranvier.comparison import fan_out
from ranvier.graph import (
    LIF,
    AvgPool2d,
    Conv2d,
    Delay,
    Edge,
    Flatten,
    Folding,
    Graph,
    Input,
    Linear,
    Output,
    Scale,
    Threshold,
)


def by_folding(graph):
    """Count nonzero entries of the whole matrices between origins and neurons."""
    folding = Folding(graph, graph.edges)
    found = {n: np.zeros(graph.nodes[n].size, dtype=int) for n in (*graph.inputs, *graph.neurons)}
    for name in graph.neurons:
        for (source, _), matrix in folding.weights_into(name, "in").parts.items():
            found[source] += np.count_nonzero(matrix, axis=1)
    return found


def assert_same(one, other):
    assert set(one) == set(other)
    for name, counts in one.items():
        np.testing.assert_array_equal(counts, other[name])


def test_only_weights_that_are_not_zero_count():
    weight = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    graph = Graph.sequential(
        {"w": Linear(weight=weight), "lif": LIF(shape=(3,), tau_mem=0.01)}, dt=1e-3
    )

    found = fan_out(graph)

    assert found["input"].tolist() == [2, 1]
    assert found["lif"].tolist() == [0, 0, 0]


def test_images_and_pools_count_as_their_matrices(monkeypatch):
    monkeypatch.setattr("ranvier.comparison.synapses._ROWS", 7)
    rng = np.random.default_rng(0)
    conv = Conv2d(shape=(1, 6, 6), weight=rng.normal(size=(2, 1, 3, 3)), padding=1)
    graph = Graph.sequential(
        {
            "conv": conv,
            "map": LIF(shape=(2, 6, 6), tau_mem=0.01),
            "pool": AvgPool2d(shape=(2, 6, 6), kernel_size=2, stride=2),
            "flat": Flatten(shape=(2, 3, 3)),
            "scale": Scale(shape=(18,), scale=np.array(0.5)),
            "w": Linear(weight=rng.normal(size=(4, 18)) * (rng.random((4, 18)) < 0.5)),
            "out": LIF(shape=(4,), tau_mem=0.01),
        },
        dt=1e-3,
    )

    assert_same(fan_out(graph), by_folding(graph))


def test_residual_paths_and_loops_count_once_per_delay():
    nodes = {
        "in": Input(shape=(2,)),
        "a": Linear(weight=np.eye(2)),
        "b": Linear(weight=np.array([[-1.0, 1.0], [0.0, 1.0]])),
        "lif": LIF(shape=(2,), tau_mem=0.01),
        "out": Output(shape=(2,)),
    }
    prompt = (Edge("in", "a"), Edge("in", "b"), Edge("a", "lif"), Edge("lif", "out"))
    together = Graph(nodes, (*prompt, Edge("b", "lif")), 1e-3)
    apart = Graph(nodes, (*prompt, Edge("b", "lif", delay=1), Edge("lif", "lif", delay=1)), 1e-3)

    assert fan_out(together)["in"].tolist() == [0, 2]
    assert fan_out(apart)["in"].tolist() == [2, 3]
    assert fan_out(apart)["lif"].tolist() == [1, 1]
    assert_same(fan_out(apart), by_folding(apart))


def test_a_delay_hands_on_what_it_gets():
    nodes = {"d": Delay(shape=(2,), delay=np.array(2e-3)), "lif": LIF(shape=(2,), tau_mem=0.01)}

    assert fan_out(Graph.sequential(nodes, dt=1e-3))["input"].tolist() == [1, 1]


def test_nodes_that_are_not_linear_cannot_be_counted():
    nodes = {
        "t": Threshold(shape=(2,), threshold=np.array(1.0)),
        "lif": LIF(shape=(2,), tau_mem=0.01),
    }

    assert fan_out(Graph.sequential(nodes, dt=1e-3)) is None


def test_a_loop_of_linear_nodes_cannot_be_counted():
    nodes = {
        "in": Input(shape=(1,)),
        "a": Linear(weight=np.eye(1)),
        "b": Linear(weight=np.eye(1)),
        "lif": LIF(shape=(1,), tau_mem=0.01),
        "out": Output(shape=(1,)),
    }
    edges = [
        *(Edge("in", "a"), Edge("a", "b", delay=1), Edge("b", "a")),
        *(Edge("a", "lif"), Edge("lif", "out")),
    ]

    assert fan_out(Graph(nodes, tuple(edges), 1e-3)) is None


@pytest.mark.parametrize("to_output", [True, False])
def test_weights_of_an_output_are_no_synapses(to_output):
    weight = Linear(weight=np.ones((3, 2)))
    nodes = {"lif": LIF(shape=(2,), tau_mem=0.01), **({"w": weight} if to_output else {})}

    assert fan_out(Graph.sequential(nodes, dt=1e-3))["lif"].tolist() == [0, 0]
