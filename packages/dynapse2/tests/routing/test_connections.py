import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.errors import SimulationError
from ranvier_dynapse2.config import Dynapse2Config
from ranvier_dynapse2.routing import connections, walk
from ranvier_dynapse2.routing.packets import packets_of

boards = runpy.run_path(str(Path(__file__).parents[1] / "random_configs.py"))
random_config, sorted_rows = boards["random_config"], boards["sorted_rows"]


def rows_of(found):
    return sorted_rows(found.source, found.target, found.port, mask=found.mask)


def walked_rows(config):
    """Every synapse that the walking packets open, source by source."""
    rows = []
    for source in np.unique(packets_of(config).source).tolist():
        for packet in walk(config, source):
            for core, neuron, entry in packet.opened:
                at = (packet.chip, core, neuron, entry)
                target = (packet.chip * 4 + core) * 256 + neuron
                rows.append((source, target, config.cam_dendrite[at] - 1, config.cam_mask[at]))
    return sorted_rows(*np.array(rows, dtype=np.int64).T[:3], mask=np.array(rows)[:, 3])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("chips", "used", "fan_in"), [(1, 10, 6), (2, 8, 20), (4, 6, 64)])
def test_walked_and_vectorised_connections_are_the_intended_ones(seed, chips, used, fan_in):
    config, intended = random_config(chips=chips, used=used, fan_in=fan_in, seed=seed)
    found = rows_of(connections(config))
    assert len(found) > 20
    np.testing.assert_array_equal(found, intended.rows)
    np.testing.assert_array_equal(walked_rows(config), intended.rows)


def test_a_full_board_has_the_intended_connections():
    config, intended = boards["full_board"]()
    found = connections(config)
    assert len(found) >= 4096 * 64
    np.testing.assert_array_equal(rows_of(found), intended.rows)


def test_random_words_walk_as_they_are_computed():
    """Hops in all directions, and cores and tags that nobody meant."""
    rng = np.random.default_rng(5)
    config, _ = random_config(chips=3, used=20, fan_in=30, seed=5)
    used = config.sram_used
    own = {name: getattr(config, name) for name in type(config).model_fields}
    own |= {
        "sram_x": (rng.integers(-7, 8, used.shape) * used).astype(np.int8),
        "sram_y": (rng.choice([0, 0, 0, 1, -2], used.shape) * used).astype(np.int8),
        "sram_cores": (rng.integers(1, 16, used.shape) * used).astype(np.uint8),
    }
    wild = Dynapse2Config(**own)
    packets = packets_of(wild)
    fates = {}
    for source in np.unique(packets.source).tolist():
        for packet in walk(wild, source):
            fates[source, packet.word] = packet
    for k, key in enumerate(zip(packets.source.tolist(), packets.word.tolist(), strict=True)):
        packet = fates[key]
        assert (packet.fate == "broadcast") == packets.arrives[k]
        assert (packet.fate == "host") == packets.reaches_host[k]
        assert (packet.fate == "lost") == packets.is_lost[k]
        if packet.fate == "host":
            assert packet.hops_left == tuple(int(h[k]) for h in packets.hops_left)
    assert {p.fate for p in fates.values()} == {"broadcast", "host", "lost"}
    np.testing.assert_array_equal(rows_of(connections(wild)), walked_rows(wild))


def test_rows_are_sorted_and_found_by_their_source():
    config, _ = random_config(chips=2, seed=2)
    found = connections(config)
    keys = np.stack([found.source, found.target, found.entry], axis=1)
    np.testing.assert_array_equal(keys, keys[np.lexsort(keys.T[::-1])])
    assert found.indptr.size == found.n_channels + found.n_neurons + 1
    for source in (0, 3, int(found.source[-1])):
        rows = slice(found.indptr[source], found.indptr[source + 1])
        assert (found.source[rows] == source).all()
        assert found.source[rows].size == (found.source == source).sum()


def test_entries_are_those_of_the_cam():
    config, _ = random_config(chips=2, seed=2)
    found = connections(config)
    cam = config.cam_dendrite.reshape(-1, 64)[found.target, found.entry]
    np.testing.assert_array_equal(cam - 1, found.port)


def test_a_synapse_opened_by_two_words_counts_twice():
    config, _ = random_config(chips=1, used=10, seed=4)
    found = connections(config)
    source = int(found.source[found.source >= config.n_channels][0])
    at = (*np.unravel_index(source - config.n_channels, (1, 4, 256)), slice(None))
    words = {n: np.array(getattr(config, n)) for n in config_words()}
    first = int(np.flatnonzero(words["sram_x"][at] == 0)[0])
    free = int(np.flatnonzero(~words["sram_used"][at])[0])
    for values in words.values():
        values[at][free] = values[at][first]
    own = {name: getattr(config, name) for name in type(config).model_fields}
    doubled = connections(Dynapse2Config(**{**own, **words}))
    assert (doubled.source == source).sum() == 2 * (found.source == source).sum()


def config_words():
    return ("sram_used", "sram_tag", "sram_cores", "sram_x", "sram_y")


def test_a_silent_board_has_no_connections():
    config, _ = random_config(chips=1, used=2, seed=0)
    own = {name: getattr(config, name) for name in type(config).model_fields}
    empty = {n: np.zeros_like(own[n]) for n in config.model_fields_set if n.startswith("cam_")}
    assert len(connections(Dynapse2Config(**{**own, **empty}))) == 0


def test_more_connections_than_fit_are_refused(monkeypatch):
    config, _ = random_config(chips=1, seed=0)
    monkeypatch.setitem(connections.__globals__, "MAX_CONNECTIONS", 10)
    with pytest.raises(SimulationError, match=r"open \d+ synapses in all, at most 10"):
        connections(config)
