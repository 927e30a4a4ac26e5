import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from ranvier_loihi.weights import optimized_weights, sign_mode_of, stored_weights


@pytest.mark.parametrize(
    ("weights", "shifted", "exponent", "bits"),
    [
        ([1, 3, -3], [64, 192, -192], -6, 3),
        ([2, 4, 8], [32, 64, 128], -4, 3),
        ([64, -64], [128, -128], -1, 2),
        ([2, -4, 254], [2, -4, 254], 0, 8),
    ],
)
def test_published_examples_of_the_weight_optimisation(weights, shifted, exponent, bits):
    found = optimized_weights(np.array(weights))

    assert (found[0].tolist(), *found[1:]) == (shifted, exponent, bits)


@pytest.mark.parametrize("weights", [[0, -4], [-128, 0], [0, -256], [-2], [-256]])
def test_weights_without_a_positive_one_are_not_cut(weights):
    shifted, exponent, bits = optimized_weights(np.array(weights))

    stored = stored_weights(shifted, num_weight_bits=bits)

    assert (stored * 2.0**exponent).tolist() == weights


def test_all_zero_weights_have_exponent_zero():
    assert optimized_weights(np.zeros((2, 3), dtype=np.int64))[1:] == (0, 8)


@given(arrays(np.int64, st.integers(1, 12), elements=st.integers(-128, 127)).map(lambda w: 2 * w))
def test_optimised_weights_survive_storage_and_give_back_the_weights(weights):
    shifted, exponent, bits = optimized_weights(weights)

    stored = stored_weights(shifted, num_weight_bits=bits)

    np.testing.assert_array_equal(stored, shifted)
    assert exponent <= 1
    back = stored >> -exponent if exponent <= 0 else stored << exponent
    np.testing.assert_array_equal(back, weights)


@pytest.mark.parametrize(
    ("weights", "mode"),
    [([0, 0], "excitatory"), ([0, 3], "excitatory"), ([0, -3], "inhibitory"), ([-1, 1], "mixed")],
)
def test_sign_mode_follows_the_weights(weights, mode):
    assert sign_mode_of(np.array(weights)) == mode


@pytest.mark.parametrize(
    ("weights", "options", "stored"),
    [
        ([-5, 5], {}, [-6, 4]),
        ([300, -300], {}, [254, -256]),
        ([-5, 5], {"sign_mode": "excitatory"}, [0, 5]),
        ([-5, 5], {"sign_mode": "inhibitory"}, [-5, 0]),
        ([-300, 0], {}, [-255, 0]),
        ([-7, 7], {"num_weight_bits": 6}, [-8, 0]),
        ([7, 3], {"num_weight_bits": 6}, [4, 0]),
    ],
)
def test_weights_are_clipped_and_lose_their_low_bits(weights, options, stored):
    assert stored_weights(np.array(weights), **options).tolist() == stored
