"""The verb itself: placement, settings, options, and all errors at once."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from ranvier.errors import MappingError, ResourceError
from ranvier.graph import (
    LI,
    LIF,
    AdaptiveLIF,
    Edge,
    Graph,
    Input,
    Linear,
    Output,
    ResonateAndFire,
    Scale,
    Threshold,
    UnknownNode,
)
from ranvier_loihi import diagnostics as codes
from ranvier_loihi.mapping import MapOptions, map_network
from ranvier_loihi.network import LoihiNetwork
from ranvier_loihi.nodes import KWinners
from ranvier_loihi.targets import target_named

DT = 1e-3


def mapped(graph, target="loihi2", **options):
    return map_network(graph, target_named(target), MapOptions(**options))


@pytest.fixture
def graph(lif, rng):
    return Graph.sequential(
        {
            "fc": Linear(weight=rng.normal(size=(6, 4))),
            "lif": lif(6),
            "w": Linear(weight=np.eye(6)),
            "out": lif(6),
        },
        dt=DT,
    )


def test_a_mapped_network_carries_network_budget_options_and_outputs(graph):
    found = mapped(graph, chips=2, max_neurons=4, seed=3)
    settings = found.settings
    network = LoihiNetwork.from_parts(found.arrays, settings["network"])
    assert [p.name for p in network.populations] == ["lif", "out"]
    np.testing.assert_array_equal(network.connections[0].weight, graph.nodes["fc"].weight)
    assert (settings["budget"]["chips"], settings["budget"]["neurons"]) == (2, 4)
    assert MapOptions(**settings["options"]).seed == 3
    assert settings["outputs"] == [["output", "out", "spikes"]]
    assert settings["values"] == []
    assert found.latency == {"lif": 1, "out": 2, "output": 2}
    json.dumps(dict(settings))
    assert sorted(found.placement.node) == ["lif", "out"]


def test_a_board_gives_its_chips_and_an_unknown_one_is_an_error(graph):
    assert mapped(graph, board="kapoho-point").settings["budget"]["chips"] == 8
    with pytest.raises(MappingError, match=r"LO014.*kapoho-bay.*kapoho-point \(8\)"):
        mapped(graph, board="kapoho-bay")
    with pytest.raises(ValidationError, match="exclude each other"):
        MapOptions(board="kapoho-point", chips=2)


def test_options_change_uncertain_limits(graph):
    found = mapped(graph, max_axons_in=100, max_synapse_words=99, overhead_bits_per_synapse=4)
    budget = found.settings["budget"]
    assert (budget["axons_in"], budget["synapse_words"]) == (100, 99)
    assert budget["bits_per_synapse"] == 12


def test_rates_fit_the_graph_or_are_an_error(graph):
    mapped(graph, rates={"lif": 0.5, "input": np.full(4, 0.1)})
    with pytest.raises(MappingError) as caught:
        mapped(graph, rates={"lif": [0.1, 0.2], "nobody": 1.0})
    assert [d.code for d in caught.value.diagnostics] == ["LO016", "LO016"]
    assert (caught.value.diagnostics[0].value, caught.value.diagnostics[0].limit) == (2, 6)


def test_every_option_describes_itself():
    assert all(f.description for f in MapOptions.model_fields.values())


def test_message_bits_need_a_chip_with_graded_messages(graph):
    assert mapped(graph, input_message_bits=8).settings["options"]["input_message_bits"] == 8
    with pytest.raises(MappingError, match="LO015"):
        mapped(graph, "loihi1", input_message_bits=8)


@pytest.mark.parametrize(
    "node",
    [
        AdaptiveLIF(shape=(2,), tau_mem=0.01, tau_syn=0.01, tau_threshold=0.1, tau_refractory=0.1),
        KWinners(shape=(2, 1), tau_mem=0.01, tau_syn=0.01),
        Threshold(shape=(2,)),
    ],
)
def test_kinds_that_the_chip_has_not_are_an_error_with_the_list(node):
    with pytest.raises(MappingError) as caught:
        mapped(Graph.sequential({"n": node}, dt=DT))
    (error,) = [d for d in caught.value.diagnostics if d.code == "LO001"]
    assert (error.node, error.value) == ("n", node.kind)
    assert "CubaLIF" in error.limit
    assert error.hint


def test_a_kind_of_a_missing_plugin_is_an_error_with_its_name():
    nodes = {
        "input": Input(shape=(2,)),
        "n": UnknownNode(original_kind="other.kind", arrays={}, plain={"shape": (2,)}),
        "output": Output(shape=(2,)),
    }
    graph = Graph(nodes, (Edge("input", "n"), Edge("n", "output")), DT)
    with pytest.raises(MappingError, match=r"LO001.*'n'.*other\.kind"):
        mapped(graph)


def test_resonators_need_loihi_2():
    node = ResonateAndFire(shape=(2,), frequency=50.0, tau=0.02)
    graph = Graph.sequential({"rf": node}, dt=DT)
    assert mapped(graph).placement.node == ("rf",)
    with pytest.raises(MappingError, match=r"LO001.*loihi1"):
        mapped(graph, "loihi1")


def test_readouts_inside_the_network_are_an_error(build, lif):
    graph = Graph.sequential({"li": LI(shape=(2,), tau_mem=0.01), "lif": lif(2)}, dt=DT)
    error = build(graph).only(codes.READOUT_INSIDE)
    assert error.node == "li"
    assert "'lif'" in error.message
    assert error.hint


def test_a_loop_of_stateless_nodes_is_an_error(build, lif):
    nodes = {
        "input": Input(shape=(2,)),
        "a": Scale(shape=(2,), scale=0.5),
        "lif": lif(2),
        "output": Output(shape=(2,)),
    }
    edges = [("input", "a"), ("a", "a", "in", 1), ("a", "lif"), ("lif", "output")]
    graph = Graph(nodes, tuple(Edge(*e) for e in edges), DT)
    assert build(graph).only(codes.LOOP_WITHOUT_NEURON).node == "a"


def test_all_problems_are_raised_at_once():
    nodes = {
        "input": Input(shape=(2,)),
        "bad": Threshold(shape=(2,)),
        "a": LIF(shape=(2,), tau_mem=0.01, refractory=0.1),
        "b": LIF(shape=(2,), tau_mem=0.01, reset="to_value", v_reset=0.5),
        "w": Linear(weight=np.eye(2)),
        "output": Output(shape=(2,)),
    }
    edges = [("input", "bad"), ("bad", "a"), ("a", "b"), ("b", "w"), ("w", "output")]
    with pytest.raises(MappingError) as caught:
        mapped(Graph(nodes, tuple(Edge(*e) for e in edges), DT), board="nowhere")
    assert {d.code for d in caught.value.diagnostics} == {
        codes.UNSUPPORTED_NODE.code,
        codes.RESET_SUBTRACT.code,
        codes.REFRACTORY_TOO_LONG.code,
        codes.RESET_VALUE.code,
        codes.OUTPUT_NOT_NEURON.code,
        codes.UNKNOWN_BOARD.code,
    }
    assert "6 problem(s)" in str(caught.value)
    assert not isinstance(caught.value, ResourceError)


def test_running_out_of_cores_is_a_resource_error(lif):
    graph = Graph.sequential({"w": Linear(weight=np.ones((200, 1))), "lif": lif(200)}, dt=DT)
    with pytest.raises(ResourceError) as caught:
        mapped(graph, max_neurons=1)
    assert caught.value.resource == "cores_per_chip"
    assert (caught.value.needed, caught.value.available) == (200, 120)


def test_problems_of_the_mapping_and_of_the_placement_are_raised_together(lif):
    nodes = {
        "input": Input(shape=(9,)),
        "w": Linear(weight=np.ones((3, 9))),
        "lif": lif(3),
        "output": Output(shape=(3,)),
    }
    edges = [("input", "w"), ("w", "lif", "in", 90), ("lif", "output")]
    with pytest.raises(MappingError) as caught:
        mapped(Graph(nodes, tuple(Edge(*e) for e in edges), DT), max_axons_in=8)
    assert [d.code for d in caught.value.diagnostics] == ["LO010", "LO030"]


@pytest.mark.parametrize(("interval", "noted"), [(0, False), (16, False), (17, True)])
def test_a_reset_interval_that_a_board_may_refuse_is_noted(graph, interval, noted):
    found = mapped(graph, reset_interval=interval).diagnostics

    assert (codes.RESET_INTERVAL_ODD.code in [d.code for d in found]) == noted
