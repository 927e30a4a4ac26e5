import numpy as np
import pytest

from ranvier.graph import (
    Conv2d,
    CubaLIF,
    Flatten,
    Folding,
    Graph,
    Input,
    Linear,
    Output,
    Scale,
    SparseLinear,
)
from ranvier_dynapse2.mapping import _folding, _sparse
from ranvier_dynapse2.mapping._folding import constant_into, weights_into


def _graph(rng):
    nodes = {
        "conv": Conv2d(
            weight=rng.normal(size=(3, 2, 3, 3)), bias=rng.normal(size=3), shape=(2, 7, 7)
        ),
        "flat": Flatten(shape=(3, 5, 5)),
        "fc": Linear(weight=rng.normal(size=(6, 75)), bias=rng.normal(size=6)),
        "n": CubaLIF(shape=(6,), tau_mem=0.02, tau_syn=0.01),
    }
    return Graph.sequential(nodes, dt=1e-3)


def _dense(graph, name, ports):
    result = {}
    for origin, weights in weights_into(graph, name, ports):
        matrix = np.zeros((graph.nodes[origin].size, graph.nodes[name].size))
        matrix[weights.source, weights.target] = weights.value
        result[origin] = matrix
    return result


@pytest.mark.parametrize("block", [1, 500, 1 << 22])
def test_blocks_of_any_size_give_the_weights_of_the_core(monkeypatch, block):
    graph = _graph(np.random.default_rng(0))
    monkeypatch.setattr(_folding, "BLOCK", block)
    monkeypatch.setattr(_sparse, "MOST", 0)
    expected = Folding(graph, graph.edges).weights_into("n", "in")
    got = _dense(graph, "n", ["in"])
    np.testing.assert_allclose(got["input"], expected.parts["input", 0], rtol=1e-10, atol=1e-12)


def test_lists_give_the_weights_of_the_core():
    graph = _graph(np.random.default_rng(3))
    expected = Folding(graph, graph.edges).weights_into("n", "in")
    got = _dense(graph, "n", ["in"])
    np.testing.assert_allclose(got["input"], expected.parts["input", 0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("most", [0, 1 << 23])
def test_parallel_ways_to_a_neuron_add_up(monkeypatch, most):
    monkeypatch.setattr(_sparse, "MOST", most)
    nodes = {
        "x": Input(shape=(3,)),
        "a": Linear(weight=np.arange(6.0).reshape(2, 3)),
        "b": Linear(weight=-np.ones((2, 3))),
        "s": Scale(shape=(2,), scale=[2.0, 3.0]),
        "n": CubaLIF(shape=(2,), tau_mem=0.02, tau_syn=0.01),
        "y": Output(shape=(2,)),
    }
    edges = [("x", "a"), ("x", "b"), ("a", "s"), ("b", "s"), ("s", "n"), ("b", "n"), ("n", "n")]
    edges[-1] = ("n", "n", "in", 1)
    graph = Graph(nodes, (*edges, ("n", "y")), 1e-3)
    got = _dense(graph, "n", ["in"])
    for (origin, _), expected in Folding(graph, graph.edges).weights_into("n", "in").parts.items():
        np.testing.assert_array_equal(got[origin], expected)
    assert set(got) == {"x", "n"}


def test_biases_of_maps_arrive_as_the_core_adds_them():
    graph = _graph(np.random.default_rng(1))
    expected = Folding(graph, graph.edges).weights_into("n", "in").bias
    np.testing.assert_allclose(constant_into(graph, "n", "in"), expected, rtol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_of_a_single_map_are_not_rounded(sparse):
    weight = np.random.default_rng(2).normal(size=(4, 5)) * [[1, 0, 1, 1, 0]]
    rows, columns = np.nonzero(weight)
    node = Linear(weight=weight)
    if sparse:
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=4))])
        node = SparseLinear(data=weight[rows, columns], indices=columns, indptr=indptr, n_in=5)
    nodes = {"map": node, "n": CubaLIF(shape=(4,), tau_mem=0.02, tau_syn=0.01)}
    graph = Graph.sequential(nodes, dt=1e-3)
    np.testing.assert_array_equal(_dense(graph, "n", ["in"])["input"], weight.T)
