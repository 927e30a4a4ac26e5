import numpy as np
import pytest

from ranvier.errors import GraphError
from ranvier.graph import LIF, CubaLIF, Linear, Node, UnknownNode, node_from_fields, node_kinds
from ranvier.graph.node import register_node


def test_every_kind_of_the_core_is_registered():
    assert set(node_kinds()) >= {
        "Input", "Output", "Linear", "SparseLinear", "Conv1d", "Conv2d", "ConvTranspose2d",
        "SumPool2d", "AvgPool2d", "Flatten", "Scale", "Delay", "Threshold", "I", "IF", "LIF",
        "CubaLIF", "LI", "CubaLI", "AdaptiveLIF", "AdEx", "ResonateAndFire", "SigmaDelta",
    }  # fmt: skip


def test_a_kind_cannot_be_taken_twice():
    class Other(Node):
        kind = "LIF"

    with pytest.raises(GraphError, match=r"'LIF' of .*Other is empty or already taken"):
        register_node(Other)
    assert node_kinds()["LIF"] is LIF


def test_arrays_are_read_only_float64():
    weight = [[1, 2], [3, 4]]

    node = Linear(weight=weight)

    assert node.weight.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        node.weight[0, 0] = 5


def test_a_node_keeps_its_own_copy():
    weight = np.ones((1, 1))
    node = Linear(weight=weight)

    weight[0, 0] = 7

    assert node.weight[0, 0] == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_number(bad):
    with pytest.raises(GraphError, match=r"Linear: weight has 2 value\(s\) that are NaN"):
        Linear(weight=[[bad, 1.0, bad]])


def test_all_bad_fields_are_reported_at_once():
    with pytest.raises(GraphError) as caught:
        CubaLIF(shape=(1,), tau_mem=0.0, tau_syn=-1.0, threshold="high", refractory=-1e-3)

    for name in ("tau_mem", "tau_syn", "threshold", "refractory"):
        assert name in str(caught.value)


def test_fields_survive_the_way_into_files():
    node = CubaLIF(shape=(2, 3), tau_mem=0.02, tau_syn=[[[0.01]], [[0.02]]], synapses=2)

    arrays, plain = node.to_fields()
    again = node_from_fields("CubaLIF", arrays, plain)

    assert again.shape == node.shape
    np.testing.assert_array_equal(again.tau_syn, node.tau_syn)
    assert again.to_fields()[1] == plain


def test_unknown_kind_is_kept_as_it_is():
    node = node_from_fields("vendor.cell", {"w": np.ones(2)}, {"shape": [2]})

    assert isinstance(node, UnknownNode)
    assert node.output_shape == (2,)
    assert node.to_fields()[1] == {"shape": [2]}


def test_unknown_field_is_refused_with_the_kind():
    with pytest.raises(GraphError, match=r"'LIF' has unexpected or missing fields: .*speed"):
        node_from_fields("LIF", {"tau_mem": np.array(0.02)}, {"shape": [1], "speed": 3})


def test_replace_checks_again():
    node = LIF(shape=(2,), tau_mem=0.02)

    assert node.replace(threshold=2.0).threshold == 2.0
    with pytest.raises(GraphError, match="tau_mem is -1"):
        node.replace(tau_mem=-1.0)
