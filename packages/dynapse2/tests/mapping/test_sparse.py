import numpy as np
import pytest

from ranvier.graph import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Flatten,
    Linear,
    Scale,
    SparseLinear,
    SumPool2d,
    apply_linear,
)
from ranvier_dynapse2.mapping._sparse import Weights, product, summed, weights_of

RNG = np.random.default_rng(0)
NODES = {
    "linear": Linear(weight=RNG.normal(size=(3, 4)) * [1, 0, 1, 1]),
    "sparse": SparseLinear(
        data=[1.0, 2.0, 0.5, 4.0], indices=[3, 0, 0, 1], indptr=[0, 1, 3, 4], n_in=4
    ),
    "scale": Scale(shape=(2, 3), scale=np.array([1.0, 0.0, 3.0])),
    "conv1d": Conv1d(
        weight=RNG.normal(size=(4, 2, 3)), shape=(2, 9), stride=(2,), padding=(1,), dilation=(2,)
    ),
    "conv2d": Conv2d(
        weight=RNG.normal(size=(6, 2, 3, 2)),
        shape=(4, 7, 6),
        stride=(2, 1),
        padding=(1, 2),
        dilation=(1, 2),
        groups=2,
    ),
    "sum": SumPool2d(shape=(2, 6, 5), kernel_size=(3, 2), stride=(2, 2), padding=(1, 1)),
    "average": AvgPool2d(shape=(2, 6, 6), kernel_size=(2, 3), stride=(2, 3)),
}


def dense(weights, n_source, n_target):
    matrix = np.zeros((n_source, n_target))
    np.add.at(matrix, (weights.source, weights.target), weights.value)
    return matrix


@pytest.mark.parametrize("name", NODES)
def test_lists_hold_what_the_core_computes(name):
    node = NODES[name]
    size = int(np.prod(node.input_shape()))
    weights = weights_of(node)
    expected = apply_linear(node, np.eye(size))
    np.testing.assert_allclose(dense(weights, size, node.size), expected, rtol=1e-14, atol=1e-15)
    assert np.all(weights.value != 0)
    assert np.all(np.diff(weights.source) >= 0)


def test_a_reshape_has_no_list():
    assert weights_of(Flatten(shape=(2, 2))) is None


def test_products_are_those_of_matrices():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(5, 6)) * (rng.random((5, 6)) < 0.5)
    b = rng.normal(size=(6, 4)) * (rng.random((6, 4)) < 0.5)
    lists = [Weights(*np.nonzero(m), m[np.nonzero(m)]) for m in (a, b)]
    np.testing.assert_allclose(dense(product(*lists), 5, 4), a @ b, atol=1e-14)


def test_products_that_are_too_long_are_not_computed(monkeypatch):
    ones = Weights(*np.nonzero(np.ones((3, 3))), np.ones(9))
    monkeypatch.setattr("ranvier_dynapse2.mapping._sparse.MOST", 27)
    assert product(ones, ones) is not None
    monkeypatch.setattr("ranvier_dynapse2.mapping._sparse.MOST", 26)
    assert product(ones, ones) is None


def test_weights_that_cancel_disappear():
    one = Weights(np.array([0, 1]), np.array([1, 0]), np.array([2.0, 3.0]))
    other = Weights(np.array([0]), np.array([1]), np.array([-2.0]))
    total = summed([one, other])
    np.testing.assert_array_equal(total.source, [1])
    np.testing.assert_array_equal(total.value, [3.0])
