import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import InputError
from ranvier_xylo.kernels import TRACES, CoreArrays, CoreState, prepare, prepared, run

HERE = Path(__file__).parents[1]
ScalarCore = runpy.run_path(str(HERE / "scalar_core.py"))["ScalarCore"]
random_network, random_counts = (
    runpy.run_path(str(HERE / "random_networks.py"))[name]
    for name in ("random_network", "random_counts")
)
seeds, versions = st.integers(0, 2**32 - 1), st.sampled_from([1, 2])
few = settings(max_examples=40, deadline=None)


def core(n=1, n_in=1, n_out=1, **changes):
    """One quiet network: no weights, thresholds out of reach, every dash 2."""
    registers = {
        "weights_in": np.zeros((n_in, n, 1), int),
        "weights_rec": np.zeros((n, n, 1), int),
        "weights_out": np.zeros((n, n_out), int),
        "threshold": np.full(n, 32767),
        "threshold_out": np.full(n_out, 32767),
        "dash_mem": np.full(n, 2),
        "dash_mem_out": np.full(n_out, 2),
        "dash_syn": np.full((n, 2), 2),
        "dash_syn_out": np.full(n_out, 2),
    }
    return CoreArrays(**{**registers, **changes})


def simulate(arrays, counts, **options):
    """Run one sample of counts ``(time, n_in)`` with all recordings."""
    return run(prepare(arrays), np.asarray(counts)[None], record=TRACES, **options)


def assert_same_run(left, right):
    np.testing.assert_array_equal(left.spikes, right.spikes)
    for name in TRACES:
        np.testing.assert_array_equal(left.traces[name], right.traces[name], err_msg=name)
        state = getattr(left.state, name), getattr(right.state, name)
        np.testing.assert_array_equal(*state, err_msg=f"state {name}")


def assert_equals_scalar(arrays, counts):
    result, scalar = simulate(arrays, counts), ScalarCore(arrays)
    expected = [scalar.step(step) for step in counts.tolist()]
    np.testing.assert_array_equal(result.spikes[0], [step["out"] for step in expected])
    for name in TRACES:
        trace = result.traces[name][0]
        np.testing.assert_array_equal(trace, [step[name] for step in expected], err_msg=name)


@few
@given(seeds, versions)
def test_every_spike_and_state_equals_the_scalar_equations(seed, version):
    rng = np.random.default_rng(seed)
    arrays = random_network(rng, version=version, n_hidden=(1, 12), n_in=(1, 4), n_out=(1, 10))

    assert_equals_scalar(arrays, random_counts(rng, steps=12, n_in=arrays.n_in))


@pytest.mark.parametrize("version", [1, 2])
def test_networks_larger_than_a_vector_equal_the_scalar_equations(version):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        arrays = random_network(rng, version=version, n_hidden=(65, 130), n_out=(9, 20))

        assert_equals_scalar(arrays, random_counts(rng, steps=4, n_in=arrays.n_in))


@pytest.mark.parametrize("fraction", [0.1, 1.0])
def test_sources_visited_target_by_target_equal_the_scalar_equations(monkeypatch, fraction):
    monkeypatch.setattr(prepared, "SPARSE_FRACTION", fraction)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        arrays = random_network(rng, version=2, n_hidden=(10, 30))

        assert fraction < 1 or prepare(arrays).fan.sparse.all()
        assert_equals_scalar(arrays, random_counts(rng, steps=6, n_in=arrays.n_in))


@few
@given(seeds, versions)
def test_a_batch_equals_its_samples_run_one_by_one(seed, version):
    rng = np.random.default_rng(seed)
    arrays = random_network(rng, version=version, n_hidden=(1, 12))
    net = prepare(arrays)
    counts = np.stack([random_counts(rng, steps=10, n_in=arrays.n_in) for _ in range(3)])

    batch = run(net, counts, record=TRACES)

    for b, sample in enumerate(counts):
        alone = run(net, sample[None], record=TRACES)
        np.testing.assert_array_equal(batch.spikes[b], alone.spikes[0])
        for name in TRACES:
            np.testing.assert_array_equal(batch.traces[name][b], alone.traces[name][0])
            last = getattr(batch.state, name)[b], getattr(alone.state, name)[0]
            np.testing.assert_array_equal(*last)


