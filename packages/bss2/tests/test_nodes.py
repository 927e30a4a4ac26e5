import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import GraphError
from ranvier.graph import Graph, Linear
from ranvier_bss2 import AnalogNeuron
from ranvier_bss2.nodes import MODEL


def test_model_and_chip_values_are_separate_fields():
    node = AnalogNeuron(shape=(2,), threshold=1.0, threshold_lsb=150)

    assert node.threshold == 1.0
    assert node.threshold_lsb == 150.0
    assert all(hasattr(node, name) for name in MODEL)


def test_a_graph_with_the_node_survives_its_file(tmp_path):
    node = AnalogNeuron(shape=(2,), tau_mem=[5e-6, 6e-6], exponential=True)
    graph = Graph.sequential({"w": Linear(weight=np.ones((2, 3))), "n": node}, dt=1e-6)

    rv.save(graph, tmp_path / "net.rv")

    assert rv.load(tmp_path / "net.rv") == graph


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bias": 0.1}, "use leak"),
        ({"tau_mem": 0.0}, "must be > 0 s"),
        ({"refractory": -1e-6}, "must be >= 0 s"),
        ({"trace_scale": 0.0}, "trace_scale"),
        ({"leak": [0.0, 0.0, 0.0]}, "leak"),
    ],
)
def test_impossible_neurons_are_refused(fields, message):
    with pytest.raises(GraphError, match=message):
        AnalogNeuron(shape=(2,), **fields)
