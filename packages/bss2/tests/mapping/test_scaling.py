import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier_bss2 import diagnostics as codes
from ranvier_bss2.mapping import psp_peak, synaptic_strength
from ranvier_bss2.nodes import AnalogNeuron

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))
chain, lif, li = (helpers[n] for n in ("chain", "lif", "li"))
run_map, mapped_network, refused = (helpers[n] for n in ("run_map", "mapped_network", "refused"))
codes_of = helpers["codes_of"]
KAPPA = 45 / 55


def first(graph, **options):
    return mapped_network(graph, **options).populations[0]


def test_the_nominal_range_puts_the_threshold_45_lsb_above_the_leak():
    found = first(chain(lif(3, threshold=2.0), li(2)))

    np.testing.assert_allclose(found.targets["leak"], 80)
    np.testing.assert_allclose(found.targets["threshold"], 125)
    np.testing.assert_allclose(found.targets["reset"], 80)
    np.testing.assert_allclose(found.readout.trace_scale, 2 / 45)


def test_a_weight_makes_the_drive_of_the_model():
    network = mapped_network(chain(lif(2, decay="euler"), n_in=2, weights=[np.eye(2) * 0.05]))
    scale = network.populations[0].readout.trace_scale

    # steady membrane of a constant current of w tau_mem / dt, in LSB
    drive = KAPPA * network.projections[0].weight[0, 0]
    np.testing.assert_allclose(drive * scale[0], 0.05 * 10)


def test_the_full_range_gives_the_largest_weight_63_steps():
    graph = chain(lif(3), n_in=3, weights=[np.eye(3) * 0.04])
    nominal, full = mapped_network(graph), mapped_network(graph, range="full")

    ratio = full.projections[0].weight.max() / nominal.projections[0].weight.max()
    distance = full.populations[0].targets["threshold"] - full.populations[0].targets["leak"]
    assert 62 < full.projections[0].weight.max() <= 63
    np.testing.assert_allclose(distance, 45 * ratio)


def test_the_full_range_stays_within_what_can_be_calibrated():
    found = first(chain(lif(3), n_in=3, weights=[np.eye(3) * 1e-4]), range="full")

    assert found.targets["threshold"].max() <= 220
    assert found.targets["reset"].min() >= 50
    assert found.targets["threshold"].max() - found.targets["leak"].min() == pytest.approx(170)


def test_a_reset_far_below_the_leak_moves_the_leak_up():
    found = first(chain(lif(2, v_reset=-1.0)))

    np.testing.assert_allclose(found.targets["reset"], 50)
    np.testing.assert_allclose(found.targets["leak"], 95)


def test_potentials_that_lie_too_far_apart_reduce_the_distance():
    mapped = run_map(chain(lif(2, v_reset=-4.0)))
    found = first(chain(lif(2, v_reset=-4.0)))

    assert codes.RANGE_REDUCED.code in codes_of(mapped)
    assert found.targets["reset"].min() >= 50
    assert found.targets["leak"].max() <= 160


def test_a_given_trace_scale_that_leaves_the_range_is_refused_with_number_and_advice():
    error = refused(chain(lif(2)), trace_scale={"layer0": 0.005})

    assert codes_of(error) == [codes.POTENTIAL_RANGE.code]
    assert "threshold is 280 LSB" in str(error)
    assert "larger trace_scale" in str(error)


def test_a_given_weight_scale_decides_the_trace_scale():
    found = first(chain(lif(2, decay="euler")), weight_scale=60.0)

    np.testing.assert_allclose(found.readout.trace_scale, 1 / (KAPPA * 60))


def test_both_scales_given_against_each_other_are_reported():
    mapped = run_map(chain(lif(2)), weight_scale=60.0, trace_scale=1 / 45)

    found = [d for d in mapped.diagnostics if d.code == codes.GAIN_CHANGED.code]
    assert found[0].value == pytest.approx(60 * KAPPA / 45)


def test_a_threshold_below_rest_is_refused():
    error = refused(chain(lif(2, threshold=0.5, v_rest=1.0)))

    assert codes.THRESHOLD_BELOW_REST.code in codes_of(error)


def test_readouts_rest_in_the_middle_of_the_converter():
    network = mapped_network(chain(lif(2), li(2)))

    np.testing.assert_allclose(network.populations[1].targets["leak"], 120)
    assert np.abs(network.projections[1].weight).max() == pytest.approx(63)


