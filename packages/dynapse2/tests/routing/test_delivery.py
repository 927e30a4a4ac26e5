import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_dynapse2.config import Dynapse2Config
from ranvier_dynapse2.routing import delivered, lost, walk

boards = runpy.run_path(str(Path(__file__).parents[1] / "random_configs.py"))
random_config = boards["random_config"]


def test_every_monitored_neuron_is_heard_as_itself():
    config, _ = random_config(chips=4, used=5, seed=1)
    heard = delivered(config)
    assert len(heard) == 4 * 4 * 5
    for event in heard:
        assert event.tag == event.core * 256 + event.neuron
        assert event.x_hop == -7 + event.chip + 1
        assert event.unique
        assert event.word == 0
    assert len({(e.tag, e.x_hop, e.y_hop) for e in heard}) == len(heard)
    assert lost(config) == ()


def test_only_the_monitored_are_heard():
    config, _ = random_config(chips=2, used=8, all_monitored=False, seed=1)
    places = config.placement
    out = places.node_id == places.node.index("out")
    expected = list(zip(places.chip[out], places.core[out], places.slot[out], strict=True))
    assert [(h.chip, h.core, h.neuron) for h in delivered(config)] == sorted(expected)


def test_neurons_with_equal_events_are_marked():
    config, _ = random_config(chips=2, used=4, seed=1)
    tags = np.array(config.sram_tag)
    a, b = np.argwhere(config.sram_used[0, :, :, 0])[:2]
    tags[0, b[0], b[1], 0] = tags[0, a[0], a[1], 0]
    own = {name: getattr(config, name) for name in type(config).model_fields}
    heard = delivered(Dynapse2Config(**{**own, "sram_tag": tags}))
    mixed = [(h.core, h.neuron) for h in heard if not h.unique]
    assert mixed == [tuple(a), tuple(b)]
    assert {h.chip for h in heard if not h.unique} == {0}


@pytest.mark.parametrize("y", [0, 3])
def test_an_echo_of_an_input_reaches_the_host_and_no_core(y):
    """The same channel twice, once to the host: its placement has rows for the first only."""
    tag, cores, x = 700, 15, -7
    config, _ = random_config(chips=2, used=4, seed=1)
    own = {name: getattr(config, name) for name in type(config).model_fields}
    for name, value in (("channel", 0), ("tag", tag), ("cores", cores), ("x", x), ("y", y)):
        old = own[f"input_{name}"]
        own[f"input_{name}"] = np.append(old, np.array([value], dtype=old.dtype))
    echoed = Dynapse2Config(**own)
    packet = next(p for p in walk(echoed, 0) if p.tag == tag)
    assert (packet.fate, packet.hops_left) == ("host", (-6, y))
    assert lost(echoed) == ()
    assert delivered(echoed) == delivered(config)


def test_a_lost_packet_of_an_input_names_its_channel():
    config, _ = random_config(chips=2, used=4, seed=1)
    own = {name: getattr(config, name) for name in type(config).model_fields}
    for name, value in (("channel", 4), ("tag", 9), ("cores", 1), ("x", 1), ("y", 1)):
        old = own[f"input_{name}"]
        own[f"input_{name}"] = np.append(old, np.array([value], dtype=old.dtype))
    (found,) = lost(Dynapse2Config(**own))
    assert (found.channel, found.chip, found.core, found.neuron) == (4, None, None, None)
    assert found.word == config.input_channel.size
