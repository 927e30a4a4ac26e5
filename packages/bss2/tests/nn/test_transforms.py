import math

import numpy as np
import pytest
import torch

from ranvier.errors import InputError
from ranvier_bss2 import nn


def test_linear_saturating_scales_and_cuts():
    weight = torch.tensor([-2.0, -0.5, 0.1, 5.0])

    assert nn.linear_saturating(weight, scale=50.0).tolist() == [-63.0, -25.0, 5.0, 63.0]


def test_small_weights_pass_the_exponential_clamp_unchanged():
    weight = torch.tensor([-1.4, 0.0, 1.45])

    torch.testing.assert_close(nn.linear_exponential_clamp(weight), weight)


def test_large_weights_approach_the_cap_as_the_formula_says():
    k = 1 / (1 - 61 / 63)
    expected = 1.5 * (1 - math.exp(-k * (2.0 / 1.5 - (1 - 1 / k))) / k)

    result = nn.linear_exponential_clamp(torch.tensor([2.0, -2.0, 1e6]))

    np.testing.assert_allclose(result[:2], [expected, -expected], rtol=1e-6)
    assert float(result[2]) == 1.5


def test_quantised_weights_are_steps_of_the_cap_with_the_gradient_of_the_others():
    weight = torch.linspace(-1.4, 1.4, 9, requires_grad=True)

    result = nn.linear_exponential_clamp(weight, quantize=True)
    result.sum().backward()

    steps = (result * 63 / 1.5).detach().numpy()
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    np.testing.assert_array_equal(weight.grad, np.ones(9))


def test_a_cap_of_zero_is_refused():
    with pytest.raises(InputError, match="use cap > 0"):
        nn.linear_exponential_clamp(torch.ones(1), cap=0.0)


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_are_rounded_half_away_from_zero_and_cut(sparse):
    experiment = nn.Experiment()
    mask = torch.ones(5, 1)
    synapse = nn.SparseSynapse(mask, experiment) if sparse else nn.Synapse(5, 1, experiment)
    synapse.weight.data = torch.tensor([[0.5, -0.5, 2.5, -1.49, 80.0]])

    assert synapse.hardware_weight.tolist() == [[1.0, -1.0, 3.0, -1.0, 63.0]]


def test_the_transform_does_not_touch_the_numerics():
    x = torch.zeros(1, 6, 1)
    x[0, 1] = 1
    results = []
    for scale in (1.0, 55.0):
        experiment = nn.Experiment()
        synapse = nn.Synapse(
            1, 1, experiment, transform=lambda w, s=scale: nn.linear_saturating(w, s)
        )
        synapse.weight.data.fill_(2.0)
        y = nn.LI(1, experiment, leak=0.0)(synapse(x))
        nn.run(experiment)
        results.append(y.membrane_cadc.detach())

    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)


def test_weights_that_are_not_finite_are_refused():
    synapse = nn.Synapse(2, 1, nn.Experiment())
    synapse.weight.data.fill_(float("nan"))

    with pytest.raises(InputError, match=r"BS249.*look for NaN"):
        _ = synapse.hardware_weight


def test_dense_weights_start_uniform_within_the_inverse_root_of_the_inputs():
    weight = nn.Synapse(100, 50, nn.Experiment()).weight.detach()

    assert float(weight.abs().max()) <= 0.1
    assert float(weight.std()) == pytest.approx(0.1 / math.sqrt(3), rel=0.05)


def test_sparse_weights_outside_the_mask_are_zero_and_get_no_gradient():
    experiment = nn.Experiment()
    mask = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    synapse = nn.SparseSynapse(mask.to_sparse(), experiment)
    y = nn.LI(2, experiment, leak=0.0)(synapse(torch.ones(1, 5, 3)))
    nn.run(experiment)

    y.membrane_cadc.sum().backward()

    outside = mask.T == 0
    assert not synapse.weight.detach()[outside].any()
    assert not synapse.weight.grad[outside].any()
    assert synapse.weight.grad[~outside].all()
