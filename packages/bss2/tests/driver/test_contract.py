"""The emulated stack refuses what hxtorch refuses: tests of the driver mean something."""

import sys

import numpy as np
import pytest

from ranvier.errors import DeviceError

torch = pytest.importorskip("torch")


@pytest.fixture
def emulated(attach_hxtorch):
    attach_hxtorch()
    return sys.modules["bss2_emulated_hxtorch"]


@pytest.fixture
def contract_error():
    return sys.modules["bss2_emulated_networks"].ContractError


@pytest.fixture
def network(attach_hxtorch, emulated):
    """An experiment with one layer, modules not called yet."""
    stack = attach_hxtorch()
    stack.module.init_hardware()
    experiment = stack.space.Experiment(dt=1e-6)
    where = {"experiment": experiment, "execution_instance": experiment.default_execution_instance}
    mixed = stack.space.MixedHXModelParameter
    values = {
        "leak": mixed(80.0, 80),
        "reset": mixed(80.0, 80),
        "threshold": mixed(125.0, 125),
        "tau_mem": mixed(10e-6, 10e-6),
        "tau_syn": mixed(10e-6, 10e-6),
        "i_synin_gm": mixed(500, 500),
        "membrane_capacitance": mixed(10e-6, 63),
        "refractory_time": mixed(1e-6, 1e-6),
        "synapse_dac_bias": mixed(600, 600),
        "holdoff_time": mixed(0.0, 0.0),
    }
    synapse = stack.space.Synapse(2, 3, transform=lambda w: 63 * w.sign(), **where)
    neuron = stack.space.LIF(3, **where, **values)
    handle = stack.space.LIFObservables(spikes=torch.ones(20, 1, 2))
    return stack, experiment, synapse, neuron, handle, where, values


def test_handles_are_filled_in_place_and_stay_the_same_object(network):
    stack, experiment, synapse, neuron, handle, _, _ = network

    first = neuron(synapse(handle))
    assert first.spikes is None
    stack.space.run(experiment, 20)
    assert first.spikes.shape == (21, 1, 3)
    old = first.spikes

    assert neuron(synapse(handle)) is first
    stack.space.run(experiment, 20)
    assert first.spikes is not old


def test_connections_are_forgotten_after_a_run(network, contract_error):
    stack, experiment, synapse, neuron, handle, _, _ = network
    neuron(synapse(handle))
    stack.space.run(experiment, 20)

    with pytest.raises(contract_error, match="not called before the run"):
        stack.space.run(experiment, 20)


def test_the_runtime_is_a_whole_number(network):
    stack, experiment, synapse, neuron, handle, _, _ = network
    neuron(synapse(handle))

    with pytest.raises(ValueError, match="Requested runtime invalid"):
        stack.space.run(experiment, 20.0)


def test_fields_of_handles_are_in_alphabetical_order(emulated):
    rows = torch.ones(2, 1, 1)

    assert emulated.LIFObservables(rows).spikes is None
    assert emulated.LIFObservables(rows).current is rows
    assert emulated.NeuronHandle(rows).spikes is rows


def test_one_value_for_model_and_chip_is_refused(network, contract_error):
    stack, _, _, _, _, where, values = network

    with pytest.raises(contract_error, match="model and chip in one value"):
        stack.space.LIF(3, **where, **{**values, "membrane_capacitance": 63})


def test_a_loop_needs_a_wrapper(recurrent_config, spikes, attach_hxtorch, open_board, monkeypatch):
    stack = attach_hxtorch()
    monkeypatch.setattr("ranvier_bss2.driver.hxtorch.modules.wrap", lambda *_: None)

    with pytest.raises(DeviceError, match="cyclic dependencies"):
        open_board(recurrent_config).run(spikes)
    assert stack.calls[-1] == "release"


def test_weights_that_are_scaled_again_are_noticed(
    config, spikes, attach_hxtorch, open_board, monkeypatch, contract_error
):
    attach_hxtorch()
    monkeypatch.setattr(
        "ranvier_bss2.driver.hxtorch.modules.unchanged", lambda weight: weight * 1.5
    )

    with pytest.raises(DeviceError, match="weights beyond 63") as caught:
        open_board(config).run(spikes)
    assert isinstance(caught.value.__cause__, contract_error)


def test_the_input_has_as_many_rows_as_the_run(network, contract_error):
    stack, experiment, synapse, neuron, handle, _, _ = network
    neuron(synapse(handle))

    with pytest.raises(contract_error, match="20 rows for 30 steps"):
        stack.space.run(experiment, 30)
    assert np.all(handle.spikes.numpy() == 1)
