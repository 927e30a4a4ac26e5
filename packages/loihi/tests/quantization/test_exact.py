import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_loihi.config import ConvSynapse, SparseSynapse
from ranvier_loihi.network import MappedConnection, MappedTap
from ranvier_loihi.quantization import QuantizeOptions, quantize_network
from ranvier_loihi.quantization._weights import exact_codes


def codes_of(config):
    return [d.code for d in config.diagnostics]


def test_a_layer_in_the_chips_numbers_passes_bit_for_bit(
    rng, make_population, make_dense, make_mapped
):
    codes = 2 * rng.integers(-128, 128, (3, 2))
    codes[0] = [-256, 254]
    population = make_population(
        beta=1 - np.array([0, 4095, 4096]) / 4096,
        alpha=1 - 128 / 4096,
        threshold=np.array([0, 80, 131071]) / 64,
        bias=np.array([-4096, 0, 4095]) / 64,
    )

    config = quantize_network(
        make_mapped([population], [make_dense(codes / 64)]), QuantizeOptions()
    )

    got = config.populations[0]
    np.testing.assert_array_equal(config.synapses[0].weights, codes)
    assert config.synapses[0].weights.dtype == np.int16
    assert (config.synapses[0].weight_exp, config.synapses[0].sign_mode) == (0, "mixed")
    np.testing.assert_array_equal(got.decay_u, [0, 4095, 4096])
    np.testing.assert_array_equal(got.decay_v, [128])
    np.testing.assert_array_equal(got.threshold, [0, 80, 131071])
    np.testing.assert_array_equal(got.bias_mant << got.bias_exp, np.array([-4096, 0, 4095]) * 64)
    assert set(got.bias_exp.tolist()) == {6}
    np.testing.assert_array_equal(got.u_lsb, [1 / 4096])
    assert config.provenance["quantization"]["a"] == {"scale": 4096.0, "unchanged": True}
    assert "LO214" in codes_of(config)


@pytest.mark.parametrize(
    ("codes", "mode", "bits"),
    [
        ([[1, 255], [0, 7], [3, 4]], "excitatory", 8),
        ([[-255, -1], [0, 0], [0, 0]], "inhibitory", 8),
        ([[0, 0], [0, 0], [0, 0]], "excitatory", 1),
        ([[-64, 32], [0, 96], [0, 0]], "mixed", 4),
        ([[-256, 0], [0, 254], [0, 0]], "mixed", 8),
        ([[128, 0], [0, 128], [0, 0]], "excitatory", 1),
    ],
)
def test_bits_are_the_fewest_that_hold_the_weights(
    codes, mode, bits, make_population, make_dense, make_mapped
):
    mapped = make_mapped([make_population()], [make_dense(np.array(codes) / 64)])

    synapse = quantize_network(mapped, QuantizeOptions()).synapses[0]

    np.testing.assert_array_equal(synapse.weights, codes)
    assert (synapse.sign_mode, synapse.num_weight_bits) == (mode, bits)


@pytest.mark.parametrize(
    "change",
    [
        {"comparison": ">="},
        {"threshold": 1.001},
        {"alpha": 0.8751},
        {"beta": 0.7501},
        {"bias": np.array([0.001])},
    ],
)
def test_a_single_number_off_the_grid_makes_the_layer_fitted(
    change, make_population, make_dense, make_mapped
):
    mapped = make_mapped([make_population(**change)], [make_dense(np.full((3, 2), 0.5))])

    config = quantize_network(mapped, QuantizeOptions())

    assert not config.provenance["quantization"]["a"]["unchanged"]
    assert "LO214" not in codes_of(config)


def test_odd_weights_of_both_signs_are_fitted_without_loss(
    make_population, make_dense, make_mapped
):
    weight = np.array([[1, -3], [5, 7], [101, -2]]) / 64

    config = quantize_network(
        make_mapped([make_population()], [make_dense(weight)]), QuantizeOptions()
    )

    synapse, population = config.synapses[0], config.populations[0]
    back = synapse.weights * 2.0**synapse.weight_exp * 64 * population.u_lsb
    np.testing.assert_allclose(back, weight, rtol=1e-12)


def test_convolutions_and_sparse_matrices_pass_unchanged(make_population, make_mapped):
    kernel = 2.0 * np.arange(-4, 4).reshape(2, 1, 2, 2)
    conv = MappedConnection(
        source="input",
        target="a",
        port="in",
        kind="conv",
        weight=kernel / 64,
        input_shape=(1, 3, 3),
        padding=(0, 0),
        stride=(1, 1),
    )
    sparse = MappedConnection(
        source="a", target="b", port="in", kind="sparse", weight=np.array([2.0, -4.0, 6.0]) / 64,
        indices=np.array([0, 7, 3]), indptr=np.array([0, 2, 3]), delay=np.array([1, 2, 3]),
    )  # fmt: skip
    populations = [make_population("a", 8), make_population("b", 2, late=1)]

    config = quantize_network(
        make_mapped(populations, [conv, sparse], inputs={"input": (1, 3, 3)}), QuantizeOptions()
    )

    first, second = config.synapses
    assert isinstance(first, ConvSynapse)
    assert isinstance(second, SparseSynapse)
    np.testing.assert_array_equal(first.weights, kernel)
    assert second.pointers[0].tolist() == [0, 1, 1, 1, 2, 2, 2, 2, 3]
    assert second.targets.tolist() == [0, 1, 0]
    assert second.weights.tolist() == [2, 6, -4]
    assert second.delays.tolist() == [1, 3, 2]


