"""The simulator against recordings that lava-dl ships with its tests (BSD-3-Clause).

``RANVIER_LAVA_GOLDEN`` names the folder ``tests/lava/lib/dl/netx`` of the wheel of lava-dl 0.6.0;
``nox -s integration -- --peers`` downloads it. The recordings of ``pilotnet_lif`` show a property
of the chip: after a spike the voltage reads 128, the refractory counter, where the model has 0.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import Edge, Graph, Output

FOLDER = os.environ.get("RANVIER_LAVA_GOLDEN")
pytestmark = pytest.mark.skipif(not FOLDER, reason="RANVIER_LAVA_GOLDEN names no folder")
PILOTNET = ["conv-0", "conv-1", "conv-2", "conv-3", "conv-4", "fc-0", "fc-1", "fc-2"]
N_SPIKES = [166897, 63672, 23247, 14567, 6770, 226, 49, 8]


def golden(name):
    return np.load(Path(FOLDER) / "gts" / name)


def read(name):
    """Read a network whose input layer takes the mantissas of its biases as they are."""
    graph = rv.read(Path(FOLDER) / name)
    drives = {n: d for n, d in graph.nodes.items() if d.kind == "loihi.input"}
    return graph.with_nodes({n: d.replace(weight=1 / 64, offset=0.0) for n, d in drives.items()})


def steps_first(values):
    """Turn (w, h, c, time) or (n, time) into (time, c, h, w) or (time, n)."""
    return values.transpose(3, 2, 1, 0) if values.ndim == 4 else values.T


def test_tinynet_gives_its_recorded_spikes():
    config = rv.build(read("tiny.net"), "loihi2", reset_interval=16)
    image = golden("tinynet/input_bias.npy").transpose(2, 1, 0)

    found = rv.simulate(config, np.broadcast_to(image, (17, *image.shape))).output

    expected = np.moveaxis(golden("tinynet/output.npy")[0], -1, 0)[1:]
    assert expected.sum() == 92
    np.testing.assert_array_equal(found[2:], expected)


@pytest.fixture(scope="module")
def pilotnet():
    """24 steps of the network, with the reset interval under which the recordings were made."""
    graph = read("gts/pilotnet_lif/network.net")
    image = golden("pilotnet_lif/image.npy").transpose(2, 1, 0)
    config = rv.build(graph, "loihi2", reset_interval=17)
    recording = rv.simulate(config, np.broadcast_to(image, (24, *image.shape)), record=True)
    return dict(zip(PILOTNET, graph.neurons[1:], strict=False)), recording


@pytest.mark.parametrize(("layer", "n_spikes"), list(zip(PILOTNET, N_SPIKES, strict=True)))
def test_pilotnet_gives_the_recorded_currents_voltages_and_spikes(pilotnet, layer, n_spikes):
    nodes, recording = pilotnet
    currents, voltages, spikes = (
        steps_first(golden(f"pilotnet_lif/{layer}{part}.npy")) for part in ("-u", "-v", "")
    )

    assert spikes.sum() == n_spikes
    np.testing.assert_array_equal(recording.raw(nodes[layer], "spikes"), spikes)
    np.testing.assert_array_equal(recording.raw(nodes[layer], "i_syn"), currents)
    assert set(np.unique(voltages[spikes > 0])) == {128}
    expected = np.where(spikes > 0, 0, voltages)
    np.testing.assert_array_equal(recording.raw(nodes[layer], "v_mem"), expected)


def test_pilotnet_of_sigma_delta_neurons_gives_its_recorded_output():
    config = rv.build(read("gts/pilotnet_sdnn/network.net"), "loihi2")
    image = golden("pilotnet_sdnn/input.npy")[..., 0].transpose(2, 1, 0) / 64

    recording = rv.simulate(config, np.broadcast_to(image, (9, *image.shape)))

    node, quantity = next(iter(recording.outputs.values()))
    found = recording.raw(node, quantity).ravel()
    np.testing.assert_array_equal(found, golden("pilotnet_sdnn/output.npy").ravel())


def test_delayed_digits_give_their_recorded_spikes():
    graph = read("gts/ntidigits/ntidigits.net")
    last = graph.neurons[-1]
    kept = {n: d for n, d in graph.nodes.items() if d.kind not in ("Output", "loihi.average")}
    shown = {**kept, "output": Output(shape=graph.nodes[last].output_shape)}
    edges = tuple(e for e in graph.edges if e.source in kept and e.target in kept)
    config = rv.build(Graph(shown, (*edges, Edge(last, "output")), graph.dt), "loihi2")

    found = rv.simulate(config, golden("ntidigits/input.npy").T.astype(int)).output

    expected = golden("ntidigits/output.npy").T
    assert expected.sum() == 22572
    np.testing.assert_array_equal(found[:-1], expected[1:])  # recorded one step later
