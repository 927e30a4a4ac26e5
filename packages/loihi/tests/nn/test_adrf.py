import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from ranvier_loihi.nn._adrf import AdaptiveResonateFire, AdaptiveResonateFireIzhikevich

scalar = runpy.run_path(str(Path(__file__).parent / "scalar_kinds.py"))
scalar_resonator, Threshold = scalar["scalar_resonator"], scalar["Threshold"]
KINDS = [AdaptiveResonateFire, AdaptiveResonateFireIzhikevich]


def pair(seed, *shape, size=0.5):
    g = torch.Generator().manual_seed(seed)
    return tuple(size * torch.randn(*shape, generator=g) for _ in range(2))


def neuron(kind, shape=None, **changes):
    options = {
        "threshold": 0.5, "threshold_step": 0.25, "period": 12.0, "decay": 0.03,
        "threshold_decay": 0.1, "refractory_decay": 0.3,
    }  # fmt: skip
    return kind(shape, **{**options, **changes})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(25))
def test_states_and_spikes_equal_the_scalar_integers(kind, seed):
    rng = np.random.default_rng(seed)
    th, step = (int(c) for c in rng.integers(0, 60, 2))
    decays = [int(d) for d in rng.choice([0, 1, 500, 4095, 4096], 2)]
    cell = neuron(
        kind, 2, threshold=th / 64, threshold_step=step / 64, period=float(rng.uniform(4, 40)),
        threshold_decay=decays[0] / 4096, refractory_decay=decays[1] / 4096,
    )  # fmt: skip
    re, im = pair(seed, 1, 100, 2)
    spikes = cell((re, im))[0].numpy()
    states = [x[0].detach().numpy() for x in cell.membrane((re, im))]
    found = cell.device_params()
    for k in range(2):
        want = scalar_resonator(
            list(zip(re[0, :, k].tolist(), im[0, :, k].tolist(), strict=True)),
            found["sinDecay"], found["cosDecay"], Threshold(64 * th, 64 * step, *decays),
            phase=kind is AdaptiveResonateFire, reset=False,
        )  # fmt: skip
        np.testing.assert_array_equal(states[0][:, k], np.float32(want[0]) / np.float32(4096))
        np.testing.assert_array_equal(states[1][:, k], np.float32(want[1]) / np.float32(4096))
        np.testing.assert_array_equal(spikes[:, k], want[2])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_both_inputs_and_the_rotation(kind):
    cell = neuron(kind, 3, requires_grad=True, tau_grad=0.02)
    z = tuple(x.requires_grad_() for x in pair(0, 2, 60, 3))
    cell(z).sum().backward()
    for x in (*z, cell.sin_decay, cell.cos_decay):
        assert torch.isfinite(x.grad).all()
        assert x.grad.any()
    assert cell.threshold_decay.grad is None


def test_the_surrogate_uses_the_adapted_threshold():
    cell = neuron(AdaptiveResonateFireIzhikevich, 1, tau_grad=0.02)
    z = tuple(x.requires_grad_() for x in pair(1, 1, 1, 1))
    cell(z).sum().backward()
    im = float(cell.membrane(z)[1].detach())
    assert z[1].grad.item() == pytest.approx(0.1 / 2 * np.exp(-abs(im - 0.5)), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cuts", [[40], [1] * 40, [13, 27]])
def test_persistent_chunks_equal_one_run(kind, cuts):
    re, im = pair(3, 2, 40, 3)
    parts = neuron(kind, 3, persistent_state=True)
    chunks = [parts(z) for z in zip(re.split(cuts, 1), im.split(cuts, 1), strict=True)]
    assert torch.equal(torch.cat(chunks, 1), neuron(kind, 3)((re, im)))


@pytest.mark.parametrize(
    ("kind", "name"), [(KINDS[0], "ADRF_PHASE"), (KINDS[1], "ADRF_IZHIKEVICH")]
)
def test_what_a_file_keeps(kind, name):
    found = neuron(kind).device_params()
    assert found["type"] == name
    assert (found["thDecay"], found["refDecay"], found["vThStep"]) == (410, 1229, 16)
    assert found["vThMant"] == 32
