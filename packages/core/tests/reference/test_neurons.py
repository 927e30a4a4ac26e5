"""One worked example per neuron kind: numbers that can be checked by hand."""

import math

import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    AdEx,
    CubaLI,
    CubaLIF,
    Edge,
    Graph,
    I,
    Input,
    Linear,
    Output,
    ResonateAndFire,
    SigmaDelta,
)

DT = 1e-3
HALF = {"tau_mem": 2e-3, "decay": "bitshift"}  # a factor of 1/2 per step


def record(neuron, drive, *, weight=1.0):
    graph = Graph.sequential({"fc": Linear(weight=[[weight]]), "n": neuron}, dt=DT)
    config = rv.build(graph, "reference")
    return rv.simulate(config, np.array(drive)[:, None], record=True, graded_input=True)


def spikes(recording):
    return recording.raster("n").ravel().tolist()


def trace(recording, quantity="v_mem"):
    return recording.trace("n", quantity).ravel().tolist()


def test_integrator_keeps_what_it_gets():
    assert trace(record(I(shape=(1,), bias=0.5), [1, 0, 2])) == [1.5, 2.0, 4.5]


def test_leaky_integrator_decays_towards_rest():
    assert trace(record(LI(shape=(1,), v_rest=1.0, **HALF), [1, 0, 0])) == [2.0, 1.5, 1.25]


def test_current_based_integrator_filters_twice():
    recording = record(CubaLI(shape=(1,), tau_syn=2e-3, **HALF), [1, 0, 0])

    assert trace(recording, "i_syn") == [1.0, 0.5, 0.25]
    assert trace(recording) == [1.0, 1.0, 0.75]


def test_integrate_and_fire_subtracts_its_threshold_for_every_spike():
    recording = record(IF(shape=(1,), threshold=1.0, max_spikes=8), [3, 0, 1], weight=1.25)

    assert spikes(recording) == [3, 0, 2]
    assert trace(recording) == [0.75, 0.75, 0.0]


def test_spike_limit_leaves_the_rest_on_the_membrane():
    recording = record(IF(shape=(1,), threshold=1.0, max_spikes=2), [5, 0, 0])

    assert spikes(recording) == [2, 2, 1]


def test_leaky_neuron_resets_to_a_value():
    recording = record(LIF(shape=(1,), reset="to_value", v_reset=-0.5, **HALF), [1, 0, 3])

    assert spikes(recording) == [1, 0, 1]
    assert trace(recording) == [-0.5, -0.25, -0.5]


def test_current_based_neuron_sums_its_synapses():
    neuron = CubaLIF(
        shape=(1,), synapses=2, tau_syn=np.array([[2e-3], [4e-3]]), threshold=10.0, **HALF
    )
    nodes = {
        "x": Input(shape=(1,)),
        "n": neuron,
        "double": Linear(weight=[[2.0]]),
        "out": Output(shape=(1,)),
    }
    edges = [Edge("x", "n"), Edge("x", "double"), Edge("double", "n", port="in2"), Edge("n", "out")]
    config = rv.build(Graph(nodes, edges, DT), "reference")

    recording = rv.simulate(config, [[1], [0]], record=True)

    assert trace(recording, "i_syn") == [1.0, 0.5]
    assert trace(recording, "i_syn2") == [2.0, 1.5]
    assert trace(recording) == [3.0, 3.5]


def test_comparison_decides_at_the_threshold():
    at = [spikes(record(IF(shape=(1,), comparison=sign), [1, 1])) for sign in (">=", ">")]

    assert at == [[1, 1], [0, 1]]


def test_refractory_neuron_rests_at_its_reset_value():
    neuron = IF(shape=(1,), reset="to_value", v_reset=0.25, refractory=2e-3)

    recording = record(neuron, [1, 5, 5, 5, 0])

    assert spikes(recording) == [1, 0, 0, 1, 0]
    assert trace(recording) == [0.25] * 5


