import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_dynapse2 import diagnostics as codes
from ranvier_dynapse2.nodes import Dpi

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))
chain, cuba, run_map, refused = (graphs[n] for n in ("chain", "cuba", "run_map", "refused"))
mapped_network = graphs["mapped_network"]


def biased(bias, neuron=None, port="in"):
    bias = np.asarray(bias, dtype=np.float64)
    neuron = cuba(bias.size) if neuron is None else neuron
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.ones((bias.size, 2)), bias=bias),
        "neurons": neuron,
        "y": Output(shape=(bias.size,)),
    }
    edges = (Edge("x", "a"), Edge("a", "neurons", port), Edge("neurons", "y"))
    return Graph(nodes, edges, 1e-3)


def settle(constant, *, tau=10e-3, pulse=10e-6, gain=100.0, i_scale=1e-8):
    """Iterate the synapse's rule until it rests."""
    current = 0.0
    for _ in range(2000):
        drive = constant * i_scale
        current = np.exp(-1e-3 / tau) * current + (1 - np.exp(-pulse / tau)) * gain * drive
    return current


def test_the_bias_of_a_neuron_is_a_current_of_its_scale():
    network = mapped_network(chain(bias=0.25))
    np.testing.assert_allclose(network.currents["i_dc"], 0.25e-8)


def test_the_bias_of_a_map_is_the_current_at_which_the_synapse_settles():
    mapped = run_map(biased([0.5, 0.5]))
    got = graphs["network_of"](mapped).currents["i_dc"]
    np.testing.assert_allclose(got, settle(0.5), rtol=1e-9)
    [loss] = [d for d in mapped.diagnostics if d.code == codes.BIAS_AS_CURRENT.code]
    assert loss.severity == "loss"


def test_biases_of_maps_add_up_with_the_direct_current_of_chip_neurons():
    network = mapped_network(biased([0.5, 0.5], Dpi(shape=(2,), i_dc=1e-9)))
    np.testing.assert_allclose(network.currents["i_dc"], 1e-9 + settle(0.5), rtol=1e-6)


def test_negative_constant_inputs_are_refused_with_number_and_advice():
    [error] = refused(biased([0.5, -0.5, -0.1]))
    assert (error.code, error.node, error.limit) == (codes.NEGATIVE_BIAS.code, "neurons", 0)
    assert "2 of 3 neurons" in error.message
    assert error.value == pytest.approx(settle(-0.5))
    assert "train without bias" in error.hint


def test_a_negative_bias_that_a_positive_one_outweighs_is_accepted():
    network = mapped_network(biased([-0.5, -0.5], cuba(2, bias=0.75)))
    np.testing.assert_allclose(network.currents["i_dc"], 0.75e-8 + settle(-0.5))


def test_different_biases_need_different_cores():
    network = mapped_network(biased([0.0, 0.5, 0.5, 1.0]))
    place = network.chip * 4 + network.core
    assert np.unique(place).size == 3
    assert place[1] == place[2]


@pytest.mark.parametrize("port", ["gaba", "nmda", "shunt"])
def test_a_bias_on_a_synapse_without_constant_input_is_refused(port):
    [error] = refused(biased([0.5, 0.5], Dpi(shape=(2,), model="four_synapse"), port))
    assert (error.code, error.node) == (codes.BIAS_ON_SYNAPSE.code, "neurons")
    assert repr(port) in error.message
    assert "ampa" in error.hint


def test_negative_weights_of_a_synapse_with_a_sign_are_refused_with_the_port():
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.array([[1.0, -2.0], [3.0, -1.0]])),
        "neurons": Dpi(shape=(2,), model="four_synapse"),
        "y": Output(shape=(2,)),
    }
    edges = (Edge("x", "a"), Edge("a", "neurons", "nmda"), Edge("neurons", "y"))
    [error] = refused(Graph(nodes, edges, 1e-3))
    assert (error.code, error.value, error.limit) == (codes.NEGATIVE_WEIGHT.code, -2.0, 0)
    assert "'nmda'" in error.message
    assert "gaba" in error.hint


def test_synapses_that_were_merged_add_their_weights():
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.array([[1.0, -2.0]])),
        "b": Linear(weight=np.array([[-3.0, 2.0]])),
        "neurons": cuba(1, synapses=2),
        "y": Output(shape=(1,)),
    }
    edges = [("x", "a"), ("x", "b"), ("a", "neurons"), ("b", "neurons", "in2"), ("neurons", "y")]
    network = mapped_network(Graph(nodes, tuple(edges), 1e-3))
    matrix = graphs["signed"](graphs["matrix_of"](network))
    np.testing.assert_array_equal(matrix[:2], [[-2.0], [0.0]])
