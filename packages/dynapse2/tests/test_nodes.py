import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import GraphError
from ranvier.graph import Graph, Linear
from ranvier_dynapse2 import Dpi
from ranvier_dynapse2.nodes import CONSTANTS, CURRENTS, PORTS


def test_every_current_and_constant_is_a_field():
    node = Dpi(shape=(2,))

    assert len(CURRENTS) == 19
    assert len(CONSTANTS) == 14
    assert all(getattr(node, name).shape == () for name in (*CURRENTS, *CONSTANTS))


def test_the_merged_synapse_has_one_port_and_the_other_model_four():
    assert Dpi(shape=(2,)).ports == ("in",)
    assert Dpi(shape=(2,), model="four_synapse").ports == PORTS


def test_states_follow_the_model():
    assert Dpi(shape=(2,)).states == ("i_syn", "i_ahp", "i_mem", "v_mem")
    four = Dpi(shape=(2,), model="four_synapse").states
    assert four[:4] == ("i_ampa", "i_gaba", "i_nmda", "i_shunt")


def test_a_graph_with_the_node_survives_its_file(tmp_path):
    node = Dpi(shape=(2,), i_ref=np.array([1e-9, 2e-9]), model="merged_synapse")
    graph = Graph.sequential({"w": Linear(weight=np.ones((2, 3))), "dpi": node}, dt=1e-3)

    rv.save(graph, tmp_path / "net.rv")
    again = rv.load(tmp_path / "net.rv")

    assert again == graph
    assert isinstance(again.nodes["dpi"], Dpi)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "dynapsim"}, "merged_synapse"),
        ({"bias": 0.1}, "use i_dc"),
        ({"v_rest": 0.1}, "use i_dc"),
        ({"i_tau_mem": -1e-12}, "must be >= 0 A"),
        ({"i_spkthr": 0.0}, "i_spkthr must be > 0"),
        ({"c_mem": 0.0}, "must be > 0 F"),
        ({"i_ref": [1e-9, 1e-9, 1e-9]}, "i_ref"),
    ],
)
def test_impossible_neurons_are_refused(fields, message):
    with pytest.raises(GraphError, match=message):
        Dpi(shape=(2,), **fields)
