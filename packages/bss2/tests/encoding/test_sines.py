import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_bss2.encoding import sum_of_sines


def test_targets_start_at_zero_and_reach_one_in_magnitude():
    target = sum_of_sines(5, seed=3)
    assert target.shape == (1, 100, 5)
    np.testing.assert_allclose(target[0, 0], 0.0, atol=1e-15)
    np.testing.assert_allclose(np.abs(target[0]).max(axis=0), 1.0)


def test_a_single_sine_has_a_period_of_the_published_range():
    target = sum_of_sines(200, seed=0, steps=4000, sines=1)[0]
    # sin(2 pi s / p) for s in 0..1: number of zero crossings is ceil(2 / p) - 1 inside
    crossings = (np.diff(np.sign(target[1:]), axis=0) != 0).sum(axis=0)
    assert crossings.min() >= 0
    assert crossings.max() <= 6  # p >= 0.3
    assert crossings.max() >= 5  # and the fastest ones occur
    rising = target[1] > 0
    assert 60 < rising.sum() < 140  # both signs


def test_the_seed_decides_and_wrong_sizes_are_refused():
    np.testing.assert_array_equal(sum_of_sines(2, seed=1), sum_of_sines(2, seed=1))
    assert not np.array_equal(sum_of_sines(2, seed=1), sum_of_sines(2, seed=2))
    with pytest.raises(InputError, match="0 outputs"):
        sum_of_sines(0, seed=1)
