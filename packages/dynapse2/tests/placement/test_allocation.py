"""Tags of packets on given places: reuse, splitting, and what is said when they run out."""

import runpy
import types
from pathlib import Path

import numpy as np
import pytest

from ranvier.diagnostics import Findings
from ranvier_dynapse2.placement import Places, allocate_tags, interchip_packets, occupancy

nets = types.SimpleNamespace(
    **runpy.run_path(str(Path(__file__).with_name("placement_networks.py")))
)


class Allocated:
    """Tags for places chosen by hand."""

    def __init__(self, network, board, chip, core):
        self.network, self.board, self.findings = network, board, Findings()
        self.grouped = network.grouped()
        self.places = Places(np.array(chip), np.array(core), np.arange(network.n))
        self.routes = allocate_tags(
            self.grouped,
            self.places,
            n_channels=network.n_channels,
            monitored=network.monitored,
            budget=board,
            findings=self.findings,
            name_of=lambda i: f"hidden[{i}]",
        )


def test_sources_that_never_meet_share_a_tag():
    network = nets.Network(4, 4, [(k, k, 0, 1.0) for k in range(4)])
    found = Allocated(network, nets.budget(chips=2), [0, 0, 1, 1], [0, 3, 0, 2])

    np.testing.assert_array_equal(found.routes.tag, np.zeros(4))


def test_one_packet_serves_all_cores_of_a_chip():
    network = nets.Network(1, 4, [(0, k, 0, 1.0) for k in range(4)])
    found = Allocated(network, nets.budget(chips=2), [0, 0, 0, 1], [0, 1, 3, 2])

    assert [tuple(map(int, row)) for row in zip(*found.routes, strict=True)] == [
        (0, 0, 0b1011, 0),
        (0, 1, 0b0100, 0),
    ]


def split_board():
    """Cores 0 and 1 have no usable tag in common."""
    usable = np.zeros((1, 4, 8), bool)
    usable[0, 0, :4] = True
    usable[0, 1, 4:] = True
    return nets.budget(tags=8, tag_usable=usable)


def test_packet_without_a_common_tag_is_split_while_words_are_left():
    network = nets.Network(0, 3, [(2, 0, 0, 1.0), (2, 1, 0, 1.0), (0, 2, 0, 1.0)])
    found = Allocated(network, split_board(), [0, 0, 0], [0, 1, 0])

    assert nets.delivered(found) == nets.intended(network)
    assert [d.code for d in found.findings] == ["DY130"]
    assert found.routes.cores.tolist() == [1, 1, 2]


def test_packet_without_a_common_tag_and_without_words_is_reported():
    board = nets.budget(tags=8, tag_usable=split_board().tag_usable, destinations=1)
    network = nets.Network(0, 3, [(2, 0, 0, 1.0), (2, 1, 0, 1.0)])
    found = Allocated(network, board, [0, 0, 0], [0, 1, 0])

    assert found.routes is None
    (error,) = found.findings.errors()
    assert (error.code, error.value, error.limit) == ("DY034", 1, 0)
    assert "chip 0: 1 packets go to cores [0, 1] together, 0 tags" in error.message
    assert "allow more tags (tag_pool)" in error.hint


def test_input_channels_are_split_without_words():
    board = nets.budget(tags=8, tag_usable=split_board().tag_usable, destinations=1)
    network = nets.Network(1, 2, [(0, 0, 0, 1.0), (0, 1, 0, 1.0)])
    found = Allocated(network, board, [0, 0], [0, 1])

    assert nets.delivered(found) == nets.intended(network)
    assert found.routes.group.size == 2


def test_channel_that_shares_a_group_with_a_neuron_keeps_to_its_words():
    board = nets.budget(tags=8, tag_usable=split_board().tag_usable, destinations=1)
    rows = [(s, t, 0, 1.0) for s in (0, 3) for t in (0, 1)]
    found = Allocated(nets.Network(1, 3, rows), board, [0, 0, 0], [0, 1, 0])

    assert found.grouped.n_groups == 1
    assert [d.code for d in found.findings.errors()] == ["DY034"]


def test_problems_of_several_chips_and_cores_are_reported_together():
    board = nets.budget(chips=2, tags=1)
    rows = [(s, t, 0, 1.0 + s) for s in range(2) for t in range(2)]
    found = Allocated(nets.Network(2, 2, rows), board, [0, 1], [3, 1])

    where = [d.message.split(":")[0] for d in found.findings.errors()]
    assert where == ["chip 0, core 3", "chip 1, core 1"]


def test_neurons_with_too_many_destinations_are_named_and_counted():
    rows = [(s, t, 0, 1.0 + s) for s in range(2) for t in range(4)]
    network = nets.Network(0, 4, rows, monitored=[True, True, False, False])
    found = Allocated(network, nets.budget(chips=4), [0, 1, 2, 3], [0, 0, 0, 0])

    (error,) = found.findings.errors()
    assert (error.code, error.value, error.limit) == ("DY035", 4, 3)
    assert "2 neurons need more destinations" in error.message
    assert "neuron hidden[0] reaches 4 chips" in error.message


@pytest.mark.parametrize(("pairs", "fits"), [(4, True), (5, False)])
def test_pairs_of_cores_that_overlap_run_out_of_tags_before_any_core_does(pairs, fits):
    """Three kinds of pairs that meet in a core: each of six cores' ends needs its own tags."""
    rows, source = [], 0
    for a, b in ((0, 1), (1, 2), (0, 2)):
        for _ in range(pairs):
            rows += [(source, a, 0, 1.0 + source), (source, b, 0, 1.0)]
            source += 1
    network = nets.Network(0, source, rows)
    board = nets.budget(tags=12, destinations=1)
    found = Allocated(network, board, np.zeros(source, int), np.r_[0, 1, 2, [3] * (source - 3)])

    assert (found.routes is not None) == fits
    if not fits:
        (error,) = found.findings.errors()
        assert error.code == "DY034"
        assert (error.value, error.limit) == (5, 2)


def test_occupancy_counts_neurons_entries_and_tags():
    rows = [(0, 0, 0, 1.0), (0, 0, 1, 1.0), (1, 0, 0, 2.0), (1, 1, 0, 2.0), (2, 2, 0, 1.0)]
    found = Allocated(nets.Network(2, 3, rows), nets.budget(chips=2), [0, 0, 1], [0, 0, 3])

    uses = occupancy(found.grouped, found.places, found.routes, budget=found.board)
    assert [(u.chip, u.core) for u in uses] == [(h, k) for h in range(2) for k in range(4)]
    assert (uses[0].neurons, uses[0].cam_entries, uses[0].tags) == (2, 4, 2)
    assert (uses[7].neurons, uses[7].cam_entries, uses[7].tags) == (1, 1, 1)
    assert (uses[7].neurons_max, uses[7].cam_max, uses[7].tags_max) == (256, 256 * 64, 2048)
    assert uses[3].neurons == uses[3].tags == 0


def test_packets_between_chips_count_members_elsewhere_and_every_input_packet():
    rows = [(s, t, 0, 1.0) for s in (0, 1, 2, 3) for t in (1, 2)]
    network = nets.Network(1, 3, rows)
    found = Allocated(network, nets.budget(chips=2), [0, 0, 1], [0, 1, 0])

    assert found.grouped.n_groups == 1
    assert interchip_packets(found.grouped, found.places, found.routes, n_channels=1) == 2 + 3
