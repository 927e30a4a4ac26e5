import copy

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError, SimulationError
from ranvier.graph import Linear
from ranvier_dynapse2 import Dpi, currents_from_times
from ranvier_dynapse2.dpi import DpiParameters
from ranvier_dynapse2.nn import DPI


def noise(*shape, seed=0, level=3.0):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=g) * level


def test_defaults_are_those_of_the_graph_node():
    node, values = Dpi(shape=(3,)), DPI(3).values()

    for name, array in values.items():
        np.testing.assert_array_equal(array, np.broadcast_to(getattr(node, name), 3))


def test_times_set_currents_and_given_currents_win():
    layer = DPI(2, times={"tau_mem": [10e-3, 40e-3]}, currents={"i_gain_mem": 3e-11})

    wanted = currents_from_times({"tau_mem": [10e-3, 40e-3]})["i_tau_mem"]
    np.testing.assert_array_equal(layer.values()["i_tau_mem"], wanted)
    np.testing.assert_array_equal(layer.values()["i_gain_mem"], [3e-11] * 2)


def test_only_weights_are_trained():
    layer = DPI(3, recurrent=True)

    assert [name for name, _ in layer.named_parameters()] == ["weight_rec"]
    assert {"i_tau_mem", "c_mem", "i_scale"} <= dict(layer.named_buffers()).keys()


@pytest.mark.parametrize(("model", "ports"), [("merged_synapse", 1), ("four_synapse", 4)])
def test_recurrent_weights_start_uniform_within_the_published_bound(model, ports):
    torch.manual_seed(1)
    first = DPI(50, model=model, recurrent=True).weight_rec.detach()
    torch.manual_seed(1)
    again = DPI(50, model=model, recurrent=True).weight_rec.detach()

    bound = (6 / 50) ** 0.5
    assert first.shape == (50 * ports, 50)
    assert 0.98 * bound < float(first.abs().max()) <= bound
    assert torch.equal(first, again)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "five"}, "model is 'five'"),
        ({"backend": "gpu"}, "backend is 'gpu'"),
        ({"currents": {"i_nothing": 1.0}}, "unknown currents"),
        ({"currents": {"i_tau_mem": -1.0}}, "i_tau_mem"),
        ({"times": {"tau_mem": 0.0}}, "tau_mem"),
        ({"i_scale": 0.0}, "i_scale"),
        ({"dt": 0.0}, "dt is"),
    ],
)
def test_what_is_out_of_range_is_refused(options, message):
    with pytest.raises(GraphError, match=message):
        DPI(2, **options)


def test_a_wrong_number_of_columns_is_refused():
    with pytest.raises(InputError, match="8 values per step"):
        DPI(2, model="four_synapse")(torch.zeros(1, 5, 2))


def test_another_device_is_refused():
    with pytest.raises(InputError, match=r"on device 'meta'.*\.cpu\(\)"):
        DPI(2)(torch.zeros(1, 5, 2, device="meta"))


def test_a_readout_of_membranes_is_refused():
    layer = DPI(2)
    layer.readout = "vmem"

    with pytest.raises(GraphError, match="give spikes only"):
        layer(torch.zeros(1, 5, 2))


@pytest.mark.parametrize("backend", ["kernel", "loop"])
def test_input_that_is_not_a_number_is_an_error_not_silence(backend):
    x = torch.zeros(1, 5, 2)
    x[0, 2, 1] = torch.nan

    with pytest.raises(SimulationError, match="not finite"):
        DPI(2, backend=backend)(x)


@pytest.mark.parametrize("backend", ["kernel", "loop"])
@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_a_run_in_two_parts_equals_one_run(model, backend):
    torch.manual_seed(0)
    layer = DPI(4, model=model, recurrent=True, backend=backend, stateful=True)
    x = torch.zeros(2, 60, layer.columns)
    x[:, :, :: layer.n_synapses] = noise(2, 60, 4)
    whole = layer(x).detach()
    final = layer.state
    layer.reset_state()

    parts = torch.cat([layer(x[:, :23]).detach(), layer(x[:, 23:]).detach()], 1)

    assert whole.sum() > 10
    assert torch.equal(parts, whole)
    for found, wanted in zip(layer.state, final, strict=True):
        assert torch.equal(found, wanted)


def test_a_layer_that_is_not_stateful_starts_at_rest_each_time():
    layer = DPI(2)
    x = noise(1, 50, 2)

    assert torch.equal(layer(x), layer(x))


def test_a_foreign_state_is_refused():
    layer = DPI(3)
    layer(noise(2, 5, 3))

    with pytest.raises(InputError, match="state"):
        DPI(4)(noise(2, 5, 4), state=layer.state)


