import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from ranvier.errors import QuantizationError
from ranvier_loihi.network import MappedConnection
from ranvier_loihi.quantization import QuantizeOptions, quantize_network

RAIL = (1 << 23) - 1


def fitted(population, weight, make_dense, make_mapped, **options):
    mapped = make_mapped([population], [make_dense(weight)])
    return quantize_network(mapped, QuantizeOptions(**options))


def codes_of(config):
    return [d.code for d in config.diagnostics]


weights = hnp.arrays(
    np.float64, (3, 2), elements=st.floats(-3, 3).map(lambda x: x if abs(x) > 1e-3 else 0.0)
)


@settings(max_examples=60, deadline=None)
@given(weight=weights, threshold=st.floats(0.1, 5.0), comparison=st.sampled_from([">", ">="]))
def test_weights_and_threshold_are_off_by_at_most_half_a_step(
    weight, threshold, comparison, make_population, make_dense, make_mapped
):
    population = make_population(threshold=threshold, comparison=comparison, alpha=0.9)
    config = fitted(population, weight, make_dense, make_mapped)
    synapse, got = config.synapses[0], config.populations[0]
    scale = config.provenance["quantization"]["a"]["scale"]

    step = (2 if synapse.sign_mode == "mixed" else 1) * 2.0**synapse.weight_exp * 64 / scale
    back = synapse.weights.astype(float) * 2.0**synapse.weight_exp * 64 / scale
    assert np.abs(back - weight).max() <= 0.5 * step * (1 + 1e-9)
    limit = 254 if synapse.sign_mode == "mixed" else 255
    if np.any(weight):
        assert 64 <= np.abs(synapse.weights.astype(int)).max() <= limit + 2
    lowest = got.threshold[0] * 64 + 1  # the least voltage that fires
    if comparison == ">=":
        assert lowest <= threshold * scale * (1 + 1e-9)
    assert abs(lowest - threshold * scale) <= 64 + 1e-6
    assert threshold * scale * 4 <= RAIL * (1 + 1e-9)
    assert got.decay_v[0] == round(0.1 * 4096)


@pytest.mark.parametrize("comparison", [">=", ">"])
def test_a_voltage_equal_to_the_threshold_fires_only_with_greater_or_equal(
    comparison, make_population, make_dense, make_mapped, integer_lif
):
    # Three inputs of a third... of a quarter reach the threshold exactly.
    weight = np.array([[0.25, 0.5], [1.0, 0.75], [0.5, 0.5]])
    population = make_population(alpha=1.0, beta=0.0, comparison=comparison, bias=np.array([0.0]))
    config = fitted(population, weight, make_dense, make_mapped)
    synapse, got = config.synapses[0], config.populations[0]

    spikes = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0]])
    current = (spikes @ synapse.weights.T.astype(np.int64)) << synapse.weight_exp
    found, _ = integer_lif(
        current, decay_u=4096, decay_v=int(got.decay_v[0]), threshold=int(got.threshold[0])
    )

    voltage, wanted = np.zeros(3), []
    for s in spikes:
        voltage = voltage + weight @ s
        fires = voltage >= 1.0 if comparison == ">=" else voltage > 1.0
        wanted.append(fires)
        voltage[fires] = 0.0
    np.testing.assert_array_equal(found, wanted)


def test_the_fitted_layer_follows_the_float_neuron(
    rng, make_population, make_dense, make_mapped, integer_lif
):
    weight = rng.normal(0.1, 0.3, (20, 30))
    beta, alpha = np.exp(-1 / 5), np.exp(-1 / 20)
    population = make_population(size=20, beta=beta, alpha=alpha, comparison=">=")
    config = quantize_network(
        make_mapped([population], [make_dense(weight)], inputs={"input": (30,)}), QuantizeOptions()
    )
    synapse, got = config.synapses[0], config.populations[0]
    spikes = rng.random((400, 30)) < 0.05
    sums = spikes @ synapse.weights.T.astype(np.int64)
    e = synapse.weight_exp
    found, _ = integer_lif(
        sums << e if e >= 0 else sums >> -e,
        decay_u=got.decay_u,
        decay_v=got.decay_v,
        threshold=got.threshold,
    )

    current, voltage, wanted = np.zeros(20), np.zeros(20), []
    for s in spikes:
        current = beta * current + weight @ s
        voltage = alpha * voltage + current
        wanted.append(voltage >= 1.0)
        voltage[voltage >= 1.0] = 0.0
    wanted = np.array(wanted)
    assert wanted.sum() > 300
    assert np.count_nonzero(found != wanted) < 0.12 * wanted.sum()


