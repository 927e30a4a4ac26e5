import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import InputError
from ranvier_dynapse2 import VirtualChip
from ranvier_dynapse2.mismatch import MISMATCHED
from ranvier_dynapse2.nn import DPI, with_mismatch


def network():
    torch.manual_seed(0)
    return rnn.Sequential(
        rnn.Linear(4, 6, bias=False), DPI((2, 3)), rnn.Flatten(), rnn.Linear(6, 2), DPI(2)
    )


def test_every_neuron_has_the_deviations_of_its_place_on_the_board():
    net, chip = network(), VirtualChip(3, mismatch=0.1)

    found = with_mismatch(net, chip)

    for name in MISMATCHED:
        factors = chip.factors(name, 8)
        for layer, plain, part in (
            (found[1], net[1], slice(0, 6)),
            (found[4], net[4], slice(6, 8)),
        ):
            wanted = plain.values()[name] * factors[part]
            np.testing.assert_array_equal(layer.values()[name], wanted)
    assert found[1].values()["i_scale"].tolist() == [1e-8] * 6


def test_the_network_itself_is_not_changed():
    net, x = network(), torch.ones(1, 50, 4) * 2
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net(x)

    other = with_mismatch(net, VirtualChip(0, mismatch=0.3))

    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert net[1].state is not None
    assert other[1].state is None


def test_gradients_of_several_boards_arrive_at_the_shared_weights():
    net = network()
    with torch.no_grad():
        net[0].weight.uniform_(0, 2)
    x = torch.ones(1, 60, 4)

    each = []
    for seed in range(2):
        net.zero_grad()
        with_mismatch(net, VirtualChip(seed))(x).sum().backward()
        each.append(net[0].weight.grad.clone())
    net.zero_grad()
    for seed in range(2):
        with_mismatch(net, VirtualChip(seed))(x).sum().backward()

    assert not torch.equal(each[0], each[1])
    torch.testing.assert_close(net[0].weight.grad, each[0] + each[1])


def test_weights_of_their_own_are_equal_but_apart():
    net = network()

    other = with_mismatch(net, VirtualChip(0), share_weights=False)

    assert torch.equal(other[0].weight, net[0].weight)
    assert other[0].weight is not net[0].weight


def test_a_single_layer_can_be_given_and_mismatch_changes_its_spikes():
    layer, x = DPI(20), torch.full((1, 100, 20), 0.5)

    counts = with_mismatch(layer, VirtualChip(0, mismatch=0.3))(x).sum(1)

    assert len(counts.unique()) > 3
    assert len(layer(x).sum(1).unique()) == 1


def test_a_network_without_such_neurons_is_refused():
    with pytest.raises(InputError, match="no DPI layer"):
        with_mismatch(rnn.Sequential(rnn.Linear(2, 2)), VirtualChip(0))
