import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ranvier.errors import InputError
from ranvier_dynapse2.dpi import DpiParameters, run_layer
from ranvier_dynapse2.nodes import CONSTANTS, CURRENTS, Dpi


def neurons(n=3, dt=1e-3, **values):
    return DpiParameters.of_node(Dpi(shape=(n,), **values), dt=dt)


def test_values_of_a_node_are_float32_and_flat():
    node = Dpi(shape=(2, 3), i_dc=np.arange(6.0).reshape(2, 3) * 1e-12)
    parameters = DpiParameters.of_node(node, dt=1e-3)
    assert parameters.n == 6
    assert set(parameters.values) == {*CURRENTS, *CONSTANTS, "i_scale"}
    for array in parameters.values.values():
        assert array.dtype == np.float32
        assert array.shape == (6,)
    assert_array_equal(parameters.values["i_dc"], (np.arange(6.0) * 1e-12).astype(np.float32))


def test_scalars_are_spread_over_the_neurons():
    values = {**neurons(1).values, "i_dc": np.array([1e-12, 2e-12])}
    parameters = DpiParameters.of_values(
        {k: v[0] if k != "i_dc" else v for k, v in values.items()},
        model="merged_synapse",
        dt=1e-3,
    )
    assert parameters.n == 2


def test_values_cannot_be_changed_behind_a_prepared_run():
    parameters = neurons()
    with pytest.raises(ValueError, match="read-only"):
        parameters.values["i_dc"][0] = 1.0
    with pytest.raises(TypeError):
        parameters.values["i_dc"] = np.zeros(3)


def test_what_a_run_needs_is_prepared_once():
    parameters = neurons()
    run_layer(parameters, np.zeros((4, 2, 3)))
    constants = parameters.constants(4)
    run_layer(parameters, np.ones((4, 2, 3)))
    assert parameters.constants(4) is constants
    assert constants.i_o.size == 16


def test_times_of_the_default_neuron_come_out():
    parameters = neurons(1)
    derived = parameters.derived
    np.testing.assert_allclose(derived["keep_syn"][0], np.exp(-0.1), rtol=1e-6)
    np.testing.assert_allclose(derived["keep_ahp"], np.exp(-0.02), rtol=1e-6)
    np.testing.assert_allclose(derived["charge_syn"][0], 1e-3, rtol=1e-3)
    np.testing.assert_allclose(derived["gain_syn"][0], 100, rtol=1e-6)
    np.testing.assert_allclose(derived["tau_leak"] / derived["i_tau_mem"], 0.02, rtol=1e-6)


def test_leaks_and_gains_below_the_dark_current_are_raised_to_it():
    parameters = neurons(1, i_tau_mem=0.0, i_gain_mem=1e-14, i_tau_ampa=1e-20)
    derived = parameters.derived
    assert derived["i_tau_mem"] == derived["i_gain_mem"] == np.float32(5e-13)
    assert np.isfinite(derived["gain_syn"]).all()


def test_some_values_can_be_replaced():
    changed = neurons().with_values({"i_dc": 3e-12})
    assert_array_equal(changed.values["i_dc"], np.full(3, 3e-12, dtype=np.float32))
    assert neurons().with_values({"i_dc": 3e-12}).dt == 1e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"i_spkthr": 0.0}, "i_spkthr is 0 at neuron 0, must be > 0"),
        ({"i_dc": np.array([0.0, -1e-12, 0.0])}, "i_dc is -1e-12 at neuron 1, must be >= 0"),
        ({"u_t": np.nan}, "u_t has 3 values that are not finite"),
        ({"u_t": 1e300}, "u_t has 3 values that are not finite"),
        ({"i_dc": np.ones(2)}, r"i_dc has shape \(2,\), must be \(3,\)"),
        ({"i_syn": 1.0}, "unknown values: i_syn"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        neurons().with_values(change)


def test_all_problems_are_named_at_once():
    values = dict(neurons().values)
    del values["i_ref"]
    with pytest.raises(InputError) as error:
        DpiParameters.of_values(values, model="five_synapse", dt=0.0)
    text = str(error.value)
    assert "model 'five_synapse' must be one of merged_synapse, four_synapse" in text
    assert "dt is 0.0 s" in text
    assert "missing values: i_ref" in text
