import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_dynapse2.simulator import Dynapse2Session


@pytest.fixture
def spikes():
    return np.random.default_rng(2022).poisson(0.05, (2, 300, 60))


def counts_of(config, spikes):
    with Dynapse2Session(config) as session:
        return session.run(spikes, record=["spikes"]).raw("dpi", "spikes").sum(axis=1)


def found(config, code):
    return [d for d in config.diagnostics if d.code == code]


def test_the_agreement_with_the_float_network_is_reported(map_by_hand, quantized, tutorial, spikes):
    config = quantized(map_by_hand(*tutorial), calibration=spikes)

    (info,) = found(config, "DY222")
    report = config.provenance["calibration"]
    assert info.node == "dpi"
    assert info.value == pytest.approx(report["agreement"]["dpi"], abs=1e-4)
    assert 0.5 < info.value <= 1.0
    assert f"{counts_of(config, spikes).sum()} on the chip" in info.message
    assert config.provenance["quantize"]["calibrated"]


def test_weights_and_currents_with_codes_agree_fully(map_by_hand, quantized, spikes):
    from ranvier_dynapse2.biases import PARAMETER_BIASES, published_table
    from ranvier_dynapse2.nodes import CURRENTS, Dpi

    table, node = published_table(), Dpi(shape=(1,))
    exact = {}
    for name in CURRENTS:
        bias = PARAMETER_BIASES[name]
        code = table.code(bias, float(np.max(getattr(node, name))))
        exact[name] = float(table.current(bias, *code))
    rng = np.random.default_rng(0)
    bases = np.array([float(table.current("SYAM_W0_P", 4, f)) for f in (20, 37, 70, 141)]) / 1e-8
    bits = rng.integers(0, 2, (60, 3, 4))
    weights = (bits @ bases) * rng.choice([-1, 1], (60, 3))
    mapped = map_by_hand(weights, **exact)

    config = quantized(mapped, calibration=spikes)

    report = config.provenance["calibration"]
    assert config.provenance["weights"]["core 0 of chip 0"]["mse"] < 1e-20
    assert report["distance"] == 0
    assert report["agreement"] == {"dpi": 1.0}
    assert counts_of(config, spikes).sum() > 20


def test_recurrence_and_several_cores_are_part_of_the_comparison(map_by_hand, quantized):
    rng = np.random.default_rng(5)
    w_in = np.abs(rng.normal(0, 6, (20, 12)))
    w_rec = rng.normal(0, 3, (12, 12))
    spikes = rng.poisson(0.1, (3, 200, 20))
    mapped = map_by_hand(w_in, w_rec, core=np.arange(12) // 3)

    config = quantized(mapped, calibration=spikes)

    (info,) = found(config, "DY222")
    assert info.value > 0.8


def test_refined_masks_are_no_farther_from_the_float_network(
    map_by_hand, quantized, tutorial, spikes
):
    mapped = map_by_hand(*tutorial)

    plain = quantized(mapped, calibration=spikes)
    refined = quantized(mapped, calibration=spikes, refine=True)

    before, after = (c.provenance["calibration"]["distance"] for c in (plain, refined))
    (info,) = found(refined, "DY223")
    kept = bool(refined.provenance["calibration"]["refined"])
    assert after <= before
    assert info.limit == before
    assert kept == bool(np.any(plain.cam_mask != refined.cam_mask))
    np.testing.assert_array_equal(plain.bias_fine, refined.bias_fine)


def test_refinement_that_worsens_the_counts_is_not_kept(
    map_by_hand, quantized, tutorial, spikes, monkeypatch
):
    from ranvier_dynapse2.quantization import _calibration

    def ruined(made, drive, *, penalty, task):
        return np.full(made.masks.size, 15, dtype=np.uint8)

    monkeypatch.setattr(_calibration, "refined_masks", ruined)
    mapped = map_by_hand(*tutorial)

    refined = quantized(mapped, calibration=spikes, refine=True)

    assert refined.provenance["calibration"]["refined"] == []
    np.testing.assert_array_equal(refined.cam_mask, quantized(mapped).cam_mask)
    assert "the masks stay" in found(refined, "DY223")[0].message


def test_refinement_of_separate_synapses_keeps_the_counts_no_farther(map_by_hand, quantized):
    rng = np.random.default_rng(1)
    weights = np.abs(rng.normal(0, 5, (30, 4, 4))) * (rng.random((30, 4, 4)) < 0.4)
    spikes = rng.poisson(0.08, (2, 150, 30))
    mapped = map_by_hand(weights, model="four_synapse")

    before = quantized(mapped, calibration=spikes).provenance["calibration"]["distance"]
    after = quantized(mapped, calibration=spikes, refine=True).provenance["calibration"]

    assert after["distance"] <= before


def test_only_so_many_samples_are_used(map_by_hand, quantized, tutorial, spikes):
    mapped = map_by_hand(*tutorial)

    one = quantized(mapped, calibration=spikes, calibration_samples=1)
    alone = quantized(mapped, calibration=spikes[:1])

    assert one.provenance["calibration"] == alone.provenance["calibration"]


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (np.zeros((2, 10, 61), dtype=int), "60"),
        (np.zeros((2, 0, 60), dtype=int), "give at least one"),
        (-np.ones((2, 10, 60), dtype=int), "negative"),
        ({"other": np.zeros((2, 10, 60), dtype=int)}, "expected"),
    ],
)
def test_calibration_spikes_that_do_not_fit_are_refused(
    map_by_hand, quantized, tutorial, wrong, advice
):
    with pytest.raises(InputError, match=advice):
        quantized(map_by_hand(*tutorial), calibration=wrong)
