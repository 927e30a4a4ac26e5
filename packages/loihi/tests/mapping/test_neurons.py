"""Neuron parameters as the chip's models take them."""

import numpy as np
import pytest

from ranvier.graph import (
    IF,
    LI,
    LIF,
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
    decay_factor,
)
from ranvier_loihi import diagnostics as codes
from ranvier_loihi.nodes import Sigma, Ternary

DT = 1e-3
CHIP = {"reset": "to_value", "comparison": ">"}


@pytest.fixture
def translate(build):
    """Return a translator of one neuron node behind an Input."""

    def make(node, **options):
        nodes = {"input": Input(shape=node.shape), "n": node, "output": Output(shape=node.shape)}
        edges = (*tuple(Edge("input", "n", p) for p in node.ports), Edge("n", "output"))
        return build(Graph(nodes, edges, DT), **options)

    return make


def test_decays_follow_the_scheme_of_the_node(translate):
    tau_mem, tau_syn = np.array([5e-3, 20e-3]), 4e-3
    for decay in ("exponential", "euler", "bitshift"):
        node = CubaLIF(shape=(2,), tau_mem=tau_mem, tau_syn=tau_syn, decay=decay, **CHIP)
        found = translate(node).population("n")
        np.testing.assert_array_equal(found.alpha, decay_factor(tau_mem, dt=DT, decay=decay))
        np.testing.assert_array_equal(found.beta, decay_factor([tau_syn], dt=DT, decay=decay))


def test_a_decay_of_zero_in_the_chips_arithmetic_is_a_factor_of_one(translate):
    node = CubaLIF(shape=(2,), tau_mem=DT * 2.0**60, tau_syn=DT, decay="euler", **CHIP)
    found = translate(node).population("n")
    assert (found.alpha[0], found.beta[0]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("node", "alpha", "beta", "spiking"),
    [
        (IF(shape=(2,), **CHIP), 1.0, 0.0, True),
        (LIF(shape=(2,), tau_mem=0.01, **CHIP), np.exp(-0.1), 0.0, True),
        (I(shape=(2,)), 1.0, 0.0, False),
        (LI(shape=(2,), tau_mem=0.01), np.exp(-0.1), 0.0, False),
        (CubaLI(shape=(2,), tau_mem=0.01, tau_syn=0.005), np.exp(-0.1), np.exp(-0.2), False),
    ],
)
def test_integrators_of_all_kinds(translate, node, alpha, beta, spiking):
    built = translate(node)
    found = built.population("n")
    assert (found.model, found.spiking) == ("lif", spiking)
    np.testing.assert_allclose([found.alpha[0], found.beta[0]], [alpha, beta], rtol=1e-15)
    assert not built.findings.errors(strict=True)


def test_a_resting_value_shifts_the_threshold(translate):
    node = LIF(shape=(2,), tau_mem=0.01, v_rest=-0.5, v_reset=-0.5, threshold=0.75, **CHIP)
    found = translate(node).population("n")
    np.testing.assert_array_equal(found.threshold, [1.25])
    np.testing.assert_array_equal(found.v_rest, [-0.5])


def test_a_reset_beside_the_resting_value_is_an_error(translate):
    error = translate(LIF(shape=(2,), tau_mem=0.01, v_reset=-0.5, **CHIP)).only(codes.RESET_VALUE)
    assert (error.value, error.limit, error.node) == (0.5, 0.0, "n")
    assert error.hint


def test_reset_by_subtraction_is_an_error_unless_it_is_accepted(translate):
    node = LIF(shape=(2,), tau_mem=0.01, max_spikes=3, comparison=">")
    error = translate(node).only(codes.RESET_SUBTRACT)
    assert error.severity == "error"
    assert "approximate_reset=True" in error.hint
    accepted = translate(node, approximate_reset=True)
    assert accepted.only(codes.RESET_APPROXIMATED).severity == "loss"
    assert (accepted.only(codes.SPIKE_LIMIT_CHANGED).value) == 3
    assert not accepted.findings.errors()


def test_equal_synapses_are_merged_and_unequal_ones_are_an_error(translate):
    same = CubaLIF(shape=(2,), tau_mem=0.01, tau_syn=0.005, synapses=2, **CHIP)
    built = translate(same)
    assert built.only(codes.SYNAPSES_MERGED).severity == "info"
    assert [c.port for c in built.network.connections] == ["in", "in"]
    taus = np.array([[5e-3, 5e-3], [5e-3, 8e-3]])
    error = translate(same.replace(tau_syn=taus)).only(codes.UNEQUAL_SYNAPSES)
    assert (error.value, error.limit) == (2, 1)
    assert error.hint


@pytest.mark.parametrize(("time", "steps"), [(0.0, 1), (1e-3, 2), (62e-3, 63)])
def test_refractory_times_become_steps_from_spike_to_spike(translate, time, steps):
    built = translate(LIF(shape=(2,), tau_mem=0.01, refractory=time, **CHIP))
    np.testing.assert_array_equal(built.population("n").refractory, [steps])
    assert not built.findings.errors()


