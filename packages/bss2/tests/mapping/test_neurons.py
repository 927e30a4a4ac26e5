import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.diagnostics import CHANGED_VALUE, Findings
from ranvier.graph import IF, LI, LIF, AdEx, CubaLIF
from ranvier_bss2 import diagnostics as codes
from ranvier_bss2.mapping._neurons import neurons_of
from ranvier_bss2.nodes import AnalogNeuron

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
lif = helpers["lif"]
DT = 1e-3


def translated(node, *, time_scale=1e-3):
    findings = Findings()
    found = neurons_of("n", node, dt=DT, time_scale=time_scale, findings=findings)
    return found, [d.code for d in findings]


def test_euler_decays_keep_their_time_constants():
    found, seen = translated(lif(2, decay="euler"))

    np.testing.assert_allclose(found.model["tau_mem"], 10e-6)
    np.testing.assert_allclose(found.model["tau_syn"], 5e-6)
    assert codes.DECAY_AS_EULER.code not in seen


@pytest.mark.parametrize(
    ("decay", "alpha"), [("exponential", np.exp(-0.1)), ("bitshift", 1 - 2.0**-3)]
)
def test_other_decays_become_the_time_constant_with_the_same_factor(decay, alpha):
    found, seen = translated(lif(1, decay=decay))

    np.testing.assert_allclose(1 - 1e-6 / found.model["tau_mem"], alpha)
    assert codes.DECAY_AS_EULER.code in seen


def test_weights_grow_by_the_membrane_time_constant_in_steps():
    found, _ = translated(lif(1, decay="euler"))

    np.testing.assert_allclose(found.gain, 10.0)
    np.testing.assert_array_equal(found.model["capacitance"], found.model["tau_mem"])


def test_a_bias_shifts_the_leak_potential_and_not_the_resting_one():
    found, seen = translated(lif(1, bias=0.02, v_rest=0.1, decay="euler"))

    np.testing.assert_allclose(found.model["leak"], 0.1 + 0.02 * 10)
    np.testing.assert_allclose(found.rest, 0.1)
    assert codes.BIAS_AS_LEAK.code in seen


def test_neurons_without_synaptic_current_get_the_shortest_one():
    found, seen = translated(LIF(shape=(1,), tau_mem=10e-3, decay="euler"))

    np.testing.assert_allclose(found.model["tau_syn"], 1e-6)
    assert codes.SYNAPSE_ADDED.code in seen


def test_the_shortest_synaptic_current_keeps_its_charge_when_it_outlasts_a_step():
    found, _ = translated(LI(shape=(1,), tau_mem=10e-3, decay="euler"), time_scale=1e-4)

    np.testing.assert_allclose(found.model["tau_syn"], 0.3e-6)
    np.testing.assert_allclose(found.gain * found.model["tau_syn"] / 0.1e-6, 10.0)


def test_integrate_and_fire_neurons_lose_their_leak_switch():
    found, seen = translated(IF(shape=(2,), v_rest=0.5, reset="to_value", v_reset=0.5))

    assert found.switches == ("fire",)
    np.testing.assert_allclose(found.model["threshold"], 0.5)
    np.testing.assert_allclose(found.model["reset"], 0.0)
    assert CHANGED_VALUE.code in seen


def test_a_bias_without_leak_is_refused():
    _, seen = translated(IF(shape=(1,), bias=0.1))

    assert codes.BIAS_WITHOUT_LEAK.code in seen


def test_differences_of_firing_are_stated():
    node = CubaLIF(shape=(1,), tau_mem=10e-3, tau_syn=5e-3, max_spikes=3, refractory=1.4e-3)
    found, seen = translated(node)

    wanted = (codes.RESET_TO_VALUE, codes.COMPARISON_STRICT, codes.SPIKE_LIMIT)
    assert {c.code for c in (*wanted, codes.REFRACTORY_ROUNDED)} <= set(seen)
    np.testing.assert_allclose(found.model["refractory"], 1e-6)


def test_neurons_that_do_not_fire_have_no_fire_switch():
    found, seen = translated(LI(shape=(1,), tau_mem=10e-3))

    assert found.switches == ("leaky",)
    assert codes.COMPARISON_STRICT.code not in seen


def test_adex_turns_on_the_terms_that_it_uses():
    node = AdEx(
        shape=(2,), tau_mem=10e-3, tau_syn=5e-3, tau_adaptation=50e-3, b=0.1, slope=[0.0, 0.2]
    )
    found, seen = translated(node)

    assert found.switches == ("leaky", "fire", "exponential", "spike_triggered_adaptation")
    assert found.model["exp_threshold"][0] > 1e6
    np.testing.assert_allclose(found.model["tau_adaptation"], 50e-6)
    assert codes.ADEX_UNCALIBRATED.code in seen


def test_synapses_with_equal_time_constants_are_merged():
    node = CubaLIF(shape=(2,), tau_mem=10e-3, tau_syn=[[5e-3] * 2] * 2, synapses=2)
    found, seen = translated(node)

    assert found.groups == (("in", "in2"),)
    assert codes.SYNAPSES_MERGED.code in seen


def test_the_chips_own_neurons_keep_values_and_targets():
    node = AnalogNeuron(shape=(2,), tau_mem=6e-6, threshold_lsb=[120.0, 130.0])
    found, seen = translated(node, time_scale=1.0)

    np.testing.assert_allclose(found.model["tau_mem"], 6e-6)
    np.testing.assert_allclose(found.given["threshold_lsb"], [120, 130])
    assert seen == []