def test_delays_are_stored_per_source_where_that_is_enough(
    make_population, make_dense, make_mapped
):
    weight = np.full((3, 2), 0.5)
    given = [
        np.array([4]),
        np.array([1, 2]),
        np.array([[5, 6]] * 3),
        np.array([[1, 2], [3, 4], [5, 6]]),
    ]
    mapped = make_mapped([make_population()], [make_dense(weight, delay=d) for d in given])

    synapses = quantize_network(mapped, QuantizeOptions()).synapses

    assert [s.axon_delay.tolist() for s in synapses] == [[4], [1, 2], [5, 6], [0]]
    assert [s.delays is None for s in synapses] == [True, True, True, False]
    np.testing.assert_array_equal(synapses[3].delays, given[3])
    assert synapses[3].delays.dtype == np.uint8


def test_resonators_and_sigma_delta_layers_keep_their_scales(
    make_population, make_dense, make_mapped
):
    rf = make_population("r", 2, model="rf", comparison=">=", threshold=0.5)
    rf = type(rf)(**{**vars(rf), "cosine": np.array([0.5]), "sine": np.array([0.25])})
    sd = make_population("s", 2, model="sigma_delta", comparison=">=", threshold=0.25)
    out = make_population("o", 2)
    ways = [
        make_dense(np.full((2, 2), 0.5), target="r", port="re"),
        make_dense(np.full((2, 2), -0.5), target="r", port="im"),
        make_dense(np.full((2, 2), 0.25), target="s"),
        make_dense(np.full((2, 2), 64.0), source="s", target="o"),
    ]

    config = quantize_network(make_mapped([rf, sd, out], ways), QuantizeOptions())

    r, s, _ = config.populations
    assert (r.cos_decay.tolist(), r.sin_decay.tolist()) == ([2048], [1024])
    assert (r.threshold.tolist(), s.threshold.tolist()) == ([2048], [1 << 16])
    assert [int(w.weights.flat[0]) << w.weight_exp for w in config.synapses] == [32, -32, 65536, 1]
    assert [w.num_message_bits for w in config.synapses] == [0, 0, 0, 16]


def test_messages_of_inputs_with_values_keep_their_bits(make_population, make_dense, make_mapped):
    mapped = make_mapped(
        [make_population()], [make_dense(np.ones((3, 2)))], options={"input_message_bits": 8}
    )

    assert quantize_network(mapped, QuantizeOptions()).synapses[0].num_message_bits == 8


def test_driven_neurons_take_the_value_in_units_of_their_bias(make_population, make_mapped):
    population = make_population(
        size=2, drive="input", drive_weight=np.array([0.5, 2.0]), drive_offset=np.array([0.25])
    )

    config = quantize_network(make_mapped([population], [], values=["input"]), QuantizeOptions())

    got = config.populations[0]
    assert (got.drive, got.bias_exp.tolist(), config.values) == ("input", [6], ("input",))
    np.testing.assert_array_equal(got.drive_weight, [32, 128])
    np.testing.assert_array_equal(got.drive_offset, [16])


def test_taps_outputs_and_latency_reach_the_configuration(make_population, make_dense, make_mapped):
    tap = MappedTap(name="later", source="a", delay=np.array([0, 1, 2]))
    mapped = make_mapped(
        [make_population(late=1)],
        [make_dense(np.ones((3, 2)))],
        taps=[tap],
        outputs=[["output", "later", "spikes"]],
    )

    config = quantize_network(mapped, QuantizeOptions())

    assert config.outputs[0].node == "later"
    assert config.node_shapes == {"a": (3,), "later": (3,)}
    assert config.taps[0].delay.tolist() == [0, 1, 2]
    assert config.latency == {"a": 1}
    assert (config.chips, config.resources) == (1, {"chips": 1, "neurons": 4095})
    assert config.provenance["graph"] == mapped.graph.content_hash


def test_both_thresholds_of_a_ternary_layer_pass_or_are_fitted(
    make_population, make_dense, make_mapped
):
    given = {"model": "ternary", "threshold_low": np.array([-0.75])}
    exact, fitted = make_population(**given), make_population(**given, comparison=">=")
    weight = [make_dense(np.full((3, 2), 0.5))]

    first = quantize_network(make_mapped([exact], weight), QuantizeOptions()).populations[0]
    second = quantize_network(make_mapped([fitted], weight), QuantizeOptions()).populations[0]

    assert (first.threshold.tolist(), first.threshold_low.tolist()) == ([64], [-48])
    scale = 1 / second.v_lsb[0]
    assert second.threshold[0] * 64 < scale <= (second.threshold[0] + 1) * 64
    assert (second.threshold_low[0] - 1) * 64 <= -0.75 * scale < second.threshold_low[0] * 64


def test_a_ternary_layer_without_a_code_for_its_lower_threshold_is_refused(
    make_population, make_dense, make_mapped
):
    population = make_population(model="ternary", threshold_low=np.array([0.5]))

    with pytest.raises(QuantizationError, match=r"lower threshold 0\.5"):
        quantize_network(
            make_mapped([population], [make_dense(np.full((3, 2), 0.5))]), QuantizeOptions()
        )


def test_a_kernel_of_inhibiting_weights_with_the_lowest_code_passes_unchanged():
    weight = np.array([[[[-4.0, -1.0]]]])

    found = exact_codes(weight, 64.0, kernel=True)

    assert found is not None
    assert (found.sign_mode, found.exponent) == ("mixed", 0)
    assert found.values.ravel().tolist() == [-256, -64]
