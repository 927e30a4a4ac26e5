import itertools
import runpy
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ranvier.errors import InputError, SimulationError
from ranvier_dynapse2.dpi import DpiParameters, DpiState, Synapses, run_layer, run_routed
from ranvier_dynapse2.nodes import MODELS, Dpi

nets = runpy.run_path(str(Path(__file__).with_name("dpi_networks.py")))
Plain, synapses, random_network = nets["Plain"], nets["synapses"], nets["random_network"]
DT = 1e-3
MOST_DIFFERENT = 2
"""Of the 100 networks' samples: none differ where this was written."""


def neurons(n=2, model="merged_synapse", **values):
    return DpiParameters.of_node(Dpi(shape=(n,), model=model, **values), dt=DT)


def drive(n, steps, value, ports=1):
    x = np.zeros((1, steps, n, ports), dtype=np.float32)
    x[..., 0] = value
    return x.reshape(1, steps, n * ports)


def assert_same(a, b):
    assert_array_equal(a.spikes, b.spikes)
    for name in a.traces:
        assert_array_equal(a.traces[name], b.traces[name])
    for name, array in a.state.to_arrays().items():
        assert_array_equal(array, b.state.to_arrays()[name])


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_a_hundred_networks_spike_as_the_plain_equations_do(model, record_property):
    total = different = multiple = silent = 0
    for seed in range(100):
        run, reference = nets["run_both"](seed, model)
        spikes, differing = nets["compare"](run, reference)
        total, different, silent = total + spikes, different + differing, silent + (spikes == 0)
        multiple += int(np.sum(run.spikes > 1))
    record_property("spikes", total)
    record_property("samples that differ at the threshold", different)
    assert different <= MOST_DIFFERENT
    assert total > 10_000
    assert multiple > 1_000
    assert silent < 20


@pytest.mark.parametrize("model", MODELS)
def test_networks_reach_refractory_steps_adaptation_and_clipped_drives(model):
    blocked, adapted, clipped = 0, 0, 0
    for seed in range(12):
        run, reference = nets["run_both"](seed, model)
        name = "i_syn" if model == "merged_synapse" else "i_ampa"
        dark = random_network(seed, model)[0].values["i_o"]
        blocked += int(np.sum(run.state.timer > (1.5 * DT if model == "merged_synapse" else 1)))
        adapted += int(np.sum(run.traces["i_ahp"] > 5 * dark))
        clipped += int(np.sum(run.traces[name] < dark))
        assert_array_equal(run.state.spikes, reference[3]["s"])
    assert min(blocked, adapted, clipped) > 0


@pytest.mark.parametrize("model", MODELS)
def test_state_after_a_run_is_the_one_of_the_plain_equations(model):
    run, (_, _, _, state) = nets["run_both"](5, model)
    found = run.state
    for key, array in (("ahp", found.i_ahp), ("mem", found.i_mem), ("v", found.v_mem)):
        np.testing.assert_allclose(array, state[key], rtol=1e-4)
    assert_array_equal(found.timer, state["timer"])
    for q, current in enumerate(state["syn"].values()):
        np.testing.assert_allclose(found.i_syn[..., q], current, rtol=1e-4)


def steps_blocked(parameters):
    """Steps after the first spike in which the membrane does not feel its input."""
    strong, steps, column = 30.0, 60, parameters.n_ports
    x = drive(1, steps, strong, column)
    run = run_layer(parameters, x, record=("i_mem",))
    fired = int(np.flatnonzero(run.spikes[0, :, 0])[0])
    x[0, fired + 1 :, 0] *= 2
    other = run_layer(parameters, x, record=("i_syn" if column == 1 else "i_ampa", "i_mem"))
    differs = run.traces["i_mem"][0, :, 0] != other.traces["i_mem"][0, :, 0]
    return int(np.flatnonzero(differs)[0]) - fired - 1


def test_a_default_neuron_is_blocked_for_one_step():
    assert neurons(1).t_ref[0] < np.float32(DT)
    assert steps_blocked(neurons(1)) == 1


@pytest.mark.parametrize(("factor", "steps"), [(1 - 0.009, 2), (0.51, 2), (0.4, 3), (2.0, 1)])
def test_a_refractory_period_ends_when_the_float32_timer_is_0(factor, steps):
    default = float(neurons(1).values["i_ref"][0])
    assert steps_blocked(neurons(1, i_ref=default * factor)) == steps


