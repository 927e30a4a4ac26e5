import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError
from ranvier_loihi.nn._norm import MeanOnlyBatchNorm
from ranvier_loihi.nn._resonate import ResonateFire, ResonateFireIzhikevich

scalar_resonator = runpy.run_path(str(Path(__file__).parent / "scalar_kinds.py"))[
    "scalar_resonator"
]
KINDS = [ResonateFire, ResonateFireIzhikevich]


def floats(seed, *shape, size=1.0):
    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pair(seed, *shape, size=0.5):
    return floats(seed, *shape, size=size), floats(seed + 100, *shape, size=size)


def neuron(kind, shape=None, threshold=1.0, period=12.0, decay=0.03, **options):
    return kind(shape, threshold=threshold, period=period, decay=decay, **options)


def shown(codes):
    return np.float32(codes) / np.float32(4096)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(25))
def test_states_and_spikes_equal_the_scalar_integers(kind, seed):
    rng = np.random.default_rng(seed)
    th = int(rng.integers(0, 150))
    cell = neuron(kind, 2, th / 64, float(rng.uniform(4, 60)), float(rng.choice([0, 0.03, 0.9])))
    re, im = pair(seed, 1, 100, 2)
    spikes = cell((re, im))[0].numpy()
    states = [x[0].detach().numpy() for x in cell.membrane((re, im))]
    found = cell.device_params()
    for k in range(2):
        want = scalar_resonator(
            list(zip(re[0, :, k].tolist(), im[0, :, k].tolist(), strict=True)),
            found["sinDecay"], found["cosDecay"], 64 * th,
            phase=kind is ResonateFire, reset=kind is not ResonateFire,
        )  # fmt: skip
        np.testing.assert_array_equal(states[0][:, k], shown(want[0]))
        np.testing.assert_array_equal(states[1][:, k], shown(want[1]))
        np.testing.assert_array_equal(spikes[:, k], want[2])


