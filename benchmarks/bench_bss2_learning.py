"""What learning on BrainScaleS-2 reaches: sines and YinYang, on the model and on virtual chips.

``python benchmarks/bench_bss2_learning.py [--quick]``: about 5 minutes, one thread.
"""

import argparse
import time
from functools import partial

import numpy as np
import torch

from ranvier_bss2 import VirtualChip, nn
from ranvier_bss2.encoding import coordinates_to_spikes, sum_of_sines, yinyang

BOTH = nn.MixedHXModelParameter
STEPS, HIDDEN, TAU = 38, 120, 6e-6
CHIPS = (1, 2, 3)


def sines(seed, **settings):
    """Train a readout for 200 epochs; return the first and the last loss."""
    torch.manual_seed(seed)
    target = torch.tensor(sum_of_sines(3, seed=seed), dtype=torch.float32)
    experiment = nn.Experiment(**settings)
    synapse = nn.Synapse(128, 3, experiment, transform=partial(nn.linear_saturating, scale=55.0))
    li = nn.LI(3, experiment, leak=BOTH(0, 80), trace_scale=1 / 45, shift_cadc_to_first=True)
    x = (torch.rand(1, 100, 128) < 0.03).float()
    optimizer = torch.optim.Adam(synapse.parameters(), lr=2e-3)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        y = li(synapse(nn.NeuronHandle(x)))
        nn.run(experiment, 100)
        loss = torch.nn.functional.mse_loss(y.membrane_cadc, target)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses[0], losses[-1]


class YinYangNetwork(torch.nn.Module):
    """Five inputs, a hidden layer, three classes by the highest membrane."""

    def __init__(self, *, repeat=1, scale=55.0, trace=1 / 45, **settings):
        super().__init__()
        self.experiment, self.repeat = nn.Experiment(**settings), repeat
        e, aligned = self.experiment, {"trace_scale": trace, "trace_offset": 80.0}
        write = partial(nn.linear_saturating, scale=scale)
        self.first = nn.Synapse(5 * repeat, HIDDEN, e, transform=write)
        self.hidden = nn.LIF(
            HIDDEN,
            e,
            leak=BOTH(0, 80),
            reset=BOTH(0, 80),
            threshold=BOTH(1, 80 + 1 / trace),
            tau_mem=TAU,
            tau_syn=TAU,
            membrane_capacitance=BOTH(TAU, 63),
            alpha=150.0,
            **aligned,
        )
        self.second = nn.Synapse(HIDDEN, 3, e, transform=write)
        self.readout = nn.LI(3, e, leak=BOTH(0, 80), tau_mem=TAU, tau_syn=TAU, **aligned)

    def forward(self, points):
        times = {"seq_length": STEPS, "t_early": 2e-6, "t_late": 26e-6, "t_bias": 2e-6}
        spikes = torch.tensor(coordinates_to_spikes(points, **times), dtype=torch.float32)
        y = self.first(nn.NeuronHandle(spikes.repeat(1, 1, self.repeat)))
        y = self.readout(self.second(self.hidden(y)))
        nn.run(self.experiment, STEPS)
        return y.membrane_cadc.amax(1)


def numeric_network():
    torch.manual_seed(0)
    network = YinYangNetwork()
    torch.nn.init.normal_(network.first.weight, 0.8, 0.25)
    torch.nn.init.normal_(network.second.weight, 0.0, 0.1)
    return network


def network_on(chip):
    torch.manual_seed(0)
    network = YinYangNetwork(
        repeat=5,
        scale=66.39,
        trace=1 / 70,
        backend="emulator",
        chip=VirtualChip.of(chip),
        kappa=70 / 66.39,
    )
    torch.nn.init.normal_(network.first.weight, 0.25, 0.25)
    torch.nn.init.normal_(network.second.weight, 0.0, 0.1)
    return network


def accuracy(network, data):
    with torch.no_grad():
        return float(np.mean(network(data.x).argmax(1).numpy() == data.label))


def train(network, train_set, test_set, *, epochs, gain=1.0):
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10, 0.9)
    labels, found = torch.tensor(train_set.label), []
    for _ in range(epochs):
        for part in torch.randperm(len(train_set)).split(50):
            optimizer.zero_grad()
            score = network(train_set.x[part.numpy()]) * gain
            loss = torch.nn.functional.cross_entropy(score, labels[part])
            (loss + 4e-4 * score.square().mean()).backward()
            optimizer.step()
        schedule.step()
        found.append(accuracy(network, test_set))
    return found


def shown(values):
    return " ".join(f"{100 * v:.1f}" for v in values)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    print("readout of sines, 200 epochs, loss of the first and the last (numeric; noisy chip)")
    for seed in range(2 if quick else 5):
        ideal, chip = sines(seed), sines(seed, backend="emulator", chip=VirtualChip.of(seed + 1))
        print(f"  seed {seed}: {ideal[0]:.3f} {ideal[1]:.5f}; {chip[0]:.3f} {chip[1]:.4f}")
    train_set, test_set = yinyang(5000, seed=42), yinyang(1000, seed=40)
    epochs = 3 if quick else 10
    begun = time.process_time()
    found = train(numeric_network(), train_set, test_set, epochs=epochs)
    spent = (time.process_time() - begun) / epochs
    print(f"YinYang, numeric, test accuracy per epoch (%): {shown(found)}; {spent:.1f} s per epoch")
    trained = {}
    for chip in CHIPS[: 1 if quick else 3]:
        begun = time.process_time()
        trained[chip] = network_on(chip)
        found = train(trained[chip], train_set, test_set, epochs=epochs, gain=10.0)
        spent = (time.process_time() - begun) / epochs
        print(f"YinYang, in the loop with chip {chip}: {shown(found)}; {spent:.1f} s per epoch")
    other = network_on(2)
    other.load_state_dict(trained[1].state_dict())
    before = accuracy(other, test_set)
    after = train(other, train_set, test_set, epochs=2, gain=10.0)
    print(f"trained on chip 1, run on chip 2: {100 * before:.1f}; two epochs later: {shown(after)}")


if __name__ == "__main__":
    main()
