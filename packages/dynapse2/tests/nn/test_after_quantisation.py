"""What is left of a trained decision on the chip's codes, over a hundred virtual chips."""

import numpy as np
import pytest
import torch

import ranvier as rv
import ranvier.nn as rnn
from ranvier_dynapse2 import VirtualChip
from ranvier_dynapse2.nn import DPI, with_mismatch

EPOCHS, MISMATCH, CHIPS = 300, 0.05, 100
WANTED = torch.tensor([[45.0, 5.0], [5.0, 45.0]])


@pytest.fixture(scope="module")
def samples():
    return np.random.RandomState(2022).poisson(50 * 1e-3, (2, 500, 60))


@pytest.fixture(scope="module")
def trained(samples):
    """The published first example: two patterns of noise, each to drive its own neuron."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = rnn.Sequential(rnn.Linear(60, 2, bias=False), DPI(2, recurrent=True))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    x = torch.as_tensor(samples, dtype=torch.float32)
    for epoch in range(EPOCHS):
        counts = with_mismatch(net, VirtualChip(1000 + epoch, MISMATCH))(x).sum(1)
        loss = ((counts - WANTED) / 45).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(before)
    return net


@pytest.fixture(scope="module")
def config(trained):
    return rv.build(trained.to_graph(), "dynapse2")


def decides(counts):
    return counts[0, 0] > counts[0, 1] and counts[1, 1] > counts[1, 0]


@pytest.mark.slow
def test_both_decisions_survive_quantisation_on_most_virtual_chips(config, samples):
    right = [
        decides(rv.simulate(config, samples, mismatch=MISMATCH, chip_seed=seed).output.sum(1))
        for seed in range(CHIPS)
    ]

    assert sum(right) >= 95


@pytest.mark.slow
def test_nothing_saturates_and_weights_are_precise(config):
    losses = [d for d in config.diagnostics if d.severity == "loss"]

    assert {d.code for d in losses} <= {"DY216"}  # synapses that are left out
    assert config.provenance["weights"]["core 0 of chip 0"]["mse"] <= 0.06
    assert np.all(config.current("SYAM_W3_P") < 0.99 * config.table.largest("SYAM_W3_P"))


@pytest.mark.slow
def test_the_mapped_network_without_codes_is_the_trained_one(trained, samples):
    from ranvier_dynapse2.dpi import DpiParameters, run_layer

    graph = trained.to_graph()
    node = next(n for n in graph.nodes.values() if n.kind == "dynapse2.dpi")
    w_in, w_rec = (trained[0].weight.detach().numpy(), trained[1].weight_rec.detach().numpy())
    with torch.no_grad():
        x = torch.as_tensor(samples, dtype=torch.float32)
        weighted, expected = trained[0](x).numpy(), trained(x).numpy()

    ran = run_layer(DpiParameters.of_node(node, dt=graph.dt), weighted, weight_rec=w_rec)

    assert w_in.shape == (2, 60)
    np.testing.assert_array_equal(ran.spikes, expected)
