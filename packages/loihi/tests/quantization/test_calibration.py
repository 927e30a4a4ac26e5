import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import InputError
from ranvier.graph import IF, LI, LIF, CubaLIF, Edge, Graph, Input, Linear, Output, ResonateAndFire
from ranvier_loihi.nodes import InputLayer


@pytest.fixture
def graph(rng):
    """Two hidden layers and a read-out that none of the chip's numbers hold."""
    neuron = {"tau_mem": 12e-3, "tau_syn": 4e-3, "reset": "to_value", "max_spikes": 1}
    nodes = {
        "fc0": Linear(weight=rng.normal(0.05, 0.25, (30, 20))),
        "a": CubaLIF(shape=(30,), **neuron),
        "fc1": Linear(weight=rng.normal(0.03, 0.2, (20, 30))),
        "b": CubaLIF(shape=(20,), bias=np.full(20, 0.01), **neuron),
        "fc2": Linear(weight=rng.normal(0, 0.3, (4, 20))),
        "out": LI(shape=(4,), tau_mem=10e-3),
    }
    return Graph.sequential(nodes, dt=1e-3)


@pytest.fixture
def spikes(rng):
    return (rng.random((3, 120, 20)) < 0.06).astype(int)


def test_calibration_reports_the_agreement_with_the_float_network(graph, spikes):
    config = rv.build(graph, "loihi2", calibration=spikes)

    layers = config.provenance["quantization"]
    assert config.provenance["quantize"]["calibrated"]
    assert layers["a"]["agreement"] > 0.9
    assert layers["b"]["agreement"] > 0.8
    assert layers["out"]["agreement"] > 0.8
    found = [d for d in config.diagnostics if d.code == "LO211"]
    assert [d.node for d in found] == ["a", "b", "out"]


def test_a_calibrated_layer_follows_the_float_membrane_at_least_as_well(graph, spikes):
    reference = rv.simulate(rv.build(graph, "reference"), spikes, record=["v_mem"])

    def error(config):
        late = config.latency["a"]
        padded = np.concatenate([spikes, np.zeros((3, late, 20), dtype=int)], axis=1)
        found = rv.simulate(config, padded, record=["v_mem"]).trace("a")[:, late:]
        return np.mean((found - reference.trace("a")) ** 2)

    plain, calibrated = rv.build(graph, "loihi2"), rv.build(graph, "loihi2", calibration=spikes)

    assert error(calibrated) <= error(plain) * (1 + 1e-9)


def test_calibrated_states_stay_off_the_rails(graph, spikes):
    config = rv.build(graph, "loihi2", calibration=spikes, headroom=2.0)

    recording = rv.simulate(config, spikes, record=True)

    for name in ("a", "b", "out"):
        assert np.abs(recording.raw(name, "v_mem")).max() < (1 << 23) - 1
    assert "LO217" not in [d.code for d in config.diagnostics]


def test_calibration_spikes_of_a_wrong_shape_are_refused(graph, spikes):
    with pytest.raises(InputError, match="input"):
        rv.build(graph, "loihi2", calibration=spikes[..., :5])
    with pytest.raises(InputError, match="no samples or no steps"):
        rv.build(graph, "loihi2", calibration=spikes[:, :0])


def test_calibrating_twice_gives_the_same_configuration(graph, spikes):
    first = rv.build(graph, "loihi1", calibration=spikes)

    assert first == rv.build(graph, "loihi1", calibration=spikes)


def test_integrators_with_weights_on_a_grid_are_exact_with_greater_or_equal(rng):
    neuron = {"reset": "to_value", "max_spikes": 1}
    nodes = {
        "fc0": Linear(weight=rng.integers(-3, 6, (40, 30)) / 8),
        "a": IF(shape=(40,), **neuron),
        "fc1": Linear(weight=rng.integers(-3, 6, (10, 40)) / 8),
        "b": IF(shape=(10,), **neuron),
    }
    graph = Graph.sequential(nodes, dt=1e-3)
    spikes = (rng.random((4, 200, 30)) < 0.1).astype(int)
    reference = rv.simulate(rv.build(graph, "reference"), spikes, record=["spikes"])

    config = rv.build(graph, "loihi1")

    padded = np.concatenate([spikes, np.zeros((4, 2, 30), dtype=int)], axis=1)
    found = rv.simulate(config, padded, record=["spikes"])
    for name in ("a", "b"):
        late = config.latency[name]
        wanted = reference.raster(name)
        assert wanted.sum() > 3000
        np.testing.assert_array_equal(found.raster(name)[:, late : late + 200], wanted)


