import runpy
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ranvier_bss2.config import Bss2Config

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
chain, lif, li, build = (helpers[n] for n in ("chain", "lif", "li", "build"))


@pytest.fixture(scope="module")
def config():
    return build(chain(lif(3), li(2)))


def changed(config, name, value):
    """Return the message with which a configuration with another register is refused."""
    arrays, document = config.to_payload()
    key = f"arrays/{name}"
    assert key in arrays, name
    with pytest.raises(ValidationError) as caught:
        Bss2Config.from_payload({**arrays, key: value}, document)
    return str(caught.value)


def array(config, name, at, value):
    """Return a copy of a register with one entry changed."""
    copy = np.array(config.to_payload()[0][f"arrays/{name}"])
    copy[at] = value
    return copy


def test_a_configuration_survives_its_payload(config):
    assert Bss2Config.from_payload(*config.to_payload()) == config


def test_the_summary_names_target_and_use(config):
    text = str(config)

    assert "bss2" in text
    assert "5 of 512 circuits" in text
    assert "layer1: 2 neurons" in text


@pytest.mark.parametrize(
    ("name", "at", "value", "words"),
    [
        ("synapse_weight", (0, 1, 2, 3), 64, "synapse_weight is 64 at execution instance 0"),
        ("synapse_label", (0, 0, 0, 0), 64, "allowed are 0..63"),
        ("row_mode", (0, 0, 5), 3, "row_mode is 3 at execution instance 0, array 0, row 5"),
        ("driver_mask", (0, 0, 5), 32, "allowed are 0..31"),
        ("node_mask", (0, 2, 3), 1 << 14, "allowed are 0..16383"),
        ("circuit_address", (0, 7), 256, "allowed are -1..255"),
        ("neuron_circuit", 0, 512, "allowed are 0..511"),
        ("source_link", 0, 4, "allowed are 0..3"),
        ("source_channel", 0, 99, "source_channel is 99"),
    ],
)
def test_a_register_out_of_range_is_refused_with_place_and_limits(config, name, at, value, words):
    assert words in changed(config, name, array(config, name, at, value))


def test_a_register_of_another_shape_or_type_is_refused(config):
    weight = config.synapse_weight

    assert "expected (1, 2, 256, 256)" in changed(config, "synapse_weight", weight[:, :, :, :8])
    assert "expected uint8" in changed(config, "synapse_weight", weight.astype(np.int64))


def test_a_weight_in_a_disabled_row_is_refused(config):
    row = int(np.flatnonzero(config.row_mode[0, 1] == 0)[0])
    spoilt = array(config, "synapse_weight", (0, 1, row, 9), 5)

    assert "in a disabled row" in changed(config, "synapse_weight", spoilt)


def test_a_filter_that_lets_nothing_pass_is_refused(config):
    at = tuple(np.argwhere(config.node_enabled)[0])
    mask = array(config, "node_mask", at, 0)
    arrays, document = config.to_payload()
    target = array(config, "node_target", at, 1)

    with pytest.raises(ValidationError, match="no label passes"):
        Bss2Config.from_payload(
            {**arrays, "arrays/node_mask": mask, "arrays/node_target": target}, document
        )


def test_two_neurons_on_one_circuit_are_refused(config):
    circuit = config.neuron_circuit.copy()
    circuit[1] = circuit[0]

    assert "hold several neurons" in changed(config, "neuron_circuit", circuit)


def test_a_neuron_without_a_circuit_is_refused(config):
    index = config.neuron_index.copy()
    index[1] = index[0]

    assert "missing or double" in changed(config, "neuron_index", index)


def test_one_label_for_two_sources_is_refused(config):
    label = np.full_like(config.source_label, config.source_label[0])
    link = np.full_like(config.source_link, config.source_link[0])
    arrays, document = config.to_payload()

    with pytest.raises(ValidationError, match="stand for several sources"):
        Bss2Config.from_payload(
            {**arrays, "arrays/source_label": label, "arrays/source_link": link}, document
        )


@pytest.mark.parametrize(
    ("target", "value", "words"),
    [
        ("leak", 40.0, "leak is 40 LSB in 3 of 3 neurons, allowed are 50 LSB to 160 LSB"),
        ("threshold", 230.0, "threshold is 230 LSB"),
        ("tau_mem", 70e-6, "tau_mem is 70 us"),
        ("tau_syn_inh", 0.2e-6, "tau_syn_inh is 0.2 us"),
        ("refractory", 0.0, "refractory is 0 us"),
        ("i_synin_gm", 900.0, "i_synin_gm is 900 code"),
        ("membrane_capacitance", 64.0, "allowed are 1 code to 63 code"),
    ],
)
def test_a_target_that_cannot_be_calibrated_is_refused(config, target, value, words):
    name = f"populations/0/targets/{target}"

    assert words in changed(config, name, np.full(3, value))


def test_targets_that_a_neuron_does_not_use_are_free(config):
    arrays, document = config.to_payload()
    spoilt = {**arrays, "arrays/populations/1/targets/threshold": np.zeros(2)}

    assert Bss2Config.from_payload(spoilt, document).populations[1].targets["threshold"][0] == 0


def test_unequal_strengths_within_a_run_are_refused(config):
    name = "populations/0/targets/synapse_dac_bias"

    message = changed(config, name, np.full(3, 700.0))

    assert "synapse_dac_bias is between 600 and 700, must be equal" in message


def test_both_memories_within_a_run_are_refused(config):
    arrays, document = config.to_payload()
    populations = [{**p} for p in document["populations"]]
    populations[0]["cadc"] = "dram"

    with pytest.raises(ValidationError, match="must be one memory"):
        Bss2Config.from_payload(arrays, {**document, "populations": populations})


def test_two_neurons_at_the_fast_converter_are_refused(config):
    arrays, document = config.to_payload()
    populations = [{**p, "madc_neuron": 0} for p in document["populations"]]

    with pytest.raises(ValidationError, match="at most 1 neuron"):
        Bss2Config.from_payload(arrays, {**document, "populations": populations})


def test_names_that_lead_nowhere_are_refused(config):
    arrays, document = config.to_payload()
    ends = [{**e} for e in document["projections"]]
    ends[0]["source"] = "nowhere"

    with pytest.raises(ValidationError, match="'nowhere', which is no input or population"):
        Bss2Config.from_payload(arrays, {**document, "projections": ends})


def test_all_problems_are_named_at_once(config):
    arrays, document = config.to_payload()
    spoilt = {
        **arrays,
        "arrays/populations/0/targets/leak": np.full(3, 40.0),
        "arrays/populations/0/trace_scale": np.zeros(3),
    }

    with pytest.raises(ValidationError) as caught:
        Bss2Config.from_payload(spoilt, document)
    assert "leak is 40 LSB" in str(caught.value)
    assert "trace_scale is 0, must be > 0" in str(caught.value)
