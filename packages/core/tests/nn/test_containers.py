import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError


def relay(n=1):
    """A layer that repeats its input spikes in the same step."""
    return rnn.IF(n)


def identity(n=1):
    linear = rnn.Linear(n, n)
    with torch.no_grad():
        linear.weight.copy_(torch.eye(n))
    return linear


def pulse(steps=6):
    x = torch.zeros(1, steps, 1)
    x[:, 0] = 1.0
    return x


def first_spike(net):
    return net(pulse()).flatten().tolist().index(1.0)


def test_modules_are_found_by_place_name_and_attribute():
    net = rnn.Sequential(rnn.Linear(2, 3), ("hidden", rnn.LIF(3)), {"out": rnn.Linear(3, 1)})

    assert net["hidden"] is net[1] is net.hidden
    assert net.out is net[-1]
    assert len(net) == 3
    assert [type(m).__name__ for m in net[:2]] == ["Linear", "LIF"]


def test_an_unknown_name_lists_the_modules():
    with pytest.raises(KeyError, match="0, 1"):
        rnn.Sequential(rnn.Linear(2, 3), rnn.LIF(3))["hidden"]


@pytest.mark.parametrize("name", ["a.b", "", "forward"])
def test_unusable_names_are_refused(name):
    with pytest.raises(GraphError, match="cannot be called"):
        rnn.Sequential((name, rnn.LIF(1)))


def test_an_empty_chain_is_refused():
    with pytest.raises(GraphError, match="at least one"):
        rnn.Sequential()


@pytest.mark.parametrize("backend", ["auto", "loop"])
def test_each_hop_between_neuron_layers_takes_the_latency(backend):
    def net(latency):
        layers = [identity(), relay(), identity(), relay(), identity(), relay()]
        for layer in layers[1::2]:
            layer.backend = backend
        return rnn.Sequential(*layers, latency=latency)

    assert first_spike(net(0)) == 0
    assert first_spike(net(1)) == 2


def test_a_readout_without_neurons_is_not_delayed():
    net = rnn.Sequential(identity(), relay(), identity(), latency=1)

    assert first_spike(net) == 0


def test_nested_chains_have_the_same_hops_as_a_flat_one():
    flat = rnn.Sequential(identity(), relay(), identity(), relay(), identity(), relay(), latency=1)
    inner = rnn.Sequential(identity(), relay(), identity(), relay(), latency=1)
    nested = rnn.Sequential(identity(), relay(), inner, latency=1)

    assert first_spike(nested) == first_spike(flat) == 2


def test_a_nested_chain_of_another_latency_is_refused():
    with pytest.raises(GraphError, match="give both the same"):
        rnn.Sequential(rnn.Residual(identity(), relay()), latency=1)


@pytest.mark.parametrize("latency", [0, 1])
def test_a_residual_adds_the_source_spikes_in_their_own_step(latency):
    block = rnn.Residual(identity(), relay(), latency=latency)

    y = block(pulse(4)).flatten().tolist()

    assert y == ([2.0, 0.0, 0.0, 0.0] if latency == 0 else [1.0, 1.0, 0.0, 0.0])


def test_a_residual_in_a_chain_delays_its_block_once():
    net = rnn.Sequential(
        identity(), relay(), rnn.Residual(identity(), relay(), latency=1), latency=1
    )

    assert net(pulse(4)).flatten().tolist() == [1.0, 1.0, 0.0, 0.0]


def test_the_layer_after_a_residual_sees_both_paths_one_hop_later():
    net = rnn.Sequential(
        identity(),
        relay(),
        rnn.Residual(identity(), relay(), latency=1),
        identity(),
        relay(),
        latency=1,
    )

    assert net(pulse(5)).flatten().tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]


def test_a_block_that_changes_the_shape_is_refused():
    with pytest.raises(GraphError, match="both must be equal"):
        rnn.Residual(rnn.Linear(2, 3), rnn.LIF(3))(torch.zeros(1, 5, 2))


def test_recording_names_the_layers_and_keeps_gradients():
    net = rnn.Sequential(identity(), relay(), rnn.Residual(identity(), relay()))

    out, traces = net(pulse(), record=True)

    assert list(traces) == ["1", "2.1"]
    assert traces["1"].current.shape == (1, 6, 1)
    traces["1"].membrane.sum().backward()
    assert net[0].weight.grad is not None
    assert out.shape == (1, 6, 1)
    assert "2.1: (1, 6, 1)" in repr(traces)


def test_any_network_can_be_recorded():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = rnn.LIF(2)

        def forward(self, x):
            return self.cells(x) * 2

    net = Net()
    with rnn.record(net) as traces:
        net(torch.ones(1, 5, 2))
    net(torch.ones(1, 9, 2))

    assert traces["cells"].spikes.shape == (1, 5, 2)


def test_printing_shows_a_tree_with_shapes():
    text = repr(rnn.Sequential(rnn.Linear(4, 8), ("cells", rnn.LIF(8)), latency=1))

    assert "(0): Linear(4 → 8" in text
    assert "(cells): LIF(shape=(8,)" in text
    assert "latency=1, 32 trainable values" in text


def test_hooks_are_called_and_see_what_the_layers_pass_on():
    seen = []
    net = rnn.Sequential(rnn.Linear(60, 64), rnn.LIF(64), rnn.Linear(64, 5), rnn.LIF(5))
    x = (torch.rand(2, 20, 60) < 0.2).float()
    plain = net(x)
    net[1].register_forward_hook(lambda module, inputs, output: seen.append(output.shape))

    hooked = net(x)

    assert seen == [(2, 20, 64)]
    assert torch.equal(plain, hooked)


def test_gradient_monitor_gives_norms_by_layer():
    torch.manual_seed(0)
    cells = rnn.LIF(8, surrogate=rnn.PeriodicExponential(0.5))
    net = rnn.Sequential(rnn.Linear(4, 8, weight_norm=True), cells, rnn.Linear(8, 2))

    with rnn.monitor_gradients(net) as gradients:
        net(torch.ones(1, 20, 4)).sum().backward()
        net(torch.ones(1, 20, 4)).sum().backward()
    net(torch.ones(1, 20, 4)).sum().backward()

    norms = gradients.layers()
    assert list(norms) == ["2", "0"]
    assert norms["2"] > 0
    assert len(gradients.norms["2.weight"]) == 2
    assert gradients.vanished() == []
