import numpy as np
import pytest

from ranvier.errors import QuantizationError

ONE = np.ones((1, 1))


def code_of(config, name, core=(0, 0)):
    k = config.bias_names.index(name)
    return int(config.bias_coarse[(*core, k)]), int(config.bias_fine[(*core, k)])


def test_buffers_get_the_codes_that_boards_need(map_by_hand, quantized):
    config = quantized(map_by_hand(ONE, chips=2))

    assert code_of(config, "SYSA_VRES_N") == (5, 254)
    assert code_of(config, "SYSA_VB_P", (1, 3)) == (5, 254)
    assert config.chip_bias_names == ("LBWR_VB_P", "R2R_BUFFER_CCB")
    assert config.chip_bias_coarse.tolist() == [[5, 5], [5, 5]]
    assert config.chip_bias_fine.tolist() == [[255, 255], [255, 255]]


def test_a_bias_set_by_hand_replaces_the_networks_on_every_core(map_by_hand, quantized):
    config = quantized(map_by_hand(ONE), biases={"SOIF_LEAK_N": (3, 17)})

    assert code_of(config, "SOIF_LEAK_N") == (3, 17)
    assert code_of(config, "SOIF_LEAK_N", (0, 2)) == (3, 17)
    assert [d.value for d in config.diagnostics if d.code == "DY221"] == ["SOIF_LEAK_N"]


def test_other_biases_are_appended(map_by_hand, quantized):
    config = quantized(map_by_hand(ONE), biases={"SYAW_STDSTR_N": (1, 2), "LBWR_VB_P": (4, 9)})

    assert config.bias_names[-1] == "SYAW_STDSTR_N"
    assert code_of(config, "SYAW_STDSTR_N") == (1, 2)
    assert "LBWR_VB_P" not in config.bias_names
    assert (config.chip_bias_coarse[0, 0], config.chip_bias_fine[0, 0]) == (4, 9)


def test_base_currents_set_by_hand_get_the_closest_masks(map_by_hand, quantized):
    weights = np.array([[1.0], [2.0], [3.0], [8.0]])
    by_hand = {"SYAM_W0_P": (3, 31), "SYAM_W1_P": (3, 67), "SYAM_W2_P": (3, 138)}

    config = quantized(map_by_hand(weights), i_scale=1e-9, biases=by_hand | {"SYAM_W3_P": (4, 31)})

    assert config.cam_mask[0, 0, 0, :4].tolist() == [1, 2, 3, 8]


def test_unknown_names_and_codes_are_refused_at_once_with_close_matches(map_by_hand, quantized):
    biases = {"SOIF_LEAK_P": (0, 0), "SOIF_DC_P": (6, 0), "SOAD_W_N": (0, 256)}

    with pytest.raises(QuantizationError, match="did you mean SOIF_LEAK_N") as caught:
        quantized(map_by_hand(ONE), biases=biases, latches={"so_adaption": True})

    codes = [d.code for d in caught.value.diagnostics]
    assert codes == ["DY203", "DY204", "DY204", "DY205"]
    assert "coarse 0..5 and fine 0..255" in str(caught.value)
    assert "did you mean so_adaptation" in str(caught.value)
