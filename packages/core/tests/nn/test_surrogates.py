import math

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError

ALL = (
    rnn.PiecewiseLinear(0.3),
    rnn.Window(0.4),
    rnn.PeriodicExponential(0.5),
    rnn.FastSigmoid(10.0),
    rnn.SuperSpike(),
    rnn.Sigmoid(8.0),
    rnn.Arctan(3.0),
)


def test_piecewise_linear_is_one_over_threshold_from_the_window_on():
    v = torch.tensor([0.0, 1.4, 1.5, 2.0, 7.0])

    h = rnn.PiecewiseLinear(0.5).derivative(v, torch.tensor(2.0))

    assert h.tolist() == [0.0, 0.0, 0.5, 0.5, 0.5]


def test_periodic_exponential_peaks_at_every_multiple_of_the_threshold():
    v = torch.tensor([2.0, 4.0, 6.0, 8.0])

    h = rnn.PeriodicExponential(0.5).derivative(v, torch.tensor(2.0), max_spikes=3.0)

    expected = [0.5, 0.5, 0.5, 0.5 * math.exp(-2.0 / 0.5)]
    np.testing.assert_allclose(h.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("surrogate", [rnn.Window(0.4), rnn.Sigmoid(8.0), rnn.Arctan(3.0)])
def test_unit_surrogates_have_unit_area(surrogate):
    v = torch.linspace(-2000.0, 2000.0, 8_000_001, dtype=torch.float64)

    area = torch.trapezoid(surrogate.derivative(v, torch.tensor(1.0, dtype=v.dtype)), v)

    assert float(area) == pytest.approx(1.0, abs=2e-3)  # the arc tangent's tails, and the edges


@pytest.mark.parametrize("surrogate", ALL, ids=lambda s: type(s).__name__)
def test_kernel_formula_equals_the_torch_formula(surrogate):
    from ranvier.nn.kernels._surrogate import derivative

    v = torch.linspace(-3.0, 9.0, 601)
    threshold = torch.tensor(1.3)

    found = [
        derivative(
            surrogate.code,
            np.float32(u),
            np.float32(threshold),
            np.float32(surrogate.scale),
            np.float32(4.0),
        )
        for u in v.numpy()
    ]

    expected = surrogate.derivative(v, threshold, max_spikes=4.0)
    np.testing.assert_allclose(found, expected.numpy(), rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("surrogate", [s for s in ALL if s.compact], ids=str)
def test_compact_surrogates_vanish_below_their_margin(surrogate):
    v = torch.linspace(-5.0, 1.0 - surrogate.margin * 1.001, 100)

    assert not surrogate.derivative(v, torch.tensor(1.0)).any()


def test_threshold_derivative_scales_with_the_membrane():
    v, threshold = torch.tensor([1.9, 3.0]), torch.tensor(2.0)

    found = rnn.PiecewiseLinear(0.5).threshold_derivative(v, threshold)

    np.testing.assert_allclose(found.numpy(), [-1.9 / 4.0, -3.0 / 4.0], rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_width_that_is_not_positive_is_refused(value):
    with pytest.raises(GraphError, match="finite number > 0"):
        rnn.Window(value)
