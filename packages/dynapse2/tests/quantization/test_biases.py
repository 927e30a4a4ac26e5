import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_dynapse2.biases import PARAMETER_BIASES, SCALE_FACTORS, published_table
from ranvier_dynapse2.nodes import Dpi
from ranvier_dynapse2.translation import currents_from_times

# rockpool 3.1.0: DynapSimCore of default times except tau_mem = 50 ms, r_gain_mem = 8, and
# Iw_0..3 = 1, 2, 4, 8 nA
PUBLISHED_CODES = {
    "SOIF_DC_P": (0, 4),
    "DENM_NMREV_N": (0, 0),
    "SOAD_GAIN_P": (0, 161),
    "DEAM_EGAIN_P": (3, 92),
    "DEGA_IGAIN_P": (3, 94),
    "DENM_EGAIN_P": (3, 94),
    "DESC_IGAIN_P": (3, 92),
    "SOIF_GAIN_N": (0, 56),
    "SOAD_PWTAU_N": (5, 42),
    "SYPD_EXT_N": (4, 32),
    "SOIF_REFR_N": (2, 53),
    "SOIF_SPKTHR_P": (4, 243),
    "SOAD_TAU_P": (1, 67),
    "DEAM_ETAU_P": (1, 208),
    "DEGA_ITAU_P": (1, 212),
    "DENM_ETAU_P": (1, 212),
    "DESC_ITAU_P": (1, 208),
    "SOIF_LEAK_N": (0, 11),
    "SYAM_W0_P": (3, 31),
    "SYAM_W1_P": (3, 67),
    "SYAM_W2_P": (3, 138),
    "SYAM_W3_P": (4, 31),
    "SOAD_W_N": (0, 0),
}
# rockpool 3.1.0: relative error of default currents after a round trip through the codes, in %
PUBLISHED_ERRORS = {
    "i_tau_mem": -0.9,
    "i_tau_ampa": -0.2,
    "i_gain_ampa": -0.1,
    "i_gain_mem": -0.15,
    "i_ref": -0.9,
    "i_pulse": -0.9,
    "i_spkthr": -0.2,
    "i_dc": -6.9,
    "i_w_ahp": -9.2,
    "i_tau_ahp": -0.1,
    "i_gain_ahp": 0.3,
    "i_pulse_ahp": 0.3,
    "i_f_nmda": 3.7,
}
ONE = np.ones((1, 1))


def codes_of(config, core=(0, 0)):
    pairs = zip(config.bias_coarse[core].tolist(), config.bias_fine[core].tolist(), strict=True)
    return dict(zip(config.bias_names, pairs, strict=True))


def found(config, code):
    return [d for d in config.diagnostics if d.code == code]


@pytest.fixture
def default(map_by_hand, quantized):
    return quantized(map_by_hand(ONE), keep_refractory_steps=False)


def test_a_core_with_known_times_gets_the_published_codes(map_by_hand, quantized):
    weights = np.array([[1.0], [2.0], [4.0], [8.0], [3.0], [15.0], [12.0], [5.0]])
    currents = currents_from_times({"tau_mem": 50e-3, "r_gain_mem": 8.0})
    mapped = map_by_hand(weights, i_scale=1e-9, model="four_synapse", **currents)

    config = quantized(mapped, keep_refractory_steps=False, i_scale=1e-9)

    codes = codes_of(config)
    assert {name: codes[name] for name in PUBLISHED_CODES if "SYAM" not in name} == {
        name: code for name, code in PUBLISHED_CODES.items() if "SYAM" not in name
    }


def test_known_base_currents_get_the_published_codes():
    wanted = dict(zip(("W0", "W1", "W2", "W3"), (1e-9, 2e-9, 4e-9, 8e-9), strict=True))

    codes = {n: published_table().code(f"SYAM_{n}_P", i) for n, i in wanted.items()}

    assert codes == {n: PUBLISHED_CODES[f"SYAM_{n}_P"] for n in wanted}


@pytest.mark.parametrize(("name", "error"), PUBLISHED_ERRORS.items())
def test_default_currents_differ_by_the_published_errors(default, name, error):
    wanted = float(np.max(getattr(Dpi(shape=(1,)), name)))

    realised = float(default.current(PARAMETER_BIASES[name])[0, 0])

    assert 100 * (realised / wanted - 1) == pytest.approx(error, abs=0.1)


def test_the_refractory_code_keeps_the_steps_and_says_so(map_by_hand, quantized):
    config = quantized(map_by_hand(ONE))

    (note,) = found(config, "DY215")
    assert codes_of(config)["SOIF_REFR_N"] == (2, 54)
    assert note.value == 1
    assert "(2, 53) would block 2" in note.message


