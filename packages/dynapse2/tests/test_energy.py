import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError
from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_dynapse2 import Dpi
from ranvier_dynapse2.energy import operations_of


@pytest.fixture(scope="module")
def network():
    """Two channels to three neurons, of which the first drives the other two."""
    loop = np.zeros((3, 3))
    loop[1:, 0] = 4.0
    nodes = {
        "input": Input(shape=(2,)),
        "w": Linear(weight=[[4.0, 0.0], [4.0, 8.0], [0.0, 8.0]]),
        "dpi": Dpi(shape=(3,)),
        "loop": Linear(weight=loop),
        "output": Output(shape=(3,)),
    }
    edges = [Edge("input", "w"), Edge("w", "dpi"), Edge("dpi", "loop", delay=1)]
    return Graph(nodes, [*edges, Edge("loop", "dpi"), Edge("dpi", "output")], 1e-3)


@pytest.fixture(scope="module")
def config(network):
    return rv.build(network, "dynapse2")


def rates(config, channels, neurons):
    values = np.zeros(config.n_channels + 1024)
    values[: config.n_channels] = channels
    values[config.n_channels : config.n_channels + len(neurons)] = neurons
    return values


def test_operations_are_counted_through_the_memories(config):
    slots = config.placement.slots_of("dpi", port="neuron")
    assert slots.tolist() == [0, 1, 2]

    work = operations_of(config, rates(config, [10.0, 20.0], [5.0, 7.0, 0.0]))

    assert work.spikes == 12.0
    assert work.packets == 2 * 5.0 + 7.0  # the first neuron also drives the others
    assert work.broadcasts == 5.0 + 10.0 + 20.0
    assert work.pulses == 2 * 10.0 + 2 * 20.0 + 2 * 5.0
    assert work.hops == 2 * 5.0 + 7.0 + 30.0


def test_power_is_the_sum_of_operations_times_their_energies(config):
    found = rv.estimate(config)

    parts = [v["value"] for n, v in found.items() if n.startswith("power_")]
    assert len(parts) == 5
    assert found["power"]["value"] == pytest.approx(sum(parts))
    assert found["power"]["estimate"] is True
    assert found["power"]["certainty"] == "uncertain"
    assert found["spikes_per_second"]["value"] == 3 / 1e-3
    assert "worst case" in found["power"]["source"]


def test_a_recording_replaces_the_worst_case(config):
    spikes = (np.random.default_rng(0).random((2, 200, 2)) < 0.2).astype(int)
    recording = rv.simulate(config, spikes)

    found = rv.estimate(config, recording, input_rate=float(spikes.mean()))

    expected = recording.output.sum() / (2 * 200 * 1e-3)
    assert expected > 0
    assert found["spikes_per_second"]["value"] == pytest.approx(expected)
    assert "recording" in found["power"]["source"]


def test_utilisation_names_what_is_used_and_what_there_is(config):
    found = rv.estimate(config)

    assert found["utilisation_cores"]["used"] == 1
    assert found["utilisation_cores"]["limit"] == 4
    assert found["utilisation_synapses"]["used"] == 3  # two channels and the first neuron
    assert found["utilisation_neurons"]["used"] == 3


@pytest.mark.parametrize(
    ("options", "message"), [({"rate": 1.0}, "input_rate"), ({"input_rate": -1.0}, "must be >= 0")]
)
def test_wrong_options_are_refused(config, options, message):
    with pytest.raises(InputError, match=message):
        rv.estimate(config, **options)


def test_a_recording_of_another_network_is_refused(config):
    other = Graph.sequential({"w": Linear(weight=[[4.0]]), "stranger": Dpi(shape=(1,))}, dt=1e-3)
    recording = rv.simulate(rv.build(other, "dynapse2"), np.ones((1, 5, 1), dtype=int))

    with pytest.raises(InputError, match="stranger"):
        rv.estimate(config, recording)