@pytest.mark.parametrize(("factor", "steps"), [(1.0, 1), (1.009, 2), (0.5, 1), (3.0, 3), (3.2, 4)])
def test_the_four_synapse_model_waits_for_whole_steps(factor, steps):
    default = float(neurons(1).values["i_ref"][0])
    parameters = neurons(1, "four_synapse", i_ref=default / factor)
    assert_array_equal(parameters.t_ref, [steps])
    assert steps_blocked(parameters) == steps


def test_a_membrane_at_the_threshold_does_not_fire():
    parameters = neurons(1)
    first = run_layer(parameters, drive(1, 1, 30.0), record=("i_mem",))
    reached = first.traces["i_mem"][0, 0, 0]
    assert first.spikes.sum() == 0
    at, below = (
        run_layer(neurons(1, i_spkthr=float(t)), drive(1, 1, 30.0))
        for t in (reached, np.nextafter(reached, np.float32(0)))
    )
    assert at.spikes.sum() == 0
    assert below.spikes.sum() == 1


def test_gaba_acts_longer_than_its_step_only_with_four_synapses():
    def spikes(model, ports, column, sign):
        x = drive(1, 60, 2.0, ports).reshape(1, 60, ports)
        x[0, ::4, column] += sign * 40.0
        return int(run_layer(neurons(1, model), x).spikes.sum())

    assert spikes("four_synapse", 4, 1, 1) < spikes("merged_synapse", 1, 0, -1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("cuts", [(0, 80), (0, 1, 2, 40, 80), (0, 33, 80)])
def test_chunks_with_the_state_carried_equal_one_run(model, cuts):
    for seed in range(4):
        parameters, counts, w_in, w_rec = random_network(seed, model)
        wired = {"synapses_in": synapses(w_in), "synapses_rec": synapses(w_rec)}
        names = (*parameters.synapse_states, "i_mem")
        whole = run_routed(parameters, counts, **wired, record=names)
        state, parts = None, []
        for a, b in itertools.pairwise(cuts):
            run = run_routed(parameters, counts[:, a:b], **wired, state=state, record=names)
            state = DpiState.from_arrays(run.state.to_arrays(), parameters)
            parts.append(run)
        assert_array_equal(np.concatenate([p.spikes for p in parts], axis=1), whole.spikes)
        for name in names:
            joined = np.concatenate([p.traces[name] for p in parts], axis=1)
            assert_array_equal(joined, whole.traces[name])
        for name, array in whole.state.to_arrays().items():
            assert_array_equal(state.to_arrays()[name], array)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n", [1, 3, 40, 300])
def test_a_batch_equals_a_loop_over_its_samples(model, n):
    rng = np.random.default_rng(n)
    parameters = neurons(n, model)
    x = rng.normal(3.0, 4.0, (7, 40, n * parameters.n_ports))
    w = rng.normal(0, 1.0, (n * parameters.n_ports, n))
    batch = run_layer(parameters, x, weight_rec=w, record=("i_mem",))
    for b in range(7):
        one = run_layer(parameters, x[b : b + 1], weight_rec=w, record=("i_mem",))
        assert_array_equal(one.spikes[0], batch.spikes[b])
        assert_array_equal(one.traces["i_mem"][0], batch.traces["i_mem"][b])
    assert batch.spikes.sum() > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_layer_equals_synapses_with_the_same_sums(model):
    parameters, counts, w_in, w_rec = random_network(8, model)
    ports, n = w_in.shape[0], w_in.shape[2]
    flat = counts.reshape(-1, counts.shape[2])
    x = np.stack([nets["weighted"](flat, w) for w in w_in], axis=-1)
    layer = run_layer(
        parameters,
        x.reshape(*counts.shape[:2], n * ports),
        weight_rec=np.transpose(w_rec, (2, 0, 1)).reshape(n * ports, n),
        record=("i_ahp",),
    )
    routed = run_routed(
        parameters,
        counts,
        synapses_in=synapses(w_in),
        synapses_rec=synapses(w_rec),
        record=("i_ahp",),
    )
    assert routed.spikes.sum() > 0
    assert_same(layer, routed)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint16, np.int32, np.int64, bool])
