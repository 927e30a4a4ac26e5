"""The parts of the placement: counters, starts, moves, partitions without METIS, chips."""

import builtins
import runpy
import types
from pathlib import Path

import numpy as np
import pytest

from ranvier_loihi.placement import _place
from ranvier_loihi.placement._chips import axons_out, chips_of, core_traffic
from ranvier_loihi.placement._connectivity import connectivity
from ranvier_loihi.placement._cost import Caps, attach, detach, state_of
from ranvier_loihi.placement._partition import graph_of, grown, partition
from ranvier_loihi.placement._refine import compact, refine
from ranvier_loihi.placement._start import best_start

nets = types.SimpleNamespace(
    **runpy.run_path(str(Path(__file__).with_name("placement_networks.py")))
)
COUNTERS = ("neurons", "axons_in", "axons_out", "words", "groups", "thresholds", "reach")


def random_state(network, limits, *, cores, seed=0):
    net = connectivity(network, limits)
    core = np.random.default_rng(seed).integers(0, cores, net.n).astype(np.int32)
    return net, Caps.of(limits), state_of(net, Caps.of(limits), core)


@pytest.mark.parametrize("shared", [False, True])
def test_counters_stay_exact_while_neurons_move(shared):
    limits = nets.budget(convolution_shared=shared, overhead_bits_per_axon=5)
    net, caps, state = random_state(nets.mixed(), limits, cores=6)
    rng = np.random.default_rng(1)

    for _ in range(500):
        i = int(rng.integers(net.n))
        detach(net, state, caps, i)
        attach(net, state, caps, i, int(rng.integers(6)))

    fresh = state_of(net, caps, state.core)
    for name in COUNTERS:
        np.testing.assert_array_equal(getattr(state, name), getattr(fresh, name), err_msg=name)
    np.testing.assert_array_equal(state.synapses, fresh.synapses)
    assert state.traffic[0] == pytest.approx(fresh.traffic[0], abs=1e-6)


def test_refinement_never_makes_any_start_worse():
    for seed in range(6):
        limits = nets.budget(neurons=40)
        net, caps, state = random_state(nets.mixed(seed), limits, cores=6, seed=seed)
        before = state.cost
        assert before[0] == 0

        refine(net, state, caps, seed=seed)
        middle = state.cost
        compact(net, state, caps)

        assert middle <= before
        assert state.cost[:2] <= middle[:2]


def test_the_result_is_never_worse_than_the_start():
    for seed in range(4):
        network, limits = nets.mixed(seed), nets.budget(neurons=25, synapse_words=700)
        net = connectivity(network, limits)
        _, start = best_start(network, net, limits, seed=0, most_bytes=1 << 29)
        found, traffic = nets.recount(network, nets.place(network, limits), limits)

        assert start is not None
        assert (len(found), traffic) <= start.cost[1:]


def test_a_network_beyond_the_table_keeps_its_start_and_says_so(monkeypatch):
    monkeypatch.setattr(_place, "TABLE_BYTES", 10)
    network, limits = nets.dense(40, 60, 10), nets.budget(neurons=25)
    findings = _place.Findings()

    placement = _place.place_network(network, limits, findings=findings)

    assert [d.code for d in findings] == ["LO036"]
    found, _ = nets.recount(network, placement, limits)
    assert all(use["neurons"] <= 25 for use in found.values())


def test_output_axons_and_traffic_agree_with_the_counters():
    net, _, state = random_state(nets.mixed(), nets.budget(), cores=5)

    traffic = core_traffic(net, state.core)

    np.testing.assert_array_equal(axons_out(net, state.core), state.axons_out)
    assert traffic.sum() - np.trace(traffic) == pytest.approx(state.traffic[0])


def test_without_pymetis_regions_are_grown(monkeypatch):
    load = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "pymetis":
            raise ImportError(name)
        return load(name, *args, **kwargs)

    network, label = nets.clusters(stray=0.0)
    limits = nets.budget(neurons=24)
    net = connectivity(network, limits)
    graph = graph_of(net, Caps.of(limits))
    monkeypatch.setattr(builtins, "__import__", without)

    part = partition(graph, parts=10, seed=0)

    np.testing.assert_array_equal(part, grown(graph, parts=10))
    for k in range(10):
        assert np.unique(part[label == k]).size == 1


def test_chips_are_filled_in_order_and_swapped_until_tied_cores_meet():
    traffic = np.zeros((6, 6))
    for a, b in ((0, 3), (1, 4), (2, 5)):
        traffic[a, b] = 1.0

    chip = chips_of(traffic, cores_per_chip=2)

    np.testing.assert_array_equal(np.bincount(chip), [2, 2, 2])
    np.testing.assert_array_equal(chip[:3], chip[3:])
