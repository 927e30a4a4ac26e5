import numpy as np
import pytest

from ranvier_dynapse2.kernels.elementary import exp32_of, log32_of

TINY = np.finfo(np.float32).tiny


def evaluated(function, x):
    out = np.empty_like(x)
    function(x, out)
    return out


def ulps(found, exact):
    """Distance in units of the last place of the float32 next to the exact value."""
    near = exact.astype(np.float32)
    return np.abs(found.astype(np.float64) - exact) / np.spacing(np.abs(near)).astype(np.float64)


@pytest.mark.parametrize(
    "x",
    [
        np.linspace(-87.3, 88.7, 400_001, dtype=np.float32),
        np.linspace(-1e-3, 1e-3, 100_001, dtype=np.float32),
        np.linspace(0.34, 0.35, 50_001, dtype=np.float32),
        np.linspace(-103.0, -87.3, 50_001, dtype=np.float32),
        np.array([0.0, -0.0, 1e-38, -1e-45, 1.0, -1.0], dtype=np.float32),
    ],
    ids=["all", "near 0", "where the power changes", "denormal results", "single"],
)
def test_the_exponential_is_right_to_a_unit_in_the_last_place(x):
    found = evaluated(exp32_of, x)
    assert ulps(found, np.exp(x.astype(np.float64))).max() <= 0.51


def test_the_exponential_ends_at_0_and_at_infinity():
    x = np.array([-1e30, -np.inf, -150.0, 89.0, 1e30, np.inf, np.nan], dtype=np.float32)
    np.testing.assert_array_equal(
        evaluated(exp32_of, x), np.array([0, 0, 0, np.inf, np.inf, np.inf, np.nan], np.float32)
    )


@pytest.mark.parametrize(
    "x",
    [
        np.logspace(-37.9, 38.5, 400_001).astype(np.float32),
        np.linspace(0.5, 2.0, 400_001, dtype=np.float32),
        1 + np.arange(-2000, 2000, dtype=np.float32) * np.finfo(np.float32).epsneg,
        np.logspace(-44.8, -37.9, 50_001).astype(np.float32),
        np.array([TINY, 1e-45, np.finfo(np.float32).max, 0.5**0.5, 2.0, 5e-13], np.float32),
    ],
    ids=["all", "around 1", "next to 1", "denormal", "single"],
)
def test_the_logarithm_is_right_to_a_unit_in_the_last_place(x):
    found = evaluated(log32_of, x)
    exact = np.log(x.astype(np.float64))
    at_one = x == 1
    assert ulps(found, exact)[~at_one].max() <= 0.51
    assert np.all(found[at_one] == 0)


def test_the_logarithm_is_positive_exactly_above_1():
    one = np.float32(1)
    x = np.array([np.nextafter(one, F0), one, np.nextafter(one, np.float32(2))], np.float32)
    found = evaluated(log32_of, x)
    assert found[0] < 0
    assert found[1] == 0
    assert np.ceil(found[2]) == 1


F0 = np.float32(0)
