import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_dynapse2.routing import connections


def codes_of(error):
    return [d.code for d in error.value.diagnostics]


def intended(network, masks_of):
    """Connections that the network asks for: (source, position, port) -> mask."""
    position = (network.chip * 4 + network.core) * 256 + network.slot
    wanted = {}
    for source, group in enumerate(network.group):
        physical = source
        if source >= network.n_channels:
            physical = network.n_channels + position[source - network.n_channels]
        for s in np.flatnonzero(network.synapse_group == group) if group >= 0 else ():
            mask = int(masks_of[s])
            if mask:
                target = int(position[network.synapse_target[s]])
                wanted[int(physical), target, int(network.synapse_port[s])] = mask
    return wanted


def read_back(config):
    found = connections(config)
    rows = zip(
        found.source.tolist(),
        found.target.tolist(),
        found.port.tolist(),
        found.mask.tolist(),
        strict=True,
    )
    result = {}
    for source, target, port, mask in rows:
        assert (source, target, port) not in result
        result[source, target, port] = mask
    return result


def masks_by_cam(config, network):
    """Masks of the network's synapses, from the CAM of their targets by tag and dendrite."""
    masks = np.zeros(network.synapse_group.size, dtype=int)
    for s, (group, neuron, port) in enumerate(
        zip(network.synapse_group, network.synapse_target, network.synapse_port, strict=True)
    ):
        at = network.chip[neuron], network.core[neuron], network.slot[neuron]
        tag = network.route_tag[np.flatnonzero(network.route_group == group)[0]]
        hit = (config.cam_tag[at] == tag) & (config.cam_dendrite[at] == port + 1)
        assert hit.sum() <= 1
        masks[s] = config.cam_mask[at][hit].sum()
    return masks


@pytest.mark.parametrize("seed", range(12))
def test_the_routed_connections_are_the_networks(map_by_hand, quantized, network_of, seed):
    rng = np.random.default_rng(seed)
    n, n_in, chips = int(rng.integers(2, 40)), int(rng.integers(1, 12)), int(rng.integers(1, 5))
    w_in = rng.normal(0, 3, (n_in, n)) * (rng.random((n_in, n)) < 0.6)
    w_rec = rng.normal(0, 3, (n, n)) * (rng.random((n, n)) < 0.3)
    n_chips = min(chips, 2)
    core = np.sort(rng.integers(0, 4 * n_chips, n))
    mapped = map_by_hand(w_in, w_rec, core=core, chips=chips)

    config = quantized(mapped)

    network = network_of(mapped)
    masks = masks_by_cam(config, network)
    assert read_back(config) == intended(network, masks)
    assert (masks > 0).sum() == (config.cam_mask > 0).sum() == (config.cam_dendrite > 0).sum()


def test_sources_that_share_a_group_share_cam_entries(map_by_hand, quantized, network_of):
    w_in = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 3.0]])
    mapped = map_by_hand(w_in)

    config = quantized(mapped)

    assert (config.cam_dendrite > 0).sum() == 3
    network = network_of(mapped)
    assert read_back(config) == intended(network, masks_by_cam(config, network))
    assert len(connections(config)) == 5


def test_entries_are_inputs_by_channel_and_then_neurons_by_number(map_by_hand, quantized):
    w_in = np.array([[3.0, 1.0], [2.0, 0.0], [1.0, 4.0]])
    w_rec = np.array([[5.0, 0.0], [-6.0, 0.0]])
    mapped = map_by_hand(w_in, w_rec)

    config = quantized(mapped)

    tag_of = dict(zip(config.input_channel.tolist(), config.input_tag.tolist(), strict=True))
    own = [int(config.sram_tag[0, 0, k, 1]) for k in range(2)]
    wanted = [tag_of[0], tag_of[1], tag_of[2], *own]
    assert config.cam_tag[0, 0, 0, :6].tolist() == [*wanted, 0]
    assert config.cam_dendrite[0, 0, 0, :6].tolist() == [1, 1, 1, 1, 2, 0]
    assert config.cam_tag[0, 0, 1, :3].tolist() == [tag_of[0], tag_of[2], 0]


def test_only_usable_entries_are_written(map_by_hand, quantized):
    rng = np.random.default_rng(2)
    usable = rng.random((1, 4, 256, 64)) < 0.5
    mapped = map_by_hand(rng.uniform(1, 9, (20, 5)), cam_usable=usable)

    config = quantized(mapped)

    used = config.cam_dendrite > 0
    assert not np.any(used & ~usable)
    assert used.sum() == 100
    first = np.flatnonzero(usable[0, 0, 3])[:20]
    assert np.flatnonzero(used[0, 0, 3]).tolist() == first.tolist()


