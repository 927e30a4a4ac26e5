"""Places of neurons: limits, cost, repeatability, and what is said when nothing fits."""

import runpy
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.diagnostics import Findings
from ranvier.errors import InputError
from ranvier_loihi import diagnostics as codes
from ranvier_loihi.network import LoihiNetwork
from ranvier_loihi.placement import occupancy, place_network

nets = types.SimpleNamespace(
    **runpy.run_path(str(Path(__file__).with_name("placement_networks.py")))
)
TIGHT = {
    "neurons": 25,
    "axons_in": 120,
    "axons_out": 70,
    "synapse_words": 900,
    "groups": 5,
    "thresholds": 2,
}
LIMITS = tuple(TIGHT)


def assert_within(network, placement, limits):
    found, traffic = nets.recount(network, placement, limits)
    for core, use in found.items():
        over = {k: (use[k], getattr(limits, k)) for k in LIMITS if use[k] > getattr(limits, k)}
        assert not over, (core, over)
    return len(found), traffic


def findings_of(network, limits):
    findings = Findings()
    placement = place_network(network, limits, seed=0, findings=findings)
    assert (placement is None) == bool(findings.errors())
    return {d.code: d for d in findings}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("limit", [*LIMITS, None])
def test_every_limit_holds_alone_and_together(limit, shared):
    changes = TIGHT if limit is None else {limit: TIGHT[limit]}
    limits = nets.budget(convolution_shared=shared, **changes)
    network = nets.mixed()

    placement = nets.place(network, limits)

    cores, _ = assert_within(network, placement, limits)
    assert 1 < cores <= limits.cores


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    neurons=st.integers(12, 80),
    axons_in=st.integers(160, 300),
    axons_out=st.integers(30, 300),
    synapse_words=st.integers(400, 3000),
    groups=st.integers(1, 8),
    overhead_bits_per_axon=st.sampled_from([0, 7, 40]),
)
def test_limits_hold_for_random_networks_and_budgets(seed, **changes):
    limits = nets.budget(**changes)
    network = nets.mixed(seed, n=40)

    assert_within(network, nets.place(network, limits), limits)


def test_every_neuron_has_one_place_and_slots_count_from_zero():
    network = nets.mixed()
    placement = nets.place(network, nets.budget(**TIGHT))

    assert placement.node == ("maps", "hidden", "out")
    assert placement.port == ("neuron",)
    for node, p in enumerate(network.populations):
        own = placement.index[placement.node_id == node]
        np.testing.assert_array_equal(np.sort(own), np.arange(p.size))
    for core in np.unique(placement.core):
        slots = np.sort(placement.slot[placement.core == core])
        np.testing.assert_array_equal(slots, np.arange(slots.size))


def test_the_same_seed_gives_the_same_placement():
    network, _ = nets.clusters()
    limits = nets.budget(neurons=30)

    first, second = (nets.place(network, limits, seed=3) for _ in range(2))

    for column in ("node_id", "index", "chip", "core", "slot"):
        np.testing.assert_array_equal(getattr(first, column), getattr(second, column))


def test_planted_clusters_are_found_although_names_are_shuffled():
    network, label = nets.clusters(stray=0.0)

    placement = nets.place(network, nets.budget(neurons=24))

    cores, traffic = nets.recount(network, placement, nets.budget())
    assert len(cores) == 10
    assert traffic == 0
    for core in np.unique(placement.core):
        assert np.unique(label[placement.index[placement.core == core]]).size == 1


def test_planted_clusters_with_strays_cost_no_more_than_the_planted_placement():
    network, label = nets.clusters(stray=0.05)
    limits = nets.budget(neurons=24)
    place = nets.place(network, limits)
    planted = types.SimpleNamespace(
        node=place.node, node_id=place.node_id, index=place.index, chip=place.chip, core=label
    )

    _, traffic = assert_within(network, place, limits)

    assert traffic <= 1.05 * nets.recount(network, planted, limits)[1]


def test_spikes_of_busy_neurons_stay_on_their_core():
    pairs = {(2 * k + 1, 2 * j) for k in range(2) for j in range(2)}
    network = LoihiNetwork(
        inputs={},
        populations=(nets.population("a", 4),),
        connections=(nets.sparse_connection("a", "a", pairs | {(0, 1), (2, 3)}, 4),),
    )
    rates = {"a": np.array([100.0, 1.0, 1.0, 1.0])}

    placement = nets.place(network, nets.budget(neurons=3), rates=rates)

    core = placement.core
    assert core[0] == core[1] == core[3]


@pytest.mark.parametrize("rates", [np.ones(3), np.full(4, -1.0), np.full(4, np.nan)])
def test_rates_that_do_not_fit_their_population_are_refused(rates):
    network = nets.dense(2, 4)

    with pytest.raises(InputError, match=r"rates of 'layer0' .* give 1 or 4, finite and >= 0"):
        nets.place(network, nets.budget(), rates={"layer0": rates})


def test_a_core_of_loihi_1_keeps_every_synapse_of_a_convolution():
    limits, network = nets.budget("loihi1"), nets.mixed()

    assert_within(network, nets.place(network, limits), limits)