def test_a_refractory_time_beyond_the_register_is_an_error(translate):
    node = LIF(shape=(2,), tau_mem=0.01, refractory=63e-3, **CHIP)
    error = translate(node).only(codes.REFRACTORY_TOO_LONG)
    assert (error.value, error.limit) == (64, 63)
    assert error.hint


@pytest.mark.parametrize(
    ("threshold", "comparison", "fits"),
    [(0.0, ">", True), (0.0, ">=", False), (-1.0, ">", False), (0.5, ">=", True)],
)
def test_thresholds_must_be_above_rest(translate, threshold, comparison, fits):
    node = LIF(
        shape=(2,), tau_mem=0.01, threshold=threshold, reset="to_value", comparison=comparison
    )
    built = translate(node)
    assert (codes.THRESHOLD_NOT_POSITIVE.code not in built.codes()) == fits
    assert built.population("n").comparison == comparison
    assert (codes.COMPARISON_ABSORBED.code in built.codes()) == (comparison == ">=")


@pytest.mark.parametrize(("trigger", "model"), [("phase", "rf"), ("amplitude", "rf_iz")])
def test_resonators_rotate_and_shrink(translate, trigger, model):
    built = translate(ResonateAndFire(shape=(2,), frequency=50.0, tau=0.02, trigger=trigger))
    found = built.population("n")
    damping, angle = np.exp(-DT / 0.02), 2 * np.pi * 50.0 * DT
    assert found.model == model
    np.testing.assert_allclose(found.cosine, [damping * np.cos(angle)], rtol=1e-15)
    np.testing.assert_allclose(found.sine, [damping * np.sin(angle)], rtol=1e-15)
    assert sorted(c.port for c in built.network.connections) == ["im", "re"]


def test_sigma_delta_layers_keep_bias_threshold_and_activation(translate):
    node = SigmaDelta(shape=(2,), threshold=0.25, bias=np.array([0.5, -0.5]), activation="identity")
    found = translate(node).population("n")
    assert (found.model, found.activation) == ("sigma_delta", "identity")
    np.testing.assert_array_equal(found.bias, [0.5, -0.5])
    np.testing.assert_array_equal(found.threshold, [0.25])


def test_ternary_layers_have_two_thresholds(translate):
    node = Ternary(shape=(2,), tau_mem=0.01, tau_syn=0.005, threshold_low=-0.5)
    found = translate(node).population("n")
    assert found.model == "ternary"
    np.testing.assert_array_equal(found.threshold_low, [-0.5])
    wrong = translate(node.replace(threshold_low=0.5)).only(codes.THRESHOLD_NOT_POSITIVE)
    assert (wrong.value, wrong.limit) == (0.5, 0.0)


@pytest.mark.parametrize(
    "node",
    [
        ResonateAndFire(shape=(2,), frequency=50.0, tau=0.02, bias=0.5),
        Sigma(shape=(2,), bias=0.5),
    ],
)
def test_models_without_bias_refuse_one(translate, node):
    error = translate(node).only(codes.NO_BIAS)
    assert (error.value, error.limit) == (0.5, 0.0)
    assert error.hint


def biased(node, bias, *, delay=0):
    nodes = {
        "input": Input(shape=(2,)),
        "w": Linear(weight=np.eye(2), bias=bias),
        "n": node,
        "output": Output(shape=(2,)),
    }
    edges = (Edge("input", "w"), Edge("w", "n", delay=delay), Edge("n", "output"))
    return Graph(nodes, edges, DT)


BIAS = np.array([0.5, -1.0])


def test_a_bias_of_a_map_joins_that_of_a_neuron_without_current(build):
    built = build(biased(LIF(shape=(2,), tau_mem=0.01, bias=0.25, **CHIP), BIAS))
    np.testing.assert_array_equal(built.population("n").bias, [0.75, -0.75])
    assert not built.findings.errors(strict=True)


def test_a_bias_of_a_map_settles_in_the_current_and_is_a_loss(build):
    node = CubaLIF(shape=(2,), tau_mem=0.01, tau_syn=0.005, **CHIP)
    built = build(biased(node, BIAS))
    np.testing.assert_allclose(built.population("n").bias, BIAS / (1 - np.exp(-0.2)))
    loss = built.only(codes.MAP_BIAS)
    assert (loss.severity, loss.node, loss.value) == ("loss", "n", 1.0)


def test_a_delayed_bias_of_a_map_is_a_loss(build):
    built = build(biased(LIF(shape=(2,), tau_mem=0.01, **CHIP), BIAS, delay=2))
    assert "2 step(s)" in built.only(codes.MAP_BIAS).message


def test_a_bias_into_a_current_without_decay_is_an_error(build):
    node = CubaLIF(shape=(2,), tau_mem=0.01, tau_syn=DT * 2.0**60, decay="euler", **CHIP)
    assert build(biased(node, BIAS)).only(codes.NO_BIAS).node == "n"


def test_a_bias_into_a_sum_is_an_error(build):
    assert build(biased(SigmaDelta(shape=(2,), threshold=0.1), BIAS)).only(codes.NO_BIAS)
