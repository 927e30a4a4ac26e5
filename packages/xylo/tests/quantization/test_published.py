"""The published methods against their description, and the faults that are gone."""

import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import CubaLI, CubaLIF
from ranvier_xylo import limits_of
from ranvier_xylo.quantization._published import channel_scales, global_scales
from ranvier_xylo.quantization._registers import FloatRegisters, round_registers

LIMITS = limits_of("xylo-audio3")


def registers(rng, *, n_in=3, n_hid=5, n_ien=3, n_out=2, **changes):
    base = {
        "weights_in": rng.normal(size=(n_in, n_ien, 1)),
        "weights_rec": rng.normal(size=(n_hid, n_hid, 1)),
        "weights_out": rng.normal(size=(n_hid, n_out)),
        "threshold": np.full(n_hid, 1.0),
        "threshold_out": np.full(n_out, 2.0),
        "bias": np.zeros(n_hid),
        "bias_out": np.zeros(n_out),
        "fires": np.ones(n_hid, bool),
        "fires_out": np.ones(n_out, bool),
        "dash_syn": np.ones((n_hid, 1), int),
        "dash_syn_out": np.ones(n_out, int),
    }
    return FloatRegisters(**{**base, **changes})


def rounded(floats, scales):
    return round_registers(floats, scales, LIMITS)


def global_codes(floats, **options):
    options = {"fuzzy_scaling": False, **options}
    return rounded(floats, global_scales(floats, LIMITS, **options))


def channel_codes(floats):
    return rounded(floats, channel_scales(floats, LIMITS))


def test_global_takes_one_scale_for_hidden_and_one_for_output(rng):
    floats = registers(rng)
    codes = global_codes(floats)
    largest = max(np.abs(floats.weights_in).max(), np.abs(floats.weights_rec).max())
    s, so = 127 / largest, 127 / np.abs(floats.weights_out).max()
    assert np.array_equal(codes["weights_in"], np.rint(floats.weights_in * s))
    assert np.array_equal(codes["weights_rec"], np.rint(floats.weights_rec * s))
    assert np.array_equal(codes["threshold"], np.rint(floats.threshold * s))
    assert np.array_equal(codes["weights_out"], np.rint(floats.weights_out * so))
    assert np.array_equal(codes["threshold_out"], np.rint(floats.threshold_out * so))


def test_an_output_bias_takes_the_outputs_scale(rng):
    floats = registers(rng, bias_out=np.array([0.5, -0.25]))
    so = 127 / np.abs(floats.weights_out).max()
    assert np.array_equal(global_codes(floats)["bias_out"], np.rint(floats.bias_out * so))


def test_an_overflowing_output_threshold_leaves_recurrent_weights_alone(rng):
    high = registers(np.random.default_rng(0), threshold_out=np.array([2.0, 5000.0]))
    low = registers(np.random.default_rng(0))
    codes, expected = global_codes(high), global_codes(low)
    assert codes["threshold_out"].max() == 32767
    assert np.array_equal(codes["weights_rec"], expected["weights_rec"])
    assert np.array_equal(codes["weights_out"], np.rint(high.weights_out * 32767 / 5000))


def test_an_overflowing_hidden_threshold_rescales_all_hidden_numbers_from_floats(rng):
    floats = registers(rng, threshold=np.array([1, 1, 1, 1, 3000.0]), bias=np.full(5, 3.0))
    codes = global_codes(floats)
    scale = 32767 / 3000
    assert codes["threshold"].tolist() == [11, 11, 11, 11, 32767]
    assert np.array_equal(codes["weights_in"], np.rint(floats.weights_in * scale))
    assert np.array_equal(codes["bias"], np.rint(floats.bias * scale))


def test_fuzzy_scaling_clips_instead_of_overflowing(rng):
    weights = rng.normal(size=(3, 3, 1))
    weights[0, 0, 0] = 50.0
    floats = registers(rng, weights_in=weights)
    codes = global_codes(floats, fuzzy_scaling=True)
    assert codes["weights_in"][0, 0, 0] == 127
    assert np.abs(codes["weights_in"]).max() <= 128
    plain = np.abs(global_codes(floats)["weights_rec"]).max()
    assert np.abs(codes["weights_rec"]).max() > 2 * plain


