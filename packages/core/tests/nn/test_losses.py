import math

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError


def train(*times, steps=12):
    spikes = torch.zeros(1, steps, 1)
    for t in times:
        spikes[0, t, 0] = 1.0
    return spikes


def test_spike_time_is_the_squared_distance_of_filtered_trains():
    loss = rnn.SpikeTime(time_constant=2.0, length=5)

    h = np.zeros(12)
    h[2:7] = np.exp(-np.arange(5) / 2.0)
    h[6:11] -= np.exp(-np.arange(5) / 2.0)
    assert loss(train(2), train(6)).item() == pytest.approx((h**2).sum(), rel=1e-6)


def test_the_second_order_filter_is_not_rescaled():
    loss = rnn.SpikeTime(time_constant=2.0, length=10, filter_order=2)

    np.testing.assert_allclose(loss.kernel[:4], [1.0, 1.2131, 1.1036, 0.8925], atol=5e-5)


def test_spike_time_filters_maps_and_trains_shorter_than_the_filter():
    loss = rnn.SpikeTime(time_constant=5.0, length=100)
    x = torch.randn(2, 7, 2, 3)

    filtered = loss.filter(x)

    decay = math.exp(-1 / 5.0)
    expected, trace = [], torch.zeros(2, 2, 3)
    for t in range(7):
        trace = decay * trace + x[:, t]
        expected.append(trace)
    torch.testing.assert_close(filtered, torch.stack(expected, 1))


def test_van_rossum_distance_of_one_surplus_spike_is_a_half():
    loss = rnn.VanRossum(tau=1.0, dt=1e-3)

    assert loss(train(2), train()).item() == pytest.approx(0.5, abs=1e-3)


def test_van_rossum_distance_does_not_depend_on_where_the_record_ends():
    loss = rnn.VanRossum(tau=5e-3)

    short = loss(train(2, 9, steps=12), train(4, steps=12))
    long = loss(train(2, 9, steps=200), train(4, steps=200))

    assert short.item() == pytest.approx(long.item(), rel=1e-5)


def test_spike_rate_compares_with_the_rate_of_true_and_false():
    spikes = torch.zeros(1, 10, 2)
    spikes[0, :4, 0] = 1.0

    loss = rnn.SpikeRate(true_rate=0.9, false_rate=0.1)(spikes, torch.tensor([1]))

    assert loss.item() == pytest.approx((0.4 - 0.1) ** 2 + (0.0 - 0.9) ** 2, rel=1e-5)


def test_windowed_spike_rate_takes_labels_per_sample_and_per_step():
    spikes = (torch.rand(3, 20, 4, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    loss = rnn.SpikeRate(true_rate=0.9, false_rate=0.1, moving_window=5)
    label = torch.tensor([0, 3, 1])

    per_sample = loss(spikes, label)
    per_step = loss(spikes, label.unsqueeze(1).expand(3, 20))

    assert per_sample.item() == per_step.item()


def test_spike_max_is_the_log_of_the_share():
    spikes = torch.zeros(1, 10, 2)
    spikes[0, :6, 0] = 1.0
    spikes[0, :2, 1] = 1.0

    loss = rnn.SpikeMax()(spikes, torch.tensor([0]))

    assert loss.item() == pytest.approx(-math.log(0.75), rel=1e-5)


def test_spike_max_softmax_is_the_cross_entropy_of_the_rates():
    spikes = torch.rand(3, 10, 4, generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0, 3, 1])

    found = rnn.SpikeMax(mode="softmax")(spikes, label)

    expected = torch.nn.functional.cross_entropy(spikes.mean(1), label, reduction="sum")
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("window", [None, 4])
def test_spike_max_stays_finite_when_the_labelled_neuron_is_silent(window):
    spikes = torch.zeros(2, 10, 3, requires_grad=True)

    loss = rnn.SpikeMax(moving_window=window)(spikes, torch.tensor([0, 1]))
    loss.backward()

    assert math.isfinite(loss.item())
    assert torch.isfinite(spikes.grad).all()


def test_spike_moid_is_the_binary_cross_entropy_of_mean_sigmoids():
    spikes = torch.zeros(1, 4, 2)
    spikes[0, :, 0] = 1.0

    loss = rnn.SpikeMoid(alpha=0.5, theta=0.5)(spikes, torch.tensor([0]))

    p = 1 / (1 + math.exp(-1.0))
    assert loss.item() == pytest.approx(-2 * math.log(p), rel=1e-5)


def test_sparsity_costs_only_above_the_largest_rate():
    enforce = rnn.SparsityEnforcer(max_rate=0.1, lam=2.0)
    quiet, loud = torch.full((1, 10, 4), 0.05), torch.full((1, 10, 4), 0.4)

    assert enforce(quiet).item() == 0.0
    assert enforce(quiet, loud).item() == pytest.approx(2.0 * 0.3**2, rel=1e-5)


def test_mean_reduction_divides_by_the_number_of_terms():
    a, b = torch.rand(2, 5, 3), torch.rand(2, 5, 3)

    total = rnn.SpikeTime()(a, b)
    mean = rnn.SpikeTime(reduction="mean")(a, b)

    assert mean.item() == pytest.approx(total.item() / 30, rel=1e-5)


@pytest.mark.parametrize(
    "label", [torch.tensor([4]), torch.tensor([-1]), torch.tensor([[0]]), torch.tensor([0.0])]
)
def test_labels_that_are_no_classes_are_refused(label):
    with pytest.raises(InputError, match="labels"):
        rnn.SpikeRate(true_rate=1.0, false_rate=0.0)(torch.zeros(1, 5, 4), label)


def test_trains_of_different_shapes_are_refused():
    with pytest.raises(InputError, match="both must be equal"):
        rnn.SpikeTime()(torch.zeros(1, 5, 4), torch.zeros(1, 6, 4))


@pytest.mark.parametrize(
    "make",
    [
        lambda: rnn.SpikeTime(time_constant=0.0),
        lambda: rnn.SpikeTime(reduction="max"),
        lambda: rnn.VanRossum(tau=0.0),
        lambda: rnn.SpikeMax(mode="rate"),
        lambda: rnn.SpikeMoid(alpha=0.0),
        lambda: rnn.SparsityEnforcer(max_rate=-1.0),
    ],
)
def test_options_out_of_range_are_refused(make):
    with pytest.raises(GraphError):
        make()
