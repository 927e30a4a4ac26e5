import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.encoding import latency, poisson, rate
from ranvier.errors import InputError


def test_poisson_depends_on_its_seed_only():
    rates = np.full(5, 80.0)

    first = poisson(rates, dt=1e-3, duration=0.2, seed=1)

    assert np.array_equal(first, poisson(rates, dt=1e-3, duration=0.2, seed=1))
    assert not np.array_equal(first, poisson(rates, dt=1e-3, duration=0.2, seed=2))


def test_poisson_has_the_mean_and_the_variance_of_its_rate():
    counts = poisson([500.0], dt=1e-3, duration=100.0, seed=0)

    # 100 000 draws: the standard error of the mean is 0.0022, that of the variance 0.0032.
    assert abs(counts.mean() - 0.5) < 0.012
    assert abs(counts.var() - 0.5) < 0.016


def test_binary_poisson_is_the_clipped_one():
    counts = poisson([2000.0], dt=1e-3, duration=1.0, seed=0)

    clipped = poisson([2000.0], dt=1e-3, duration=1.0, seed=0, binary=True)

    assert counts.max() > 1
    assert np.array_equal(clipped, np.minimum(counts, 1))


def test_poisson_keeps_leading_axes_and_silence():
    counts = poisson(np.zeros((3, 2, 4)), dt=1e-3, duration=0.01, seed=0)

    assert counts.shape == (3, 2, 10, 4)
    assert counts.sum() == 0


@settings(max_examples=40, deadline=None)
@given(hertz=st.floats(0, 5000), phase=st.floats(0, 0.999))
def test_regular_spikes_never_lag_by_more_than_one(hertz, phase):
    counts = rate([hertz], dt=1e-3, duration=0.3, phase=phase)[:, 0]

    exact = hertz * 1e-3 * np.arange(1, 301) + phase
    assert np.abs(np.cumsum(counts) - exact).max() < 1 + 1e-6


def test_regular_rate_that_divides_the_clock_is_exactly_periodic():
    counts = rate([100.0], dt=1e-3, duration=1.0)[:, 0]

    assert np.flatnonzero(counts).tolist() == list(range(9, 1000, 10))


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(0.02, 1), min_size=2, max_size=8),
    law=st.sampled_from(["linear", "log"]),
)
def test_larger_values_never_fire_later(values, law):
    counts = latency(sorted(values), dt=1e-3, duration=0.1, law=law, tau=10e-3)

    assert (counts.sum(axis=0) == 1).all()
    assert (np.diff(counts.argmax(axis=0)) <= 0).all()


def test_linear_latency_spans_the_whole_duration():
    counts = latency([1.0, 0.5, 0.01, 0.0], dt=1e-3, duration=101e-3)

    assert counts.sum(axis=0).tolist() == [1, 1, 1, 0]
    assert counts.argmax(axis=0)[:3].tolist() == [0, 50, 99]


def test_log_latency_is_the_crossing_time_of_an_integrator():
    tau, threshold, x = 20e-3, 0.3, 0.5
    counts = latency([x], dt=1e-4, duration=0.1, law="log", tau=tau, threshold=threshold)

    time = counts[:, 0].argmax() * 1e-4
    assert x * (1 - np.exp(-time / tau)) <= threshold < x * (1 - np.exp(-(time + 1e-4) / tau))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: poisson([-1.0], dt=1e-3, duration=1.0, seed=0), "rates are ≥ 0 Hz"),
        (lambda: poisson([np.nan], dt=1e-3, duration=1.0, seed=0), "NaN or infinite"),
        (lambda: poisson([1.0], dt=0.0, duration=1.0, seed=0), "above 0"),
        (lambda: poisson([1.0], dt=1e-3, duration=-1.0, seed=0), "above 0"),
        (lambda: poisson(3.0, dt=1e-3, duration=1.0, seed=0), r"\(..., n\)"),
        (lambda: rate([1.0], dt=1e-3, duration=1.0, phase=1.0), "phase"),
        (lambda: latency([1.1], dt=1e-3, duration=1.0), r"in \[0, 1\]"),
        (lambda: latency([1.0], dt=1e-3, duration=1.0, law="x"), "'linear' or 'log'"),
        (lambda: latency([1.0], dt=1e-3, duration=1.0, threshold=0.0), "threshold"),
    ],
)
def test_values_out_of_range_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
