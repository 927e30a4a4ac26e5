import pytest
import torch

from ranvier.errors import InputError
from ranvier_bss2 import nn
from ranvier_bss2.nn import functional


def raster(n, *, rate=0.03, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(3, 40, n, generator=generator) < rate).float()


def run_layer(x, size=70, *, layout="batch_first", count=1, kind=nn.Synapse):
    """Run a layer of neurons behind synapses; give handles and synapses."""
    torch.manual_seed(0)
    experiment = nn.Experiment(layout=layout)
    synapses = [kind(x.shape[2], size, experiment) for _ in range(count)]
    for synapse in synapses:
        synapse.weight.data = (64 * 90 * torch.rand_like(synapse.weight)).round() / 64
    graded = [synapse(x) for synapse in synapses]
    z = nn.LIF(size, experiment, refractory_time=0.0)(*graded)
    nn.run(experiment)
    return z, graded, synapses


@pytest.mark.parametrize("size", [3, 70])
@pytest.mark.parametrize("rate", [0.03, 0.4])
def test_a_synapse_that_alone_feeds_a_layer_is_computed_with_it(rate, size):
    x = raster(9, rate=rate)

    z, (handle,), (synapse,) = run_layer(x, size)
    z.membrane_cadc.square().sum().backward()

    weight = synapse.weight.detach().clone().requires_grad_()
    layer = nn.LIF(size, nn.Experiment(), refractory_time=0.0)
    plain = functional.linear_aelif(x, weight, layer.neuron_parameters(), backend="loop")
    plain.v_mem.square().sum().backward()
    assert z.spikes.sum() > 0
    assert torch.equal(z.spikes, plain.spikes)
    scale = float(weight.grad.abs().max())
    torch.testing.assert_close(synapse.weight.grad, weight.grad, rtol=0, atol=1e-5 * scale)
    assert torch.equal(handle.graded_spikes, torch.nn.functional.linear(x, synapse.weight))


def test_few_spikes_and_their_weights_are_one_node_of_autograd():
    z, _, _ = run_layer(raster(9))

    assert "Linear" in z.spikes.grad_fn.name()


def test_several_synapses_of_a_layer_are_summed():
    z, handles, _ = run_layer(raster(9), count=2)

    total = sum(handle.graded_spikes for handle in handles)
    parameters = nn.LIF(70, nn.Experiment(), refractory_time=0.0).neuron_parameters()
    assert torch.equal(z.spikes, functional.aelif(total, parameters).spikes)
    assert z.spikes.sum() > 0


@pytest.mark.parametrize("layout", ["batch_first", "time_first"])
def test_weighted_spikes_have_gradients_and_the_layout_of_the_experiment(layout):
    x = raster(9) if layout == "batch_first" else raster(9).transpose(0, 1)

    _, (handle,), (synapse,) = run_layer(x, layout=layout)
    handle.graded_spikes.sum().backward()

    assert handle.graded_spikes is handle.graded_spikes
    assert handle.graded_spikes.shape == (*x.shape[:2], 70)
    torch.testing.assert_close(synapse.weight.grad, x.sum((0, 1)).expand(70, 9))


def test_weighted_spikes_are_those_of_the_run_after_a_step_of_the_optimizer():
    x = raster(9)
    z, (handle,), (synapse,) = run_layer(x)
    wanted = torch.nn.functional.linear(x, synapse.weight.detach())
    z.spikes.sum().backward()
    torch.optim.SGD([synapse.weight], lr=0.1).step()

    assert torch.equal(handle.graded_spikes, wanted)
    assert not handle.graded_spikes.requires_grad


def test_weighted_spikes_of_an_input_that_was_changed_in_place_are_refused_with_advice():
    x = raster(9)
    _, (handle,), _ = run_layer(x)
    x.zero_()

    with pytest.raises(InputError, match="give the next run a new tensor"):
        _ = handle.graded_spikes


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients_weighted_spikes_have_none(mode):
    x = raster(9)
    with mode():
        z, (handle,), _ = run_layer(x)
    wanted, _, _ = run_layer(x)

    assert not handle.graded_spikes.requires_grad
    assert torch.equal(z.spikes, wanted.spikes)


def test_handles_show_their_weighted_spikes_and_take_them_from_the_user():
    x = raster(9)
    _, (handle,), _ = run_layer(x)

    assert repr(handle) == "SynapseHandle(graded_spikes=3x40x70)"
    assert repr(nn.SynapseHandle()) == "SynapseHandle(empty)"
    assert nn.SynapseHandle(graded_spikes=x).graded_spikes is x