def test_channel_takes_a_scale_per_target_neuron(rng):
    floats = registers(rng)
    codes = channel_codes(floats)
    for h in range(5):
        incoming = [np.abs(floats.weights_rec[:, h]).max()]
        incoming += [np.abs(floats.weights_in[:, h]).max()] if h < 3 else []
        s = 127 / max(incoming)
        assert np.array_equal(codes["weights_rec"][:, h], np.rint(floats.weights_rec[:, h] * s))
        assert codes["threshold"][h] == np.rint(s)
    for o in range(2):
        so = 127 / np.abs(floats.weights_out[:, o]).max()
        assert np.array_equal(codes["weights_out"][:, o], np.rint(floats.weights_out[:, o] * so))


def test_channel_survives_an_overflow_where_inputs_end(rng):
    threshold = np.full(5, 1.0)
    threshold[3] = 1e6  # the first neuron without input
    codes = channel_codes(registers(rng, threshold=threshold))
    assert codes["threshold"][3] == 32767
    assert not codes["weights_rec"][:, 3].any()
    assert codes["weights_rec"][:, 2].any()


def test_channel_scales_biases_with_their_neuron(rng):
    bias = np.array([0.5, 0, 0, 0, -0.5])
    floats = registers(rng, bias=bias)
    codes = channel_codes(floats)
    scale = channel_scales(floats, LIMITS).hidden
    assert np.array_equal(codes["bias"], np.rint(bias * scale))


def test_a_large_bias_bounds_the_scale_and_fits_its_register(rng):
    floats = registers(rng, bias=np.full(5, 10.0), bias_out=np.full(2, -20.0))
    for codes in (global_codes(floats), channel_codes(floats)):
        assert codes["bias"].tolist() == [127] * 5
        assert codes["bias_out"].tolist() == [-127] * 2


def test_a_neuron_with_a_bias_and_no_weights_keeps_its_rate(rng):
    weights = np.zeros((5, 5, 1))
    floats = registers(rng, n_ien=0, weights_rec=weights, bias=np.full(5, 0.5))
    codes = channel_codes(floats)
    assert codes["bias"].tolist() == [127] * 5
    assert codes["threshold"].tolist() == [254] * 5


def test_a_neuron_without_weights_keeps_a_scale_of_one(rng):
    weights = np.zeros((5, 5, 1))
    floats = registers(rng, n_ien=0, weights_rec=weights, threshold=np.full(5, 3.0))
    assert channel_codes(floats)["threshold"].tolist() == [3] * 5
    assert global_codes(floats)["threshold"].tolist() == [3] * 5


@pytest.mark.parametrize("method", ["global", "channel", "fit"])
@pytest.mark.parametrize("readout", ["CubaLI", "SynNet"])
def test_thresholds_that_are_never_reached_do_not_press_the_weights(
    make_chain, rng, method, readout
):
    fields = {"shape": (3,), "tau_mem": 4e-3, "tau_syn": 2e-3, "decay": "bitshift"}
    never = CubaLI(**fields) if readout == "CubaLI" else CubaLIF(**fields, threshold=32767.0)
    config = rv.build(make_chain(rng).with_nodes({"n2": never}), "xylo-audio2", method=method)
    assert (config.threshold_out == 32767).all()
    assert np.abs(config.weights_out).max() > 60
    assert np.abs(config.weights_rec).max() > 60


def test_a_high_threshold_that_weights_can_reach_is_no_sign_of_never(make_chain, make_cuba, rng):
    graph = make_chain(rng)
    strong = graph.nodes["fc2"].replace(weight=graph.nodes["fc2"].weight * 1e4)
    high = make_cuba(3, last=True, threshold=4e4)
    config = rv.build(
        graph.with_nodes({"fc2": strong, "n2": high}), "xylo-audio2", method="channel"
    )
    assert (config.threshold_out < 32767).all()


def test_the_mapped_network_is_not_written_to(make_chain, make_cuba, rng):
    graph = make_chain(rng).with_nodes({"n0": make_cuba(10, bias=0.1)})
    mapped = rv.map(graph, "xylo-audio3")
    before = mapped.content_hash
    for method in ("global", "channel", "fit"):
        rv.quantize(mapped, method=method)
    assert mapped.content_hash == before