def test_several_connections_take_their_own_exponents(make_population, make_dense, make_mapped):
    ways = [make_dense([[0.9, 0.31]] * 3), make_dense([[0.009, -0.0031]] * 3)]

    config = quantize_network(make_mapped([make_population()], ways), QuantizeOptions())

    large, small = config.synapses
    assert large.weight_exp > small.weight_exp
    for synapse, way in zip(config.synapses, ways, strict=True):
        back = synapse.weights * 2.0**synapse.weight_exp * 64 * config.populations[0].u_lsb
        np.testing.assert_allclose(back, way.weight, rtol=0.05)


def test_a_convolution_has_exponent_zero(rng, make_population, make_mapped):
    conv = MappedConnection(
        source="input", target="a", port="in", kind="conv", weight=rng.normal(0, 0.1, (2, 1, 2, 2)),
        input_shape=(1, 3, 3),
    )  # fmt: skip
    mapped = make_mapped([make_population("a", 8)], [conv], inputs={"input": (1, 3, 3)})

    config = quantize_network(mapped, QuantizeOptions())

    synapse = config.synapses[0]
    assert synapse.weight_exp == 0
    assert np.abs(synapse.weights.astype(int)).max() >= 64
    back = synapse.weights * 64 * config.populations[0].u_lsb
    np.testing.assert_allclose(back, conv.weight, atol=0.002)


def test_a_read_out_never_fires_and_its_worst_case_stays_off_the_rails(
    rng, make_population, make_dense, make_mapped
):
    weight = rng.uniform(-0.5, 0.5, (3, 2))
    population = make_population(spiking=False, beta=0.0, alpha=0.9)

    config = fitted(population, weight, make_dense, make_mapped)

    got = config.populations[0]
    assert got.threshold.tolist() == [131071]
    assert np.abs(weight).sum(axis=1).max() * 10 / got.v_lsb[0] <= RAIL


def test_decays_that_vanish_are_a_loss(make_population, make_dense, make_mapped):
    population = make_population(alpha=1 - 1e-4, beta=0.9)

    config = fitted(population, np.full((3, 2), 0.3), make_dense, make_mapped)

    assert config.populations[0].decay_v.tolist() == [0]
    assert "LO204" in codes_of(config)
    assert "0.41/4096" in str(config.diagnostics[0]) + str(config.diagnostics[1])


def test_weights_beyond_a_fixed_scale_are_refused_with_the_limit(
    make_population, make_dense, make_mapped
):
    population = make_population(model="sigma_delta", comparison=">=", threshold=0.1)
    big = make_population("b", 3, model="sigma_delta", comparison=">=", threshold=0.1)
    mapped = make_mapped(
        [population, big],
        [make_dense(np.full((3, 2), 1e6)), make_dense(np.full((3, 3), 2e6), "a", "b")],
    )

    with pytest.raises(QuantizationError, match="2 problem") as caught:
        quantize_network(mapped, QuantizeOptions())

    assert [d.code for d in caught.value.diagnostics] == ["LO201", "LO201"]


def test_a_mapped_network_without_its_arrays_is_refused(make_population, make_dense, make_mapped):
    mapped = make_mapped([make_population()], [make_dense(np.ones((3, 2)))])
    arrays = dict(mapped.arrays)

    for bad in (
        {},
        {k: v for k, v in arrays.items() if not k.endswith("weight")},
        {**arrays, "connections/0/weight": np.full((3, 2), np.nan)},
        {**arrays, "connections/0/weight": np.ones((2, 2))},
        {**arrays, "stranger": np.ones(1)},
    ):
        with pytest.raises(QuantizationError, match="map the graph again"):
            quantize_network(type(mapped)(**{**vars(mapped), "arrays": bad}), QuantizeOptions())


def test_quantizing_twice_gives_the_same_configuration(
    rng, make_population, make_dense, make_mapped
):
    mapped = make_mapped([make_population()], [make_dense(rng.normal(0, 1, (3, 2)))])

    first = quantize_network(mapped, QuantizeOptions())

    assert first == quantize_network(mapped, QuantizeOptions())


def test_a_current_that_could_wrap_is_named(make_population, make_dense, make_mapped):
    weight = np.full((3, 40), 3.5)
    mapped = make_mapped([make_population(beta=1.0)], [make_dense(weight)], inputs={"input": (40,)})

    config = quantize_network(mapped, QuantizeOptions())

    assert config.provenance["quantization"]["a"]["unchanged"]
    found = next(d for d in config.diagnostics if d.code == "LO212")
    assert found.value == pytest.approx(40 * 3.5 * 4096 * 4096)
    assert found.limit == RAIL