def test_the_closest_refractory_code_is_reported_as_a_loss(default):
    (loss,) = found(default, "DY214")

    assert loss.severity == "loss"
    assert (loss.value, loss.limit) == (2, 1)
    assert "between two multiples of the time step" in loss.hint


def test_default_neurons_lose_nothing(map_by_hand, quantized):
    config = quantized(map_by_hand(ONE))

    assert [d for d in config.diagnostics if d.severity == "loss"] == []


def test_currents_that_stand_for_off_are_only_noted(map_by_hand, quantized):
    config = quantized(map_by_hand(ONE, i_dc=0.0, i_w_ahp=0.0))

    notes = found(config, "DY213")
    assert codes_of(config)["SOIF_DC_P"] == (0, 0)
    assert any("i_dc is 0 A, SOIF_DC_P gives 1.417e-13 A" in d.message for d in notes)
    assert not found(config, "DY212")


def test_a_badly_rounded_current_is_a_loss_with_wanted_and_realised(map_by_hand, quantized):
    row = np.sort(published_table().row("SOIF_GAIN_N").ravel())
    row = row[row > 6e-13]
    k = int(np.argmax(np.diff(row) / row[:-1]))
    wanted = float((row[k] + row[k + 1]) / 2)

    config = quantized(map_by_hand(ONE, i_gain_mem=wanted))

    (loss,) = found(config, "DY212")
    realised = float(config.current("SOIF_GAIN_N")[0, 0])
    assert f"i_gain_mem is {wanted:.4g} A" in loss.message
    assert f"SOIF_GAIN_N gives {realised:.4g} A" in loss.message
    assert loss.value == pytest.approx(realised / wanted - 1)


def test_a_larger_tolerance_silences_rounding(map_by_hand, quantized):
    mapped = map_by_hand(ONE, i_tau_mem=7.5e-13)

    assert found(quantized(mapped), "DY212")
    assert not found(quantized(mapped, bias_tolerance=0.5), "DY212")


def test_currents_beyond_their_biases_are_refused_together(map_by_hand, quantized):
    mapped = map_by_hand(ONE, i_spkthr=1e-6, i_pulse=1e-5)

    with pytest.raises(QuantizationError, match="wider pulses") as caught:
        quantized(mapped)

    errors = caught.value.diagnostics
    assert [d.code for d in errors] == ["DY202", "DY202"]
    by_value = {d.value: d.limit for d in errors}
    assert by_value[1e-6] == pytest.approx(8.53e-7, rel=1e-3)
    assert by_value[1e-5] == pytest.approx(2.094e-6, rel=1e-3)


def test_equal_findings_of_several_cores_are_said_once(map_by_hand, quantized):
    config = quantized(map_by_hand(np.ones((1, 3)), core=[0, 1, 5], chips=2))

    (note,) = found(config, "DY215")
    assert note.message.startswith("core 0 of chip 0, core 1 of chip 0, core 1 of chip 1: ")


def test_cores_without_neurons_rest_silent(map_by_hand, quantized):
    config = quantized(map_by_hand(ONE, i_dc=1e-9))

    rest, used = codes_of(config, (0, 3)), codes_of(config)
    assert config.current("SOIF_DC_P")[0, 3] < config.current("SOIF_LEAK_N")[0, 3]
    assert used["SOIF_DC_P"] != rest["SOIF_DC_P"]
    assert rest["SYAM_W0_P"] == (0, 0)


def test_neurons_of_a_core_that_differ_are_refused(map_by_hand, quantized):
    mapped = map_by_hand(np.ones((1, 2)))
    mapped.arrays["currents/i_tau_mem"][1] *= 2

    with pytest.raises(QuantizationError, match="map the graph again") as caught:
        quantized(mapped)

    assert [d.code for d in caught.value.diagnostics] == ["DY201"]


def test_a_table_of_the_users_own_replaces_the_published_one(map_by_hand, quantized, tmp_path):
    path = tmp_path / "mine.csv"
    currents = published_table().currents * 1.1
    rows = [
        f"{t},{c},{f},{currents[k, c, f]!r}"
        for k, t in enumerate("NP")
        for c in range(6)
        for f in range(256)
    ]
    path.write_text("\n".join(["type,coarse,fine,current_A", *rows]).replace("np.float64", ""))
    path.write_text(path.read_text().replace("(", "").replace(")", ""))

    config = quantized(map_by_hand(ONE), bias_table=path)

    np.testing.assert_allclose(config.bias_table, currents, rtol=1e-15)
    assert config.current("SOIF_SPKTHR_P")[0, 0] == pytest.approx(1e-7, rel=0.01)


def test_every_core_bias_of_the_configuration_is_known(default):
    assert set(default.bias_names) <= set(SCALE_FACTORS)
    assert len(default.bias_names) == 25
