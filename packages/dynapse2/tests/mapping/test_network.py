import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.artifacts import MappedNetwork
from ranvier.errors import ResourceError
from ranvier.graph import (
    Conv2d,
    Edge,
    Flatten,
    Graph,
    Input,
    Linear,
    Output,
    Scale,
    SparseLinear,
    SumPool2d,
)
from ranvier.testing import example_network
from ranvier_dynapse2 import diagnostics as codes
from ranvier_dynapse2.mapping import MapOptions, map_network
from ranvier_dynapse2.nodes import Dpi
from ranvier_dynapse2.targets import target_named

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))
chain, cuba, recurrent = graphs["chain"], graphs["cuba"], graphs["recurrent"]
run_map, mapped_network, refused = graphs["run_map"], graphs["mapped_network"], graphs["refused"]
matrix_of, intended, signed = graphs["matrix_of"], graphs["intended"], graphs["signed"]
network_of = graphs["network_of"]


def test_the_map_takes_the_conformance_networks():
    for wishes in ({}, {"recurrent": True}):
        mapped = run_map(example_network(target_named(), **wishes))
        assert mapped.latency == {"hidden": 0, "readout": 0, "output": 0}
        assert mapped.settings["shown"] == {"output": "readout"}
        assert not [d for d in mapped.diagnostics if d.severity == "error"]


@pytest.mark.parametrize("seed", range(10))
def test_mapped_synapses_are_the_connections_of_the_graph(seed):
    graph = recurrent(seed)
    network = mapped_network(graph)
    matrix = matrix_of(network)
    np.testing.assert_array_equal(signed(matrix), intended(graph, network))
    assert not matrix[..., 2:].any()


def test_sharing_of_tags_can_be_switched_off():
    graph = chain(weight=np.ones((3, 5)))
    assert np.unique(mapped_network(graph).group[:5]).size == 1
    alone = mapped_network(graph, allow_sharing=False)
    np.testing.assert_array_equal(alone.group[:5], np.arange(5))
    np.testing.assert_array_equal(signed(matrix_of(alone)), intended(graph, alone))


def test_stateless_maps_of_every_kind_fold_into_synapses():
    rng = np.random.default_rng(3)
    sparse = SparseLinear(
        data=rng.normal(size=5), indices=[0, 3, 1, 2, 0], indptr=[0, 2, 3, 5], n_in=4, bias=None
    )
    nodes = {
        "input": Input(shape=(2, 6, 6)),
        "conv": Conv2d(weight=rng.normal(size=(2, 2, 3, 3)), shape=(2, 6, 6)),
        "first": cuba(1, tau_mem=20e-3).replace(shape=(2, 4, 4)),
        "pool": SumPool2d(shape=(2, 4, 4), kernel_size=(2, 2), stride=(2, 2)),
        "flatten": Flatten(shape=(2, 2, 2)),
        "fc": Linear(weight=rng.normal(size=(4, 8))),
        "scale": Scale(shape=(4,), scale=np.array([1.0, -2.0, 0.5, 3.0])),
        "second": cuba(4),
        "sparse": sparse,
        "third": cuba(3),
    }
    graph = Graph.sequential(nodes, dt=1e-3)
    network = mapped_network(graph)
    np.testing.assert_allclose(
        signed(matrix_of(network)), intended(graph, network), rtol=1e-12, atol=1e-12
    )


def test_several_inputs_and_outputs_and_direct_connections_are_accepted():
    nodes = {
        "left": Input(shape=(2,)),
        "right": Input(shape=(3,)),
        "a": Linear(weight=np.eye(3, 2)),
        "b": Linear(weight=2 * np.eye(3)),
        "one": cuba(3),
        "two": cuba(3),
        "out1": Output(shape=(3,)),
        "out2": Output(shape=(3,)),
    }
    edges = [("left", "a"), ("right", "b"), ("a", "one"), ("b", "one"), ("one", "two")]
    edges += [("b", "two"), ("one", "out1"), ("two", "out2")]
    graph = Graph(nodes, tuple(edges), 1e-3)
    mapped = run_map(graph)
    network = network_of(mapped)
    np.testing.assert_array_equal(signed(matrix_of(network)), intended(graph, network))
    assert mapped.settings["shown"] == {"out1": "one", "out2": "two"}
    assert network.inputs == {"left": (2,), "right": (3,)}


