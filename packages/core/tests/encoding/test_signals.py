import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.encoding import delta, delta_decode, spread_counts
from ranvier.errors import InputError


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), threshold=st.floats(0.05, 3))
def test_decoded_staircase_stays_within_a_threshold(seed, threshold):
    signal = np.random.default_rng(seed).normal(size=(2, 60, 3)).cumsum(axis=1)

    counts = delta(signal, threshold=threshold)
    staircase = delta_decode(counts, threshold=threshold, initial=signal[:, 0])

    assert counts.min() >= 0
    assert np.abs(staircase - signal).max() < threshold * (1 + 1e-6)


def test_staircase_of_tenths_does_not_drift():
    signal = np.arange(1001)[:, None] * 0.1

    counts = delta(signal, threshold=0.1)

    assert counts[:, 0].tolist() == [0] + [1] * 1000
    assert counts[:, 1].sum() == 0


def test_negated_signal_swaps_up_and_down():
    signal = np.random.default_rng(0).normal(size=(50, 2)).cumsum(axis=0)

    up_down = delta(signal, threshold=0.4)

    assert np.array_equal(delta(-signal, threshold=0.4), np.roll(up_down, 2, axis=1))


def test_each_channel_has_its_own_threshold_and_start():
    counts = delta([[1.0, 1.0]], threshold=[0.5, 0.25], initial=[0.0, 0.0])

    assert counts.tolist() == [[2, 4, 0, 0]]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    steps=st.integers(1, 12),
    scale=st.floats(0.1, 30),
    frames=st.integers(1, 20),
)
def test_spread_counts_follow_the_exact_sum_within_half_a_spike(seed, steps, scale, frames):
    values = np.random.default_rng(seed).random((2, frames, 3))

    counts = spread_counts(values, steps=steps, scale=scale)

    exact = np.cumsum(np.repeat(values * scale / steps, steps, axis=1), axis=1)
    rounding = frames * 2.0**-17
    assert counts.shape == (2, frames * steps, 3)
    assert counts.min() >= 0
    assert np.abs(np.cumsum(counts, axis=1) - exact).max() <= 0.5 + rounding + 1e-9


def test_constant_value_is_spread_evenly():
    counts = spread_counts(np.full((10, 1), 2.0), steps=8)[:, 0]

    assert np.diff(np.flatnonzero(counts)).tolist() == [4] * 19


def test_spread_counts_are_those_of_a_sigma_delta_loop():
    values = np.random.default_rng(1).integers(0, 64, (12, 4)) / 16

    rest, expected = np.zeros(4), []
    for frame in values:
        for _ in range(8):
            rest = rest + frame * 2.0 / 8
            count = np.floor(rest + 0.5)
            rest = rest - count
            expected.append(count)

    assert np.array_equal(spread_counts(values, steps=8, scale=2.0), np.array(expected))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spread_counts([[-1.0]], steps=4), "on two channels"),
        (lambda: spread_counts([[np.inf]], steps=4), "NaN or infinite"),
        (lambda: spread_counts([[1.0]], steps=0), "at least 1"),
        (lambda: spread_counts([[1.0]], steps=4, scale=0.0), "scale"),
        (lambda: spread_counts([[1e15]], steps=4), "too large"),
        (lambda: spread_counts([[99.0]], steps=4, max_count=15), "lower the scale"),
        (lambda: spread_counts([1.0], steps=4), r"\(..., time, n\)"),
        (lambda: delta([[1.0]], threshold=0.0), "above 0"),
        (lambda: delta([[1.0]], threshold=[1.0, 2.0]), "1 channels"),
        (lambda: delta([[np.nan]], threshold=1.0), "NaN"),
        (lambda: delta_decode([[1, 2, 3]], threshold=1.0), "up and down pairs"),
    ],
)
def test_values_out_of_range_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