def test_resonators_are_calibrated_too(rng):
    n = 12
    nodes = {
        "input": Input(shape=(8,)),
        "re": Linear(weight=rng.normal(0, 0.3, (n, 8))),
        "im": Linear(weight=rng.normal(0, 0.3, (n, 8))),
        "r": ResonateAndFire(
            shape=(n,), frequency=rng.uniform(20, 200, n), tau=20e-3, threshold=np.full(n, 0.3)
        ),
        "output": Output(shape=(n,)),
    }
    edges = [Edge("input", "re"), Edge("input", "im"), Edge("r", "output")]
    edges += [Edge("re", "r", port="re"), Edge("im", "r", port="im")]
    graph = Graph(nodes=nodes, edges=edges, dt=1e-3)
    spikes = (rng.random((3, 200, 8)) < 0.1).astype(int)

    config = rv.build(graph, "loihi2", calibration=spikes)

    assert config.provenance["quantization"]["r"]["agreement"] > 0.97


def test_a_graph_that_the_reference_cannot_run_is_quantised_without_calibration(rng):
    nodes = {
        "enc": InputLayer(shape=(8,), tau_mem=10e-3, threshold=1.0, weight=0.37, offset=0.01),
        "fc": Linear(weight=rng.normal(0.1, 0.3, (5, 8))),
        "o": LIF(shape=(5,), tau_mem=10e-3, reset="to_value", max_spikes=1),
    }
    graph = Graph.sequential(nodes, dt=1e-3)
    image = rng.random((2, 20, 8))

    config = rv.build(graph, "loihi2", calibration=image)

    found = [d for d in config.diagnostics if d.code == "LO213"]
    assert len(found) == 1
    assert "'enc'" in found[0].message
    assert config == rv.build(graph, "loihi2").model_copy(
        update={"diagnostics": config.diagnostics}
    )


def test_read_outs_above_a_resting_value_are_compared_relative_to_it(rng, spikes):
    nodes = {
        "fc": Linear(weight=rng.normal(0, 0.3, (4, 20))),
        "out": LI(shape=(4,), tau_mem=10e-3, v_rest=5.0),
    }
    config = rv.build(Graph.sequential(nodes, dt=1e-3), "loihi2", calibration=spikes)

    assert config.provenance["quantization"]["out"]["agreement"] > 0.97
    assert "LO216" in [d.code for d in config.diagnostics]


def test_recurrent_layers_and_periodic_resets_are_calibrated_like_the_graph(rng):
    nodes = {
        "input": Input(shape=(20,)),
        "fc": Linear(weight=rng.normal(0.1, 0.3, (16, 20))),
        "a": CubaLIF(shape=(16,), tau_mem=8e-3, tau_syn=3e-3, reset="to_value", max_spikes=1),
        "rec": Linear(weight=rng.normal(0, 0.1, (16, 16))),
        "output": Output(shape=(16,)),
    }
    edges = [Edge("input", "fc"), Edge("fc", "a"), Edge("a", "output")]
    edges += [Edge("a", "rec", delay=1), Edge("rec", "a")]
    graph = Graph(nodes=nodes, edges=edges, dt=1e-3)
    spikes = (rng.random((2, 100, 20)) < 0.06).astype(int)

    config = rv.build(graph, "loihi1", calibration=spikes, reset_interval=32)

    assert config.populations[0].reset_interval == 32
    assert config.provenance["quantization"]["a"]["agreement"] > 0.85