def reverse(g_re, g_im, re, im, cos, sin):
    """Rotate gradients back in float64; give those of both inputs, cosine and sine."""
    a = c = torch.zeros_like(g_re[:, 0])
    out, g_cos, g_sin = [], 0.0, 0.0
    for t in range(g_re.shape[1] - 1, -1, -1):
        a, c = g_re[:, t] + cos * a + sin * c, g_im[:, t] - sin * a + cos * c
        out.append((a, c))
        if t:
            g_cos += float((a * re[:, t - 1] + c * im[:, t - 1]).sum())
            g_sin += float((-a * im[:, t - 1] + c * re[:, t - 1]).sum())
    real, imag = (torch.stack(x[::-1], 1) for x in zip(*out, strict=True))
    return real, imag, g_cos, g_sin


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_equal_those_of_a_plain_reverse_loop(kind):
    cell = neuron(kind, 3, requires_grad=True)
    z = tuple(x.requires_grad_() for x in pair(0, 2, 60, 3))
    g = floats(7, 2, 60, 3)
    cell(z).backward(g)
    re, im = (x.detach().double() for x in cell.membrane(z))
    g = g.double()
    if kind is ResonateFire:
        width, height = 0.5, 10.0
        d_re, d_im = (torch.exp(-x.abs() / width) / (2 * width) for x in (re - 1, im))
        step = (1 + torch.sign(re - 1) * (1 - 2 * width * d_re)) / 2
        g_re = g * height * d_re * d_im
        g_im = -g * height / width * torch.sign(im) * d_im * step
    else:
        g_re, g_im = torch.zeros_like(g), g * 0.1 / 200 * torch.exp(-(im - 1).abs() / 100)
    cos, sin = (cell.device_params()[name] / 4096 for name in ("cosDecay", "sinDecay"))
    real, imag, g_cos, g_sin = reverse(g_re, g_im, re, im, cos, sin)
    for found, want in ((z[0].grad, real), (z[1].grad, imag)):
        torch.testing.assert_close(found.double(), want, rtol=1e-5, atol=1e-5 * want.abs().max())
    assert cell.cos_decay.grad.item() == pytest.approx(g_cos, rel=1e-5)
    assert cell.sin_decay.grad.item() == pytest.approx(g_sin, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cuts", [[40], [1] * 40, [13, 27]])
def test_persistent_chunks_equal_one_run(kind, cuts):
    re, im = pair(3, 2, 40, 3)
    parts = neuron(kind, 3, persistent_state=True)
    chunks = [parts(z) for z in zip(re.split(cuts, 1), im.split(cuts, 1), strict=True)]
    assert torch.equal(torch.cat(chunks, 1), neuron(kind, 3)((re, im)))


def test_a_pulse_makes_one_spike_per_cycle_until_it_has_decayed():
    re = torch.zeros(1, 200, 1)
    re[0, 0, 0] = 2.0
    spikes = neuron(ResonateFire, 1, threshold=0.5, period=20.0)((re, torch.zeros_like(re)))
    times = spikes.flatten().nonzero().flatten()
    assert len(times) == 2
    assert int(times[1] - times[0]) in (19, 20, 21)


def test_factors_stay_within_the_registers():
    cell = neuron(ResonateFire, period=4.0, decay=0.0, requires_grad=True)
    found = cell.device_params()
    assert found == {
        "type": "RF_PHASE", "sinDecay": 4095, "cosDecay": 0, "vThMant": 64, "gradedSpike": False,
    }  # fmt: skip
    with torch.no_grad():
        cell.sin_decay.fill_(-50.0)
        cell.cos_decay.fill_(9000.0)
    assert cell.device_params()["sinDecay"] == 1
    assert cell.device_params()["cosDecay"] == 4095


def test_a_range_of_periods_is_spaced_logarithmically_or_drawn():
    cell = neuron(ResonateFire, (5, 2), period=(8.0, 128.0), shared_param=False, decay=0.0)
    angle = torch.atan2(cell.sin_decay.detach(), cell.cos_decay.detach())
    periods = 2 * torch.pi / angle
    torch.testing.assert_close(periods, torch.tensor([128.0, 64, 32, 16, 8]), rtol=1e-3, atol=0)
    drawn = neuron(
        ResonateFire, 5, period=(8.0, 128.0), shared_param=False, decay=0.0, log_init=False
    )
    angles = torch.atan2(drawn.sin_decay.detach(), drawn.cos_decay.detach())
    assert ((angles > 2 * torch.pi / 129) & (angles < 2 * torch.pi / 7.9)).all()
    assert drawn.device_params()["sinDecay"].shape == (5,)


def test_gradients_can_be_monitored():
    cell = neuron(ResonateFire, 3, requires_grad=True)
    with rnn.monitor_gradients(cell) as gradients:
        cell(pair(0, 1, 30, 3)).sum().backward()
    assert set(gradients.norms) == {"sin_decay", "cos_decay"}


def test_states_beyond_24_bits_are_counted():
    cell = neuron(ResonateFire, 1)
    x = torch.zeros(1, 2, 1)
    x[0, 0, 0] = 2049.0
    cell((x, torch.zeros_like(x)))
    assert cell.overflow == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"period": 3.0}, "at least 4"),
        ({"decay": 1.0}, "decay is 1.0"),
        ({"period": (5.0, 9.0)}, "shared_param=False"),
        ({"norm": MeanOnlyBatchNorm(1)}, "norm is not defined"),
    ],
)
def test_impossible_resonators_are_refused(options, message):
    with pytest.raises(GraphError, match=message):
        neuron(ResonateFire, 1, **options)


def test_a_real_input_is_refused():
    cell = neuron(ResonateFire, 1)
    with pytest.raises(InputError, match="pair"):
        cell(torch.zeros(1, 3, 1))
    with pytest.raises(InputError, match="complex synapse"):
        cell.run_dense(torch.zeros(1, 3, 1), torch.zeros(1, 1))
