"""What outputs show, and which inputs take real values."""

import numpy as np
import pytest

from ranvier.graph import (
    LI,
    Delay,
    Edge,
    Flatten,
    Graph,
    Input,
    Linear,
    Output,
    ResonateAndFire,
    SigmaDelta,
)
from ranvier_loihi import diagnostics as codes
from ranvier_loihi.nodes import Delta, InputLayer, Sigma

DT = 1e-3


def network(nodes, edges):
    return Graph(nodes, tuple(Edge(*e) for e in edges), DT)


def shown(lif, *, middle=None, delay=0):
    """Return input -> a -> (middle) -> output."""
    nodes = {"input": Input(shape=(2,)), "a": lif(2)}
    edges = [("input", "a")]
    if middle is None:
        edges.append(("a", "output", "in", delay))
    else:
        nodes["middle"] = middle
        edges += [("a", "middle"), ("middle", "output", "in", delay)]
    return network({**nodes, "output": Output(shape=(2,))}, edges)


def test_an_output_shows_its_neurons_directly(build, lif):
    built = build(shown(lif))
    assert built.outputs == [["output", "a", "spikes"]]
    assert built.network.taps == ()
    assert built.latency["output"] == 1


@pytest.mark.parametrize(("delay", "tap", "late"), [(1, 0, 0), (4, 3, 0)])
def test_a_delayed_edge_is_a_tap_under_the_outputs_name(build, lif, delay, tap, late):
    built = build(shown(lif, delay=delay))
    assert built.outputs == [["output", "output", "spikes"]]
    (found,) = built.network.taps
    assert (found.name, found.source) == ("output", "a")
    np.testing.assert_array_equal(found.delay, [tap])
    assert built.latency["output"] == late


def test_a_delay_node_is_a_tap_under_its_own_name(build, lif):
    built = build(shown(lif, middle=Delay(shape=(2,), delay=np.array([0.0, 3e-3]))))
    assert built.outputs == [["output", "middle", "spikes"]]
    (found,) = built.network.taps
    np.testing.assert_array_equal(found.delay, [0, 3])
    assert built.latency["middle"] == built.latency["output"] == 1


def test_a_delay_node_and_a_delayed_edge_are_a_tap_under_the_outputs_name(build, lif):
    built = build(shown(lif, middle=Delay(shape=(2,), delay=2e-3), delay=2))
    assert built.outputs == [["output", "output", "spikes"]]
    np.testing.assert_array_equal(built.network.taps[0].delay, [3])


def test_a_flatten_in_front_of_an_output_is_a_tap_without_delay(build, lif):
    nodes = {
        "input": Input(shape=(1, 2, 2)),
        "a": lif(1, 2, 2),
        "flat": Flatten(shape=(1, 2, 2)),
        "output": Output(shape=(4,)),
    }
    built = build(network(nodes, [("input", "a"), ("a", "flat"), ("flat", "output")]))
    assert built.outputs == [["output", "flat", "spikes"]]
    np.testing.assert_array_equal(built.network.taps[0].delay, [0])


def test_an_output_of_an_input_is_a_tap_under_its_own_name(build, lif):
    nodes = {"input": Input(shape=(2,)), "a": lif(2), "output": Output(shape=(2,))}
    nodes["copy"] = Output(shape=(2,))
    built = build(network(nodes, [("input", "a"), ("a", "output"), ("input", "copy")]))
    assert ["copy", "copy", "spikes"] in built.outputs
    assert [(t.name, t.source) for t in built.network.taps] == [("copy", "input")]
    assert built.latency["copy"] == 0


def test_a_linear_map_in_front_of_an_output_is_an_error_with_advice(build, lif):
    built = build(shown(lif, middle=Linear(weight=np.eye(2))))
    error = built.only(codes.OUTPUT_NOT_NEURON)
    assert error.node == "output"
    assert "LI neurons" in error.hint


def test_an_output_of_two_layers_is_an_error_with_number(build, lif):
    nodes = {"input": Input(shape=(2,)), "a": lif(2), "b": lif(2), "output": Output(shape=(2,))}
    edges = [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")]
    error = build(network(nodes, edges)).only(codes.OUTPUT_NOT_NEURON)
    assert (error.value, error.limit) == (2, 1)


def test_quantities_follow_the_kind_of_neuron(build):
    nodes = {
        "input": Input(shape=(2,)),
        "li": LI(shape=(2,), tau_mem=0.01),
        "rf": ResonateAndFire(shape=(2,), frequency=50.0, tau=0.02),
        "sd": SigmaDelta(shape=(2,), threshold=0.1),
        "sum": Sigma(shape=(2,)),
    }
    ends = {f"o_{n}": Output(shape=(2,)) for n in ("li", "rf", "sd", "sum")}
    edges = [("input", "li"), ("input", "rf", "re"), ("input", "sd"), ("sd", "sum")]
    edges += [(n.removeprefix("o_"), n) for n in ends]
    built = build(network({**nodes, **ends}, edges))
    assert [o[2] for o in built.outputs] == ["v_mem", "spikes", "value", "value"]
    assert built.connection("input", "rf").port == "re"


def test_an_input_layer_is_driven_by_its_input_without_a_hop(build, lif):
    layer = InputLayer(shape=(2,), tau_mem=0.01, weight=2.0, offset=0.25, bias=0.5)
    nodes = {
        "input": Input(shape=(2,)),
        "in": layer,
        "w": Linear(weight=np.eye(2)),
        "a": lif(2),
        "output": Output(shape=(2,)),
    }
    edges = [("input", "in"), ("in", "w"), ("w", "a"), ("a", "output")]
    built = build(network(nodes, edges))
    found = built.population("in")
    assert (found.drive, found.late, found.model) == ("input", 0, "lif")
    np.testing.assert_array_equal(found.drive_weight, [2.0])
    np.testing.assert_array_equal(found.drive_offset, [0.75])
    np.testing.assert_array_equal(found.bias, [0.0])
    assert built.values == ["input"]
    assert built.latency["a"] == 1
    assert not built.connections("input", "in")


def test_a_delta_layer_needs_one_input_directly(build):
    nodes = {
        "input": Input(shape=(2,)),
        "w": Linear(weight=np.eye(2)),
        "delta": Delta(shape=(2,), threshold=0.1),
        "output": Output(shape=(2,)),
    }
    edges = [("input", "w"), ("w", "delta"), ("delta", "output")]
    error = build(network(nodes, edges)).only(codes.DRIVE_NOT_INPUT)
    assert error.node == "delta"
    assert "'w' (Linear)" in error.message
    assert error.hint


def test_inputs_of_values_and_of_spikes_do_not_mix(build, lif):
    nodes = {
        "image": Input(shape=(2,)),
        "events": Input(shape=(2,)),
        "in": InputLayer(shape=(2,), tau_mem=0.01),
        "a": lif(2),
        "output": Output(shape=(2,)),
    }
    edges = [("image", "in"), ("in", "a"), ("events", "a"), ("a", "output")]
    error = build(network(nodes, edges)).only(codes.MIXED_INPUTS)
    assert error.node == "events"
    assert "image" in error.message


def test_an_input_cannot_feed_a_driven_layer_and_synapses(build, lif):
    nodes = {
        "input": Input(shape=(2,)),
        "in": InputLayer(shape=(2,), tau_mem=0.01),
        "a": lif(2),
        "output": Output(shape=(2,)),
    }
    edges = [("input", "in"), ("in", "a"), ("input", "a"), ("a", "output")]
    assert build(network(nodes, edges)).only(codes.MIXED_INPUTS).node == "input"
