import numpy as np
import pytest
import torch

from ranvier_bss2 import nn
from ranvier_bss2.numerics import NeuronParameters, run_layer


def raster(n, *, batch=3, steps=40, rate=0.2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, steps, n, generator=generator) < rate).float()


def test_the_introduction_has_its_published_membrane():
    experiment = nn.Experiment(dt=1e-6)
    synapse = nn.Synapse(1, 1, experiment)
    synapse.weight.data.fill_(50.0)
    x = torch.zeros(1, 50, 1)
    x[0, [10, 15, 20, 30]] = 1

    z = nn.LIF(1, experiment)(synapse(nn.NeuronHandle(x)))
    nn.run(experiment, 50)

    v = z.membrane_cadc.detach()[0, :, 0]
    np.testing.assert_allclose(v[11:16], [85.0, 89.0, 92.15, 94.58, 96.40], atol=5e-3)
    assert z.spikes[0, :, 0].nonzero().flatten().tolist() == [22]
    assert v[22:24].tolist() == [80.0, 80.0]


@pytest.mark.parametrize(("tau_mem", "peak"), [(5e-6, 0.2693), (10e-6, 0.3874), (20e-6, 0.5183)])
def test_the_default_capacitance_couples_gain_and_membrane_time_constant(tau_mem, peak):
    experiment = nn.Experiment()
    synapse = nn.Synapse(1, 1, experiment)
    synapse.weight.data.fill_(1.0)
    x = torch.zeros(1, 60, 1)
    x[0, 0] = 1

    y = nn.LI(1, experiment, leak=0.0, tau_mem=tau_mem)(synapse(x))
    nn.run(experiment)

    assert float(y.membrane_cadc.detach().max()) == pytest.approx(peak, abs=5e-5)


def test_two_layers_equal_the_layers_of_the_numerics_one_after_the_other():
    torch.manual_seed(0)
    experiment = nn.Experiment()
    first, second = nn.Synapse(5, 8, experiment), nn.Synapse(8, 3, experiment)
    first.weight.data = first.weight * 200
    x = raster(5)

    z = nn.LIF(8, experiment)(first(x))
    y = nn.LI(3, experiment, leak=0.0)(second(z))
    nn.run(experiment, 40)

    lif = NeuronParameters.of_values(
        {"leak": 80, "reset": 80, "threshold": 125, "refractory": 1e-6}, dt=1e-6, n=8
    )
    li = NeuronParameters.of_values({"leak": 0}, dt=1e-6, n=3, switches=("leaky",))
    hidden = run_layer(lif, torch.nn.functional.linear(x, first.weight).detach().numpy())
    inner = torch.nn.functional.linear(torch.tensor(hidden.spikes), second.weight)
    assert 0 < hidden.spikes.sum() < hidden.spikes.size
    np.testing.assert_array_equal(z.spikes.detach(), hidden.spikes)
    np.testing.assert_allclose(
        y.membrane_cadc.detach(), run_layer(li, inner.detach().numpy()).v_mem, rtol=1e-5, atol=1e-6
    )


def test_several_synapses_of_one_layer_are_summed():
    experiment = nn.Experiment()
    synapses = [nn.Synapse(4, 2, experiment) for _ in range(2)]
    x = raster(4)
    y = nn.LI(2, experiment, leak=0.0)(synapses[0](x), synapses[1](x))
    nn.run(experiment)
    both = y.membrane_cadc.detach()

    other = nn.Experiment()
    joined = nn.Synapse(4, 2, other)
    joined.weight.data = synapses[0].weight.data + synapses[1].weight.data
    y = nn.LI(2, other, leak=0.0)(joined(x))
    nn.run(other)

    torch.testing.assert_close(both, y.membrane_cadc.detach(), rtol=1e-5, atol=1e-6)


def test_results_end_with_the_input_or_with_a_shorter_runtime():
    experiment = nn.Experiment()
    synapse, li = nn.Synapse(2, 2, experiment), nn.LI(2, experiment)
    lengths = []
    for runtime in (None, 10, 40, 60):
        y = li(synapse(raster(2)))
        nn.run(experiment, runtime)
        lengths.append(y.membrane_cadc.shape[1])

    assert lengths == [40, 10, 40, 40]


