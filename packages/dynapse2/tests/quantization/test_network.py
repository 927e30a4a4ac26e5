import json

import numpy as np
import pytest

from ranvier.artifacts import MappedNetwork
from ranvier.errors import QuantizationError
from ranvier_dynapse2.config import Dynapse2Config


def test_the_configuration_describes_the_network(map_by_hand, quantized, tutorial):
    config = quantized(map_by_hand(*tutorial))

    assert isinstance(config, Dynapse2Config)
    assert config.input_shapes == {"input": (60,)}
    assert config.node_shapes == {"dpi": (2,)}
    assert [(o.output, o.node, o.quantity) for o in config.outputs] == [("output", "dpi", "spikes")]
    assert config.model == "merged_synapse"
    assert config.dt == 1e-3


def test_provenance_is_plain_data_with_graph_options_and_weights(map_by_hand, quantized, tutorial):
    mapped = map_by_hand(*tutorial)

    provenance = quantized(mapped, seed=3, latches={"so_dc": False}).provenance

    assert json.loads(json.dumps(provenance)) == provenance
    assert provenance["graph"] == mapped.graph.content_hash
    assert provenance["map"] == {"seed": 0}
    assert provenance["quantize"]["seed"] == 3
    assert provenance["quantize"]["latches"] == {"so_dc": False}
    assert not provenance["quantize"]["calibrated"]
    assert set(provenance["weights"]["core 0 of chip 0"]) >= {"bases", "mse", "n", "dropped"}
    assert "ranvier-dynapse2" in provenance


def test_a_configuration_survives_its_payload(map_by_hand, quantized, tutorial):
    config = quantized(map_by_hand(*tutorial))

    assert Dynapse2Config.from_payload(*config.to_payload()) == config


def test_diagnostics_of_the_mapping_travel_on(map_by_hand, quantized):
    from ranvier_dynapse2 import diagnostics as codes

    mapped = map_by_hand(np.ones((1, 1)))
    note = codes.REFINEMENT.at(None, "from mapping")
    noted = MappedNetwork(
        target=mapped.target,
        graph=mapped.graph,
        placement=mapped.placement,
        arrays=mapped.arrays,
        settings=mapped.settings,
        diagnostics=(note,),
    )

    assert quantized(noted).diagnostics[0] == note


def test_missing_settings_are_refused_with_advice(map_by_hand, quantized):
    mapped = map_by_hand(np.ones((1, 1)))
    bare = MappedNetwork(
        target=mapped.target,
        graph=mapped.graph,
        placement=mapped.placement,
        arrays=mapped.arrays,
    )

    with pytest.raises(QuantizationError, match="map the graph again"):
        quantized(bare)


def test_errors_of_options_and_network_are_raised_together(map_by_hand, quantized):
    mapped = map_by_hand(np.ones((1, 2)))
    mapped.arrays["i_scale"][1] *= 2

    with pytest.raises(QuantizationError, match="3 problem") as caught:
        quantized(mapped, biases={"NOTHING": (0, 0)}, latches={"nothing": True})

    assert [d.code for d in caught.value.diagnostics] == ["DY201", "DY203", "DY205"]


def test_every_neuron_of_a_full_chip_gets_its_synapses(map_by_hand, quantized):
    weights = np.random.default_rng(0).normal(0, 2, (64, 1024))

    config = quantized(map_by_hand(weights))

    dropped = sum(core["dropped"] for core in config.provenance["weights"].values())
    assert int((config.cam_dendrite > 0).sum()) == 64 * 1024 - dropped
    assert len(config.provenance["weights"]) == 4
    assert all(core["relative_error"] < 0.1 for core in config.provenance["weights"].values())


def coupled(n=2):
    from ranvier.graph import Graph, Input, Linear, Output
    from ranvier_dynapse2.nodes import Dpi

    rng = np.random.default_rng(7)
    nodes = {
        "input": Input(shape=(60,)),
        "fc": Linear(weight=np.abs(rng.normal(2, 4, (n, 60)))),
        "rec": Linear(weight=rng.normal(0, 4, (n, n))),
        "neurons": Dpi(shape=(n,)),
        "output": Output(shape=(n,)),
    }
    edges = [
        ("input", "fc"),
        ("fc", "neurons"),
        ("neurons", "rec", "in", 1),
        ("rec", "neurons"),
        ("neurons", "output"),
    ]
    return Graph(nodes, edges, dt=1e-3)


def test_a_graph_goes_through_the_verbs():
    import ranvier as rv

    spikes = np.random.default_rng(0).poisson(0.02, (3, 200, 60))
    config = rv.build(coupled(), "dynapse2", calibration=spikes)

    (info,) = [d for d in config.diagnostics if d.code == "DY222"]
    assert info.node == "neurons"
    assert info.value > 0.9
    assert config.outputs[0].node == "neurons"


def test_losses_are_refused_on_demand():
    import ranvier as rv

    mapped = rv.map(coupled(), "dynapse2")

    with pytest.raises(QuantizationError, match="DY209"):
        rv.quantize(mapped, strict=True, i_scale=1e-6)


def test_a_mapped_network_from_its_payload_gives_the_same_configuration(
    map_by_hand, quantized, tutorial
):
    mapped = map_by_hand(*tutorial)
    again = MappedNetwork.from_payload(*mapped.to_payload())

    assert quantized(again).content_hash == quantized(mapped).content_hash