def test_counts_of_every_integer_type_give_the_same(dtype):
    rng = np.random.default_rng(3)
    counts = (rng.random((2, 50, 5)) < 0.3).astype(np.int64)
    wired = {
        "synapses_in": Synapses.of_matrix(rng.uniform(0, 20, (5, 2))),
        "synapses_rec": Synapses.none(2),
    }
    want = run_routed(neurons(), counts, **wired)
    assert want.spikes.sum() > 0
    assert_same(run_routed(neurons(), counts.astype(dtype), **wired), want)


def test_counts_that_are_not_contiguous_are_read_right():
    rng = np.random.default_rng(4)
    counts = rng.poisson(0.4, (5, 40, 3))
    wired = {
        "synapses_in": Synapses.of_matrix(rng.uniform(0, 20, (5, 2))),
        "synapses_rec": Synapses.none(2),
    }
    turned = counts.transpose(2, 1, 0)
    want = run_routed(neurons(), turned.copy(), **wired)
    assert_same(run_routed(neurons(), turned, **wired), want)


def test_repeated_runs_are_equal_and_leave_the_given_state_alone():
    parameters = neurons(3)
    x = np.random.default_rng(0).normal(5, 5, (2, 30, 3)).astype(np.float32)
    state = run_layer(parameters, x).state
    kept = {name: array.copy() for name, array in state.to_arrays().items()}
    assert_same(run_layer(parameters, x, state=state), run_layer(parameters, x, state=state))
    for name, array in state.to_arrays().items():
        assert_array_equal(array, kept[name])


@pytest.mark.parametrize(("batch", "time", "n"), [(0, 3, 2), (2, 0, 2), (1, 1, 1)])
def test_empty_and_smallest_runs_have_the_right_shapes(batch, time, n):
    run = run_layer(neurons(n), np.zeros((batch, time, n)), record=("v_mem",))
    assert run.spikes.shape == run.traces["v_mem"].shape == (batch, time, n)
    assert run.spikes.dtype == np.int32
    assert run.state.batch == batch


def test_only_what_is_asked_for_is_recorded():
    x = np.zeros((1, 2, 2))
    assert run_layer(neurons(), x).traces == {}
    run = run_layer(neurons(), x, record=("v_mem", "i_syn"))
    assert list(run.traces) == ["v_mem", "i_syn"]


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.zeros((1, 2, 3)), {}, r"x has shape \(1, 2, 3\), must be \(batch, time, 2\)"),
        (np.zeros((2, 2)), {}, r"x has shape \(2, 2\)"),
        (np.full((1, 2, 2), np.nan), {}, "4 values that are not finite"),
        (np.full((1, 2, 2), 1e300), {}, "4 values that are not finite in float32"),
        (np.zeros((1, 2, 2), dtype=complex), {}, "complex128, must be real"),
        (np.zeros((1, 2, 2)), {"weight_rec": np.ones((2, 3))}, r"\(2, 3\), must be \(2, 2\)"),
        (np.zeros((1, 2, 2)), {"record": ("i_nmda",)}, r"cannot record \['i_nmda'\]"),
        (np.zeros((1, 2, 2)), {"record": ("i_mem", "i_mem")}, "each once"),
    ],
)
def test_a_layer_refuses_wrong_input(x, options, message):
    with pytest.raises(InputError, match=message):
        run_layer(neurons(), x, **options)


@pytest.mark.parametrize(
    ("counts", "rec", "message"),
    [
        (np.zeros((1, 2, 4), int), Synapses.none(2), r"\(1, 2, 4\), must be \(batch, time, 3\)"),
        (np.zeros((1, 2, 3)), Synapses.none(2), "float64, must be whole numbers"),
        (np.full((1, 2, 3), -4), Synapses.none(2), "lowest count is -4"),
        (np.zeros((1, 2, 3), int), Synapses.none(5), "5 sources, there are 2 neurons"),
        (
            np.zeros((1, 2, 3), int),
            Synapses.of_pairs(2, [0], target=[2], weight=[1.0]),
            "target 2, there are 2 neurons",
        ),
    ],
)
def test_routed_runs_refuse_wrong_input(counts, rec, message):
    with pytest.raises(InputError, match=message):
        run_routed(neurons(), counts, synapses_in=Synapses.none(3), synapses_rec=rec)


def test_currents_beyond_float32_are_an_error():
    with pytest.raises(SimulationError, match="1 of 2 neurons reached currents beyond float32"):
        run_layer(neurons(2, i_scale=1.0), np.full((1, 3, 2), [3e38, 0.0]))
