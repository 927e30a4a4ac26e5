import numpy as np
import pytest

from ranvier_bss2.calibration.search import (
    binary_search,
    decay_time,
    refine,
    rescale,
    trimmed_std,
)


def test_binary_search_finds_the_last_code_below_the_target():
    offset = np.linspace(-20, 20, 50)

    def measure(codes):
        return offset + 0.4 * codes

    codes = binary_search(measure, np.full(50, 100.0))
    assert (measure(codes) <= 100.0).all()
    assert (measure(codes + 1) > 100.0).all()


def test_binary_search_stays_within_the_codes():
    assert binary_search(lambda c: 0.0 * c, np.full(3, 1.0)).tolist() == [1022] * 3
    assert binary_search(lambda c: 0.0 * c + 2.0, np.full(3, 1.0)).tolist() == [0] * 3


def test_refinement_averages_the_noise_of_single_measurements_away():
    random = np.random.default_rng(0)
    offset = random.normal(0, 5, 400)

    def measure(codes):
        return offset + 0.42 * codes + random.normal(0, 0.3, 400)

    start = np.rint((100 - offset) / 0.42).astype(np.int64) + random.integers(-8, 9, 400)
    codes = refine(measure, start, np.full(400, 100.0), span=12, slope=0.42)
    assert np.abs(offset + 0.42 * codes - 100).std() < 0.3


@pytest.mark.parametrize("power", [1, -1])
def test_rescaling_follows_proportional_and_reciprocal_laws(power):
    factor = np.linspace(0.6, 1.6, 20)
    codes = rescale(
        lambda c: factor * (c / 300.0) ** power,
        np.full(20, 300),
        np.ones(20),
        power=power,
        rounds=3,
    )
    np.testing.assert_allclose(factor * (codes / 300.0) ** power, 1.0, atol=0.01)


def test_decay_times_of_exponentials_are_exact():
    tau = np.array([0.5e-6, 3e-6, 20e-6])
    t = np.arange(24)[:, None] * 1e-6
    np.testing.assert_allclose(decay_time(40 * np.exp(-t / tau), period=1e-6), tau, rtol=1e-9)


def test_flat_and_rising_traces_have_no_infinite_decay_time():
    found = decay_time(np.stack([np.ones(5), np.arange(5.0), np.zeros(5)], axis=1), period=1e-6)
    assert np.isfinite(found).all()


def test_the_trimmed_spread_ignores_the_outermost_values():
    values = np.random.default_rng(1).normal(0, 1, 500)
    assert trimmed_std(np.append(values, [1e6] * 3)) < 1.2
