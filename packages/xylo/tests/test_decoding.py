import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import Edge, Graph, Linear
from ranvier_xylo.decoding import needed_traces, own_spikes, recordable_quantities


@pytest.fixture
def config(make_cuba):
    nodes = {"f0": Linear(weight=np.eye(3)), "A": make_cuba(3), "f1": Linear(weight=np.eye(3))}
    nodes |= {"B": make_cuba(3), "fo": Linear(weight=np.ones((1, 3)))}
    chain = Graph.sequential({**nodes, "O": make_cuba(1, last=True)}, dt=1e-3)
    return rv.build(Graph(chain.nodes, [*chain.edges, Edge("A", "fo")], 1e-3), "xylo-imu")


def test_alias_spikes_are_taken_off_their_target(config):
    assert config.aliases.tolist() == [3, 4, 5, -1, -1, -1]
    spikes = np.array([[[1, 0, 31, 4, 2, 31]]])
    assert own_spikes(config, spikes, np.arange(6)).tolist() == [[[1, 0, 31, 3, 2, 0]]]


def test_several_sources_of_one_target_are_taken_off_up_to_the_cap(config):
    both = config.model_copy(update={"aliases": np.array([5, 5, -1, -1, -1, -1])})
    spikes = np.array([[[20, 20, 0, 0, 0, 31]]])
    assert own_spikes(both, spikes, np.array([5])).tolist() == [[[0]]]


def test_only_the_traces_that_are_asked_for_are_needed(config):
    assert needed_traces(config, {}) == ()
    assert needed_traces(config, {"B": ("spikes", "v_mem")}) == ("spikes", "v_mem")
    assert needed_traces(config, {"O": ("spikes", "i_syn")}) == ("i_syn_out",)


def test_a_second_current_is_offered_only_where_there_is_one(config):
    assert recordable_quantities(config)["A"] == ("spikes", "i_syn", "v_mem")
