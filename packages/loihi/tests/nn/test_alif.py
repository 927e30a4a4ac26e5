import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier_loihi.nn._alif import Alif
from ranvier_loihi.nn._cuba import Cuba
from ranvier_loihi.nn._norm import MeanOnlyBatchNorm
from ranvier_loihi.nn.kernels import adapt, integrate

scalar = runpy.run_path(str(Path(__file__).parent / "scalar_kinds.py"))
scalar_alif, Threshold = scalar["scalar_alif"], scalar["Threshold"]


def floats(seed, *shape, size=1.0):
    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def neuron(shape=None, **changes):
    options = {
        "threshold": 0.5, "threshold_step": 0.25, "current_decay": 0.4, "voltage_decay": 0.2,
        "threshold_decay": 0.1, "refractory_decay": 0.3,
    }  # fmt: skip
    return Alif(shape, **{**options, **changes})


@pytest.mark.parametrize("seed", range(30))
def test_spikes_and_thresholds_equal_the_scalar_integers(seed):
    rng = np.random.default_rng(seed)
    decays = [int(d) for d in rng.choice([0, 1, 300, 2000, 4095, 4096], 4)]
    th, step = (int(c) for c in rng.integers(0, 100, 2))
    z = floats(seed, 1, 80, 2)
    names = ("current_decay", "voltage_decay", "threshold_decay", "refractory_decay")
    cell = neuron(
        2, threshold=th / 64, threshold_step=step / 64,
        **{name: d / 4096 for name, d in zip(names, decays, strict=True)},
    )  # fmt: skip
    found = cell(z)[0].numpy()
    none = torch.zeros(1, 2, dtype=torch.float64)
    u = integrate(z, cell._values("current_decay", 2), none)
    v = integrate(u.output, cell._values("voltage_decay", 2), none)
    levels = adapt(v.output, cell._adapting(2), (none, none)).threshold[0].numpy()
    for k in range(2):
        rest = Threshold(64 * th, 64 * step, *decays[2:])
        spikes, totals = scalar_alif(z[0, :, k].tolist(), *decays[:2], rest)
        np.testing.assert_array_equal(found[:, k], spikes)
        np.testing.assert_array_equal(levels[:, k], np.float32(totals) / np.float32(4096))


def test_gradients_run_through_both_integrators_and_not_through_the_threshold():
    cell = neuron(3, requires_grad=True, tau_grad=0.02)
    z, g = floats(0, 2, 60, 3).requires_grad_(), floats(1, 2, 60, 3)
    cell(z).backward(g)
    none = torch.zeros(2, 3, dtype=torch.float64)
    u = integrate(z.detach(), cell._values("current_decay", 3), none)
    v = integrate(u.output, cell._values("voltage_decay", 3), none)
    th = adapt(v.output, cell._adapting(3), (none, none)).threshold
    width = 0.02 * 0.5 * 100
    gs = g * 0.1 / (2 * width) * torch.exp(-(v.output - th).abs() / width)
    grads, keeps = gs.detach().double(), [1 - 819 / 4096, 1 - 1638 / 4096]
    sums = []
    for keep, out in zip(keeps, (v.output, u.output), strict=True):
        carried, result = torch.zeros(2, 3).double(), torch.zeros_like(grads)
        for t in range(59, -1, -1):
            carried = keep * carried + grads[:, t]
            result[:, t] = carried
        sums.append(float((result[:, 1:] * out.detach().double()[:, :-1]).sum()))
        grads = result
    torch.testing.assert_close(z.grad.double(), grads, rtol=1e-5, atol=1e-7)
    assert cell.voltage_decay.grad.item() == pytest.approx(sums[0], rel=1e-5)
    assert cell.current_decay.grad.item() == pytest.approx(sums[1], rel=1e-5)
    assert cell.threshold_decay.grad is None


def test_spikes_get_rarer_while_the_threshold_grows():
    z = torch.full((1, 200, 1), 0.5)
    slow = neuron(1, threshold_decay=0.0)(z).flatten()
    assert slow[:50].sum() > slow[150:].sum()
    assert slow.sum() < Cuba(1, threshold=0.5, current_decay=0.4, voltage_decay=0.2)(z).sum()


@pytest.mark.parametrize("cuts", [[40], [1] * 40, [13, 27]])
def test_persistent_chunks_equal_one_run(cuts):
    z = floats(2, 2, 40, 3)
    parts = neuron(3, persistent_state=True)
    chunks = [parts(chunk) for chunk in z.split(cuts, dim=1)]
    assert torch.equal(torch.cat(chunks, 1), neuron(3)(z))


def test_norm_acts_on_the_input():
    z = torch.full((1, 20, 2), 0.5)
    assert not neuron(2, norm=MeanOnlyBatchNorm(2))(z).any()


def test_without_a_threshold_nothing_spikes():
    assert not neuron(1, threshold=None)(torch.ones(1, 30, 1)).any()


def test_what_a_file_keeps():
    found = neuron().device_params()
    assert found == {
        "type": "ALIF", "iDecay": 1638, "vDecay": 819, "vThMant": 32, "refDelay": 1,
        "gradedSpike": False, "thDecay": 410, "refDecay": 1229, "vThStep": 16,
    }  # fmt: skip


def test_gradients_can_be_monitored():
    cell = neuron(3, requires_grad=True)
    with rnn.monitor_gradients(cell) as gradients:
        cell(floats(0, 1, 30, 3)).sum().backward()
    assert gradients.norms["current_decay"][0] > 0
    assert len(gradients.norms["voltage_decay"]) == 1
