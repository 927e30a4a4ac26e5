import numpy as np
import pytest
from hypothesis import given, strategies as st

from ranvier.errors import QuantizationError
from ranvier_loihi.quantization import QuantizeOptions, quantize_network
from ranvier_loihi.quantization._bias import fit_bias, initial_voltage
from ranvier_loihi.targets import limits_of

LIMITS = limits_of("loihi2")


@given(
    bias=st.integers(-5000, 5000),
    decay=st.integers(0, 4096),
    late=st.integers(0, 6),
    threshold=st.integers(0, 1 << 20),
)
def test_decay_and_bias_bring_the_initial_voltage_to_zero(bias, decay, late, threshold):
    start = initial_voltage(bias, decay, late=late, threshold=threshold)
    if start is None:
        assert bias
        return

    v, passed = start, []
    for _ in range(late):
        product = v * (4096 - decay)
        v = (abs(product) >> 12) * (1 if product >= 0 else -1) + bias
        passed.append(v)

    assert v == 0
    assert all(p <= threshold for p in passed)


def test_no_initial_voltage_without_memory_or_beyond_the_rails():
    assert initial_voltage(64, 4096, late=1, threshold=1000) is None
    assert initial_voltage(4095 << 7, 4000, late=2, threshold=1 << 22) is None
    assert initial_voltage(-100, 0, late=3, threshold=150) is None
    assert initial_voltage(-100, 0, late=3, threshold=200) == 300
    assert initial_voltage(0, 4096, late=5, threshold=0) == 0


@given(st.lists(st.floats(-500_000, 500_000), min_size=1, max_size=5))
def test_a_bias_is_off_by_at_most_half_a_step_of_the_least_exponent(values):
    bias = np.array(values)

    mantissa, exponent = fit_bias(bias, LIMITS)

    assert mantissa.min() >= -4096
    assert mantissa.max() <= 4095
    assert exponent.max() <= 7
    assert np.all(np.abs((mantissa << exponent) - bias) <= 0.5 * 2.0**exponent)


def test_exponent_six_is_kept_where_it_is_exact():
    mantissa, exponent = fit_bias(np.array([-4096.0, 4095.0, 1.0]) * 64, LIMITS)

    assert (mantissa.tolist(), exponent.tolist()) == ([-4096, 4095, 1], [6, 6, 6])


def test_a_late_layer_with_bias_starts_so_that_it_is_at_rest_when_input_arrives(
    make_population, make_dense, make_mapped, integer_lif
):
    population = make_population(late=2, bias=np.array([0.25, -0.125, 0.0]))
    mapped = make_mapped([population], [make_dense(np.full((3, 2), 0.5))])

    got = quantize_network(mapped, QuantizeOptions()).populations[0]

    _, voltages = integer_lif(
        np.zeros((2, 3), dtype=np.int64),
        decay_u=got.decay_u,
        decay_v=got.decay_v,
        threshold=got.threshold,
        bias=got.bias_mant << got.bias_exp,
        v=got.v_initial,
    )
    np.testing.assert_array_equal(voltages[1], [0, 0, 0])
    assert np.any(got.v_initial)


def test_a_bias_that_cannot_be_hidden_is_a_loss(make_population, make_dense, make_mapped):
    population = make_population(late=1, alpha=0.0, bias=np.array([0.25]))
    mapped = make_mapped([population], [make_dense(np.full((3, 2), 0.5))])

    config = quantize_network(mapped, QuantizeOptions())

    assert [d.code for d in config.diagnostics if d.severity == "loss"] == ["LO210"]


def test_a_periodic_reset_is_moved_by_the_hops_before_the_layer(
    make_population, make_dense, make_mapped
):
    mapped = make_mapped(
        [make_population(), make_population("b", late=0)],
        [
            make_dense(np.full((3, 2), 0.5), delay=np.array([1])),
            make_dense(np.full((3, 3), 0.5), source="a", target="b"),
        ],
        options={"reset_interval": 16, "reset_offset": 14},
    )

    first, second = quantize_network(mapped, QuantizeOptions()).populations

    assert first.reset_interval == second.reset_interval == 16
    assert (first.reset_offset, second.reset_offset) == (1, 2)


def test_a_bias_far_above_the_threshold_lowers_the_scale(make_population, make_dense, make_mapped):
    population = make_population(bias=np.array([1000.0]), alpha=0.3)
    mapped = make_mapped([population], [make_dense(np.full((3, 2), 0.5))])

    got = quantize_network(mapped, QuantizeOptions()).populations[0]

    found = (got.bias_mant << got.bias_exp) * got.v_lsb
    np.testing.assert_allclose(found, 1000.0, rtol=1e-3)


def test_a_bias_beyond_a_fixed_scale_is_refused(make_population, make_dense, make_mapped):
    population = make_population(
        model="sigma_delta", comparison=">=", threshold=0.1, bias=np.array([1e5])
    )
    mapped = make_mapped([population], [make_dense(np.full((3, 2), 0.5))])

    with pytest.raises(QuantizationError, match="bias is up to"):
        quantize_network(mapped, QuantizeOptions())


def test_a_late_sigma_delta_layer_with_bias_is_a_loss(make_population, make_dense, make_mapped):
    population = make_population(
        model="sigma_delta", comparison=">=", threshold=0.25, bias=np.array([0.5, 0, 0]), late=2
    )
    mapped = make_mapped([population], [make_dense(np.full((3, 2), 0.5))])

    config = quantize_network(mapped, QuantizeOptions())

    np.testing.assert_array_equal(
        config.populations[0].bias_mant << config.populations[0].bias_exp, [1 << 17, 0, 0]
    )
    found = next(d for d in config.diagnostics if d.code == "LO210")
    assert found.message == "1 neuron(s) have a bias that starts 2 step(s) early"
