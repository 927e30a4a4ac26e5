import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_dynapse2 import diagnostics as codes
from ranvier_dynapse2.layout import LAYOUT
from ranvier_dynapse2.nodes import CURRENTS, Dpi

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))
chain, cuba, run_map, refused = (graphs[n] for n in ("chain", "cuba", "run_map", "refused"))
mapped_network = graphs["mapped_network"]


def test_chip_neurons_keep_all_their_currents():
    node = Dpi(shape=(3,), i_tau_mem=7e-12, i_spkthr=2e-7, i_dc=1e-10, i_scale=2e-8)
    mapped = run_map(chain(node))
    network = graphs["network_of"](mapped)
    for name in CURRENTS:
        np.testing.assert_array_equal(network.currents[name], node.parameter(name))
    np.testing.assert_array_equal(network.i_scale, 2e-8)
    assert mapped.diagnostics == ()


def test_the_other_synapses_of_the_merged_model_follow_ampa():
    node = Dpi(shape=(3,), i_tau_ampa=2e-10, i_gain_ampa=1e-8)
    mapped = run_map(chain(node))
    network = graphs["network_of"](mapped)
    assert [d.code for d in mapped.diagnostics] == [codes.SYNAPSES_ALIKE.code]
    expected = 2e-10 * LAYOUT.c_gaba / LAYOUT.c_ampa
    np.testing.assert_allclose(network.currents["i_tau_gaba"], expected)
    np.testing.assert_allclose(network.currents["i_gain_shunt"], 1e-8)


def test_synapses_of_the_four_synapse_model_stay_apart():
    node = Dpi(shape=(3,), i_tau_ampa=2e-10, model="four_synapse")
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.ones((3, 2))),
        "neurons": node,
        "y": Output(shape=(3,)),
    }
    edges = (Edge("x", "a"), Edge("a", "neurons", "ampa"), Edge("neurons", "y"))
    network = mapped_network(Graph(nodes, edges, 1e-3))
    np.testing.assert_array_equal(network.currents["i_tau_gaba"], node.parameter("i_tau_gaba"))


def _two(first, second, port="in"):
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.ones((2, 2))),
        "first": first,
        "b": Linear(weight=np.ones((2, 2))),
        "second": second,
        "y": Output(shape=(2,)),
    }
    edges = [("x", "a"), ("a", "first", first.ports[0]), ("first", "b", "in", 1)]
    edges += [("b", "second", second.ports[0]), ("second", "y")]
    return Graph(nodes, tuple(edges), 1e-3)


def test_both_models_in_one_network_are_refused():
    graph = _two(Dpi(shape=(2,)), Dpi(shape=(2,), model="four_synapse"))
    [error] = refused(graph)
    assert (error.code, error.node) == (codes.MIXED_MODELS.code, "second")
    assert "one model" in error.hint


def test_converted_neurons_take_the_model_of_the_chip_neurons():
    graph = _two(Dpi(shape=(2,), model="four_synapse"), cuba(2))
    assert mapped_network(graph).model == "four_synapse"
    [error] = refused(graph, model="merged_synapse")
    assert (error.code, error.node) == (codes.MIXED_MODELS.code, "first")


def test_constants_are_one_value_and_converted_neurons_use_it():
    graph = _two(Dpi(shape=(2,), c_mem=5e-12), cuba(2))
    network = mapped_network(graph)
    assert network.layout.c_mem == 5e-12
    leak = network.currents["i_tau_mem"][2:]
    np.testing.assert_allclose(network.layout.time_constant(leak, 5e-12), 20e-3)


def test_different_constants_are_refused_with_the_way_to_mismatch():
    graph = _two(Dpi(shape=(2,), c_mem=5e-12, u_t=0.026), Dpi(shape=(2,)))
    found = refused(graph)
    assert {d.message.split()[0] for d in found} == {"c_mem", "u_t"}
    assert {d.code for d in found} == {codes.UNEQUAL_CONSTANTS.code}
    assert all("VirtualChip" in d.hint for d in found)


@pytest.mark.parametrize("name", CURRENTS)
def test_every_current_beyond_its_bias_is_refused_with_value_and_limit(name):
    node = Dpi(shape=(3,), **{name: [1e-9, 3e-6, 1e-9]}, model="four_synapse")
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.ones((3, 2))),
        "neurons": node,
        "y": Output(shape=(3,)),
    }
    edges = (Edge("x", "a"), Edge("a", "neurons", "ampa"), Edge("neurons", "y"))
    found = refused(Graph(nodes, edges, 1e-3))
    [error] = [d for d in found if d.code == codes.CURRENT_OUT_OF_RANGE.code]
    assert error.message.startswith(f"{name} is 3e-06 A in 1 of 3 neurons")
    assert error.value == 3e-6
    assert error.limit < 3e-6
    assert error.hint