@few
@given(seeds, versions, st.integers(0, 20))
def test_two_chunks_equal_one_run(seed, version, cut):
    rng = np.random.default_rng(seed)
    arrays = random_network(rng, version=version, n_hidden=(1, 12))
    counts = random_counts(rng, steps=20, n_in=arrays.n_in)

    whole = simulate(arrays, counts)
    first = simulate(arrays, counts[:cut])
    second = simulate(arrays, counts[cut:], state=first.state)

    joined = np.concatenate([first.spikes, second.spikes], axis=1)
    np.testing.assert_array_equal(joined, whole.spikes)
    for name in TRACES:
        chunks = np.concatenate([first.traces[name], second.traces[name]], axis=1)
        np.testing.assert_array_equal(chunks, whole.traces[name])
        np.testing.assert_array_equal(getattr(second.state, name), getattr(whole.state, name))


@pytest.mark.parametrize(
    ("dash", "expected"),
    [
        (0, [0, 0, 0, 0]),
        (1, [50, 25, 13, 7]),
        (2, [75, 57, 43, 33]),
        (3, [88, 77, 68, 60]),
        (6, [99, 98, 97, 96]),
        (15, [99, 98, 97, 96]),
    ],
)
def test_one_input_spike_decays_by_the_dash_from_its_own_step_on(dash, expected):
    arrays = core(weights_in=[[[100]]], dash_syn=[[dash, 2]])

    result = simulate(arrays, [[1], [0], [0], [0]])

    assert result.traces["i_syn"][0, :, 0].tolist() == expected
    assert result.traces["v_mem"][0, 0, 0] == expected[0]


@pytest.mark.parametrize(
    ("weight", "expected"), [(100, [88, 77, 68]), (-100, [-87, -76, -66]), (3, [2, 1, 0])]
)
def test_decay_floors_and_small_positive_values_lose_one_per_step(weight, expected):
    arrays = core(weights_in=[[[weight]]], dash_syn=[[3, 3]])

    result = simulate(arrays, [[1], [0], [0]])

    assert result.traces["i_syn"][0, :, 0].tolist() == expected


@pytest.mark.parametrize(("weight", "rail"), [(127, 32767), (-128, -32768)])
def test_currents_saturate_at_both_rails_before_they_decay(weight, rail):
    arrays = core(weights_in=[[[weight]]], weight_shift_in=7, dash_syn=[[4, 4]])

    result = simulate(arrays, [[15]])

    assert result.traces["i_syn"][0, 0, 0] == rail - (rail >> 4)


def test_every_addend_saturates_on_its_own():
    arrays = core(n_in=2, weights_in=[[[127]], [[-127]]], weight_shift_in=7, dash_syn=[[4, 4]])

    result = simulate(arrays, [[15, 15]])

    assert result.traces["i_syn"][0, 0, 0] == -32768 + 2048


@pytest.mark.parametrize("version", [1, 2])
def test_membrane_saturates_at_the_positive_rail(version):
    state = CoreState.zeros(1, 1, 1)
    state.v_mem[:], state.i_syn[:] = 32000, 2001

    result = simulate(core(dash_mem=[15], dash_syn=[[15, 15]], version=version), [[0]], state=state)

    assert result.traces["spikes"][0, 0, 0] == 1
    assert result.traces["v_mem"][0, 0, 0] == 32767 - 32767


@pytest.mark.parametrize("version", [1, 2])
def test_membrane_saturates_at_the_negative_rail(version):
    state = CoreState.zeros(1, 1, 1)
    state.v_mem[:], state.i_syn[:] = -32000, -2001

    result = simulate(core(dash_mem=[15], dash_syn=[[15, 15]], version=version), [[0]], state=state)

    assert result.traces["v_mem"][0, 0, 0] == -32768


