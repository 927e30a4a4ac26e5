from functools import partial

import numpy as np
import pytest
import torch

import ranvier as rv
from ranvier.errors import InputError
from ranvier_bss2 import nn

MIXED = nn.MixedHXModelParameter


def network(recurrent=False):
    torch.manual_seed(0)
    e = nn.Experiment()
    aligned = {"trace_scale": 1 / 45, "trace_offset": 80.0}
    first = nn.Synapse(5, 6, e, transform=partial(nn.linear_saturating, scale=55.0))
    first.weight.data = first.weight.data.abs() + 0.2
    second, back = nn.Synapse(6, 2, e), nn.Synapse(6, 6, e)
    for synapse in (first, second, back):
        synapse.weight.data = torch.round(synapse.weight.data * 55) / 55
    lif = nn.LIF(6, e, leak=MIXED(0, 80), reset=MIXED(0, 80), threshold=MIXED(1, 125), **aligned)
    li = nn.LI(2, e, leak=MIXED(0, 80), **aligned)
    x = (torch.rand(2, 30, 5) < 0.3).float()
    layer = nn.HXModuleWrapper(e, neurons=lif, back=back) if recurrent else lif
    z = layer(first(x))
    return e, z, li(second(z)), x


@pytest.mark.parametrize("recurrent", [False, True])
def test_the_graph_has_the_modules_and_their_order(recurrent):
    e, *_ = network(recurrent)

    graph = e.to_graph()

    assert graph.neurons == ("lif", "li")
    assert graph.metadata["hardware_time"] is True
    assert graph.dt == 1e-6
    delays = [edge for edge in graph.edges if edge.delay]
    assert [(d.source, d.delay) for d in delays] == ([("lif", 1)] if recurrent else [])
    assert float(graph.nodes["lif"].threshold_lsb) == 125.0


def test_a_graph_is_there_before_and_after_the_run():
    e, *_ = network()
    before = nn.to_graph(e)
    nn.run(e)

    assert nn.to_graph(e) == before
    with pytest.raises(InputError, match="no neurons were called"):
        nn.Experiment().to_graph()


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_built_graph_simulates_as_the_experiment_computes(recurrent):
    e, z, y, x = network(recurrent)
    nn.run(e)
    config = rv.build(e.to_graph(), "bss2")

    with rv.open_simulation(config, level="numeric") as session:
        recording = session.run(x.numpy().astype(int), record=["spikes"])

    spikes = recording.raster("lif")
    assert z.spikes.sum() > 10
    np.testing.assert_array_equal(spikes, z.spikes.detach().numpy())
    np.testing.assert_allclose(recording.trace("li"), y.membrane_cadc.detach().numpy(), atol=1e-5)