def test_a_hop_takes_a_step_and_unequal_paths_are_reported():
    graph = chain()
    assert run_map(graph).latency == {"neurons": 0, "output": 0}
    nodes = {"a": Linear(weight=np.eye(2)), "one": cuba(2), "b": Linear(weight=np.eye(2))}
    assert run_map(Graph.sequential({**nodes, "two": cuba(2)}, dt=1e-3)).latency["two"] == 1
    found = [d.code for d in run_map(_residual(), monitor="outputs").diagnostics]
    assert "CORE004" in found


def _residual():
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.eye(2)),
        "one": cuba(2),
        "b": Linear(weight=np.eye(2)),
        "c": Linear(weight=np.eye(2)),
        "two": cuba(2),
        "y": Output(shape=(2,)),
    }
    edges = [("x", "a"), ("a", "one"), ("one", "b"), ("b", "two"), ("x", "c"), ("c", "two")]
    return Graph(nodes, (*edges, ("two", "y")), 1e-3)


def test_four_synapse_neurons_split_signed_weights_and_report_it():
    mapped = run_map(recurrent(1), model="four_synapse")
    network = network_of(mapped)
    assert network.model == "four_synapse"
    np.testing.assert_array_equal(signed(matrix_of(network)), intended(recurrent(1), network))
    split = [d.node for d in mapped.diagnostics if d.code == codes.SIGNS_SPLIT.code]
    assert split == ["first", "second"]


def test_ports_of_chip_neurons_become_their_synapses():
    nodes = {
        "x": Input(shape=(2,)),
        **{port: Linear(weight=np.full((3, 2), k + 1.0)) for k, port in enumerate("agns")},
        "neurons": Dpi(shape=(3,), model="four_synapse"),
        "y": Output(shape=(3,)),
    }
    ports = dict(zip("agns", ("ampa", "gaba", "nmda", "shunt"), strict=True))
    edges = [("x", name) for name in ports] + [(n, "neurons", p) for n, p in ports.items()]
    network = mapped_network(Graph(nodes, (*edges, ("neurons", "y")), 1e-3))
    np.testing.assert_array_equal(matrix_of(network)[:2], np.ones((2, 3, 1)) * [1, 2, 3, 4])


def test_monitoring_can_be_limited_to_outputs():
    assert mapped_network(recurrent(0)).monitored.all()
    network = mapped_network(recurrent(0), monitor="outputs")
    second = next(p for p in network.populations if p.name == "second")
    np.testing.assert_array_equal(np.flatnonzero(network.monitored), np.arange(14)[second.neurons])


def test_the_placement_names_every_neuron_and_the_tags_of_inputs():
    mapped = run_map(recurrent(2))
    network, table = network_of(mapped), mapped.placement
    neuron = table.port_id == table.port.index("neuron")
    assert neuron.sum() == 14
    for population in network.populations:
        rows = neuron & (table.node_id == table.node.index(population.name))
        np.testing.assert_array_equal(table.index[rows], np.arange(population.size))
        np.testing.assert_array_equal(table.slot[rows], network.slot[population.neurons])
        np.testing.assert_array_equal(table.core[rows], network.core[population.neurons])
    routes = set()
    for group, chip, cores, tag in zip(
        network.route_group, network.route_chip, network.route_cores, network.route_tag, strict=True
    ):
        for channel in np.flatnonzero(network.group[:6] == group):
            routes |= {(channel, chip, core, tag) for core in range(4) if cores >> core & 1}
    rows = ~neuron
    columns = (table.index, table.chip, table.core, table.slot)
    assert set(zip(*(c[rows] for c in columns), strict=True)) == routes
    assert {table.node[k] for k in table.node_id[rows]} == {"input"}


def test_channels_without_weights_are_named():
    mapped = run_map(chain(weight=np.array([[1.0, 0.0, 0.0]])))
    unused = [d for d in mapped.diagnostics if d.code == codes.UNUSED_CHANNELS.code]
    assert [(d.node, d.value) for d in unused] == [("input", 2)]


def test_the_board_is_as_small_as_possible_unless_its_size_is_given():
    weight = np.ones((1025, 1))
    assert mapped_network(chain(weight=weight)).chips == 2
    assert mapped_network(chain(weight=weight), chips=4).chips == 4
    [found] = refused(chain(weight=weight), chips=1)
    assert (found.code, found.value, found.limit) == (codes.TOO_MANY_NEURONS.code, 1025, 1024)