@pytest.mark.parametrize(("version", "spikes", "v_mem"), [(1, 1, 0), (2, 0, 2767)])
def test_version_2_clips_the_summed_current_before_it_reaches_the_membrane(version, spikes, v_mem):
    state = CoreState.zeros(1, 1, 1)
    state.v_mem[:], state.i_syn[:], state.i_syn2[:] = -30000, 32767, 32767

    result = simulate(core(dash_mem=[15], dash_syn=[[15, 15]], version=version), [[0]], state=state)

    assert result.traces["spikes"][0, 0, 0] == spikes
    assert result.traces["v_mem"][0, 0, 0] == v_mem


def test_a_membrane_at_threshold_fires():
    arrays = core(n=2, weights_in=[[[100], [100]]], threshold=[75, 76])

    result = simulate(arrays, [[1]])

    assert result.traces["spikes"][0, 0].tolist() == [1, 0]
    assert result.traces["v_mem"][0, 0].tolist() == [0, 75]


def test_a_neuron_fires_at_most_31_times_and_keeps_the_rest():
    arrays = core(weights_in=[[[100]]], threshold=[2])

    result = simulate(arrays, [[1]])

    assert result.traces["spikes"][0, 0, 0] == 31
    assert result.traces["v_mem"][0, 0, 0] == 75 - 62


def test_threshold_zero_fires_31_times_whenever_the_membrane_is_not_negative():
    arrays = core(n=2, weights_in=[[[0], [-9]]], threshold=[0, 0])

    result = simulate(arrays, [[1]])

    assert result.traces["spikes"][0, 0].tolist() == [31, 0]


@pytest.mark.parametrize("count", [15, 16, 100, 255, 256, 10**6])
def test_input_counts_above_15_act_as_15(count):
    result = simulate(core(weights_in=[[[4]]]), [[count]])

    assert result.traces["i_syn"][0, 0, 0] == 45


def test_negative_bias_pulls_the_membrane_down():
    result = simulate(core(bias=[-7], bias_out=[-3]), [[0], [0]])

    assert result.traces["v_mem"][0, :, 0].tolist() == [-7, -12]
    assert result.traces["v_mem_out"][0, :, 0].tolist() == [-3, -5]


def test_a_hidden_spike_reaches_neurons_and_output_one_step_later():
    arrays = core(
        n=2,
        weights_in=[[[100], [0]]],
        weights_rec=[[[0], [20]], [[0], [0]]],
        weights_out=[[40], [0]],
        threshold=[75, 32767],
        threshold_out=[30],
    )

    result = simulate(arrays, [[1], [0]])

    assert result.traces["i_syn"][0, :, 1].tolist() == [0, 15]
    assert result.traces["i_syn_out"][0, :, 0].tolist() == [0, 30]
    assert result.spikes[0, :, 0].tolist() == [0, 1]


def test_an_output_neuron_fires_once_and_keeps_the_rest():
    arrays = core(weights_in=[[[100]]], weights_out=[[100]], threshold=[75], threshold_out=[10])

    result = simulate(arrays, [[1], [0], [0]])

    assert result.spikes[0, :, 0].tolist() == [0, 1, 1]
    assert result.traces["v_mem_out"][0, 1, 0] == 65


def test_input_columns_are_the_first_and_output_rows_the_last_hidden_neurons():
    arrays = core(
        n=3,
        weights_in=[[[100]]],
        weights_rec=[[[0], [0], [100]], [[0]] * 3, [[0]] * 3],
        weights_out=[[8]],
        threshold=[75, 32767, 75],
    )

    result = simulate(arrays, [[1], [0], [0]])

    assert result.traces["spikes"][0, :2].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert result.traces["i_syn_out"][0, :, 0].tolist() == [0, 0, 6]


