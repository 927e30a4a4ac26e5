import numpy as np
import pytest

from ranvier.errors import GraphError
from ranvier.graph import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Delay,
    Flatten,
    Linear,
    Scale,
    SparseLinear,
    SumPool2d,
    Threshold,
)


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        (Flatten(shape=(2, 3, 4)), (24,)),
        (Conv1d(shape=(2, 9), weight=np.ones((4, 2, 3)), stride=2), (4, 4)),
        (Conv2d(shape=(1, 5, 6), weight=np.ones((2, 1, 3, 3)), padding=1), (2, 5, 6)),
        (Conv2d(shape=(1, 7, 7), weight=np.ones((2, 1, 3, 3)), dilation=(2, 3)), (2, 3, 1)),
        (ConvTranspose2d(shape=(3, 4, 4), weight=np.ones((3, 2, 2, 2)), stride=2), (2, 8, 8)),
        (SumPool2d(shape=(3, 5, 4), kernel_size=2, stride=2), (3, 2, 2)),
        (AvgPool2d(shape=(3, 4, 4), kernel_size=3, stride=1, padding=1), (3, 4, 4)),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_output_shape_follows_the_window(node, shape):
    assert node.output_shape == shape
    assert node.size == np.prod(shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(weight=np.ones(3)), r"weight has shape \(3,\), expected \(n_out, n_in\)"),
        (lambda: Linear(weight=np.ones((0, 3))), "both >= 1"),
        (lambda: Linear(weight=np.ones((2, 3)), bias=np.ones(3)), r"bias has shape \(3,\).*\(2,\)"),
        (
            lambda: Conv2d(shape=(3, 5, 5), weight=np.ones((2, 1, 3, 3))),
            "takes 1 channels.*has 3",
        ),
        (
            lambda: Conv2d(shape=(3, 5, 5), weight=np.ones((2, 3, 3, 3)), groups=3),
            "groups = 3 does not divide",
        ),
        (lambda: Conv2d(shape=(1, 2, 2), weight=np.ones((1, 1, 3, 3))), "window is larger"),
        (lambda: Conv2d(shape=(1, 5), weight=np.ones((1, 1, 3, 3))), "must have 3 axes"),
        (
            lambda: Conv2d(shape=(1, 5, 5), weight=np.ones((1, 1, 3, 3)), stride=0),
            "stride 0 needs 2 integers >= 1",
        ),
        (lambda: Conv1d(shape=(1, 5), weight=np.ones((1, 1, 3)), bias=[1, 2]), "bias has shape"),
        (lambda: SumPool2d(shape=(1, 2, 2), kernel_size=3, stride=1), "window is larger"),
        (lambda: Scale(shape=(3,), scale=[1, 2]), "Scale: scale has shape"),
        (lambda: Delay(shape=(3,), delay=-1e-3), "delay is -0.001 s, must be >= 0 s"),
        (lambda: Threshold(shape=(1,), comparison="<"), "comparison '<'"),
    ],
)
def test_bad_map_is_refused_with_its_fault(make, message):
    with pytest.raises(GraphError, match=message):
        make()


def csr(**changes):
    good = {"data": [1.0, 2.0], "indices": [0, 2], "indptr": [0, 1, 2], "n_in": 3}
    return SparseLinear(**{**good, **changes})


def test_sparse_map_has_one_row_per_output():
    assert csr().output_shape == (2,)
    assert csr().input_shape() == (3,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indptr": [0, 2, 1]}, "not a CSR matrix"),
        ({"indptr": [0, 1]}, "not a CSR matrix"),
        ({"indices": [0]}, "not a CSR matrix"),
        ({"indices": [0, 3]}, "column 3 is beyond n_in = 3"),
        ({"indices": [0, 1.5]}, "whole numbers"),
        ({"indices": [0, -1]}, "indices is -1"),
        ({"bias": [1.0]}, "bias has shape"),
    ],
)
def test_bad_sparse_map_is_refused(changes, message):
    with pytest.raises(GraphError, match=message):
        csr(**changes)
