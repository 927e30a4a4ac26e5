import numpy as np
import pytest

from ranvier_dynapse2.biases import WEIGHT_BIASES, published_table

LARGEST = published_table().largest("SYAM_W0_P")
FIELDS_SCALE = 1e-8


def found(config, code):
    return [d for d in config.diagnostics if d.code == code]


def bases(config, core=(0, 0)):
    return np.array([config.current(name)[core] for name in WEIGHT_BIASES])


def weight_error(config, network, core="core 0 of chip 0"):
    return config.provenance["weights"][core]["mse"]


def realised_matrix(config, n_in, n):
    """Rebuild signed weights from one chip's CAM, neuron by neuron, for sources with own tags."""
    matrix = np.zeros((n_in + n, n))
    place = config.placement
    source_of = {}
    for row in range(config.input_tag.size):
        source_of[int(config.input_tag[row])] = int(config.input_channel[row])
    slots = {}
    for k in np.flatnonzero(place.port_id == place.port.index("neuron")):
        slots[int(place.core[k]), int(place.slot[k])] = int(place.index[k])
    for (core, slot), neuron in slots.items():
        for word in range(4):
            at = (0, core, slot, word)
            if config.sram_used[at] and config.sram_x[at] == 0:
                source_of[int(config.sram_tag[at])] = n_in + neuron
    for (core, slot), neuron in slots.items():
        levels = bases(config, (0, core)) / config.i_scale[0, core]
        for entry in range(64):
            at = (0, core, slot, entry)
            if config.cam_dendrite[at]:
                mask = int(config.cam_mask[at])
                weight = sum(levels[k] for k in range(4) if mask >> k & 1)
                sign = {1: 1.0, 2: -1.0}[int(config.cam_dendrite[at])]
                matrix[source_of[int(config.cam_tag[at])], neuron] += sign * weight
    return matrix


def test_weights_rebuilt_from_the_registers_are_close_to_the_networks(
    map_by_hand, quantized, tutorial
):
    w_in, w_rec = tutorial

    config = quantized(map_by_hand(w_in, w_rec))

    rebuilt = realised_matrix(config, 60, 2)
    wanted = np.concatenate([w_in, w_rec])
    error = np.mean((rebuilt - wanted) ** 2)
    assert error == pytest.approx(config.provenance["weights"]["core 0 of chip 0"]["mse"])
    assert np.array_equal(
        np.sign(rebuilt)[rebuilt != 0], np.sign(np.vstack(tutorial))[rebuilt != 0]
    )


def test_weights_on_sixteen_levels_are_found_up_to_the_codes(map_by_hand, quantized):
    rng = np.random.default_rng(1)
    levels = rng.integers(1, 16, (20, 8)).astype(float)

    config = quantized(map_by_hand(levels))

    report = config.provenance["weights"]["core 0 of chip 0"]
    assert report["relative_error"] < 0.005
    assert report["levels"] == 15


def test_the_networks_own_scale_stays_where_it_fits(map_by_hand, quantized, tutorial):
    config = quantized(map_by_hand(*tutorial))

    assert config.i_scale[0, 0] == FIELDS_SCALE
    assert not found(config, "DY219")


@pytest.mark.parametrize("factor", [5, 10, 20, 50, 1000])
def test_the_automatic_scale_never_saturates(map_by_hand, quantized, tutorial, factor):
    mapped = map_by_hand(*tutorial, i_scale=factor * FIELDS_SCALE)

    config = quantized(mapped)

    reference = quantized(map_by_hand(*tutorial))
    assert not found(config, "DY209")
    assert not found(config, "DY210")
    assert not found(config, "DY211")
    assert bases(config).max() <= LARGEST
    assert weight_error(config, mapped) <= 1.05 * weight_error(reference, mapped)


def test_tiny_scales_are_raised_to_where_codes_are_fine(map_by_hand, quantized, tutorial):
    config = quantized(map_by_hand(*tutorial, i_scale=1e-13, i_gain_ampa=1e-6, i_gain_gaba=1e-6))

    assert config.i_scale[0, 0] > 1e-12
    assert len(found(config, "DY219")) == 1


def test_a_scale_times_fifty_is_honoured_and_reported(map_by_hand, quantized, tutorial):
    config = quantized(map_by_hand(*tutorial), i_scale=50 * FIELDS_SCALE)

    (loss,) = found(config, "DY209")
    assert config.i_scale[0, 0] == 50 * FIELDS_SCALE
    np.testing.assert_allclose(bases(config), LARGEST)
    assert loss.severity == "loss"
    assert "core 0 of chip 0" in loss.message
    assert loss.value == pytest.approx(15.03 * 50 * FIELDS_SCALE, rel=1e-9, abs=0)
    assert loss.limit == pytest.approx(4 * 4.939e-7, rel=1e-3, abs=0)
    assert "leave the option i_scale out (it chooses 1e-08 A)" in loss.hint
    assert "at most 1.314e-07 A" in loss.hint


def test_the_largest_scale_of_the_advice_does_fit(map_by_hand, quantized, tutorial):
    limit = 4 * LARGEST / 15.03

    assert not found(quantized(map_by_hand(*tutorial), i_scale=limit * 0.999), "DY209")
    assert found(quantized(map_by_hand(*tutorial), i_scale=limit * 1.001), "DY209")


def test_a_base_current_at_its_limit_is_a_loss_with_the_scale_that_fits(
    map_by_hand, quantized, tutorial
):
    config = quantized(map_by_hand(*tutorial), i_scale=10 * FIELDS_SCALE)

    (loss,) = found(config, "DY210")
    assert loss.limit == pytest.approx(LARGEST, rel=1e-9, abs=0)
    fits = float(loss.hint.split("at most ")[1].split(" A")[0])
    assert 5e-8 < fits < 1e-7
    assert not found(quantized(map_by_hand(*tutorial), i_scale=0.99 * fits), "DY210")