@pytest.mark.parametrize(
    ("sizes", "most"), [((200, 256, 200), 5), ((784, 128, 64, 10), 5), ((200, 256, 100), 4)]
)
def test_dense_networks_take_no_more_cores_than_the_vendors_compiler(sizes, most):
    network, limits = nets.dense(*sizes), nets.budget()

    uses = occupancy(network, nets.place(network, limits), limits)

    assert len(uses) <= most
    assert max(max(use.shares.values()) for use in uses) <= 1


@pytest.mark.slow
def test_pilotnet_takes_no_more_cores_than_with_the_vendors_compiler():
    network, limits = nets.pilotnet(), nets.budget()

    uses = occupancy(network, nets.place(network, limits), limits)

    assert len(uses) <= 74
    assert max(max(use.shares.values()) for use in uses) <= 1


def test_small_layers_share_a_core():
    assert np.unique(nets.place(nets.dense(20, 30, 20, 10), nets.budget()).core).size == 1


def test_a_board_of_several_chips_keeps_tied_cores_on_one_chip():
    network, label = nets.clusters(stray=0.0)
    limits = nets.budget(chips=4, cores_per_chip=4, neurons=12)

    placement = nets.place(network, nets.budget(chips=20, cores_per_chip=2, neurons=12))
    many = nets.place(network, nets.budget(chips=5, cores_per_chip=4, neurons=12))

    assert placement.core.max() == 1
    for k in np.unique(label):
        assert np.unique(many.chip[label[many.index] == k]).size == 1
    full = findings_of(network, limits)[codes.BOARD_FULL.code]
    assert (full.value, full.limit) == (20, 16)
    assert "5 or more chips (chips=5)" in full.hint


def test_a_network_without_neurons_has_an_empty_placement():
    network = LoihiNetwork(inputs={"input": (3,)}, populations=(), connections=())

    assert len(nets.place(network, nets.budget())) == 0


def test_a_neuron_with_too_many_sources_is_reported_with_its_node():
    found = findings_of(nets.dense(50, 20, 5), nets.budget(axons_in=30))

    problem = found[codes.FAN_IN_TOO_LARGE.code]
    assert (problem.node, problem.value, problem.limit) == ("layer0", 50, 30)
    assert "each of 20 neurons has up to 50 sources" in problem.message
    assert "split its sources over a layer in between" in problem.hint


def test_a_neuron_whose_synapses_fill_more_than_a_core_is_reported():
    found = findings_of(nets.dense(50, 20, 5), nets.budget(synapse_words=49))

    problem = found[codes.SYNAPSES_TOO_LARGE.code]
    assert (problem.node, problem.value, problem.limit) == ("layer0", 50, 49)
    assert "prune its smallest weights" in problem.hint


def test_a_neuron_that_reaches_too_many_cores_is_reported():
    found = findings_of(nets.dense(5, 3, 40), nets.budget(neurons=10, axons_out=3))

    problem = found[codes.FAN_OUT_TOO_LARGE.code]
    assert (problem.node, problem.value, problem.limit) == ("layer0", 4, 3)
    assert "make the layers behind it smaller" in problem.hint


def test_more_parameter_sets_than_the_board_holds_are_reported():
    limits = nets.budget(cores_per_chip=2, groups=8)
    network = LoihiNetwork(
        inputs={"input": (1,)},
        populations=(nets.population("a", 40, alpha=np.linspace(0, 1, 40)),),
        connections=(nets.connection("input", "a", np.ones((40, 1))),),
    )

    problem = findings_of(network, limits)[codes.TOO_MANY_GROUPS.code]

    assert (problem.value, problem.limit) == (40, 16)
    assert "share time constants" in problem.hint


def test_more_thresholds_than_the_board_holds_are_reported():
    limits = nets.budget(cores_per_chip=2, groups=30)
    network = LoihiNetwork(
        inputs={"input": (1,)},
        populations=(nets.population("a", 40, threshold=np.linspace(1, 2, 40)),),
        connections=(nets.connection("input", "a", np.ones((40, 1))),),
    )

    problem = findings_of(network, limits)[codes.TOO_MANY_THRESHOLDS.code]

    assert (problem.value, problem.limit) == (40, 16)
    assert "share thresholds" in problem.hint


def test_all_problems_are_reported_at_once():
    limits = nets.budget(axons_in=30, synapse_words=40, cores_per_chip=1, neurons=4)

    found = findings_of(nets.dense(50, 20, 5), limits)

    assert {
        codes.FAN_IN_TOO_LARGE.code,
        codes.SYNAPSES_TOO_LARGE.code,
        codes.BOARD_FULL.code,
    } <= set(found)


def test_a_full_board_says_how_many_chips_would_do():
    found = findings_of(nets.dense(2000, 300), nets.budget(cores_per_chip=10))

    problem = found[codes.BOARD_FULL.code]
    assert problem.limit == 10
    assert problem.value > 10
    assert "(chips=2)" in problem.hint
