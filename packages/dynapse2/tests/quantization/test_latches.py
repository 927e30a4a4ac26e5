import numpy as np
import pytest

from ranvier_dynapse2.config import LATCHES


def latch(config, name):
    return config.latches[..., LATCHES.index(name)]


@pytest.mark.parametrize(("i_dc", "on"), [(0.0, False), (5e-13, True), (1e-10, True)])
def test_constant_input_is_on_where_its_current_is_above_zero(map_by_hand, quantized, i_dc, on):
    config = quantized(map_by_hand(np.ones((1, 2)), i_dc=i_dc))

    assert latch(config, "so_dc")[0, 0, :2].tolist() == [on, on]
    assert not latch(config, "so_dc")[0, 0, 2:].any()


@pytest.mark.parametrize(("i_w_ahp", "on"), [(0.0, False), (5e-13, False), (1e-11, True)])
def test_adaptation_is_on_above_the_dark_current(map_by_hand, quantized, i_w_ahp, on):
    config = quantized(map_by_hand(np.ones((1, 1)), i_w_ahp=i_w_ahp))

    assert bool(latch(config, "so_adaptation")[0, 0, 0]) is on


def test_gating_is_on_for_neurons_with_nmda_synapses(map_by_hand, quantized):
    weights = np.zeros((2, 3, 4))
    weights[0, :, 0] = 1.0
    weights[1, 1, 2] = 2.0
    weights[1, 2, 3] = 2.0

    config = quantized(map_by_hand(weights, model="four_synapse"))

    assert latch(config, "denm_nmda")[0, 0, :4].tolist() == [False, True, False, False]
    assert config.cam_dendrite[0, 0, :3, :2].tolist() == [[1, 0], [1, 3], [1, 4]]


def test_the_merged_model_has_no_gating(map_by_hand, quantized):
    config = quantized(map_by_hand(np.ones((1, 1))))

    assert not latch(config, "denm_nmda").any()


def test_switches_by_hand_replace_the_rules_for_the_networks_neurons(map_by_hand, quantized):
    config = quantized(map_by_hand(np.ones((1, 2))), latches={"so_dc": False, "soif_type": True})

    assert not latch(config, "so_dc").any()
    assert latch(config, "soif_type").sum() == 2


def test_unused_neurons_can_be_switched_off(map_by_hand, quantized):
    mapped = map_by_hand(np.ones((1, 2)), chips=2)

    assert not latch(quantized(mapped), "soif_kill").any()
    killed = latch(quantized(mapped, kill_unused=True), "soif_kill")
    assert (~killed).sum() == 2
    assert not killed[0, 0, :2].any()
