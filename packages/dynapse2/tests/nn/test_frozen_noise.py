"""Two frozen patterns of noise, each to drive its own neuron: the published first example."""

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier_dynapse2 import VirtualChip
from ranvier_dynapse2.nn import DPI, LogSigmoid, MembraneStep, with_mismatch

EPOCHS = 200
WANTED = torch.tensor([[45.0, 5.0], [5.0, 45.0]])
"""Spike counts of the two neurons, per sample."""


@pytest.fixture(autouse=True)
def one_thread():
    """Layers this small are slower with several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def patterns():
    """Poisson spike counts of 60 channels at 50 Hz: 2 samples of 0.5 s."""
    rng = np.random.RandomState(2022)
    return torch.tensor(rng.poisson(50 * 1e-3, (2, 500, 60)), dtype=torch.float32)


def make_network(surrogate=None, seed=0):
    torch.manual_seed(seed)
    return rnn.Sequential(
        rnn.Linear(60, 2, bias=False), DPI(2, recurrent=True, surrogate=surrogate)
    )


def train(network, x, *, epochs=EPOCHS, mismatch=None):
    """Pull the spike counts towards those wanted; with mismatch, on another board each time."""
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    losses = []
    for epoch in range(epochs):
        board = VirtualChip(1000 + epoch, mismatch) if mismatch else None
        counts = (with_mismatch(network, board) if board else network)(x).sum(1)
        loss = ((counts - WANTED) / 45).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def rate_ratios(network, x):
    """Count of the right neuron over that of the other, per sample."""
    with torch.no_grad():
        counts = network(x).sum(1)
    return [float(counts[k, k] / counts[k, 1 - k].clamp(min=0.5)) for k in range(2)]


@pytest.mark.parametrize("seed", range(2))
def test_each_pattern_comes_to_drive_its_own_neuron(seed):
    x, network = patterns(), make_network(seed=seed)
    before = min(rate_ratios(network, x))

    train(network, x)

    assert before < 1.5
    assert min(rate_ratios(network, x)) >= 2.5
    assert max(float(p.detach().abs().max()) for p in network.parameters()) < 15


def test_a_network_trained_with_mismatch_works_on_twenty_boards_it_has_not_seen():
    x, network = patterns(), make_network()

    train(network, x, mismatch=0.05)

    boards = [with_mismatch(network, VirtualChip(seed, mismatch=0.05)) for seed in range(20)]
    assert min(min(rate_ratios(board, x)) for board in boards) >= 2.5


def test_the_default_surrogate_trains_in_fewer_steps_than_the_published_one():
    x = patterns()
    ends = {}
    for surrogate in (LogSigmoid(), MembraneStep()):
        ends[surrogate] = [
            train(make_network(surrogate, seed), x, epochs=80)[-1] for seed in range(3)
        ]

    assert max(ends[LogSigmoid()]) < min(ends[MembraneStep()])


def deep_network(surrogate):
    torch.manual_seed(0)
    hidden, out = (DPI(n, surrogate=surrogate) for n in (16, 2))
    network = rnn.Sequential(
        rnn.Linear(60, 16, bias=False), hidden, rnn.Linear(16, 2, bias=False), out
    )
    with torch.no_grad():
        network[0].weight.uniform_(-1.0, 1.5)
        network[2].weight.uniform_(-1.0, 3.0)
    return network


def test_the_default_surrogate_trains_a_hidden_layer_and_the_published_one_does_not():
    x = patterns()
    good, published = deep_network(LogSigmoid()), deep_network(MembraneStep())
    start = published[0].weight.detach().clone()

    train(good, x, epochs=100)
    train(published, x, epochs=100)

    assert min(rate_ratios(good, x)) >= 2.5
    assert min(rate_ratios(published, x)) < 2.5
    assert torch.allclose(published[0].weight, start, atol=0.01)
