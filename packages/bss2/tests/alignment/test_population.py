import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_bss2.alignment import align
from ranvier_bss2.alignment.population import circuits_of, population_of
from ranvier_bss2.calibration import CalibrationTargets, calibrate
from ranvier_bss2.chip import VirtualChip
from ranvier_bss2.mapping import MapOptions, map_network
from ranvier_bss2.network import TARGETS
from ranvier_bss2.nodes import AnalogNeuron
from ranvier_bss2.plugin import ranvier_calibrate
from ranvier_bss2.quantization import QuantizeOptions, quantize_network
from ranvier_bss2.targets import target_named


@pytest.fixture(scope="module")
def config():
    graph = Graph(
        {
            "in": Input(shape=(5,)),
            "w1": Linear(weight=np.full((6, 5), 0.3)),
            "hidden": AnalogNeuron(shape=(6,), refractory=1e-6, tau_mem=8e-6),
            "w2": Linear(weight=np.full((2, 6), 0.1)),
            "readout": AnalogNeuron(shape=(2,), fire=False, leak_lsb=100.0),
            "out": Output(shape=(2,)),
        },
        tuple(
            Edge(a, b)
            for a, b in [("in", "w1"), ("w1", "hidden"), ("hidden", "w2"), ("w2", "readout"),
                         ("readout", "out")]
        ),
        1e-6,
        {"hardware_time": True},
    )  # fmt: skip
    mapped = map_network(graph, target_named(), MapOptions(time_scale=1.0))
    return quantize_network(mapped, QuantizeOptions())


def test_a_node_keeps_its_values_and_its_times_are_scaled():
    node = AnalogNeuron(shape=(2, 3), tau_mem=8e-3, tau_syn=6e-3, threshold_lsb=150.0)
    population, scale = population_of(node, name=None, time_scale=1e-3)
    assert population.size == 6
    assert set(population.targets) == set(TARGETS)
    np.testing.assert_allclose(population.targets["tau_mem"], 8e-6)
    np.testing.assert_allclose(population.targets["tau_syn_inh"], 6e-6)
    np.testing.assert_allclose(population.model["tau_mem"], 8e-6)
    np.testing.assert_allclose(population.targets["threshold"], 150.0)
    np.testing.assert_allclose(population.targets["refractory"], 0.04e-6)
    np.testing.assert_allclose(scale, 1 / 45)


def test_a_population_of_a_configuration_is_aligned_where_it_sits(config):
    chip = VirtualChip.of(3, membrane_noise=0.0, cadc_noise=0.0)
    circuits = circuits_of(config, "hidden")
    assert circuits.shape == (6, 1)
    found = align(config, chip, population="hidden", runs=2)
    leak = 80 + 1.5 * chip.circuits("leak")[circuits[:, 0]]
    gain = 1 + 0.01 * chip.circuits("cadc_gain")[circuits[:, 0]]
    offset = 1.5 * chip.circuits("cadc_offset")[circuits[:, 0]]
    np.testing.assert_allclose(found.baseline, gain * leak + offset, atol=0.51)
    assert found.name == "hidden"


def test_circuits_that_two_instances_share_are_refused():
    class Config:
        populations = (type("P", (), {"name": "hidden"}),)
        neuron_population, neuron_rank = np.zeros(4, np.int64), np.zeros(4, np.int64)
        neuron_index, neuron_circuit = np.arange(4), np.array([0, 1, 0, 1])

    with pytest.raises(InputError, match="several execution instances"):
        circuits_of(Config, "hidden")


def test_a_configuration_with_several_populations_needs_a_name(config):
    with pytest.raises(InputError, match=r"give population=\.\.\., one of hidden, readout"):
        align(config, VirtualChip.of(0))
    with pytest.raises(InputError, match="no population 'other'"):
        align(config, VirtualChip.of(0), population="other")


