import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_bss2.chip import VirtualChip
from ranvier_bss2.hagen import HagenSettings, multiply, splits_of

QUIET = HagenSettings(gain=0.01, noise_std=0.0)


def test_a_result_is_the_floor_of_the_scaled_product():
    # 31 * 63 * 0.01 = 19.53 and -19.53
    assert multiply([31], [[63], [-63]], settings=QUIET).tolist() == [19, -20]


def test_sending_twice_doubles_the_product_before_the_floor():
    twice = HagenSettings(gain=0.01, noise_std=0.0, num_sends=2)
    assert multiply([31], [[63]], settings=twice).tolist() == [39]


def test_inputs_and_weights_are_rounded_half_to_even():
    whole = HagenSettings(gain=1.0, noise_std=0.0)
    assert multiply([1.5], [[2.5]], settings=whole).tolist() == [4]
    assert multiply([31.4], [[1]], settings=whole).tolist() == [31]


def test_results_saturate_at_int8():
    whole = HagenSettings(gain=1.0, noise_std=0.0)
    assert multiply([31], [[63], [-63]], settings=whole).tolist() == [127, -128]


def test_each_split_of_128_inputs_saturates_before_the_sum():
    whole = HagenSettings(gain=0.02, noise_std=0.0)
    weight = np.concatenate([np.full(128, 63), np.full(128, -10)])[None]
    x = np.full(256, 2)
    # split 0: 128*126*.02 = 322 -> 127; split 1: -128*20*.02 = -51.2 -> -52
    assert multiply(x, weight, settings=whole).tolist() == [75]
    assert splits_of(128) == 1
    assert splits_of(129) == 2


def test_noise_has_the_stated_deviation_and_follows_its_seed():
    x = np.zeros((20000, 1))
    noisy = multiply(x, [[0]], seed=5)
    # floor of N(0, 2): mean -0.5, variance 4 + 1/12
    assert noisy.mean() == pytest.approx(-0.5, abs=0.05)
    assert noisy.std() == pytest.approx(np.sqrt(4 + 1 / 12), abs=0.05)
    np.testing.assert_array_equal(noisy, multiply(x, [[0]], seed=5))
    assert not np.array_equal(noisy, multiply(x, [[0]], seed=6))


def test_noise_without_a_seed_is_refused():
    with pytest.raises(InputError, match="needs a seed"):
        multiply([1], [[1]])


@pytest.mark.parametrize(
    ("x", "weight", "message"),
    [
        ([32], [[1]], "1 inputs are out of range, from 32 to 32; the chip has 0 to 31"),
        ([-1], [[1]], "0 to 31"),
        ([1], [[64]], "1 weights are out of range.*-63 to 63"),
        ([np.nan], [[1]], "not finite"),
        ([1, 2], [[1]], "shape"),
    ],
)
def test_values_out_of_range_are_named_with_their_numbers(x, weight, message):
    with pytest.raises(InputError, match=message):
        multiply(x, weight, settings=QUIET)


@pytest.mark.parametrize("bad", [{"gain": 0.0}, {"gain": 1.1}, {"num_sends": 0}, {"noise_std": -1}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(InputError, match="hagen"):
        HagenSettings(**bad)


def test_leading_axes_are_kept():
    x = np.arange(12).reshape(2, 3, 2)
    weight = np.array([[1, 2], [3, -4], [5, 6]])
    whole = HagenSettings(gain=1.0, noise_std=0.0)
    result = multiply(x, weight, settings=whole)
    assert result.shape == (2, 3, 3)
    np.testing.assert_array_equal(result, np.clip(x @ weight.T, -128, 127))


def test_an_ideal_chip_changes_nothing_and_a_real_one_scatters_by_column():
    random = np.random.default_rng(0)
    x, weight = random.integers(0, 32, (50, 128)), random.integers(-63, 64, (300, 128))
    settings = HagenSettings(gain=0.002, noise_std=0.0)
    clean = multiply(x, weight, settings=settings)
    ideal = multiply(x, weight, settings=settings, chip=VirtualChip.of(1, "ideal"))
    np.testing.assert_array_equal(clean, ideal)
    real = multiply(x, weight, settings=settings, chip=VirtualChip.of(1))
    assert np.corrcoef(clean.ravel(), real.ravel())[0, 1] > 0.9
    assert np.any(real != clean)
    other = multiply(x, weight, settings=settings, chip=VirtualChip.of(2))
    assert np.any(real != other)