def test_a_readout_that_may_saturate_is_noted():
    mapped = run_map(chain(lif(2), li(2), weights=[None, np.ones((2, 2))], n_in=4))
    many = run_map(chain(lif(20), li(2), weights=[None, np.ones((2, 20))]))

    assert codes.READOUT_MAY_SATURATE.code not in codes_of(mapped)
    assert codes.READOUT_MAY_SATURATE.code in codes_of(many)


def test_the_trace_of_the_leak_potential_is_the_leak_of_the_model():
    network = mapped_network(chain(lif(2, v_rest=0.3, bias=0.02), li(2, v_rest=-0.2)))

    for p in network.populations:
        seen = (p.targets["leak"] - p.readout.trace_offset) * p.readout.trace_scale
        np.testing.assert_allclose(seen, p.model["leak"], atol=1e-12)


def test_potentials_of_the_chips_own_neurons_must_follow_from_their_model():
    node = AnalogNeuron(shape=(2,), threshold_lsb=150.0)
    mapped = run_map(chain(node, dt=1e-6, hardware_time=True))

    found = [d for d in mapped.diagnostics if d.code == codes.MISALIGNED.code]
    assert (found[0].value, found[0].limit) == (150, pytest.approx(125))


def test_strength_is_linear_in_bias_and_gain_and_inverse_in_capacitance():
    nominal = {"synapse_dac_bias": 600.0, "i_synin_gm": 500.0, "membrane_capacitance": 63.0}
    values = {n: np.array([v]) for n, v in nominal.items()}
    doubled = {
        "synapse_dac_bias": np.array([1200.0]),
        "i_synin_gm": np.array([250.0]),
        "membrane_capacitance": np.array([31.5]),
    }

    np.testing.assert_allclose(synaptic_strength(0.8, values), 0.8)
    np.testing.assert_allclose(synaptic_strength(0.8, doubled), 1.6)


def test_psp_peaks_are_those_of_the_differential_equation():
    t = np.linspace(0, 60, 600_001)
    for tau_mem, tau_syn in ((10.0, 5.0), (10.0, 10.0), (3.0, 8.0)):
        if tau_mem == tau_syn:
            psp = t / tau_mem * np.exp(-t / tau_mem)
        else:
            share = tau_syn / (tau_syn - tau_mem)
            psp = share * (np.exp(-t / tau_syn) - np.exp(-t / tau_mem))
        found = psp_peak(np.array([tau_mem]), np.array([tau_syn]))
        np.testing.assert_allclose(found, psp.max(), rtol=1e-6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    rest=st.floats(-2, 2),
    reset=st.floats(-3, 0),
    distance=st.floats(0.1, 3),
    largest=st.floats(1e-3, 1),
    full=st.booleans(),
)
def test_potentials_always_fit_and_follow_the_model(rest, reset, distance, largest, full):
    layer = lif(2, v_rest=rest, v_reset=rest + reset, threshold=rest + distance)
    graph = chain(layer, n_in=2, weights=[np.eye(2) * largest])
    network = mapped_network(graph, range="full" if full else "nominal", large_weights="clip")

    found, readout = network.populations[0], network.populations[0].readout
    for name, (low, high) in {
        "leak": (50, 160),
        "reset": (50, 160),
        "threshold": (50, 220),
    }.items():
        lsb = found.targets[name]
        assert np.all((lsb >= low - 1e-6) & (lsb <= high + 1e-6))
        seen = (lsb - readout.trace_offset) * readout.trace_scale
        np.testing.assert_allclose(seen, found.model[name], atol=1e-9)


@pytest.mark.parametrize("option", ["leak_lsb", "readout_leak_lsb"])
@pytest.mark.parametrize("value", [49.0, 161.0, 300.0, float("nan")])
def test_a_leak_potential_that_cannot_be_calibrated_is_no_option(option, value):
    with pytest.raises(ValueError, match=option):
        run_map(chain(lif(2)), **{option: value})


def test_a_leak_potential_that_was_moved_is_told():
    graph = chain(lif(2, threshold=1.0), n_in=2)
    moved = run_map(graph, nominal_distance=100.0, leak_lsb=150.0)
    told = [d for d in moved.diagnostics if d.code == "BS124"]

    assert [d.message for d in told] == ["the leak potential is 120 LSB instead of 150 LSB"]
    assert "BS124" not in codes_of(run_map(graph))


@pytest.mark.parametrize("code", ["membrane_capacitance", "i_synin_gm", "synapse_dac_bias"])
def test_a_code_of_zero_is_told_without_a_warning_of_numpy(code):
    assert codes_of(refused(chain(lif(2)), **{code: 0})) == ["BS010"]
