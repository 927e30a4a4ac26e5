import math

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError


def rounded(k):
    return -1e-3 / math.log(1 - 2.0**-k)


def test_layers_have_the_published_names_and_time_constants():
    net = rnn.SynNet(
        4, 8, size_hidden_layers=[6, 5], time_constants_per_layer=[3, 2], p_dropout=0.1
    )

    names = [name for name, _ in net.seq.named_children()]

    assert names == [
        *("0_linear", "0_neurons", "0_dropout", "1_linear", "1_neurons", "1_dropout"),
        *("out_linear", "out_neurons"),
    ]
    assert net.lif_names == ["0_neurons", "1_neurons", "out_neurons"]
    expected = [rounded(k) for k in (1, 2, 3, 1, 2, 3)]
    np.testing.assert_allclose(net.seq["0_neurons"].tau_syn, expected, rtol=1e-5)
    np.testing.assert_allclose(net.seq["1_neurons"].tau_syn, expected[:2] * 2 + expected[:1], 1e-5)
    assert float(net.seq["0_neurons"].tau_mem) == pytest.approx(rounded(1))


def test_time_constants_are_kept_without_rounding():
    net = rnn.SynNet(
        4,
        8,
        size_hidden_layers=[3],
        time_constants_per_layer=[3],
        tau_syn_base=3e-3,
        quantize_time_constants=False,
    )

    np.testing.assert_allclose(net.seq["0_neurons"].tau_syn, [3e-3, 9e-3, 27e-3], rtol=1e-5)


def test_weights_are_smaller_where_the_synapse_is_slower():
    net = rnn.SynNet(4, 8)

    bound = math.sqrt(6 / 8) * 1e-3 / net.seq["0_neurons"].tau_syn
    largest = net.seq["0_linear"].weight.detach().abs().amax(1)
    assert (largest <= bound).all()
    assert (largest > 0.3 * bound).all()


def test_the_output_can_be_switched_after_construction():
    torch.manual_seed(0)
    net = rnn.SynNet(4, 8, dt=1e-3)
    x = (torch.rand(2, 40, 8) < 0.3).float()

    spikes = net(x)
    net.output = "vmem"
    membrane = net(x)
    net.output = "spikes"

    assert set(spikes.unique().tolist()) <= {0.0, 1.0}
    assert membrane.unique().numel() > 10
    assert torch.equal(net(x), spikes)


def test_spike_limits_are_those_of_the_arguments():
    net = rnn.SynNet(4, 8, max_spikes_per_dt=5, max_spikes_per_dt_out=2)

    assert [net.seq[name].max_spikes for name in net.lif_names] == [5, 2]


def test_trained_constants_leave_the_output_membrane_fixed():
    net = rnn.SynNet(4, 8, train_time_constants=True, train_threshold=True)

    trained = {name for name, _ in net.seq.named_parameters()}

    assert {"0_neurons.tau_mem", "0_neurons.tau_syn", "out_neurons.tau_syn"} <= trained
    assert {"0_neurons.threshold", "out_neurons.threshold"} <= trained
    assert "out_neurons.tau_mem" not in trained


@pytest.mark.parametrize(
    "model",
    [rnn.CubaLIF, rnn.LIF, rnn.IF, rnn.AdaptiveLIF, rnn.AdEx, rnn.ResonateAndFire, rnn.SigmaDelta],
)
def test_every_neuron_model_works(model):
    net = rnn.SynNet(4, 8, neuron_model=model, train_threshold=True)
    x = (torch.rand(2, 20, 8) < 0.3).float()

    y = net(x)
    y.sum().backward()
    net.output = "vmem"

    assert y.shape == net(x).shape == (2, 20, 4)


def test_further_arguments_reach_every_layer():
    net = rnn.SynNet(4, 8, neuron_kwargs={"decay": "bitshift", "surrogate": rnn.Window(0.5)})

    assert all(net.seq[name].decay == "bitshift" for name in net.lif_names)


def test_recording_reaches_the_inner_layers():
    net = rnn.SynNet(4, 8)

    _, traces = net(torch.ones(1, 10, 8), record=True)

    assert list(traces) == ["0_neurons", "out_neurons"]


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"size_hidden_layers": [3, 4]}, "give one for each layer"),
        ({"tau_syn_base": 1e-3}, "above dt"),
        ({"output": "rate"}, "'spikes' or 'vmem'"),
        ({"output": "vmem", "threshold_out": 2.0}, "leave it out"),
    ],
)
def test_arguments_that_contradict_are_refused(options, advice):
    with pytest.raises(GraphError, match=advice):
        rnn.SynNet(4, 8, **options)


def test_a_training_step_lowers_the_loss():
    torch.manual_seed(0)
    net = rnn.SynNet(2, 8, output="vmem", size_hidden_layers=[20], time_constants_per_layer=[3])
    x = (torch.rand(8, 40, 8) < 0.3).float()
    label = torch.arange(8) % 2
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.cross_entropy(net(x).mean(1), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert losses[-1] < 0.7 * losses[0]
