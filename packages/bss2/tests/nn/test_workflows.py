"""The published workflows, small."""

from functools import partial

import numpy as np
import pytest
import torch

from ranvier_bss2 import nn
from ranvier_bss2.chip import VirtualChip
from ranvier_bss2.encoding import coordinates_to_spikes, sum_of_sines, yinyang

MIXED = nn.MixedHXModelParameter


def train_readout(seed, *, epochs=200, **settings):
    torch.manual_seed(seed)
    target = torch.tensor(sum_of_sines(3, seed=seed), dtype=torch.float32)
    experiment = nn.Experiment(**settings)
    write = partial(nn.linear_saturating, scale=55.0)
    synapse = nn.Synapse(128, 3, experiment, transform=write)
    li = nn.LI(3, experiment, leak=MIXED(0, 80), trace_scale=1 / 45, shift_cadc_to_first=True)
    x = (torch.rand(1, 100, 128) < 0.03).float()
    optimizer = torch.optim.Adam(synapse.parameters(), lr=2e-3)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        y = li(synapse(nn.NeuronHandle(x)))
        nn.run(experiment, 100)
        loss = torch.nn.functional.mse_loss(y.membrane_cadc, target)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, float(synapse.weight.detach().abs().max()) * 55


def test_an_untrained_readout_has_the_published_loss_on_average():
    starts = [train_readout(seed, epochs=1)[0][0] for seed in range(10)]

    assert 0.30 < np.mean(starts) < 0.45


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_readout_learns_sums_of_sines(seed):
    losses, largest = train_readout(seed)

    assert 0.25 < losses[0] < 0.65
    assert losses[-1] < 0.003
    assert losses[0] > losses[9] > losses[49] > losses[199]
    assert largest < 20


@pytest.mark.slow
def test_a_readout_learns_sums_of_sines_on_a_chip_that_only_quantises():
    losses, _ = train_readout(0, backend="emulator", chip=VirtualChip.of(0, "ideal"))

    assert losses[-1] < 0.003


@pytest.mark.slow
@pytest.mark.parametrize("chip", [1, 2])
def test_a_readout_learns_sums_of_sines_on_a_noisy_chip(chip):
    losses, _ = train_readout(0, backend="emulator", chip=VirtualChip.of(chip))

    assert losses[-1] < 0.02


class YinYangNetwork(torch.nn.Module):
    def __init__(self, *, adjoint=False, repeat=1, scale=55.0, trace=1 / 45, **settings):
        super().__init__()
        self.experiment, self.repeat = nn.Experiment(**settings), repeat
        e, tau, aligned = self.experiment, 6e-6, {"trace_scale": trace, "trace_offset": 80.0}
        synapse, neuron = (
            (nn.EventPropSynapse, nn.EventPropLIF)
            if adjoint
            else (
                nn.Synapse,
                nn.LIF,
            )
        )
        write = partial(nn.linear_saturating, scale=scale)
        self.first = synapse(5 * repeat, 120, e, transform=write)
        self.hidden = neuron(
            120,
            e,
            leak=MIXED(0, 80),
            reset=MIXED(0, 80),
            threshold=MIXED(1, 80 + 1 / trace),
            tau_mem=tau,
            tau_syn=tau,
            membrane_capacitance=MIXED(tau, 63),
            alpha=150.0,
            **aligned,
        )
        self.second = nn.Synapse(120, 3, e, transform=write)
        self.readout = nn.LI(3, e, leak=MIXED(0, 80), tau_mem=tau, tau_syn=tau, **aligned)

    def forward(self, points):
        spikes = coordinates_to_spikes(
            points, seq_length=38, t_early=2e-6, t_late=26e-6, t_bias=2e-6
        )
        x = torch.tensor(spikes, dtype=torch.float32).repeat(1, 1, self.repeat)
        y = self.readout(self.second(self.hidden(self.first(nn.NeuronHandle(x)))))
        nn.run(self.experiment, 38)
        return y.membrane_cadc.amax(1)


def train_yinyang(network, *, epochs, samples, gain=1.0):
    train, test = yinyang(samples, seed=42), yinyang(1000, seed=40)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    labels = torch.tensor(train.label)
    accuracies = []
    for _ in range(epochs):
        for part in torch.randperm(samples).split(50):
            optimizer.zero_grad()
            score = network(train.x[part.numpy()]) * gain
            loss = torch.nn.functional.cross_entropy(score, labels[part])
            (loss + 4e-4 * score.square().mean()).backward()
            optimizer.step()
        with torch.no_grad():
            guess = network(test.x).argmax(1).numpy()
        accuracies.append(float(np.mean(guess == test.label)))
    return accuracies


@pytest.mark.slow
@pytest.mark.parametrize(("adjoint", "least"), [(False, 0.84), (True, 0.78)])
def test_yinyang_is_learned_numerically(adjoint, least):
    torch.manual_seed(0)
    network = YinYangNetwork(adjoint=adjoint)
    torch.nn.init.normal_(network.first.weight, 0.8, 0.25)
    torch.nn.init.normal_(network.second.weight, 0.0, 0.1)

    accuracies = train_yinyang(network, epochs=5, samples=5000)

    assert accuracies[-1] > least
    assert accuracies[-1] > accuracies[0]


@pytest.mark.slow
def test_yinyang_is_learned_in_the_loop_with_a_noisy_chip():
    torch.manual_seed(0)
    network = YinYangNetwork(
        repeat=5, scale=66.39, trace=1 / 70, backend="emulator", chip=VirtualChip.of(1),
        kappa=70 / 66.39,
    )  # fmt: skip
    torch.nn.init.normal_(network.first.weight, 0.25, 0.25)
    torch.nn.init.normal_(network.second.weight, 0.0, 0.1)

    accuracies = train_yinyang(network, epochs=3, samples=3000, gain=10.0)

    assert accuracies[-1] > 0.8
