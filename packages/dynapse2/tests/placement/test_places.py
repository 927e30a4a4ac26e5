"""Places of neurons: limits, cost, repeatability, and what is said when nothing fits."""

import itertools
import runpy
import types
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import InputError
from ranvier_dynapse2.placement import errata_tags, interchip_packets, occupancy
from ranvier_dynapse2.placement._cost import (
    OVER,
    PACKET,
    TAG,
    attach,
    cost_of,
    detach,
    rate,
    state_of,
)
from ranvier_dynapse2.placement._net import caps_of, levels_of, net_of
from ranvier_dynapse2.placement._refine import refined
from ranvier_dynapse2.targets import limits_of

nets = types.SimpleNamespace(
    **runpy.run_path(str(Path(__file__).with_name("placement_networks.py")))
)


def chain(n, **options):
    """Neuron i drives neuron i + 1."""
    return nets.Network(0, n, [(i, i + 1, 0, 1.0) for i in range(n - 1)], **options)


def communities(parts, size, *, fan=8, seed=0):
    """Shuffled neurons that only talk within their own part."""
    rng = np.random.default_rng(seed)
    n = parts * size
    name = rng.permutation(n)
    rows = {
        (int(name[t // size * size + s]), int(name[t]), 0, float(rng.uniform(0.1, 1)))
        for t in range(n)
        for s in rng.choice(size, fan, replace=False)
    }
    return nets.Network(0, n, sorted(rows))


def tags_in_use(mapped):
    uses = occupancy(mapped.grouped, mapped.places, mapped.routes, budget=mapped.board)
    return sum(u.tags for u in uses)


def packets(mapped):
    return interchip_packets(
        mapped.grouped, mapped.places, mapped.routes, n_channels=mapped.network.n_channels
    )


@pytest.mark.parametrize(("n", "cores"), [(0, 0), (1, 1), (256, 1), (257, 2), (1024, 4)])
def test_neurons_take_as_few_cores_as_hold_them(n, cores):
    mapped = nets.Mapped(chain(n), nets.budget(chips=2))

    assert len(set(mapped.places.position(mapped.board).tolist())) == cores
    assert np.all(mapped.places.chip == 0)


def test_neurons_beyond_one_chip_open_the_next():
    mapped = nets.Mapped(chain(1025), nets.budget(chips=4))

    assert set(mapped.places.chip.tolist()) == {0, 1}
    assert packets(mapped) <= 2


def test_neurons_of_one_core_keep_their_order():
    mapped = nets.Mapped(chain(100), nets.budget())

    np.testing.assert_array_equal(mapped.places.slot, np.arange(100))


@pytest.mark.parametrize(("n", "fits"), [(4096, True), (4097, False)])
def test_board_of_four_chips_holds_4096_neurons(n, fits):
    mapped = nets.Mapped(nets.Network(0, n, []), nets.budget(chips=4))

    assert (mapped.places is not None) == fits
    assert mapped.errors == ([] if fits else [("DY031", 17, 16)])
    if not fits:
        text = str(mapped.findings.errors()[0])
        assert "4097 neurons" in text
        assert "use a larger board (chips=)" in text


@pytest.mark.parametrize(("clusters", "error"), [(16, []), (17, [("DY031", 17, 16)])])
def test_every_cluster_takes_a_core_of_its_own(clusters, error):
    network = chain(40, clusters=np.arange(40) % clusters)
    mapped = nets.Mapped(network, nets.budget(chips=4))

    assert mapped.errors == error
    if error:
        assert "17 different set(s)" in str(mapped.findings.errors()[0])
    else:
        nets.check_limits(mapped)


def test_separate_communities_send_no_packets_between_chips():
    mapped = nets.Mapped(communities(4, 64), nets.budget(chips=4, neurons_per_core=16))

    assert mapped.errors == []
    assert packets(mapped) == 0


def test_shuffled_communities_of_a_core_use_each_tag_once():
    mapped = nets.Mapped(communities(16, 16), nets.budget(chips=4, neurons_per_core=16))

    assert packets(mapped) == 0
    assert tags_in_use(mapped) == mapped.grouped.n_groups


@pytest.mark.parametrize("seed", range(4))
def test_renaming_neurons_keeps_the_cost(seed):
    board = nets.budget(chips=4, neurons_per_core=16)
    rng = np.random.default_rng(seed)
    n = 240
    rows = {
        (int((t + d) % n), t, 0, float(rng.uniform(0.1, 1)))
        for t in range(n)
        for d in rng.choice(np.arange(-8, 9), 6, replace=False)
    }
    network = nets.Network(0, n, sorted(rows))
    first = nets.Mapped(network, board)
    second = nets.Mapped(network.permuted(rng.permutation(n)), board)

    assert first.errors == second.errors == []
    assert packets(second) <= 1.3 * packets(first)
    assert tags_in_use(second) <= 1.2 * tags_in_use(first)


def test_same_seed_gives_the_same_places_and_tags():
    network = nets.random_network(np.random.default_rng(3))
    board = nets.budget(chips=3, neurons_per_core=8)
    first, second = (nets.Mapped(network, board, seed=7) for _ in range(2))

    for a, b in zip(first.places + first.routes, second.places + second.routes, strict=True):
        np.testing.assert_array_equal(a, b)


def test_neurons_with_many_synapses_take_slots_with_enough_usable_cam_entries():
    rows = [(s, t, 0, 1.0 + s) for t in range(8) for s in range(10 if t >= 6 else 2)]
    cam = np.zeros((1, 4, 4, 16), bool)
    cam[..., :2] = True
    cam[0, 1, 3] = cam[0, 2, 0] = True
    board = nets.budget(neurons_per_core=4, synapses_per_neuron=16, cam_usable=cam)
    mapped = nets.Mapped(nets.Network(10, 8, rows), board)

    assert mapped.errors == []
    nets.check_limits(mapped)
    good = {(1, 3), (2, 0)}
    assert {(int(mapped.places.core[i]), int(mapped.places.slot[i])) for i in (6, 7)} == good


def test_too_few_slots_with_enough_cam_entries_are_reported_with_numbers():
    rows = [(s, t, 0, 1.0 + s) for t in range(8) for s in range(10 if t >= 5 else 2)]
    cam = np.zeros((1, 4, 4, 16), bool)
    cam[..., :2] = True
    cam[0, 1, 3] = cam[0, 2, 0] = True
    board = nets.budget(neurons_per_core=4, synapses_per_neuron=16, cam_usable=cam)
    mapped = nets.Mapped(nets.Network(10, 8, rows), board)

    assert mapped.errors == [("DY032", 3, 2)]
    assert "allow worse CAM entries (cam_error_max)" in str(mapped.findings.errors()[0])


def test_demanding_neurons_of_two_clusters_cannot_share_the_only_good_core():
    rows = [(s, t, 0, 1.0 + s) for t in range(2) for s in range(10)]
    cam = np.zeros((1, 4, 4, 16), bool)
    cam[0, 2] = True
    board = nets.budget(neurons_per_core=4, synapses_per_neuron=16, cam_usable=cam)
    mapped = nets.Mapped(nets.Network(10, 2, rows, clusters=[0, 1]), board)

    assert mapped.errors == [("DY032", 2, 1)]
    assert "1 of 2 neurons found no neuron" in str(mapped.findings.errors()[0])


def test_neuron_without_a_slot_is_named():
    rows = [(s, 1, 0, 1.0 + s) for s in range(65)]
    mapped = nets.Mapped(nets.Network(65, 2, rows), nets.budget())

    assert ("DY030", 65, 64) in mapped.errors
    text = str(mapped.findings.errors()[0])
    assert "neuron 1 needs 65, at most 64 are usable" in text
    assert "prune its smallest weights" in text


def test_all_problems_of_a_board_are_reported_together():
    rows = [(s, 1, 0, 1.0 + s) for s in range(65)]
    network = nets.Network(65, 5, rows, clusters=np.arange(5))

    assert {code for code, *_ in nets.Mapped(network, nets.budget()).errors} >= {"DY030", "DY031"}


def test_arrays_of_different_sizes_are_refused():
    network = nets.Network(0, 3, [(0, 1, 0, 1.0)], clusters=[0, 0])

    with pytest.raises(InputError, match=r"know 3 neurons .* clusters 2, monitored 3; give arrays"):
        nets.Mapped(network, nets.budget())


def wide_input(n_sources):
    """Every channel has one synapse of its own; 64 per neuron."""
    rows = [(s, s // 64, 0, 1.0) for s in range(n_sources)]
    return nets.Network(n_sources, -(-n_sources // 64), rows)


@pytest.mark.parametrize(("sources", "fits"), [(2048, True), (2049, False)])
def test_one_core_takes_2048_tags(sources, fits):
    network = wide_input(sources)
    mapped = nets.Mapped(network, nets.budget(cores_per_chip=1), share=False)

    assert mapped.errors == ([] if fits else [("DY033", 2049, 2048)])
    if fits:
        np.testing.assert_array_equal(np.sort(mapped.routes.tag), np.arange(2048))
    else:
        text = str(mapped.findings.errors()[0])
        assert "chip 0, core 0: 2049 sources" in text
        assert "allow more tags (tag_pool)" in text


def test_more_sources_than_tags_spread_over_more_cores():
    mapped = nets.Mapped(wide_input(4 * 2048), nets.budget(chips=2), share=False)

    assert mapped.errors == []
    assert set(mapped.places.chip.tolist()) == {0}
    assert np.bincount(mapped.places.core).tolist() == [32, 32, 32, 32]


def test_short_pools_of_one_chip_open_the_next():
    mapped = nets.Mapped(wide_input(4 * 2048 + 64), nets.budget(chips=2), share=False)

    assert mapped.errors == []
    assert set(mapped.places.chip.tolist()) == {0, 1}


def test_cores_with_more_usable_tags_come_first():
    board = nets.budget(tag_usable=errata_tags(limits_of())[None])
    mapped = nets.Mapped(wide_input(1700), board, share=False)

    assert mapped.errors == []
    assert set(mapped.places.core.tolist()) == {0}


def star(targets):
    """Neuron 0 drives some neurons of a board with one neuron per chip."""
    return [(0, t, 0, 1.0) for t in targets]


@pytest.mark.parametrize(
    ("targets", "monitored", "error"),
    [
        ([1, 2, 3], True, []),
        ([0, 1, 2, 3], True, [("DY035", 4, 3)]),
        ([0, 1, 2, 3], False, []),
    ],
)
def test_monitored_neurons_reach_three_chips(targets, monitored, error):
    board = nets.budget(chips=4, cores_per_chip=1, neurons_per_core=1)
    network = nets.Network(0, 4, star(targets), monitored=[monitored, False, False, False])
    mapped = nets.Mapped(network, board)

    assert mapped.errors == error
    if error:
        text = str(mapped.findings.errors()[0])
        assert "neuron 0 reaches 4 chips, 3 of its 4 words are left beside the one for" in text
        assert "monitor fewer neurons" in text


def test_input_channels_reach_four_chips_however_few_words_there_are():
    board = nets.budget(chips=4, cores_per_chip=1, neurons_per_core=1, destinations=1)
    mapped = nets.Mapped(nets.Network(1, 4, [(0, t, 0, 1.0) for t in range(4)]), board)

    assert mapped.errors == []
    assert mapped.routes.chip.tolist() == [0, 1, 2, 3]


def test_placement_gathers_targets_where_words_are_short():
    rng = np.random.default_rng(0)
    n = 64
    name = rng.permutation(n)
    rows = [(int(name[t // 8 * 8]), int(name[t]), 0, 1.0 + t) for t in range(n)]
    board = nets.budget(chips=4, neurons_per_core=4, destinations=2)
    mapped = nets.Mapped(nets.Network(0, n, rows, monitored=np.ones(n, bool)), board)

    assert mapped.errors == []
    nets.check_limits(mapped)


def fewest_packets(network, per_chip):
    """Packets of the best division of neurons into two chips, by trying all."""
    grouped = network.grouped()
    best = None
    for chosen in itertools.combinations(range(network.n), per_chip):
        chip = [int(i in chosen) for i in range(network.n)]
        reach = defaultdict(set)
        for group, target in zip(grouped.synapse_group, grouped.synapse_target, strict=True):
            reach[int(group)].add(chip[target])
        count = 0
        for source, group in enumerate(grouped.group):
            own = chip[source - network.n_channels] if source >= network.n_channels else None
            count += len(reach[int(group)] - {own}) if group >= 0 else 0
        best = count if best is None else min(best, count)
    return best


def test_small_networks_are_placed_with_the_fewest_packets_possible():
    best, found = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        rows = {(int(rng.integers(0, 12)), int(rng.integers(0, 10)), 0) for _ in range(20)}
        network = nets.Network(2, 10, [(*row, float(rng.uniform(0.1, 1))) for row in rows])
        board = nets.budget(chips=2, cores_per_chip=1, neurons_per_core=5)
        found.append(packets(nets.Mapped(network, board)))
        best.append(fewest_packets(network, 5))

    assert all(a >= b for a, b in zip(found, best, strict=True))
    assert sum(a == b for a, b in zip(found, best, strict=True)) >= 25, (found, best)
    assert sum(found) <= 1.03 * sum(best)


def problem(seed):
    rng = np.random.default_rng(seed)
    network = nets.random_network(rng)
    board = nets.budget(chips=3, neurons_per_core=60, tags=6, destinations=2)
    grouped = network.grouped()
    levels = levels_of(board)
    words = board.words(network.monitored)
    net = net_of(
        np.zeros(network.n, int), grouped, n_channels=network.n_channels, words=words, levels=levels
    )
    caps = caps_of(board, levels)
    return rng, net, caps, state_of(net, caps, rng.integers(0, 12, network.n))


def total(net, caps, state):
    """The cost from scratch."""
    over, packets, tags, _ = cost_of(net, caps, state)
    spread = state.spread[state.hits].sum() + state.spread[state.reach].sum()
    return over * OVER + packets * PACKET + tags * TAG + int(spread)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_cost_of_moves_adds_up_to_the_cost_from_scratch(seed):
    rng, net, caps, state = problem(seed)
    before = total(net, caps, state)

    change = 0
    for i in rng.integers(0, net.own.size, 20):
        change += detach(net, caps, state, i)
        change += attach(net, caps, state, i, int(rng.integers(0, 12)))

    assert total(net, caps, state) == before + change
    fresh = state_of(net, caps, state.core.copy())
    for a, b in zip(state, fresh, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_rated_cost_is_that_of_the_move_unless_a_neuron_drives_itself(seed):
    rng, net, caps, state = problem(seed)
    i = int(rng.integers(0, net.own.size))
    if net.own[i] in net.sources[net.row[i] : net.row[i + 1]]:
        return
    detach(net, caps, state, i)
    rating = np.empty(12, np.int64)
    rate(net, caps, state, i, rating)

    for core in range(12):
        assert attach(net, caps, state, i, core) == rating[core]
        detach(net, caps, state, i)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_refinement_never_makes_a_placement_worse_and_keeps_its_counters(seed):
    _, net, caps, state = problem(seed)
    before = cost_of(net, caps, state)

    better = refined(net, caps, state, seed=seed)

    assert cost_of(net, caps, better)[:3] <= before[:3]
    for a, b in zip(better, state_of(net, caps, better.core.copy()), strict=True):
        np.testing.assert_array_equal(a, b)


def test_refinement_puts_cores_that_talk_on_one_chip():
    """Two rings of four cores each, laid out alternately: exchanging cores frees all packets."""
    n = 32
    rows = [(i, (i + 8) % n, 0, 1.0) for i in range(n)]
    board = nets.budget(chips=2, neurons_per_core=4)
    grouped = nets.Network(0, n, rows).grouped()
    levels = levels_of(board)
    net = net_of(
        np.zeros(n, int), grouped, n_channels=0, words=board.words(np.zeros(n, bool)), levels=levels
    )
    caps = caps_of(board, levels)
    start = state_of(net, caps, np.array([0, 4, 1, 5, 2, 6, 3, 7])[np.arange(n) // 4])
    mixed = state_of(net, caps, np.arange(n) // 4)

    assert cost_of(net, caps, start)[1] == 0
    assert cost_of(net, caps, mixed)[1] == 16
    assert cost_of(net, caps, refined(net, caps, mixed, seed=0))[1] == 0