def test_too_few_usable_entries_are_refused_with_numbers(map_by_hand, quantized):
    usable = np.ones((1, 4, 256, 64), dtype=bool)
    usable[0, 0, 1, 10:] = False
    mapped = map_by_hand(np.random.default_rng(0).uniform(1, 9, (20, 2)), cam_usable=usable)

    with pytest.raises(QuantizationError, match="give a CAM profile") as caught:
        quantized(mapped)

    (error,) = caught.value.diagnostics
    assert (error.code, error.value, error.limit) == ("DY206", 20, 10)
    assert "neuron 1 of 'dpi'" in error.message


def test_monitored_neurons_report_to_the_west(map_by_hand, quantized):
    monitored = [True, False, True]
    mapped = map_by_hand(np.ones((1, 3)), core=[0, 0, 6], chips=2, monitored=monitored)

    config = quantized(mapped)

    assert config.sram_used.sum() == 2
    at = (1, 2, 0, 0)
    assert config.sram_used[at]
    assert config.sram_used[0, 0, 0, 0]
    assert int(config.sram_tag[at]) == 2 * 256
    assert (int(config.sram_x[at]), int(config.sram_y[at])) == (-7, -7)
    assert int(config.sram_cores[at]) == 15


def test_the_disputed_hop_of_the_monitor_can_be_chosen(map_by_hand, quantized):
    config = quantized(map_by_hand(np.ones((1, 1))), monitor_hop_y=0)

    assert (int(config.sram_x[0, 0, 0, 0]), int(config.sram_y[0, 0, 0, 0])) == (-7, 0)


def test_words_of_a_neuron_follow_its_monitor_one_per_chip(map_by_hand, quantized):
    w_rec = np.zeros((4, 4))
    w_rec[1] = [1.0, 2.0, 3.0, 4.0]
    mapped = map_by_hand(np.ones((1, 4)), w_rec, core=[0, 5, 6, 8], chips=3)

    config = quantized(mapped)

    words = 1, 1, 0
    assert config.sram_used[words].tolist() == [True] * 4
    assert config.sram_x[words].tolist() == [-7, -1, 0, 1]
    assert config.sram_cores[words].tolist() == [15, 1, 0b110, 1]
    assert config.sram_y[words].tolist() == [-7, 0, 0, 0]


def test_too_many_words_are_refused(map_by_hand, quantized):
    w_rec = np.zeros((4, 4))
    w_rec[0] = 1.0
    mapped = map_by_hand(np.ones((1, 4)), w_rec, core=[0, 4, 8, 12], chips=4)

    with pytest.raises(QuantizationError, match="do not monitor it") as caught:
        quantized(mapped)

    (error,) = caught.value.diagnostics
    assert (error.code, error.value, error.limit) == ("DY207", 5, 4)


def test_the_host_sends_a_packet_per_chip_that_a_channel_reaches(map_by_hand, quantized):
    weights = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    mapped = map_by_hand(weights, core=[0, 3, 9], chips=3)

    config = quantized(mapped)

    assert config.input_channel.tolist() == [0, 0, 2]
    assert config.input_x.tolist() == [0, 2, 2]
    assert config.input_cores.tolist() == [0b1001, 0b10, 0b10]
    assert config.input_y.tolist() == [0, 0, 0]


def test_packets_go_only_where_a_synapse_is_left(map_by_hand, quantized):
    weights = np.array([[1e-6, 5.0], [4.0, 8.0], [2.0, 1.0]])
    weak = np.array([[0.0, 0.0], [0.0, 0.0]])
    mapped = map_by_hand(weights, weak, core=[0, 1])
    mapped_apart = map_by_hand(weights, weak, core=[0, 4], chips=2)

    config, apart = quantized(mapped), quantized(mapped_apart)

    assert config.input_cores[config.input_channel == 0].tolist() == [0b10]
    assert apart.input_x[apart.input_channel == 0].tolist() == [1]
    place = config.placement
    rows = place.port_id == place.port.index("input")
    assert place.core[rows & (place.index == 0)].tolist() == [1]


def test_altered_routes_are_refused(map_by_hand, quantized):
    mapped = map_by_hand(np.ones((2, 2)) + np.eye(2))
    mapped.arrays["route_cores"][0] = 0b10

    with pytest.raises(QuantizationError, match="map the graph again") as caught:
        quantized(mapped)

    assert codes_of(caught) == ["DY208"]


def test_problems_of_all_memories_are_raised_at_once(map_by_hand, quantized):
    w_rec = np.zeros((4, 4))
    w_rec[0] = 1.0
    usable = np.zeros((4, 4, 256, 64), dtype=bool)
    mapped = map_by_hand(np.ones((1, 4)), w_rec, core=[0, 4, 8, 12], chips=4, cam_usable=usable)

    with pytest.raises(QuantizationError) as caught:
        quantized(mapped)

    assert {"DY206", "DY207"} <= set(codes_of(caught))
    assert "4 neurons have this problem" in str(caught.value)
