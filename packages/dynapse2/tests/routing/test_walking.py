import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_dynapse2.config import Dynapse2Config
from ranvier_dynapse2.routing import lost, neuron_source, place_of, position_of, walk

boards = runpy.run_path(str(Path(__file__).parents[1] / "random_configs.py"))
random_config = boards["random_config"]


def with_word(config, place, *, tag=7, cores=1, x=0, y=0):
    """A board whose only words and packets are one word of a neuron."""
    arrays = {
        n: np.zeros_like(getattr(config, n))
        for n in ("sram_used", "sram_tag", "sram_cores", "sram_x", "sram_y")
    }
    at = (*place, 1)
    arrays["sram_used"][at] = True
    arrays["sram_tag"][at], arrays["sram_cores"][at] = tag, cores
    arrays["sram_x"][at], arrays["sram_y"][at] = x, y
    own = {name: getattr(config, name) for name in type(config).model_fields}
    return Dynapse2Config(**{**own, **arrays})


@pytest.fixture(scope="module")
def board():
    return random_config(chips=4, used=4, seed=1)[0]


def test_a_packet_visits_every_chip_on_its_way(board):
    config = with_word(board, (0, 1, 9), x=3)
    (packet,) = walk(config, neuron_source(config, 0, core=1, neuron=9))
    assert packet.path == ((1, 0), (2, 0), (3, 0), (4, 0))
    assert (packet.fate, packet.chip, packet.hops_left, packet.word) == ("broadcast", 3, (0, 0), 1)


def test_a_packet_travels_west_too(board):
    config = with_word(board, (3, 0, 0), x=-2)
    (packet,) = walk(config, neuron_source(config, 3, core=0, neuron=0))
    assert packet.path == ((4, 0), (3, 0), (2, 0))
    assert packet.chip == 1


@pytest.mark.parametrize("chip", [0, 1, 2, 3])
@pytest.mark.parametrize("y", [-7, 0])
def test_the_monitor_reaches_the_host_with_hops_that_tell_the_chip(board, chip, y):
    config = with_word(board, (chip, 2, 5), tag=517, cores=15, x=-7, y=y)
    (packet,) = walk(config, neuron_source(config, chip, core=2, neuron=5))
    assert packet.fate == "host"
    assert packet.hops_left == (-7 + chip + 1, y)
    assert packet.path[-1] == (0, 0)
    assert packet.opened == ()
    assert packet.chip is None


@pytest.mark.parametrize(("x", "y"), [(4, 0), (1, 1), (0, -1), (0, 7)])
def test_packets_that_leave_elsewhere_are_lost_and_named(board, x, y):
    config = with_word(board, (0, 3, 250), tag=99, x=x, y=y)
    (packet,) = walk(config, neuron_source(config, 0, core=3, neuron=250))
    assert (packet.fate, packet.opened) == ("lost", ())
    (found,) = lost(config)
    assert (found.chip, found.core, found.neuron, found.word) == (0, 3, 250, 1)
    assert (found.channel, found.tag, found.x_hop, found.y_hop) == (None, 99, x, y)


def test_a_broadcast_opens_matching_entries_of_its_cores_only(board):
    cam = {n: np.zeros_like(getattr(board, n)) for n in ("cam_tag", "cam_mask", "cam_dendrite")}
    for core, neuron, entry, tag, dendrite in [
        (0, 10, 3, 7, 1),
        (1, 11, 0, 7, 2),
        (1, 11, 63, 7, 4),
        (1, 12, 5, 8, 1),
        (2, 13, 1, 7, 1),
    ]:
        at = (2, core, neuron, entry)
        cam["cam_tag"][at], cam["cam_mask"][at], cam["cam_dendrite"][at] = tag, 1, dendrite
    own = {name: getattr(board, name) for name in type(board).model_fields}
    config = with_word(Dynapse2Config(**{**own, **cam}), (1, 0, 0), tag=7, cores=0b0011, x=1)
    (packet,) = walk(config, neuron_source(config, 1, core=0, neuron=0))
    assert packet.cores == (0, 1)
    assert packet.opened == ((0, 10, 3), (1, 11, 0), (1, 11, 63))


def test_tag_0_opens_no_unused_entry(board):
    config = with_word(board, (0, 0, 0), tag=0, cores=15)
    (packet,) = walk(config, neuron_source(config, 0, core=0, neuron=0))
    assert all(config.cam_dendrite[0][at] for at in packet.opened)


def test_packets_of_the_host_enter_at_the_first_chip(board):
    row = int(np.flatnonzero(board.input_x == 2)[0])
    channel = int(board.input_channel[row])
    packet = next(p for p in walk(board, channel) if p.word == row)
    assert packet.path == ((1, 0), (2, 0), (3, 0))
    assert (packet.chip, packet.tag) == (2, int(board.input_tag[row]))


def test_positions_and_places_are_inverse(board):
    assert position_of(board, 2, core=3, neuron=200) == (2 * 4 + 3) * 256 + 200
    assert place_of(board, position_of(board, 2, core=3, neuron=200)) == (2, 3, 200)


def test_strangers_are_refused(board):
    with pytest.raises(InputError, match="no chip 4, core 0, neuron 0; the board has 4"):
        neuron_source(board, 4, core=0, neuron=0)
    with pytest.raises(InputError, match=r"source 4108 does not exist; there are 12 channels"):
        walk(board, 4096 + 12)