def test_targets_of_a_configuration_go_to_its_circuits(config):
    from ranvier.diagnostics import Findings

    findings = Findings()
    targets = CalibrationTargets.of_config(config, findings)
    hidden, readout = (circuits_of(config, n)[:, 0] for n in ("hidden", "readout"))
    np.testing.assert_allclose(targets.tau_mem[hidden], 8e-6)
    np.testing.assert_allclose(targets.leak[readout], 100.0)
    assert targets.leak[hidden].tolist() == [80.0] * 6
    others = np.setdiff1d(np.arange(512), np.concatenate([hidden, readout]))
    np.testing.assert_allclose(targets.tau_mem[others], 10e-6)
    assert not list(findings)


def test_instances_that_disagree_about_a_circuit_are_reported(config):
    from ranvier.diagnostics import Findings

    circuit = config.neuron_circuit.copy()
    of_readout = np.asarray(config.neuron_population) == 1
    circuit[of_readout] = circuit[~of_readout][:2]

    class Moved:
        populations = config.populations
        neuron_population, neuron_index = config.neuron_population, config.neuron_index
        neuron_circuit = circuit

    findings = Findings()
    targets = CalibrationTargets.of_config(Moved, findings)
    assert [d.code for d in findings] == ["BS403"]
    np.testing.assert_allclose(targets.leak[circuit], 80.0)


@pytest.mark.slow
def test_the_hook_calibrates_for_a_configuration(config):
    found = ranvier_calibrate(
        config=config, virtual_chip=VirtualChip.of(2, "uncalibrated"), options={"trials": 2}
    )
    direct = calibrate(VirtualChip.of(2, "uncalibrated"), config, trials=2)
    np.testing.assert_array_equal(found.codes["leak"], direct.codes["leak"])
    assert ranvier_calibrate(config=object(), virtual_chip=None, options={}) is None


@pytest.mark.slow
def test_a_calibrated_chip_shows_its_targets_in_the_emulator(config):
    raw = VirtualChip.of(2, "uncalibrated")
    calibrated = calibrate(raw, config, trials=8)
    before, after = (
        align(config, chip, population="hidden", runs=10) for chip in (raw, calibrated)
    )
    assert np.abs(after.baseline - 80).max() < 2.0
    assert np.abs(after.threshold - 125).max() < 2.5
    assert np.std(after.baseline) < np.std(before.baseline) / 3
    assert np.std(after.weight_scales) < np.std(before.weight_scales) / 3


def test_a_layer_is_aligned_through_its_values_and_targets():
    class Recording:
        circuits = 2

        def readout(self, size):
            return type("Readout", (), {"trace_scale": np.full(size, 1 / 45)})

    class Layer:
        name, size, switches, recording = "hidden", 3, ("leaky", "fire"), Recording()

        def model_values(self):
            population, _ = population_of(AnalogNeuron(shape=(3,)), name=None, time_scale=1.0)
            return population.model

        def target_values(self):
            population, _ = population_of(AnalogNeuron(shape=(3,)), name=None, time_scale=1.0)
            return {**population.targets, "refractory": np.zeros(3)}

    found = align(Layer(), VirtualChip.of(0, "ideal"), runs=1)
    assert found.name == "hidden"
    np.testing.assert_allclose(found.trace_scale, 1 / 45)
    with pytest.raises(InputError, match=r"expected 6 numbers of circuits: \(3, 2\)"):
        align(Layer(), VirtualChip.of(0, "ideal"), circuits=[0, 1, 2])


def test_neurons_that_do_not_leak_are_aligned_without_firing_at_single_spikes():
    found = align(AnalogNeuron(shape=(2,), leaky=False), VirtualChip.of(0, "ideal"), runs=1)
    np.testing.assert_allclose(found.trace_scale, 1 / 45, rtol=0.01)
    assert found.weight_scale == pytest.approx(55.0, rel=0.02)
    assert found.time_shift == 0