def test_a_full_board_of_four_chips_maps_and_one_more_neuron_does_not():
    network = mapped_network(chain(weight=np.ones((4096, 2))))
    places = (network.chip * 4 + network.core) * 256 + network.slot
    assert np.unique(places).size == 4096
    [found] = refused(chain(weight=np.ones((4097, 2))))
    assert (found.code, found.value, found.limit) == (codes.TOO_MANY_NEURONS.code, 4097, 4096)


def test_too_many_inputs_of_a_neuron_are_refused_with_neuron_number_and_advice():
    weight = np.zeros((3, 70))
    weight[1] = np.arange(1, 71)
    with pytest.raises(ResourceError, match="prune") as caught:
        run_map(chain(weight=weight))
    assert "neuron 1 needs 70" in str(caught.value)
    [found] = caught.value.diagnostics
    assert (found.code, found.node, found.value, found.limit) == ("DY017", "neurons", 70, 64)
    assert caught.value.resource == "synapses_per_neuron"


def test_sources_with_equal_weights_count_once_for_the_fan_in():
    graph = chain(weight=np.ones((3, 200)))
    assert mapped_network(graph).synapse_target.size == 3
    assert [d.code for d in refused(graph, allow_sharing=False)] == [codes.FAN_IN.code]


def test_all_problems_are_raised_at_once():
    n = 80
    rng = np.random.default_rng(0)
    nodes = {
        "x": Input(shape=(100,)),
        "a": Linear(weight=rng.normal(size=(n, 100)), bias=-np.ones(n)),
        "first": cuba(n, tau_mem=1e-10, v_rest=2.0, refractory=1e-9),
        "b": Linear(weight=rng.normal(size=(n, n))),
        "second": Dpi(shape=(n,), c_mem=np.linspace(1e-12, 2e-12, n), model="four_synapse"),
        "c": Linear(weight=np.eye(n)),
        "third": cuba(100, tau_mem=np.geomspace(1e-3, 0.1, 100)),
        "y": Output(shape=(n,)),
        "z": Output(shape=(100,)),
    }
    edges = [("x", "a"), ("a", "first"), ("first", "b", "in", 3), ("b", "second", "gaba")]
    edges += [("second", "c"), ("c", "y"), ("x", "third"), ("third", "z")]
    found = refused(Graph(nodes, tuple(edges), 1e-3), tag_pool="/none.npy", cam_profile="/none.npy")
    expected = {
        codes.OUTPUT_NOT_NEURON,
        codes.INPUT_WITHOUT_MAP,
        codes.DELAY,
        codes.UNEQUAL_CONSTANTS,
        codes.THRESHOLD_NOT_POSITIVE,
        codes.NEGATIVE_BIAS,
        codes.NEGATIVE_WEIGHT,
        codes.CURRENT_OUT_OF_RANGE,
        codes.PARAMETER_SETS,
        codes.FAN_IN,
        codes.BAD_TAG_POOL,
        codes.BAD_CAM_PROFILE,
    }
    assert {d.code for d in found} == {c.code for c in expected}
    assert all(d.hint for d in found)


def test_mapping_is_repeatable_and_survives_a_file():
    one, two = run_map(recurrent(4)), run_map(recurrent(4))
    assert one.content_hash == two.content_hash
    again = MappedNetwork.from_payload(*one.to_payload())
    assert again.content_hash == one.content_hash


def test_options_with_strangers_or_values_out_of_range_are_refused():
    for bad in ({"stranger": 1}, {"chips": 5}, {"chips": 0}, {"tolerance": -1}, {"i_scale": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            MapOptions(**bad)
    assert all(f.description for f in MapOptions.model_fields.values())


def test_a_network_without_neurons_is_refused():
    graph = Graph.sequential({"map": Linear(weight=np.eye(2))}, dt=1e-3)
    found = refused(graph)
    assert {d.code for d in found} == {codes.NO_NEURONS.code, codes.OUTPUT_NOT_NEURON.code}


def test_map_network_is_what_the_pipeline_calls():
    mapped = map_network(chain(), target_named(), MapOptions())
    assert mapped.target == "dynapse2"
    assert mapped.settings["options"] == MapOptions().model_dump()
    assert set(mapped.arrays) == set(network_of(mapped).to_parts()[0])


def test_a_stateless_loop_is_refused():
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.eye(2)),
        "n": cuba(2),
        "y": Output(shape=(2,)),
    }
    edges = (Edge("x", "a"), Edge("a", "a", delay=1), Edge("a", "n"), Edge("n", "y"))
    assert [d.code for d in refused(Graph(nodes, edges, 1e-3))] == ["DY002"]
