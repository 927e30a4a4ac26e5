import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.graph import LIF, decay_factor
from ranvier_dynapse2 import diagnostics as codes
from ranvier_dynapse2.layout import LAYOUT
from ranvier_dynapse2.nodes import CURRENTS

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))
chain, cuba, run_map, refused = (graphs[n] for n in ("chain", "cuba", "run_map", "refused"))

# rockpool 3.1.0, devices/dynapse/mapping, run as a black box: tau_mem 20, 30, 50 ms; thresholds.
LEAKS = {0.02: 5.319e-12, 0.03: 3.546e-12, 0.05: 2.128e-12}
THRESHOLDS = {1.0: 1e-8, 2.0: 2e-8, 0.5: 5e-9}


def currents(graph, **options):
    network = graphs["mapped_network"](graph, **options)
    return {name: network.currents[name][0] for name in CURRENTS}


def found(graph, **options):
    mapped = run_map(graph, **options)
    return {d.code: d for d in mapped.diagnostics if d.node == "neurons"}


@pytest.mark.parametrize("tau", LEAKS)
def test_membrane_time_constants_become_the_published_leak_currents(tau):
    got = currents(chain(tau_mem=tau))
    assert got["i_tau_mem"] == pytest.approx(LEAKS[tau], rel=2e-4)
    assert got["i_gain_mem"] == pytest.approx(4 * got["i_tau_mem"])


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_thresholds_become_the_published_currents(threshold):
    assert currents(chain(threshold=threshold))["i_spkthr"] == pytest.approx(THRESHOLDS[threshold])


def test_every_synapse_keeps_the_time_constant_with_its_own_capacitance():
    got = currents(chain(tau_syn=20e-3))
    for name in ("ampa", "gaba", "nmda", "shunt"):
        tau = LAYOUT.time_constant(got[f"i_tau_{name}"], getattr(LAYOUT, f"c_{name}"))
        assert float(tau) == pytest.approx(20e-3)
        assert got[f"i_gain_{name}"] == pytest.approx(100 * got[f"i_tau_{name}"])


def test_adaptation_and_nmda_gating_are_off_and_pulses_are_the_published_ones():
    got = currents(chain())
    assert got["i_w_ahp"] == got["i_f_nmda"] == got["i_dc"] == 0
    assert got["i_pulse"] == pytest.approx(3.5e-8)
    assert got["i_pulse_ahp"] == pytest.approx(3.5e-7)
    assert got["i_ref"] == pytest.approx(1.05e-9)


def test_gains_pulse_and_scale_are_options():
    got = currents(
        chain(threshold=2.0), r_gain_mem=2, r_gain_syn=50, t_pulse=2e-5, t_ref=2e-3, i_scale=1e-9
    )
    assert got["i_gain_mem"] == pytest.approx(2 * got["i_tau_mem"])
    assert got["i_gain_ampa"] == pytest.approx(50 * got["i_tau_ampa"])
    assert got["i_pulse"] == pytest.approx(1.75e-8)
    assert got["i_ref"] == pytest.approx(0.525e-9)
    assert got["i_spkthr"] == pytest.approx(2e-9)


@pytest.mark.parametrize("decay", ["euler", "bitshift"])
def test_other_decays_keep_their_factor_per_step_and_are_named(decay):
    graph = chain(tau_mem=8e-3, tau_syn=4e-3, decay=decay)
    got = currents(graph)
    tau = float(LAYOUT.time_constant(got["i_tau_mem"], LAYOUT.c_mem))
    assert np.exp(-1e-3 / tau) == pytest.approx(float(decay_factor(8e-3, dt=1e-3, decay=decay)))
    assert found(graph)[codes.DECAY_SCHEME.code].value == decay


def test_neurons_that_are_like_the_chip_lose_only_their_linear_dynamics():
    graph = chain(refractory=2e-3, v_reset=0.0)
    losses = [d.code for d in found(graph).values() if d.severity == "loss"]
    assert losses == [codes.EXPONENTIAL_DYNAMICS.code, codes.SPIKE_LIMIT.code]


def test_the_gain_of_a_converted_membrane_is_told_beside_that_of_the_network():
    told = found(chain(tau_mem=20e-3, refractory=2e-3))[codes.EXPONENTIAL_DYNAMICS.code]
    assert told.limit == pytest.approx(1 / (1 - np.exp(-1 / 20)) / (1 - np.exp(-1 / 10)))
    # 4 * 100 * (1 - exp(-10 us / 10 ms)) / (1 - exp(-1 ms / 10 ms))
    assert told.value == pytest.approx(400 * 0.0009995 / 0.0951626, rel=1e-5)
    assert found(chain(tau_mem=20e-3), r_gain_syn=50)["DY101"].value == told.value / 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reset": "subtract"}, codes.RESET_TO_REST),
        ({"v_reset": -1.0}, codes.RESET_VALUE),
        ({"v_rest": 0.5}, codes.RESTING_VALUE),
        ({"comparison": ">="}, codes.COMPARISON_CHANGED),
        ({"refractory": 0.0}, codes.REFRACTORY_ADDED),
        ({"bias": 0.1}, codes.BIAS_AS_CURRENT),
        ({"synapses": 2}, codes.SYNAPSES_MERGED),
        ({"tau_mem": 1.0}, codes.CURRENT_BELOW_FLOOR),
    ],
)
def test_everything_that_changes_is_reported(changes, code):
    usual = {"refractory": 1e-3}
    assert code.code not in found(chain(**usual))
    assert code.code in found(chain(**{**usual, **changes}))


def test_lif_neurons_get_synapses_of_the_option_and_a_loss():
    graph = chain(LIF(shape=(3,), tau_mem=20e-3))
    assert found(graph)[codes.SYNAPSE_ADDED.code].severity == "loss"
    tau = LAYOUT.time_constant(currents(graph, tau_syn=5e-3)["i_tau_ampa"], LAYOUT.c_ampa)
    assert float(tau) == pytest.approx(5e-3)


def test_thresholds_are_counted_from_the_resting_value():
    assert currents(chain(threshold=1.5, v_rest=0.5))["i_spkthr"] == pytest.approx(1e-8)
    [error] = refused(chain(threshold=0.5, v_rest=0.5))
    assert (error.code, error.value) == (codes.THRESHOLD_NOT_POSITIVE.code, 0.0)
    assert "raise the threshold" in error.hint


def test_synapses_with_different_time_constants_are_refused():
    [error] = refused(chain(tau_syn=np.array([[1e-3] * 3, [2e-3] * 3]), synapses=2))
    assert (error.code, error.value, error.limit) == (codes.SEVERAL_SYNAPSES.code, 2, 1)
    assert "four_synapse" in error.hint


def test_the_longest_time_constant_is_named_when_the_dark_current_limits_it():
    loss = found(chain(tau_mem=0.5))[codes.CURRENT_BELOW_FLOOR.code]
    assert "0.2128 s" in loss.message
    assert loss.limit == LAYOUT.i_o
