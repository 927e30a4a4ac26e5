import math

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError
from ranvier.nn.functional import decay_factor


def test_decays_follow_their_formulas():
    tau = torch.tensor([2e-3, 5e-3, 20e-3], dtype=torch.float64)

    exponential = decay_factor(tau, dt=1e-3)
    euler = decay_factor(tau, dt=1e-3, decay="euler")
    bitshift = decay_factor(tau, dt=1e-3, decay="bitshift")

    np.testing.assert_allclose(exponential, np.exp(-1e-3 / tau.numpy()))
    np.testing.assert_allclose(euler, [0.5, 0.8, 0.95])
    assert bitshift.tolist() == [0.5, 0.75, 0.9375]


def test_bitshift_decay_shifts_by_at_least_one():
    assert float(decay_factor(torch.tensor(1.1e-3), dt=1e-3, decay="bitshift")) == 0.5


def test_bitshift_decay_learns_by_the_exponential_gradient():
    tau = torch.tensor(5e-3, requires_grad=True)
    smooth = torch.tensor(5e-3, requires_grad=True)

    decay_factor(tau, dt=1e-3, decay="bitshift").backward()
    decay_factor(smooth, dt=1e-3).backward()

    assert float(tau.grad) == pytest.approx(float(smooth.grad), rel=1e-6)


def test_a_trained_time_constant_below_dt_counts_as_dt():
    tau = torch.tensor(-1e-3, requires_grad=True)

    factor = decay_factor(tau, dt=1e-3)

    assert factor.item() == pytest.approx(math.exp(-1.0))


def test_an_unknown_decay_is_refused():
    with pytest.raises(GraphError, match="use 'exponential', 'euler' or 'bitshift'"):
        decay_factor(torch.tensor(1e-2), dt=1e-3, decay="linear")


def slow_reference(x, alpha, beta, threshold, bias, v_rest, max_spikes):
    """The canonical equations in float64, one neuron after the other."""
    batch, steps, n = x.shape
    spikes = np.zeros((batch, steps, n))
    for b in range(batch):
        for k in range(n):
            i, v = 0.0, v_rest
            for t in range(steps):
                i = beta * i + x[b, t, k]
                v = v_rest + alpha * (v - v_rest) + i + bias
                if v >= threshold:
                    spikes[b, t, k] = min(math.floor(v / threshold), max_spikes)
                v -= spikes[b, t, k] * threshold
    return spikes


@pytest.mark.parametrize("backend", ["loop", "kernel"])
def test_the_layer_follows_the_canonical_equations(backend):
    rng = np.random.default_rng(0)
    x = rng.normal(0.1, 0.8, (2, 80, 5)).astype(np.float32)
    layer = rnn.CubaLIF(
        5, tau_mem=10e-3, tau_syn=4e-3, bias=0.02, v_rest=0.1, max_spikes=3, backend=backend
    )

    found = layer(torch.from_numpy(x)).numpy()

    alpha, beta = math.exp(-0.1), math.exp(-0.25)
    np.testing.assert_array_equal(found, slow_reference(x, alpha, beta, 1.0, 0.02, 0.1, 3))
    assert found.max() == 3
