import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ranvier.errors import InputError
from ranvier_bss2.nodes import MODEL
from ranvier_bss2.numerics import LayerState, NeuronParameters, run_layer

LIF, LI, IF = ("leaky", "fire"), ("leaky",), ("fire",)
AELIF = (
    "leaky",
    "fire",
    "exponential",
    "subthreshold_adaptation",
    "spike_triggered_adaptation",
)
US = 1e-6


def draw_values(rng, n):
    """Draw every parameter of every neuron; thresholds are reached by inputs around 0.3."""
    return {
        "leak": rng.uniform(-0.1, 0.1, n),
        "reset": rng.uniform(-0.3, 0.1, n),
        "threshold": rng.uniform(0.4, 0.8, n),
        "tau_mem": rng.uniform(3, 20, n) * US,
        "tau_syn": rng.uniform(2, 15, n) * US,
        "capacitance": rng.uniform(3, 12, n) * US,
        "refractory": rng.choice([0.0, 1.0, 2.0, 2.5, 7.0], n) * US,
        "exp_slope": rng.uniform(0.05, 0.2, n),
        "exp_threshold": rng.uniform(0.3, 0.6, n),
        "a": rng.uniform(-0.2, 0.5, n),
        "b": rng.uniform(0.0, 0.2, n),
        "tau_adaptation": rng.uniform(10, 100, n) * US,
        "leak_adaptation": rng.uniform(-0.1, 0.1, n),
    }


def make(switches, n, seed=0):
    rng = np.random.default_rng(seed)
    parameters = NeuronParameters.of_values(draw_values(rng, n), dt=US, switches=switches)
    return parameters, rng


def compare(found, expected, **tolerance):
    for trace, wanted in zip((found.spikes, found.i_syn, found.v_mem), expected, strict=False):
        if tolerance:
            assert_allclose(trace, wanted, **tolerance)
        else:
            assert_array_equal(trace, wanted)


@pytest.mark.parametrize("switches", [LIF, LI, IF])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 60, 5), (2, 80, 64), (2, 50, 70), (1, 40, 130)])
def test_lif_li_and_if_equal_the_equations_bit_for_bit(run_plain, switches, shape):
    parameters, rng = make(switches, shape[2])
    x = (rng.normal(0.15, 0.4, shape) * (rng.random(shape) < 0.6)).astype(np.float32)

    found = run_layer(parameters, x)

    compare(found, run_plain(switches, parameters.values, US, x))
    assert found.spikes.sum() > 0 or "fire" not in switches or shape[1] == 1


@pytest.mark.parametrize("seen", ["v", "z", "vz"])
def test_observed_traces_replace_the_model_in_the_order_of_the_equations(run_plain, seen):
    parameters, rng = make(LIF, 5)
    shape = (3, 40, 5)
    x = rng.normal(0.2, 0.4, shape).astype(np.float32)
    traces = {
        "v_hw": rng.normal(0.3, 0.4, shape).astype(np.float32) if "v" in seen else None,
        "z_hw": (rng.random(shape) < 0.2).astype(np.float32) if "z" in seen else None,
    }

    found = run_layer(parameters, x, **traces)

    compare(found, run_plain(LIF, parameters.values, US, x, **traces))
    if "v" in seen:
        assert_array_equal(found.v_mem, traces["v_hw"])
    if "z" in seen:
        assert_array_equal(found.spikes, traces["z_hw"])


@pytest.mark.parametrize("removed", ["", *AELIF])
def test_adaptive_neurons_follow_the_equations(run_plain, removed):
    switches = tuple(s for s in AELIF if s != removed)
    if removed == "fire":
        switches = tuple(s for s in switches if s != "exponential")
    parameters, rng = make(switches, 7, seed=1)
    x = rng.normal(0.1, 0.25, (3, 60, 7)).astype(np.float32)

    found = run_layer(parameters, x)

    expected = run_plain(switches, parameters.values, US, x)
    assert_array_equal(found.spikes, expected[0])
    # The exponential function of numpy and of the compiler differ in the last bit.
    compare(found, expected, rtol=1e-6, atol=1e-6)
    assert_allclose(found.w_adaptation, expected[3], rtol=1e-6, atol=1e-6)
    assert found.w_adaptation.any()


def test_observed_adaptation_replaces_the_model(run_plain):
    parameters, rng = make(AELIF, 4, seed=2)
    x = rng.normal(0.1, 0.2, (2, 30, 4)).astype(np.float32)
    w = rng.normal(0.0, 0.1, x.shape).astype(np.float32)

    found = run_layer(parameters, x, w_hw=w)

    expected = run_plain(AELIF, parameters.values, US, x, w_hw=w)
    assert_array_equal(found.w_adaptation, w)
    assert_array_equal(found.spikes, expected[0])
    assert_allclose(found.v_mem, expected[2], rtol=1e-6, atol=1e-6)


def test_the_worked_example_of_the_reference_implementation():
    """hxtorch @3bfc7aa, LIF defaults, mock: weight 50, spikes at steps 10, 15, 20, 30."""
    lif = {"leak": 80.0, "reset": 80.0, "threshold": 125.0, "refractory": US}
    x = np.zeros((1, 60, 1))
    x[0, [10, 15, 20, 30]] = 50.0

    run = run_layer(NeuronParameters.of_values(lif, dt=US), x)

    assert_allclose(run.v_mem[0, 11:16, 0], [85.0, 89.0, 92.15, 94.58, 96.40], atol=5e-3)
    assert run.spikes[0, :, 0].nonzero()[0].tolist() == [22]
    assert run.v_mem[0, 22:24, 0].tolist() == [80.0, 80.0]
    assert run.v_mem[0, 24, 0] > 80.0