def test_saturation_costs_precision_that_is_reported(map_by_hand, quantized, tutorial):
    (loss,) = found(quantized(map_by_hand(*tutorial), i_scale=50 * FIELDS_SCALE), "DY218")
    (info,) = found(quantized(map_by_hand(*tutorial)), "DY217")

    assert loss.value > 0.1 > info.value


def test_weights_too_small_for_a_level_are_left_out_and_counted(map_by_hand, quantized):
    weights = np.array([[8.0], [4.0], [2.0], [1.0], [1e-4], [2e-4]])

    config = quantized(map_by_hand(weights))

    (loss,) = found(config, "DY216")
    assert loss.value == 2
    assert "the largest with a weight of 0.0002" in loss.message
    assert int((config.cam_dendrite > 0).sum()) == 4
    assert config.provenance["weights"]["core 0 of chip 0"]["dropped"] == 2


def test_cores_have_their_own_scales_and_levels(map_by_hand, quantized):
    rng = np.random.default_rng(0)
    weights = rng.uniform(1, 10, (10, 4)) * np.array([1.0, 1.0, 100.0, 100.0])

    config = quantized(map_by_hand(weights, core=[0, 0, 2, 2]))

    assert config.i_scale[0, 0] == FIELDS_SCALE
    assert config.i_scale[0, 2] < FIELDS_SCALE
    assert set(config.provenance["weights"]) == {"core 0 of chip 0", "core 2 of chip 0"}
    assert not found(config, "DY209")


def test_a_core_without_synapses_has_the_smallest_base_currents(map_by_hand, quantized):
    config = quantized(map_by_hand(np.array([[1.0, 0.0]]), core=[0, 1]))

    assert config.provenance["weights"]["core 1 of chip 0"]["n"] == 0
    np.testing.assert_allclose(bases(config, (0, 1)), published_table().smallest("SYAM_W0_P"))


@pytest.mark.parametrize("factor", [1e-3, 0.01, 0.1, 3.0, 6.0])
def test_gains_make_up_for_the_scale(map_by_hand, quantized, factor):
    weights = np.random.default_rng(3).normal(0, 4, (30, 3))
    mapped = map_by_hand(weights, i_gain_ampa=8e-10, i_gain_gaba=9e-9)

    config = quantized(mapped, i_scale=factor * FIELDS_SCALE)

    drive = config.current("DEAM_EGAIN_P")[0, 0] * config.i_scale[0, 0]
    assert drive == pytest.approx(8e-10 * FIELDS_SCALE, rel=0.02, abs=0)
    assert config.drive_factor[0, 0] == 1.0
    assert not found(config, "DY211")


def test_without_compensation_gains_stay_and_the_simulator_is_told(
    map_by_hand, quantized, tutorial
):
    mapped = map_by_hand(*tutorial)

    config = quantized(mapped, i_scale=5 * FIELDS_SCALE, gain_compensation=False)

    plain = quantized(mapped)
    assert config.drive_factor[0, 0] == pytest.approx(0.2)
    assert config.current("DEAM_EGAIN_P")[0, 0] == plain.current("DEAM_EGAIN_P")[0, 0]
    (loss,) = found(config, "DY220")
    assert "gain_compensation" in loss.hint


@pytest.mark.parametrize(("factor", "limit"), [(1e-4, 1.527e-6), (1e5, 5e-13)])
def test_gains_that_cannot_make_up_for_the_scale_are_a_loss(
    map_by_hand, quantized, tutorial, factor, limit
):
    config = quantized(map_by_hand(*tutorial), i_scale=factor * FIELDS_SCALE)

    losses = found(config, "DY211")
    assert {d.severity for d in losses} == {"loss"}
    assert any(d.limit == pytest.approx(limit, rel=1e-3, abs=0) for d in losses)


def test_inhibition_of_the_merged_synapse_is_as_strong_and_long_as_excitation(
    map_by_hand, quantized
):
    config = quantized(map_by_hand(np.array([[1.0], [-1.0]])))

    ratio = config.layout.c_gaba / config.layout.c_ampa
    for kind in ("DEAM_EGAIN_P DEGA_IGAIN_P", "DEAM_ETAU_P DEGA_ITAU_P"):
        ampa, gaba = (config.current(bias)[0, 0] for bias in kind.split())
        assert gaba == pytest.approx(ampa * ratio, rel=4e-3, abs=0)


def test_the_same_seed_gives_the_same_configuration(map_by_hand, quantized, tutorial):
    mapped = map_by_hand(*tutorial)

    assert quantized(mapped, seed=4).content_hash == quantized(mapped, seed=4).content_hash


@pytest.mark.parametrize("i_scale", [1e-25, 1e-18, 1e-13, 1e-3, 1e3])
def test_absurd_scales_end_in_losses_and_not_in_broken_registers(
    map_by_hand, quantized, tutorial, i_scale
):
    config = quantized(map_by_hand(*tutorial), i_scale=i_scale)

    losses = {d.code for d in config.diagnostics if d.severity == "loss"}
    assert "DY211" in losses
    assert losses & {"DY209", "DY216", "DY218"}
    kept = int((config.cam_mask > 0).sum())
    assert kept == 124 - config.provenance["weights"]["core 0 of chip 0"]["dropped"]


def test_when_nothing_can_be_represented_nothing_is_sent(map_by_hand, quantized, tutorial):
    config = quantized(map_by_hand(*tutorial), i_scale=1e-25)

    assert not config.cam_mask.any()
    assert config.input_channel.size == 0
    assert config.sram_used.sum() == 2
