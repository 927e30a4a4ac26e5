import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.graph import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    CubaLIF,
    Edge,
    Folding,
    Graph,
    Input,
    Linear,
    Output,
    Scale,
    SparseLinear,
    StatelessCycleError,
    apply_linear,
)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_convolutions_equal_their_definition(seed):
    rng = np.random.default_rng(seed)
    groups, stride, padding, dilation = (int(rng.integers(1, 3)) for _ in range(4))
    shape = (2 * groups, 7, 6)
    weight = rng.normal(size=(groups * int(rng.integers(1, 3)), 2, 2, 3))
    node = Conv2d(shape=shape, weight=weight, stride=stride, padding=padding - 1,
                  dilation=dilation, groups=groups)  # fmt: skip
    x = rng.normal(size=shape)
    padded = np.pad(x, [(0, 0)] + [(padding - 1, padding - 1)] * 2)
    expected = np.zeros(node.output_shape)
    for o, i, j in np.ndindex(*node.output_shape):
        first = o // (len(weight) // groups) * 2
        for c, a, b in np.ndindex(2, 2, 3):
            value = padded[first + c, i * stride + a * dilation, j * stride + b * dilation]
            expected[o, i, j] += weight[o, c, a, b] * value
    got = apply_linear(node, x.reshape(1, -1)).reshape(node.output_shape)
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_pools_one_axis_convolutions_and_sparse_matrices():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 2, 4, 4))
    pool = AvgPool2d(shape=(2, 4, 4), kernel_size=(2, 2), stride=(2, 2))
    got = apply_linear(pool, x.reshape(1, -1)).reshape(2, 2, 2)
    np.testing.assert_allclose(got, x[0].reshape(2, 2, 2, 2, 2).mean(axis=(2, 4)))
    line = Conv1d(shape=(1, 4), weight=[[[1.0, 10.0]]])
    assert apply_linear(line, np.array([[1.0, 2, 3, 4]])).tolist() == [[21.0, 32.0, 43.0]]
    sparse = SparseLinear(data=[1.0, 2.0, 3.0], indices=[0, 2, 1], indptr=[0, 2, 3], n_in=3)
    assert apply_linear(sparse, np.eye(3)).T.tolist() == [[1, 0, 2], [0, 3, 0]]


def test_stateless_nodes_fold_into_one_matrix_and_bias():
    nodes = {
        "input": Input(shape=(2,)),
        "a": Linear(weight=[[1.0, 2.0]], bias=[0.5]),
        "twice": Scale(shape=(1,), scale=2.0),
        "b": Linear(weight=[[1.0], [-1.0]]),
        "lif": CubaLIF(shape=(2,), tau_mem=0.02, tau_syn=0.01),
        "output": Output(shape=(2,)),
    }
    graph = Graph(nodes, [Edge(a, b) for a, b in itertools.pairwise(nodes)], 1e-3)

    into = Folding(graph, graph.edges).weights_into("lif", "in")

    assert into.parts["input", 0].tolist() == [[2.0, -2.0], [4.0, -4.0]]
    assert into.bias.tolist() == [1.0, -1.0]


def test_a_loop_of_stateless_nodes_is_refused_by_name():
    nodes = {
        "input": Input(shape=(1,)),
        "a": Scale(shape=(1,), scale=0.5),
        "b": Scale(shape=(1,), scale=0.5),
        "lif": CubaLIF(shape=(1,), tau_mem=0.02, tau_syn=0.01),
        "output": Output(shape=(1,)),
    }
    edges = [Edge("input", "a"), Edge("a", "b"), Edge("b", "a", "in", 1), Edge("b", "lif"),
             Edge("lif", "output")]  # fmt: skip

    with pytest.raises(StatelessCycleError, match=r"^[ab]$"):
        Folding(Graph(nodes, edges, 1e-3), tuple(edges)).paths()
