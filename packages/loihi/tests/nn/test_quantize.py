import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from ranvier.errors import GraphError, QuantizationError
from ranvier_loihi.nn._quantize import quantize, quantize_8bit, quantize_hook, weight_codes


def in_64ths(*codes):
    return torch.tensor(codes, dtype=torch.float32) / 64


def test_ties_go_to_the_even_multiple_of_the_step():
    assert (quantize(in_64ths(1, 3, 5, -1, -3)) * 64).tolist() == [0, 4, 4, 0, -4]


def test_floor_takes_the_multiple_below():
    assert (quantize(in_64ths(1, 3, -1), mode="floor") * 64).tolist() == [0, 2, -2]


def test_a_step_of_one_rounds_halves_to_even():
    assert quantize(torch.tensor([2.5, 3.5]), step=1.0).tolist() == [2.0, 4.0]


def test_weights_stay_within_the_codes_of_the_chip():
    assert (quantize_8bit(torch.tensor([-9.0, 9.0])) * 64).tolist() == [-256, 254]


@pytest.mark.parametrize(("num_bits", "low", "high"), [(8, -512, 510), (4, -32, 30)])
def test_the_general_hook_has_twice_the_range_of_its_bits(num_bits, low, high):
    codes = quantize_hook(torch.tensor([-99.0, 99.0]), num_bits=num_bits) * 64
    assert codes.tolist() == [low, high]


def test_the_gradient_passes_inside_the_range_and_stops_outside():
    w = torch.tensor([-5.0, -4.0, 0.013, 3.96, 4.5], requires_grad=True)
    quantize_8bit(w).sum().backward()
    assert w.grad.tolist() == [0, 1, 1, 1, 0]


@given(st.lists(st.floats(-6, 6, width=32), min_size=1, max_size=30))
def test_codes_are_even_integers_that_give_the_quantised_weights(values):
    w = torch.tensor(values)
    codes = weight_codes(w)
    assert codes.dtype == torch.int64
    assert not (codes % 2).any()
    assert int(codes.min()) >= -256
    assert int(codes.max()) <= 254
    np.testing.assert_array_equal(codes.numpy() / 64, quantize_8bit(w).numpy())


def test_a_weight_that_is_not_finite_has_no_code():
    with pytest.raises(QuantizationError, match="1 of 2 weights"):
        weight_codes(torch.tensor([0.5, float("nan")]))


def test_wrong_options_are_refused():
    with pytest.raises(GraphError, match="step is 0"):
        quantize(torch.ones(1), step=0)
    with pytest.raises(GraphError, match="mode is 'up'"):
        quantize(torch.ones(1), mode="up")
    with pytest.raises(GraphError, match="num_bits=0"):
        quantize_hook(torch.ones(1), num_bits=0)