def test_a_recording_has_every_state_by_name_and_shape():
    layer = DPI((2, 3), model="four_synapse")

    out, traces = layer(noise(2, 40, 24), record=True)

    record = traces["DPI"]
    names = {"i_ampa", "i_gaba", "i_nmda", "i_shunt", "i_ahp", "i_mem", "v_mem"}
    assert set(record.extra) == names
    assert all(trace.shape == (2, 40, 2, 3) for trace in record.extra.values())
    assert record.current.shape == (2, 40, 2, 3, 4)
    assert torch.equal(record.current[..., 1], record.extra["i_gaba"])
    assert torch.equal(record.membrane, record.extra["i_mem"])
    assert torch.equal(record.spikes, out)


@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_a_recording_with_gradients_is_that_without(model):
    layer = DPI(3, model=model)
    x = noise(2, 40, layer.columns, level=1.0).requires_grad_()

    _, traces = layer(x, record=True)
    with torch.no_grad():
        _, plain = layer(x, record=True)
    traces["DPI"].extra["i_mem"].sum().backward()

    assert x.grad.abs().max() > 0
    for name, trace in plain["DPI"].extra.items():
        torch.testing.assert_close(traces["DPI"].extra[name].detach(), trace, rtol=1e-3, atol=1e-13)


def test_a_chain_of_layers_runs_records_and_trains():
    torch.manual_seed(0)
    net = rnn.Sequential(
        rnn.Linear(6, 5, bias=False), DPI(5, recurrent=True), rnn.Linear(5, 2, bias=False), DPI(2)
    )
    with torch.no_grad():
        net[0].weight.uniform_(0, 3)
        net[2].weight.uniform_(0, 8)

    out, traces = net(noise(2, 60, 6).round(), record=True)
    out.sum().backward()

    assert out.shape == (2, 60, 2)
    assert list(traces) == ["1", "3"]
    assert all(p.grad.abs().max() > 0 for p in net.parameters())


def test_half_precision_input_is_computed_in_single_precision():
    layer = DPI(2)

    assert layer(noise(1, 30, 2).half().double()).dtype == torch.float32


@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_a_graph_has_the_neurons_and_their_recurrence_with_a_delay(model):
    torch.manual_seed(0)
    layer = DPI(3, model=model, recurrent=True, times={"tau_mem": 30e-3})
    net = rnn.Sequential(rnn.Linear(4, layer.columns, bias=False), layer)

    graph = net.to_graph()

    (name,) = graph.neurons
    node = graph.nodes[name]
    assert isinstance(node, Dpi)
    assert node.model == model
    for port in node.ports:
        (loop,) = (
            e.source
            for e in graph.edges_into(name)
            if e.port == port and any(b.source == name for b in graph.edges_into(e.source))
        )
        weights = graph.nodes[loop]
        assert isinstance(weights, Linear)
        assert [e.delay for e in graph.edges_into(loop)] == [1]
        number, ports = node.ports.index(port), len(node.ports)
        wanted = layer.weight_rec.detach().numpy()[number::ports]
        np.testing.assert_array_equal(weights.weight.astype(np.float32), wanted)


@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_a_layer_survives_the_way_through_its_node(model):
    torch.manual_seed(0)
    layer = DPI(3, model=model, recurrent=True, times={"tau_mem": [0.01, 0.02, 0.03]}, i_scale=2e-8)
    graph = layer.to_graph(input_shape=layer.columns)
    (name,) = graph.neurons

    back = DPI.from_node(graph.nodes[name], dt=graph.dt, weight_rec=layer.weight_rec.detach())

    x = noise(2, 80, layer.columns)
    assert torch.equal(back(x), layer(x))
    for key, values in layer.values().items():
        np.testing.assert_array_equal(back.values()[key], values)
    parameters = DpiParameters.of_node(graph.nodes[name], dt=graph.dt)
    np.testing.assert_array_equal(
        parameters.values["i_tau_mem"], parameters.with_values({}).values["i_tau_mem"]
    )


def test_weights_of_another_shape_are_refused_on_the_way_back():
    with pytest.raises(GraphError, match=r"weight_rec has shape \(2, 2\)"):
        DPI.from_node(Dpi(shape=(3,)), dt=1e-3, weight_rec=np.zeros((2, 2)))


def test_a_layer_can_be_copied_saved_and_loaded():
    torch.manual_seed(0)
    layer = DPI(3, recurrent=True, times={"tau_mem": 30e-3})
    x = noise(1, 60, 3)
    other = DPI(3, recurrent=True)
    other.load_state_dict(layer.state_dict())

    wanted = layer(x)
    assert torch.equal(other(x), wanted)
    assert torch.equal(copy.deepcopy(layer)(x), wanted)
    assert "recurrent" in repr(layer)