def test_integrate_and_fire_neurons_do_not_leak():
    experiment = nn.Experiment()
    synapse = nn.Synapse(1, 1, experiment)
    synapse.weight.data.fill_(1.0)
    x = torch.zeros(1, 300, 1)
    x[0, 0] = 1

    z = nn.IAF(1, experiment)(synapse(x))
    nn.run(experiment)

    v = z.membrane_cadc.detach()[0, :, 0]
    assert float(v[-1]) == pytest.approx(1.0, abs=1e-3)  # charge dt / C sum of i = tau_syn / C
    assert bool((v[1:] >= v[:-1]).all())


def test_dropout_silences_neurons_for_all_samples_and_only_in_training():
    torch.manual_seed(0)
    experiment = nn.Experiment()
    synapse = nn.Synapse(3, 50, experiment)
    synapse.weight.data.fill_(90.0)
    lif, dropout = nn.LIF(50, experiment), nn.BatchDropout(50, 0.5, experiment)
    z = lif(synapse(raster(3)))
    dropped = dropout(z)
    nn.run(experiment)
    silent = dropout.mask == 0

    assert 10 < int(silent.sum()) < 40
    assert bool(z.spikes.sum((0, 1)).gt(0).all())
    assert not dropped.spikes[:, :, silent].any()
    torch.testing.assert_close(dropped.spikes[:, :, ~silent], z.spikes[:, :, ~silent])

    dropout.eval()
    kept = dropout(lif(synapse(raster(3))))
    nn.run(experiment)
    assert bool(kept.spikes.sum((0, 1)).gt(0).all())


def test_gradients_reach_all_weights():
    torch.manual_seed(0)
    experiment = nn.Experiment()
    first, second = nn.Synapse(5, 8, experiment), nn.Synapse(8, 3, experiment)
    first.weight.data = first.weight * 100
    y = nn.LI(3, experiment, leak=0.0)(second(nn.LIF(8, experiment)(first(raster(5)))))
    nn.run(experiment)

    y.membrane_cadc.square().sum().backward()

    assert bool(first.weight.grad.any())
    assert bool(second.weight.grad.any())


def test_eventprop_layers_have_the_spikes_of_lif_layers_and_gradients_of_their_own():
    torch.manual_seed(0)
    x, weight = raster(5), torch.rand(8, 5) * 60
    results = []
    for synapse_kind, neuron_kind in (
        (nn.Synapse, nn.LIF),
        (nn.EventPropSynapse, nn.EventPropLIF),
    ):
        experiment = nn.Experiment()
        synapse = synapse_kind(5, 8, experiment)
        synapse.weight.data = weight.clone()
        z = neuron_kind(8, experiment, refractory_time=0.0)(synapse(x))
        nn.run(experiment)
        z.spikes.sum().backward()
        results.append((z, synapse))

    (lif, _), (adjoint, synapse) = results
    assert lif.spikes.sum() > 0
    torch.testing.assert_close(adjoint.spikes, lif.spikes)
    torch.testing.assert_close(adjoint.membrane_cadc, lif.membrane_cadc.detach())
    torch.testing.assert_close(adjoint.current[:, 1:], lif.current[:, :-1].detach())
    assert bool(synapse.weight.grad.any())


def test_several_eventprop_synapses_act_as_one_with_their_inputs_side_by_side():
    torch.manual_seed(0)
    x, weight = raster(6), torch.rand(4, 6) * 60
    experiment = nn.Experiment()
    parts = [nn.EventPropSynapse(3, 4, experiment) for _ in range(2)]
    for k, part in enumerate(parts):
        part.weight.data = weight[:, 3 * k : 3 * k + 3].clone()
    handles = [part(x[:, :, 3 * k : 3 * k + 3]) for k, part in enumerate(parts)]
    z = nn.EventPropLIF(4, experiment)(*handles)
    nn.run(experiment)
    z.spikes.sum().backward()
    other = nn.Experiment()
    whole = nn.EventPropSynapse(6, 4, other)
    whole.weight.data = weight.clone()
    joined = nn.EventPropLIF(4, other)(whole(x))
    nn.run(other)
    joined.spikes.sum().backward()

    torch.testing.assert_close(z.spikes, joined.spikes)
    gradients = torch.cat([part.weight.grad for part in parts], dim=1)
    torch.testing.assert_close(gradients, whole.weight.grad)
