import numpy as np
import pytest
import torch

from ranvier.errors import GraphError, InputError
from ranvier_loihi.nn._cuba import Cuba
from ranvier_loihi.nn._norm import MeanOnlyBatchNorm, WgtScaleBatchNorm
from ranvier_loihi.nn._quantize import quantize_8bit


def floats(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(3,), (3, 2, 4)])
def test_training_subtracts_the_quantised_mean_of_every_channel(shape):
    norm, x = MeanOnlyBatchNorm(3), floats(0, 2, 20, *shape)
    axes = [0, 1, *range(3, x.ndim)]
    mean = quantize_8bit(x.mean(axes))
    want = x - mean.view(3, *[1] * (len(shape) - 1))
    torch.testing.assert_close(norm(x), want, rtol=0, atol=0)
    torch.testing.assert_close(norm.running_mean, 0.1 * x.mean(axes))


def test_evaluation_subtracts_the_running_mean_which_is_the_bias_of_the_chip():
    norm = MeanOnlyBatchNorm(2).eval()
    norm.running_mean.copy_(torch.tensor([0.25, -1.01]))
    x = floats(1, 1, 5, 2)
    codes = norm.bias_codes
    assert codes.tolist() == [-16, 64]
    torch.testing.assert_close(norm(x), x + codes / 64, rtol=0, atol=0)
    np.testing.assert_allclose(norm.running_mean, [0.25, -1.01])


def test_the_gradient_passes_through_the_mean():
    norm, x = MeanOnlyBatchNorm(1), floats(2, 1, 10, 1).requires_grad_()
    norm(x).square().sum().backward()
    y = norm(x).detach()
    torch.testing.assert_close(x.grad, 2 * (y - y.mean()))


@pytest.mark.parametrize(("size", "exponent"), [(0.01, -3), (0.4, -1), (1.5, 1), (100.0, 3)])
def test_weight_scaling_divides_by_the_power_of_two_above_the_deviation(size, exponent):
    norm = WgtScaleBatchNorm(2, momentum=1.0)
    x = size * torch.tensor([1.0, -1.0]).repeat(50).view(1, 50, 2)
    x = torch.stack([x[..., 0], x[..., 0].flip(1) * -1], -1)
    x[0, ::2] *= -1
    plain = MeanOnlyBatchNorm(2)(x)
    torch.testing.assert_close(norm(x), plain / 2.0**exponent, rtol=0, atol=0)
    n = x.numel()
    torch.testing.assert_close(norm.running_var, (x.var(unbiased=False) * n / (n + 1)).view(1))
    norm.eval()
    assert norm.weight_exponent == exponent
    cell = Cuba(2, threshold=1.0, current_decay=1.0, voltage_decay=1.0, norm=norm)
    assert cell.device_params()["weight_exp"] == exponent


def test_wrong_channels_and_options_are_refused():
    with pytest.raises(InputError, match=r"\(1, 5, 3\)"):
        MeanOnlyBatchNorm(2)(torch.zeros(1, 5, 3))
    with pytest.raises(GraphError, match="num_features=0"):
        MeanOnlyBatchNorm(0)
    with pytest.raises(GraphError, match="eps=0"):
        WgtScaleBatchNorm(1, eps=0)
