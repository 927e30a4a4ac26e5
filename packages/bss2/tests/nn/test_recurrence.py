import numpy as np
import pytest
import torch

from ranvier.errors import InputError
from ranvier_bss2 import nn
from ranvier_bss2.numerics import NeuronParameters, run_layer


def raster(n, *, batch=2, steps=30, rate=0.3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, steps, n, generator=generator) < rate).float()


def loop(experiment, size=6, kind=nn.LIF, **more):
    torch.manual_seed(1)
    first, back = nn.Synapse(4, size, experiment), nn.Synapse(size, size, experiment)
    first.weight.data = first.weight.abs() * 120
    back.weight.data = back.weight * 60
    return first, nn.HXModuleWrapper(experiment, neurons=kind(size, experiment, **more), back=back)


def test_a_loop_is_the_step_by_step_recurrence_with_a_delay_of_one_step():
    experiment = nn.Experiment()
    first, group = loop(experiment)
    x = raster(4)
    z = group(first(x))
    nn.run(experiment)

    lif = NeuronParameters.of_values(
        {"leak": 80, "reset": 80, "threshold": 125, "refractory": 1e-6}, dt=1e-6, n=6
    )
    drive = (x @ first.weight.T).detach()
    state, before, rows = None, torch.zeros(2, 6), []
    for t in range(30):
        given = drive[:, t] + before @ group.back.weight.detach().T
        done = run_layer(lif, given[:, None].numpy(), state=state)
        state, before = done.state, torch.tensor(done.spikes[:, 0])
        rows.append(done.spikes[:, 0])

    assert z.spikes.sum() > 0
    np.testing.assert_array_equal(z.spikes.detach(), np.stack(rows, axis=1))


def test_a_loop_without_weights_equals_no_loop():
    experiment = nn.Experiment()
    first, group = loop(experiment, kind=nn.AELIF, exponential_slope=2.0)
    group.back.weight.data.zero_()
    x = raster(4)
    looped = group(first(x))
    nn.run(experiment)
    plain = group.neurons(first(x))
    nn.run(experiment)

    assert looped.spikes.sum() > 0
    for name, value in plain.tensors().items():
        torch.testing.assert_close(getattr(looped, name), value, rtol=1e-6, atol=1e-5)


def test_gradients_flow_through_a_loop():
    experiment = nn.Experiment()
    first, group = loop(experiment)
    z = group(first(raster(4)))
    nn.run(experiment)

    z.spikes.sum().backward()

    assert bool(first.weight.grad.any())
    assert bool(group.back.weight.grad.any())


def test_a_loop_over_two_layers_is_closed_by_an_empty_handle():
    torch.manual_seed(0)
    experiment = nn.Experiment()
    first = nn.Synapse(4, 3, experiment)
    first.weight.data.fill_(40.0)
    there, back = nn.Synapse(3, 5, experiment), nn.Synapse(5, 3, experiment)
    there.weight.data.fill_(90.0)
    x = raster(4)
    returned = nn.LIFObservables()
    z = nn.LIF(3, experiment)(first(x), back(returned))
    y = nn.LIF(5, experiment)(there(z), out=returned)
    nn.run(experiment)

    assert y is returned
    assert z.spikes.sum() > 0
    assert y.spikes.sum() > 0


def test_dropout_of_all_neurons_opens_a_loop():
    experiment = nn.Experiment()
    first, back = nn.Synapse(4, 6, experiment), nn.Synapse(6, 6, experiment)
    first.weight.data.fill_(60.0)
    back.weight.data.fill_(-30.0)
    lif, dropout = nn.LIF(6, experiment), nn.BatchDropout(6, 1.0, experiment)
    results = []
    for looped in (False, True):
        handle = nn.LIFObservables()
        handles = [first(raster(4))]
        if looped:
            handles.append(back(dropped := nn.LIFObservables()))
        z = lif(*handles, out=handle)
        if looped:
            dropout(z, out=dropped)
        nn.run(experiment)
        results.append(z.spikes)

    assert results[0].sum() > 0
    torch.testing.assert_close(results[1], results[0])


def test_a_wrapper_without_its_own_function_wants_one_layer():
    experiment = nn.Experiment()
    group = nn.HXModuleWrapper(experiment, a=nn.LIF(2, experiment), b=nn.LIF(2, experiment))

    with pytest.raises(InputError, match="define forward_func"):
        group(nn.Synapse(2, 2, experiment)(raster(2)))


def test_eventprop_in_a_loop_is_refused():
    experiment = nn.Experiment()
    lif, back = nn.EventPropLIF(2, experiment), nn.EventPropSynapse(2, 2, experiment)
    handle = nn.LIFObservables()
    lif(back(handle), out=handle)

    with pytest.raises(InputError, match=r"BS245.*no adjoint method.*Synapse and LIF"):
        nn.run(experiment, 10)


def test_what_reads_a_loop_may_be_called_before_it_is_closed():
    experiment = nn.Experiment()
    first, group = loop(experiment)
    readout, li = nn.Synapse(6, 2, experiment), nn.LI(2, experiment, leak=0.0)
    results = []
    for early in (False, True):
        handle = nn.LIFObservables()
        if early:
            y = li(readout(handle))
        group.neurons(first(raster(4)), group.back(handle), out=handle)
        if not early:
            y = li(readout(handle))
        nn.run(experiment)
        results.append(y.membrane_cadc)

    assert bool(results[0].any())
    torch.testing.assert_close(results[1], results[0])