@pytest.mark.parametrize(("time", "expected"), [(0.4e-3, [1, 1, 1]), (0.6e-3, [1, 0, 1])])
def test_refractory_time_is_rounded_to_whole_steps(time, expected):
    assert spikes(record(IF(shape=(1,), refractory=time), [1, 1, 1])) == expected


def test_adaptive_neuron_raises_its_threshold_and_keeps_its_membrane():
    neuron = AdaptiveLIF(
        shape=(1,),
        tau_syn=2e-3,
        tau_threshold=2e-3,
        tau_refractory=2e-3,
        threshold_step=0.5,
        **HALF,
    )

    recording = record(neuron, [2, 0, 0])

    assert spikes(recording) == [1, 0, 0]
    assert trace(recording) == [2.0, 2.0, 1.5]
    assert trace(recording, "threshold") == [1.5, 1.25, 1.125]
    assert trace(recording, "refractory") == [2.0, 1.0, 0.5]


def test_adex_is_driven_by_the_current_of_the_step_before():
    neuron = AdEx(
        shape=(1,), tau_mem=2e-3, tau_syn=2e-3, tau_adaptation=2e-3, b=1.0, threshold=0.75
    )

    recording = record(neuron, [2, 0, 0])

    assert trace(recording, "i_syn") == [2.0, 1.0, 0.5]
    assert spikes(recording) == [0, 1, 0]
    assert trace(recording) == [0.0, 0.0, 0.0]
    assert trace(recording, "w_adaptation") == [0.0, 1.0, 0.5]


def test_adex_exponential_term_drives_its_upswing():
    neuron = AdEx(
        shape=(1,), tau_mem=2e-3, tau_syn=2e-3, tau_adaptation=1.0, slope=0.5, v_exp=0.0,
        threshold=9.0,
    )  # fmt: skip

    first, second = trace(record(neuron, [0, 0]))

    assert first == pytest.approx(0.25)
    assert second == pytest.approx(0.25 + 0.5 * (-0.25 + 0.5 * math.exp(0.5)))


def resonator(trigger, re, im):
    neuron = ResonateAndFire(
        shape=(1,), frequency=250.0, tau=1e9, trigger=trigger, threshold=0.9
    )  # a quarter turn per step, without damping
    nodes = {
        "re": Input(shape=(1,)),
        "im": Input(shape=(1,)),
        "n": neuron,
        "out": Output(shape=(1,)),
    }
    edges = [Edge("re", "n", port="re"), Edge("im", "n", port="im"), Edge("n", "out")]
    config = rv.build(Graph(nodes, edges, DT), "reference")
    columns = {"re": np.array(re)[:, None], "im": np.array(im)[:, None]}
    return rv.simulate(config, columns, record=True)


def test_resonator_fires_where_its_phase_passes_zero():
    recording = resonator("phase", [1, 0, 0, 0, 0], [1, 0, 0, 0, 0])

    assert spikes(recording) == [0, 0, 0, 0, 1]
    np.testing.assert_allclose(trace(recording, "re"), [1, -1, -1, 1, 1], atol=1e-9)
    np.testing.assert_allclose(trace(recording, "im"), [1, 1, -1, -1, 1], atol=1e-9)


def test_resonator_fires_on_amplitude_and_stays_just_below_the_threshold():
    recording = resonator("amplitude", [1, 0], [0, 0])

    assert spikes(recording) == [0, 1]
    assert trace(recording, "re")[1] == 0.0
    assert trace(recording, "im")[1] == np.nextafter(0.9, -np.inf)


def test_sigma_delta_emits_changes_and_keeps_small_ones():
    recording = record(SigmaDelta(shape=(1,), threshold=1.0), [0.75, 0.75, -3.0, 0.0])

    assert trace(recording, "value") == [0.0, 1.5, -1.5, 0.0]
    assert trace(recording, "residual") == [0.75, 0.0, 0.0, 0.0]
    assert trace(recording, "sigma") == [0.75, 1.5, -1.5, -1.5]
