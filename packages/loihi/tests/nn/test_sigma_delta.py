import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError
from ranvier_loihi.nn._norm import MeanOnlyBatchNorm
from ranvier_loihi.nn._sigma_delta import Delta, SigmaDelta


def floats(seed, *shape, size=0.2):
    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def scalar_delta(values, threshold, *, cumulative=False):
    """Encode one neuron in float32; give messages and the change of every step."""
    f = np.float32
    before, residual, error, sent, changes = f(0), f(0), f(0), [], []
    for value in np.asarray(values, dtype=f):
        d = value - before + residual
        error += d
        out = d if abs(error if cumulative else d) >= f(threshold) else f(0)
        error = f(0) if out != 0 else error
        residual, before = d - out, value
        changes.append(d)
        sent.append(np.floor(out * f(4096)) / f(4096))
    return np.array(sent, f), np.array(changes, f)


@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_messages_equal_a_scalar_encoder(cumulative, seed):
    threshold = [1, 6, 20][seed % 3] / 64
    x = floats(seed, 2, 80, 3)
    out = Delta(3, threshold=threshold, cum_error=cumulative)(x)
    for b in range(2):
        for k in range(3):
            want = scalar_delta(x[b, :, k].numpy(), threshold, cumulative=cumulative)[0]
            np.testing.assert_array_equal(out[b, :, k].numpy(), want)


def test_a_change_as_large_as_the_threshold_is_sent():
    x = torch.tensor([0.25, 0.25, 0.375, 0.5]).view(1, 4, 1)
    assert Delta(1, threshold=0.25)(x).flatten().tolist() == [0.25, 0, 0, 0.25]


def test_the_receiver_follows_the_value_within_the_threshold():
    x = floats(1, 1, 200, 4).cumsum(1) / 8
    received = Delta(4, threshold=0.25)(x).cumsum(1)
    assert (received - x).abs().max() < 0.25 + 200 / 4096


def test_gradients_are_those_of_a_difference_and_of_the_threshold_surrogate():
    cell = Delta(2, threshold=0.25, requires_grad=True, tau_grad=0.5, scale_grad=2.0)
    x, g = floats(3, 2, 40, 2).requires_grad_(), floats(4, 2, 40, 2)
    cell(x).backward(g)
    want = g.clone()
    want[:, :-1] -= g[:, 1:]
    torch.testing.assert_close(x.grad, want)
    total = 0.0
    for b in range(2):
        for k in range(2):
            d = scalar_delta(x[b, :, k].detach().numpy(), 0.25)[1].astype(float)
            sent = -d * 2.0 * np.exp(-(abs(d) - 0.25) / 0.5) / 0.25
            slope = np.where(abs(d) > 0.25, sent, -np.sign(d))
            total += float((g[b, :, k].double().numpy() * slope).sum())
    assert cell.delta_threshold.grad.item() == pytest.approx(total, rel=1e-5)


def test_a_threshold_is_cut_and_kept_above_one_step():
    assert Delta(1, threshold=0.1).delta_threshold.tolist() == [6 / 64]
    cell = Delta(1, threshold=0.0)
    assert cell.device_params() == {"type": "SDNN", "vThMant": 1}
    with torch.no_grad():
        cell.delta_threshold.fill_(-1.0)
    cell(torch.zeros(1, 1, 1))
    assert cell.delta_threshold.tolist() == [1 / 64]


def test_the_neuron_sums_activates_and_encodes():
    z = torch.round(floats(5, 2, 60, 3) * 64) / 64
    out = SigmaDelta(3, threshold=0.125)(z)
    value = torch.relu(z.cumsum(1))
    for k in range(3):
        want = scalar_delta(value[1, :, k].numpy(), 0.125)[0]
        np.testing.assert_array_equal(out[1, :, k].numpy(), want)


def test_norm_then_bias_come_before_the_activation():
    z = torch.full((1, 4, 2), 0.25)
    cell = SigmaDelta(2, threshold=1 / 64, bias=True, norm=MeanOnlyBatchNorm(2))
    with torch.no_grad():
        cell.bias.copy_(torch.tensor([1.0, -1.0]))
    out = cell(z).cumsum(1)
    assert out[0, :, 0].tolist() == [0.625, 0.875, 1.125, 1.375]
    assert not out[0, :, 1].any()


@pytest.mark.parametrize("cuts", [[40], [1] * 40, [13, 27]])
@pytest.mark.parametrize("cumulative", [False, True])
def test_persistent_chunks_equal_one_run_also_while_training(cuts, cumulative):
    z = (torch.round(floats(2, 2, 40, 3) * 64) / 64).requires_grad_()
    parts = SigmaDelta(3, threshold=0.125, cum_error=cumulative, persistent_state=True)
    whole = SigmaDelta(3, threshold=0.125, cum_error=cumulative)
    out = torch.cat([parts(chunk) for chunk in z.split(cuts, dim=1)], 1)
    assert torch.equal(out, whole(z))
    out.sum().backward()
    assert torch.isfinite(z.grad).all()


def test_two_graphs_may_live_at_once():
    cell = SigmaDelta(3, threshold=0.125, requires_grad=True)
    a, b = cell(floats(1, 1, 20, 3)), cell(floats(2, 1, 20, 3))
    (a.sum() + b.sum()).backward()
    assert cell.delta_threshold.grad.any()


def test_gradients_can_be_monitored():
    cell = SigmaDelta((2, 3), threshold=0.125, bias=True, requires_grad=True)
    with rnn.monitor_gradients(cell) as gradients:
        cell(floats(0, 1, 30, 2, 3)).sum().backward()
    assert set(gradients.norms) == {"bias", "delta_threshold"}


def test_only_relu_has_a_name_in_a_file():
    assert SigmaDelta(1, threshold=0.5).device_params()["activation"] == "relu"
    with pytest.raises(GraphError, match="relu"):
        SigmaDelta(1, threshold=0.5, activation=torch.tanh).device_params()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -1.0}, "threshold is -1.0"),
        ({"threshold": 1.0, "tau_grad": 0.0}, "tau_grad"),
        ({"threshold": 1.0, "shared_param": False}, "shared"),
    ],
)
def test_impossible_encoders_are_refused(options, message):
    with pytest.raises(GraphError, match=message):
        Delta(1, **options)


def test_a_bias_needs_a_shape():
    with pytest.raises(GraphError, match="shape"):
        SigmaDelta(None, threshold=1.0, bias=True)
