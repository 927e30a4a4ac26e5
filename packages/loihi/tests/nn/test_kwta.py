import numpy as np
import pytest
import torch

from ranvier_loihi.nn import cuba, rf

PARAMS = {"threshold": 0.5, "current_decay": 1.0, "voltage_decay": 0.1}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_neurons_excite_themselves_and_inhibit_the_others():
    block = cuba.KWTA(PARAMS, 4, 3, 1, self_excitation=0.5)

    assert block.feedback.tolist() == [[0.5, -1.0, -1.0], [-1.0, 0.5, -1.0], [-1.0, -1.0, 0.5]]


def test_self_excitation_stays_within_zero_and_one():
    block = cuba.KWTA(PARAMS, 4, 2, 1, self_excitation=3.0)

    assert block.feedback.diagonal().tolist() == [1.0, 1.0]


def test_every_neuron_gets_the_constant_drive():
    block = cuba.KWTA(PARAMS, 4, 8, 2)

    np.testing.assert_allclose(block.drive.numpy(), 0.5 * (8 - 4) / 8 / 64)


def test_one_winner_silences_the_others():
    block = cuba.KWTA(PARAMS, 8, 8, 1, pre_hook=None)
    block.synapse.weight.data = 0.4 * torch.eye(8)
    x = torch.full((1, 300, 8), 0.3)
    x[0, :, 3] = 1.0

    rates = block(x)[0].detach().mean(0)

    assert int(rates.argmax()) == 3
    assert float(rates[3]) > 5 * float(rates[torch.arange(8) != 3].max())


def test_spikes_equal_single_steps_of_the_neuron():
    block = cuba.KWTA(PARAMS, 8, 6, 2, weight_scale=4, delay_shift=False)
    x = torch.from_numpy((np.random.default_rng(0).random((2, 50, 8)) < 0.4).astype(np.float32))

    out = block(x)

    block.neuron.persistent_state = True
    z, before, steps = block.synapse(x) + block.drive, torch.zeros(2, 1, 6), []
    for t in range(50):
        before = block.neuron(z[:, t : t + 1] + before @ block.feedback.t())
        steps.append(before)
    assert torch.equal(out, torch.cat(steps, dim=1))
    assert float(out.detach().sum()) > 0


def test_self_excitation_learns():
    block = cuba.KWTA(PARAMS, 8, 6, 2, weight_scale=4)

    block(torch.ones(1, 50, 8)).sum().backward()

    assert float(block.self_excitation.grad) != 0.0


def test_resonators_compete_with_their_real_part():
    block = rf.KWTA({"threshold": 0.3, "period": 8.0, "decay": 0.1}, 4, 3, 1)

    real, imaginary = block.feedback

    assert torch.equal(real, cuba.KWTA(PARAMS, 4, 3, 1).feedback)
    assert float(imaginary.abs().sum()) == 0
