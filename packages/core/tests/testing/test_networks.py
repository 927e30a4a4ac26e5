import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

import ranvier as rv
from ranvier.errors import PluginError
from ranvier.target import Fact, Target
from ranvier.testing import example_network, example_spikes, oversized_network
from ranvier.testing.agreement_checks import spike_agreement
from ranvier.testing.networks import unsupported_network

COUNTS = arrays(np.int64, (2, 6, 3), elements=st.integers(0, 3))


def target(**changes):
    plain = Target(
        name="fake",
        chip="fake",
        distribution="fake",
        description="a chip",
        nature="digital",
        node_kinds=("Input", "Output", "Linear", "CubaLIF", "CubaLI"),
    )
    return dataclasses.replace(plain, **changes)


def facts(**values):
    return {name: Fact(value, "test") for name, value in values.items()}


def test_example_network_is_cut_to_the_target():
    small = target(facts=facts(input_channels=3, hidden_neurons=5, output_neurons=2))

    sizes = [node.size for node in example_network(small).nodes.values()]

    assert sizes == [3, 5, 5, 2, 2, 2]


def test_edges_from_neuron_to_neuron_carry_the_latency_per_hop():
    graph = example_network(target(latency_per_hop=2), recurrent=True)

    assert {str(e) for e in graph.edges if e.delay} == {
        "hidden -> to_readout [2 steps]",
        "hidden -> loop [2 steps]",
    }


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("readout", ["spikes", "v_mem"])
def test_every_layer_of_the_example_network_is_active(recurrent, readout):
    graph = example_network(target(), recurrent=recurrent, readout=readout)

    recording = rv.simulate(
        rv.build(graph, "reference"), example_spikes(graph), record=["hidden.spikes"]
    )

    assert 0.02 < recording.raster("hidden").mean() < 0.5
    assert recording.output.any()


def test_neurons_follow_the_target():
    lif = target(node_kinds=("Input", "Output", "Linear", "LIF"), facts=facts(reset="to_value"))

    hidden = example_network(lif).nodes["hidden"]

    assert (hidden.kind, hidden.reset, hidden.max_spikes) == ("LIF", "to_value", 1)


def test_target_without_a_known_neuron_is_told_to_bring_its_own_network():
    with pytest.raises(PluginError, match=r"need CubaLIF or LIF.*override network\(\)"):
        example_network(target(node_kinds=("Input", "Output")))


@pytest.mark.parametrize(
    ("resource", "node"),
    [("input_channels", "input"), ("hidden_neurons", "hidden"), ("output_neurons", "readout")],
)
def test_oversized_network_needs_one_more_than_there_is(resource, node):
    limits = facts(input_channels=4, hidden_neurons=10, output_neurons=3)

    graph = oversized_network(target(facts=limits), resource)

    assert graph.nodes[node].size == limits[resource].value + 1
    others = {"input_channels": 4, "hidden_neurons": 8, "output_neurons": 2}
    places = {"input_channels": "input", "hidden_neurons": "hidden", "output_neurons": "readout"}
    for name in set(others) - {resource}:
        assert graph.nodes[places[name]].size == others[name]


def test_unsupported_network_uses_a_kind_that_the_target_lacks():
    graph, name = unsupported_network(target())

    assert graph.nodes[name].kind not in target().node_kinds


@settings(max_examples=50, deadline=None)
@given(one=COUNTS, other=COUNTS, jitter=st.integers(0, 3))
def test_agreement_is_a_symmetric_share_that_grows_with_jitter(one, other, jitter):
    agreement = spike_agreement(one, other, jitter=jitter)

    assert 0.0 <= agreement <= 1.0
    assert agreement == spike_agreement(other, one, jitter=jitter)
    assert agreement <= spike_agreement(one, other, jitter=jitter + 1)
    assert spike_agreement(one, one, jitter=jitter) == 1.0


def test_agreement_counts_pairs_within_the_jitter():
    one, other = np.zeros((2, 1, 8, 1), dtype=np.int64)
    one[0, [0, 2, 6]] = 1
    other[0, [1, 4, 6]] = 1

    shares = [spike_agreement(one, other, jitter=jitter) for jitter in (0, 1, 2)]

    assert shares == pytest.approx([1 / 3, 2 / 3, 1.0])