def test_the_two_synapses_decay_on_their_own_and_add_up_on_the_membrane():
    arrays = core(weights_in=[[[100, 40]]], dash_syn=[[1, 2]])

    result = simulate(arrays, [[1]])

    assert result.traces["i_syn"][0, 0, 0] == 50
    assert result.traces["i_syn2"][0, 0, 0] == 30
    assert result.traces["v_mem"][0, 0, 0] == 80


def test_an_alias_copies_spikes_within_the_step_and_along_ascending_chains():
    arrays = core(n=3, weights_in=[[[100], [0], [0]]], threshold=[30, 9, 9], aliases=[1, 2, -1])

    result = simulate(arrays, [[1]])

    assert result.traces["spikes"][0, 0].tolist() == [2, 2, 2]
    assert result.traces["v_mem"][0, 0].tolist() == [15, 0, 0]


def test_a_higher_alias_target_counts_received_spikes_against_its_own_cap():
    arrays = core(n=2, weights_in=[[[100], [100]]], threshold=[3, 2], aliases=[1, -1])

    result = simulate(arrays, [[1]])

    assert result.traces["spikes"][0, 0].tolist() == [25, 31]
    assert result.traces["v_mem"][0, 0].tolist() == [0, 75 - 6 * 2]


def test_a_lower_alias_target_fires_first_and_the_sum_is_clipped():
    arrays = core(n=2, weights_in=[[[100], [100]]], threshold=[2, 3], aliases=[-1, 0])

    result = simulate(arrays, [[1]])

    assert result.traces["spikes"][0, 0].tolist() == [31, 25]
    assert result.traces["v_mem"][0, 0].tolist() == [75 - 62, 0]


def test_a_given_state_is_not_changed():
    state = CoreState.zeros(1, 1, 1)

    run(prepare(core(weights_in=[[[100]]])), np.ones((1, 5, 1), int), state=state)

    assert not state.v_mem.any()


def test_a_current_on_an_unused_second_synapse_still_decays_into_the_membrane():
    state = CoreState.zeros(1, 1, 1)
    state.i_syn2[:] = 100

    result = simulate(core(), [[0]], state=state)

    assert result.traces["i_syn2"][0, 0, 0] == 75
    assert result.traces["v_mem"][0, 0, 0] == 75


def test_only_what_is_asked_for_is_recorded():
    result = run(prepare(core()), np.zeros((2, 3, 1), int), record=["v_mem"])

    assert list(result.traces) == ["v_mem"]
    assert result.traces["v_mem"].shape == (2, 3, 1)


@pytest.mark.parametrize("shape", [(0, 3, 1), (2, 0, 1)])
def test_no_samples_or_no_steps_give_empty_results(shape):
    result = run(prepare(core()), np.zeros(shape, int), record=TRACES)

    assert result.spikes.shape == shape
    assert result.traces["spikes"].shape == shape


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.zeros((1, 3, 1)), "have dtype float64, give integers"),
        (np.zeros((3, 1), int), r"have shape \(3, 1\), needed is \(batch, time, 1\)"),
        (np.zeros((1, 3, 2), int), r"needed is \(batch, time, 1\)"),
        (np.full((1, 3, 1), -2), "go down to -2, allowed is 0 or more"),
    ],
)
def test_bad_counts_are_refused(counts, message):
    with pytest.raises(InputError, match=message):
        run(prepare(core()), counts)


def test_a_state_of_another_batch_is_refused():
    state = CoreState.zeros(2, 1, 1)

    with pytest.raises(InputError, match=r"state.v_mem has shape \(2, 1\), needed is \(1, 1\)"):
        run(prepare(core()), np.zeros((1, 3, 1), int), state=state)


def test_an_unknown_trace_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"cannot record \['voltage'\], there are .*'v_mem'"):
        run(prepare(core()), np.zeros((1, 3, 1), int), record=["voltage"])
