import math

import numpy as np
import pytest
import torch
from torch import nn

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError


def test_linear_weighs_every_step():
    linear = rnn.Linear(3, 2, bias=True)
    x = torch.randn(4, 5, 3)

    expected = x @ linear.weight.T + linear.bias

    torch.testing.assert_close(linear(x), expected)
    assert linear.weight.shape == (2, 3)
    assert linear.weight.abs().max() <= math.sqrt(6 / 3)


def test_weight_norm_trains_length_and_direction_apart():
    linear = rnn.Linear(3, 2, weight_norm=True)

    linear(torch.randn(1, 2, 3)).sum().backward()

    names = {name for name, p in linear.named_parameters() if p.grad is not None}
    assert names == {"parametrizations.weight.original0", "parametrizations.weight.original1"}
    assert "weight_norm" in repr(linear)


def test_linear_refuses_an_input_of_another_size():
    with pytest.raises(InputError, match=r"expected \(batch, time, 3\)"):
        rnn.Linear(3, 2)(torch.zeros(1, 5, 4))


def test_convolution_equals_torch_step_by_step():
    torch.manual_seed(0)
    conv = rnn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=True)
    peer = nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2)
    peer.load_state_dict(conv.state_dict())
    x = torch.randn(2, 3, 2, 7, 6)

    found = conv(x)

    for t in range(3):
        torch.testing.assert_close(found[:, t], peer(x[:, t]))


def test_sum_pool_adds_and_average_pool_divides():
    x = torch.arange(16.0).reshape(1, 1, 1, 4, 4)

    assert rnn.SumPool2d(2)(x).flatten().tolist() == [10.0, 18.0, 42.0, 50.0]
    assert rnn.AvgPool2d(2)(x).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_flatten_is_channel_major():
    x = torch.arange(8.0).reshape(1, 1, 2, 2, 2)

    assert rnn.Flatten()(x).flatten().tolist() == list(range(8))


def test_maps_of_another_rank_are_refused():
    with pytest.raises(InputError, match="batch, time, 2, height, width"):
        rnn.Conv2d(2, 4, 3)(torch.zeros(1, 2, 5, 5))


def test_groups_must_divide_the_channels():
    with pytest.raises(GraphError, match="groups=2"):
        rnn.Conv2d(3, 4, 3, groups=2)


def test_a_delay_shifts_every_channel_by_its_own_steps():
    x = torch.arange(1.0, 5.0).reshape(1, 4, 1).expand(1, 4, 3)

    y = rnn.Delay([0, 1, 3])(x)

    assert y[0].T.tolist() == [[1, 2, 3, 4], [0, 1, 2, 3], [0, 0, 0, 1]]


def test_a_stateful_delay_in_chunks_equals_one_run():
    x = torch.randn(2, 20, 3)
    whole = rnn.Delay([0, 2, 5])(x)
    delay = rnn.Delay([0, 2, 5], stateful=True)

    parts = [delay(part) for part in x.split(3, 1)]

    assert torch.equal(torch.cat(parts, 1), whole)


@pytest.mark.parametrize("steps", [-1, 1.5])
def test_delays_that_are_not_whole_are_refused(steps):
    with pytest.raises(GraphError, match="integers >= 0"):
        rnn.Delay(steps)


def test_time_step_dropout_drops_single_steps_without_rescaling():
    torch.manual_seed(0)
    y = rnn.TimeStepDropout(0.25)(torch.ones(10, 200, 10))

    assert set(y.unique().tolist()) == {0.0, 1.0}
    assert y.mean().item() == pytest.approx(0.75, abs=0.02)


def test_unit_dropout_silences_neurons_for_the_whole_sample():
    torch.manual_seed(0)
    y = rnn.UnitDropout(0.5)(torch.ones(50, 20, 40))

    assert (y == y[:, :1]).all()
    assert set(y.unique().tolist()) == {0.0, 2.0}
    assert y.mean().item() == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("kind", [rnn.TimeStepDropout, rnn.UnitDropout])
def test_dropout_is_the_identity_in_evaluation(kind):
    x = torch.randn(2, 3, 4)

    assert kind(0.9).eval()(x) is x
    assert kind(0.0)(x) is x


def test_a_probability_of_one_is_refused():
    with pytest.raises(GraphError, match="0 <= p < 1"):
        rnn.UnitDropout(1.0)


def test_convolution_feeds_a_layer_of_maps():
    net = rnn.Sequential(rnn.Conv2d(1, 2, 3), rnn.LIF((2, 4, 4)), rnn.SumPool2d(2), rnn.Flatten())

    y = net(torch.ones(2, 5, 1, 6, 6))

    assert y.shape == (2, 5, 8)
    np.testing.assert_array_equal(y.detach() % 1, 0)
