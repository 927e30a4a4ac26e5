import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ranvier.errors import SimulationError
from ranvier_dynapse2.dpi import DpiParameters, DpiState, run_layer
from ranvier_dynapse2.nodes import MODELS, Dpi


def neurons(n=3, model="merged_synapse"):
    return DpiParameters.of_node(Dpi(shape=(n,), model=model), dt=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_rest_is_the_dark_current_and_0(model):
    parameters = neurons(model=model)
    state = DpiState.rest(parameters, 2)
    assert state.i_syn.shape == (2, 3, parameters.n_ports)
    for current in (state.i_syn, state.i_ahp, state.i_mem):
        assert np.all(current == np.float32(5e-13))
    for zero in (state.v_mem, state.spikes, state.timer):
        assert zero.shape == (2, 3)
        assert not zero.any()
    assert state.timer.dtype == (np.float32 if model == "merged_synapse" else np.int32)


@pytest.mark.parametrize("model", MODELS)
def test_arrays_of_a_state_make_the_same_state_and_do_not_share_memory(model):
    parameters = neurons(model=model)
    x = np.random.default_rng(0).normal(5, 5, (2, 20, 3 * parameters.n_ports))
    state = run_layer(parameters, x).state
    arrays = state.to_arrays()
    again = DpiState.from_arrays(arrays, parameters)
    for name, array in again.to_arrays().items():
        assert_array_equal(array, arrays[name])
        assert not np.shares_memory(array, arrays[name])


def test_all_faults_of_a_foreign_state_are_named_at_once():
    arrays = DpiState.rest(neurons(), 2).to_arrays()
    arrays["i_mem"] = arrays["i_mem"].astype(np.float64)
    arrays["v_mem"] = np.full_like(arrays["v_mem"], np.nan)
    arrays["i_syn"] = arrays["i_syn"][:, :, 0]
    with pytest.raises(SimulationError) as error:
        DpiState.from_arrays(arrays, neurons())
    text = str(error.value)
    assert "i_mem is float64 (2, 3), must be float32 (2, 3)" in text
    assert "v_mem has values that are not finite" in text
    assert "i_syn is float32 (2, 3), must be float32 (2, 3, 1)" in text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("i_mem", 1e-14, "i_mem is 1e-14 A, below the dark current"),
        ("timer", -1e-3, "timer is -0.001, must be >= 0"),
        ("spikes", -1.0, "spikes is -1, must be >= 0"),
    ],
)
def test_values_that_no_neuron_can_have_are_refused(name, value, message):
    arrays = DpiState.rest(neurons(), 1).to_arrays()
    arrays[name] = np.full_like(arrays[name], value)
    with pytest.raises(SimulationError, match=message):
        DpiState.from_arrays(arrays, neurons())


def test_missing_and_unknown_arrays_are_named():
    arrays = DpiState.rest(neurons(), 1).to_arrays()
    arrays["iampa"] = arrays.pop("i_syn")
    with pytest.raises(SimulationError, match=r"lacks \['i_syn'\] and has unknown \['iampa'\]"):
        DpiState.from_arrays(arrays, neurons())


def test_a_state_of_another_batch_or_model_is_refused():
    with pytest.raises(SimulationError, match=r"i_mem is float32 \(2, 3\), must be float32 \(1"):
        run_layer(neurons(), np.zeros((1, 2, 3)), state=DpiState.rest(neurons(), 2))
    four = DpiState.rest(neurons(model="four_synapse"), 1)
    with pytest.raises(SimulationError, match="timer is int32"):
        run_layer(neurons(), np.zeros((1, 2, 3)), state=four)
