import pytest
import torch

from ranvier.errors import InputError
from ranvier_bss2 import nn


def small(layout="batch_first", **more):
    experiment = nn.Experiment(layout=layout)
    synapse = nn.Synapse(3, 2, experiment)
    synapse.weight.data.fill_(40.0)
    return experiment, synapse, nn.LIF(2, experiment, **more)


def spikes(seed=0, batch=4, steps=20):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, steps, 3, generator=generator) < 0.2).float()


def test_old_and_new_names_are_the_same_classes():
    assert (nn.Neuron, nn.ReadoutNeuron) == (nn.LIF, nn.LI)
    assert (nn.IAFNeuron, nn.EventPropNeuron) == (nn.IAF, nn.EventPropLIF)
    assert (nn.NeuronHandle, nn.ReadoutNeuronHandle) == (nn.LIFObservables, nn.LIObservables)


def test_the_first_value_of_a_neuron_handle_are_its_spikes():
    x = spikes()

    assert nn.NeuronHandle(x).spikes is x
    assert nn.LIFObservables(spikes=x).current is None


def test_a_handle_is_empty_before_the_run_and_full_after_it():
    experiment, synapse, lif = small()
    z = lif(synapse(nn.NeuronHandle(spikes())))

    assert not z.tensors()
    nn.run(experiment, 20)

    assert z.spikes.shape == z.membrane_cadc.shape == z.current.shape == (4, 20, 2)
    assert z.membrane_madc is None
    assert set(z.spikes.unique().tolist()) <= {0.0, 1.0}


def test_the_next_run_does_not_overwrite_handles():
    experiment, synapse, lif = small()
    first = lif(synapse(nn.NeuronHandle(spikes(0))))
    nn.run(experiment, 20)
    kept = first.membrane_cadc.detach().clone()

    second = lif(synapse(nn.NeuronHandle(spikes(1))))
    nn.run(experiment, 20)

    assert first is not second
    torch.testing.assert_close(first.membrane_cadc.detach(), kept, rtol=0, atol=0)
    assert not torch.equal(second.membrane_cadc, first.membrane_cadc)


def test_the_time_first_layout_gives_the_same_numbers_with_other_axes():
    experiment, synapse, lif = small(enable_madc_recording=True)
    z = lif(synapse(nn.NeuronHandle(spikes())))
    nn.run(experiment, 20)
    experiment, synapse, lif = small("time_first", enable_madc_recording=True)

    turned = lif(synapse(nn.NeuronHandle(nn.time_first(spikes()))))
    nn.run(experiment, 20)

    assert turned.spikes.shape == (20, 4, 2)
    assert turned.membrane_madc.shape == (2, 20, 4)
    for name, value in nn.batch_first(turned).tensors().items():
        torch.testing.assert_close(value, getattr(z, name), rtol=0, atol=0)


def test_turning_a_vector_is_refused():
    with pytest.raises(InputError, match=r"x\[None\]"):
        nn.time_first(torch.zeros(3))


def test_the_numeric_backend_gives_the_recorded_neuron_in_place_of_the_fast_converter():
    experiment, synapse, lif = small(enable_madc_recording=True, record_neuron_id=1)
    z = lif(synapse(nn.NeuronHandle(spikes())))
    nn.run(experiment, 20)

    assert z.membrane_madc.shape == (2, 4, 20)
    assert z.membrane_madc[0, 0, :3].tolist() == [0.0, 125.0, 250.0]
    torch.testing.assert_close(z.membrane_madc[1], z.membrane_cadc[:, :, 1].detach())


def test_fields_of_adaptive_neurons_follow_their_switches():
    experiment, synapse, _ = small()
    other = nn.Synapse(3, 2, experiment)
    x = nn.NeuronHandle(spikes())
    full = nn.AELIF(2, experiment, exponential=False)(synapse(x))
    plain = nn.AELIF(
        2,
        experiment,
        fire=False,
        exponential=False,
        subthreshold_adaptation=False,
        spike_triggered_adaptation=False,
    )(other(x))
    nn.run(experiment)

    assert full.adaptation_cadc.shape == (4, 20, 2)
    assert full.spikes is not None
    assert plain.adaptation_cadc is None
    assert plain.spikes is None
    assert plain.membrane_cadc.shape == (4, 20, 2)