@pytest.mark.parametrize(("tau_us", "peak"), [(5, 0.2693), (10, 0.3874), (20, 0.5183)])
def test_the_default_capacitance_couples_the_gain_to_the_time_constant(tau_us, peak):
    """Peaks of hxtorch @3bfc7aa for an input of 1."""
    li = NeuronParameters.of_values({"tau_mem": tau_us * US}, dt=US, switches=LI)
    x = np.zeros((1, 100, 1))
    x[0, 0] = 1.0

    run = run_layer(li, x)

    assert run.v_mem.max() == pytest.approx(peak, abs=5e-5)


def test_an_input_acts_on_the_membrane_one_step_later():
    li = NeuronParameters.of_values({}, dt=US, switches=LI)
    x = np.zeros((1, 4, 1))
    x[0, 1] = 1.0

    run = run_layer(li, x)

    assert (run.v_mem[0, :, 0] != 0).tolist() == [False, False, True, True]


@pytest.mark.parametrize(("refractory", "steps"), [(0, 0), (1, 1), (2, 2), (2.5, 3), (3, 3)])
def test_refractory_times_mask_the_ceiling_of_their_steps(refractory, steps):
    driven = {"tau_mem": US, "capacitance": US, "threshold": 0.5, "refractory": refractory * US}
    x = np.full((1, 30, 1), 1.0)

    run = run_layer(NeuronParameters.of_values(driven, dt=US), x)

    gaps = np.diff(run.spikes[0, :, 0].nonzero()[0])
    assert set(gaps) == {steps + 1}


def test_a_run_in_two_parts_equals_a_run_in_one():
    parameters, rng = make(AELIF, 70, seed=3)
    x = rng.normal(0.1, 0.25, (3, 50, 70)).astype(np.float32)

    whole = run_layer(parameters, x)
    first = run_layer(parameters, x[:, :23])
    second = run_layer(parameters, x[:, 23:], state=first.state)

    assert_array_equal(np.concatenate([first.v_mem, second.v_mem], axis=1), whole.v_mem)
    assert_array_equal(second.state.refractory, whole.state.refractory)


def test_a_state_is_not_changed_by_the_run_that_starts_from_it():
    parameters, rng = make(LIF, 3)
    state = LayerState.rest(parameters, 2)
    before = state.v_mem.copy()

    run_layer(parameters, rng.normal(0.3, 0.1, (2, 10, 3)), state=state)

    assert_array_equal(state.v_mem, before)


def test_the_samples_of_a_batch_do_not_touch_each_other():
    parameters, rng = make(LIF, 6)
    x = rng.normal(0.2, 0.4, (5, 40, 6)).astype(np.float32)

    alone = [run_layer(parameters, x[b : b + 1]).v_mem for b in range(5)]

    assert_array_equal(run_layer(parameters, x).v_mem, np.concatenate(alone))


def test_shorter_observed_traces_shorten_all_results():
    parameters, rng = make(LIF, 3)
    x = rng.normal(0.2, 0.4, (2, 20, 3)).astype(np.float32)
    v = rng.normal(0.2, 0.4, (2, 13, 3))

    run = run_layer(parameters, x, v_hw=v, z_hw=np.zeros((2, 25, 3)))

    assert [trace.shape for trace in run[:4]] == [(2, 13, 3)] * 4


def test_a_run_of_no_steps_returns_the_state_it_started_from():
    parameters, _ = make(LIF, 3)

    run = run_layer(parameters, np.zeros((2, 0, 3)))

    assert run.spikes.shape == (2, 0, 3)
    assert_array_equal(run.state.v_mem, LayerState.rest(parameters, 2).v_mem)


@pytest.mark.parametrize(
    ("x", "keywords", "advice"),
    [
        ((2, 5), {}, r"shape \(2, 5\); expected \(batch, time, 3\)"),
        ((2, 5, 4), {}, r"expected \(batch, time, 3\)"),
        ((2, 5, 3), {"v_hw": np.zeros((1, 5, 3))}, r"v_hw has shape \(1, 5, 3\); expected \(2, "),
        ((2, 5, 3), {"z_hw": np.full((2, 5, 3), 0.5)}, "z_hw has 30 values other than 0 and 1"),
        ((2, 5, 3), {"w_hw": np.zeros((2, 5, 3))}, "without adaptation; leave it out"),
    ],
)
def test_wrong_input_is_named_with_its_numbers(x, keywords, advice):
    parameters, _ = make(LIF, 3)

    with pytest.raises(InputError, match=advice):
        run_layer(parameters, np.zeros(x), **keywords)


def test_observed_spikes_of_silent_neurons_are_refused():
    parameters, _ = make(LI, 3)

    with pytest.raises(InputError, match="do not fire; leave it out"):
        run_layer(parameters, np.zeros((2, 5, 3)), z_hw=np.zeros((2, 5, 3)))


def test_a_state_of_another_batch_is_refused():
    parameters, _ = make(LIF, 3)

    with pytest.raises(InputError, match="this run has 2 samples of 3 neurons: start from rest"):
        run_layer(parameters, np.zeros((2, 5, 3)), state=LayerState.rest(parameters, 4))


def test_every_parameter_of_the_model_is_drawn():
    assert set(draw_values(np.random.default_rng(0), 1)) == set(MODEL)
