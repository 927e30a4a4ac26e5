"""What a chip behind hxtorch gives is what the emulator gives."""

import numpy as np
import pytest

from ranvier_bss2 import VirtualChip
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.records import observables, recording_of

IDEAL = VirtualChip.of(0, "ideal")


def expected(config, spikes, chip=IDEAL):
    raw = Emulator(config, chip).run({"input": spikes}, trial_seed=0)
    return recording_of(config, raw, n_steps=spikes.shape[1], record=observables(config))


def assert_same(found, wanted):
    """Compare spikes exactly, and grids up to the stack's float32."""
    for node, quantity in wanted.signals:
        if quantity == "spikes":
            np.testing.assert_array_equal(found.raw(node, quantity), wanted.raw(node, quantity))
        if quantity == "v_grid":
            np.testing.assert_allclose(
                found.trace(node, quantity), wanted.trace(node, quantity), atol=1e-6
            )
    fired = [n for n, q in wanted.signals if q == "spikes" and wanted.raw(n, q).any()]
    assert fired, "nothing fired"


def run(board, spikes):
    with board:
        return board.run(spikes, record=True)


def test_spikes_and_traces_are_those_of_the_emulator(config, spikes, attach_hxtorch, open_board):
    attach_hxtorch()

    assert_same(run(open_board(config), spikes), expected(config, spikes))


def test_a_chip_with_variability_is_met_circuit_by_circuit(
    config, spikes, attach_hxtorch, open_board
):
    chip = VirtualChip.of(3)
    attach_hxtorch(chip=chip)

    found = run(open_board(config), spikes)

    assert_same(found, expected(config, spikes, chip))
    ideal = expected(config, spikes).raw("hidden", "spikes")
    assert (found.raw("hidden", "spikes") != ideal).any()


def test_releases_before_september_2025_have_other_names(
    config, spikes, attach_hxtorch, open_board
):
    attach_hxtorch(old=True)

    assert_same(run(open_board(config), spikes), expected(config, spikes))


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("old", [True, False])
def test_recurrence_is_wrapped(by_name, old, recurrent_config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch(wrapper_by_name=by_name, old=old)

    found = run(open_board(recurrent_config), spikes)

    assert_same(found, expected(recurrent_config, spikes))
    assert len(stack.experiments[0].wrappers) == 1
    assert len(stack.experiments[0].wrappers[0].members) == 2


def test_execution_instances_run_one_after_the_other(
    split_config, spikes, attach_hxtorch, open_board
):
    stack = attach_hxtorch()

    found = run(open_board(split_config), spikes)

    assert_same(found, expected(split_config, spikes))
    populations, _ = stack.built[0]
    assert [(p.size, p.instance) for p in populations] == [(5, 0), (3, 1), (3, 2)]


def test_weights_reach_the_synapses_as_the_integers_of_the_configuration(
    small, rng, spikes, attach_hxtorch, open_board
):
    weight = rng.integers(-63, 64, size=(5, 6))
    weight[0, :3] = 63, -63, 0
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("out", 5)],
        [small["projection"]("input", "out", weight)],
    )
    stack = attach_hxtorch()

    run(open_board(config), spikes)

    np.testing.assert_array_equal(stack.experiments[0].synapses[0].written(), weight)


def test_weights_beyond_63_take_several_synapse_modules(
    small, rng, spikes, attach_hxtorch, open_board
):
    weight = rng.integers(-60, 60, size=(5, 6))
    weight[1, 2], weight[3, 4] = 150, -100
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("out", 5)],
        [small["projection"]("input", "out", weight)],
    )
    stack = attach_hxtorch()

    found = run(open_board(config), spikes)

    assert_same(found, expected(config, spikes))
    written = [s.written() for s in stack.experiments[0].synapses]
    assert [int(w[1, 2]) for w in written] == [63, 63, 24]
    assert [type(s).__name__ for s in stack.experiments[0].synapses][1:] == ["SparseSynapse"] * 2
    np.testing.assert_array_equal(sum(written), weight)


def test_a_sparse_projection_allocates_only_its_synapses(
    small, rng, spikes, attach_hxtorch, open_board
):
    import dataclasses

    weight = rng.integers(10, 60, size=(5, 6))
    connected = rng.random((5, 6)) < 0.5
    sparse = dataclasses.replace(
        small["projection"]("input", "out", weight * connected), connected=connected
    )
    config, _ = small["chip"]({"input": (6,)}, [small["population"]("out", 5)], [sparse])
    stack = attach_hxtorch()

    found = run(open_board(config), spikes)

    assert_same(found, expected(config, spikes))
    (synapse,) = stack.experiments[0].synapses
    assert type(synapse).__name__ == "SparseSynapse"
    np.testing.assert_array_equal(synapse.mask, connected)


@pytest.mark.parametrize(
    "readout",
    [
        {"time_shift": 3},
        {"time_shift": -2},
        {"shift_to_first": True, "time_shift": 1},
        {"interpolation": "nn"},
    ],
)
def test_the_readout_is_applied_once(readout, small, spikes, attach_hxtorch, open_board):
    out = small["population"]("out", 4, switches=("leaky",), leak=0.3, **readout)
    weight = np.random.default_rng(1).integers(-20, 60, size=(4, 6))
    config, _ = small["chip"]({"input": (6,)}, [out], [small["projection"]("input", "out", weight)])
    attach_hxtorch()

    found = run(open_board(config), spikes)

    wanted = expected(config, spikes)
    np.testing.assert_allclose(found.output, wanted.output, atol=1e-6)
    assert np.ptp(found.output) > 1


@pytest.mark.parametrize("dt", [0.5e-6, 1.004e-6, 2e-6])
def test_other_time_steps_too(dt, small, spikes, attach_hxtorch, open_board):
    rng = np.random.default_rng(1)
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("hidden", 5), small["population"]("out", 4, switches=("leaky",))],
        [
            small["projection"]("input", "hidden", rng.integers(-20, 60, size=(5, 6))),
            small["projection"]("hidden", "out", rng.integers(-20, 60, size=(4, 5))),
        ],
        dt=dt,
    )
    attach_hxtorch()

    found = run(open_board(config), spikes)

    wanted = expected(config, spikes)
    assert_same(found, wanted)
    np.testing.assert_array_equal(found.raster("hidden"), wanted.raster("hidden"))


@pytest.mark.parametrize("n_steps", [1, 59, 118])
def test_runs_of_any_length_end_with_their_input(n_steps, config, rng, attach_hxtorch, open_board):
    spikes = (rng.random((2, n_steps, 6)) < 0.2).astype(int)
    attach_hxtorch()

    found = run(open_board(config), spikes)

    wanted = expected(config, spikes)
    assert found.output.shape == (2, n_steps, 3)
    np.testing.assert_array_equal(found.raw("hidden", "spikes"), wanted.raw("hidden", "spikes"))


def test_samples_of_the_fast_converter_stay_raw(small, spikes, attach_hxtorch, open_board):
    out = small["population"]("out", 4, madc_neuron=2)
    weight = np.random.default_rng(1).integers(-20, 60, size=(4, 6))
    config, _ = small["chip"]({"input": (6,)}, [out], [small["projection"]("input", "out", weight)])
    attach_hxtorch()

    found = run(open_board(config), spikes)

    wanted = expected(config, spikes)
    np.testing.assert_array_equal(found.raw("out", "madc"), wanted.raw("out", "madc"))


def test_other_sample_times_in_other_samples_are_reported(
    small, spikes, attach_hxtorch, open_board
):
    out = small["population"]("out", 4, madc_neuron=2)
    config, _ = small["chip"](
        {"input": (6,)}, [out], [small["projection"]("input", "out", np.full((4, 6), 40))]
    )
    attach_hxtorch(madc_jitter=3)

    found = run(open_board(config), spikes)

    (finding,) = [d for d in found.diagnostics if d.code == "BS306"]
    assert finding.value == 3


def test_neurons_without_leak_and_with_adaptation_become_aelif(
    small, spikes, attach_hxtorch, open_board
):
    free = small["population"]("free", 4, switches=("fire",))
    adapting = small["population"](
        "adapting",
        3,
        switches=("leaky", "fire", "spike_triggered_adaptation"),
        b=0.4,
        tau_adaptation=80e-6,
    )
    rng = np.random.default_rng(2)
    config, _ = small["chip"](
        {"input": (6,)},
        [free, adapting],
        [
            small["projection"]("input", "free", rng.integers(-5, 30, size=(4, 6))),
            small["projection"]("free", "adapting", rng.integers(0, 60, size=(3, 4))),
        ],
    )
    stack = attach_hxtorch()

    found = run(open_board(config), spikes)

    wanted = expected(config, spikes).raw("free", "spikes")
    np.testing.assert_array_equal(found.raw("free", "spikes"), wanted)
    assert wanted.any()
    one, other = stack.experiments[0].neurons
    assert one.switches == ("fire",)
    assert other.switches == ("fire", "leaky", "spike_triggered_adaptation")
    increment = other.parameters["spike_triggered_adaptation_increment"]
    assert (increment.model_value, increment.hardware_value) == (0.4, 0.4)


def test_model_and_chip_values_stay_apart(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch()

    run(open_board(config), spikes)

    p = stack.experiments[0].neurons[0].parameters
    pairs = {name: (v.model_value, v.hardware_value) for name, v in p.items()}
    assert pairs["leak"] == (0.0, 80)
    assert pairs["threshold"] == (1.0, 125)
    assert pairs["membrane_capacitance"] == (10e-6, 63)
    assert pairs["tau_mem"] == (10e-6, 10e-6)
    assert type(pairs["i_synin_gm"][1]) is int


def test_values_per_neuron_and_per_receptor_are_tensors(small, spikes, attach_hxtorch, open_board):
    import dataclasses

    out = small["population"]("out", 2, tau_mem=[5e-6, 10e-6], threshold=[1.0, 0.5])
    targets = {**out.targets, "tau_syn_inh": np.full(2, 8e-6)}
    out = dataclasses.replace(out, targets=targets)
    config, _ = small["chip"](
        {"input": (6,)}, [out], [small["projection"]("input", "out", np.full((2, 6), 40))]
    )
    stack = attach_hxtorch()

    assert_same(run(open_board(config), spikes), expected(config, spikes))

    p = stack.experiments[0].neurons[0].parameters
    assert p["threshold"].hardware_value.shape == (2,)
    np.testing.assert_allclose(p["tau_mem"].hardware_value, [5e-6, 10e-6])
    np.testing.assert_allclose(p["tau_syn"].hardware_value, [10e-6, 8e-6])


def test_neurons_of_several_circuits_have_a_structure(small, spikes, attach_hxtorch, open_board):
    out = small["population"]("out", 3, circuits=2)
    config, _ = small["chip"](
        {"input": (6,)}, [out], [small["projection"]("input", "out", np.full((3, 6), 40))]
    )
    stack = attach_hxtorch()

    assert_same(run(open_board(config), spikes), expected(config, spikes))
    assert stack.experiments[0].neurons[0].circuits == 2


def test_masked_neurons_neither_report_nor_feed(small, spikes, attach_hxtorch, open_board):
    mask = [True, False, True, False]
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("hidden", 4), small["population"]("out", 3)],
        [
            small["projection"]("input", "hidden", np.full((4, 6), 50)),
            small["projection"]("hidden", "out", np.full((3, 4), 60)),
        ],
        masks={"hidden": mask},
    )
    attach_hxtorch()

    found = run(open_board(config), spikes)

    assert_same(found, expected(config, spikes))
    assert not found.raw("hidden", "spikes")[..., 1].any()


def test_a_population_that_nothing_feeds_gets_a_silent_source(
    small, spikes, attach_hxtorch, open_board
):
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("out", 3), small["population"]("alone", 2)],
        [small["projection"]("input", "out", np.full((3, 6), 40))],
        outputs={"output": ("out", "spikes")},
    )
    attach_hxtorch()

    found = run(open_board(config), spikes)

    assert_same(found, expected(config, spikes))
    assert not found.raw("alone", "spikes").any()


def test_several_inputs_keep_their_names(small, rng, attach_hxtorch, open_board):
    config, _ = small["chip"](
        {"left": (2,), "right": (3,)},
        [small["population"]("out", 4)],
        [
            small["projection"]("left", "out", rng.integers(-10, 60, size=(4, 2))),
            small["projection"]("right", "out", rng.integers(-10, 60, size=(4, 3))),
        ],
    )
    inputs = {n: (rng.random((2, 40, k)) < 0.3).astype(int) for n, k in (("left", 2), ("right", 3))}
    attach_hxtorch()

    found = run(open_board(config), inputs)

    raw = Emulator(config, IDEAL).run(inputs, trial_seed=0)
    wanted = recording_of(config, raw, n_steps=40, record=observables(config))
    assert_same(found, wanted)


def test_every_run_connects_the_modules_anew(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch()

    with open_board(config) as board:
        first = board.run(spikes, record=True)
        kept = first.raw("hidden", "spikes").copy()
        silent = board.run(spikes * 0, record=True)

    np.testing.assert_array_equal(first.raw("hidden", "spikes"), kept)
    assert not silent.raw("hidden", "spikes").any()
    assert stack.calls == ["init", "run 50", "run 50", "release"]


def test_another_configuration_runs_on_the_open_chip(small, spikes, attach_hxtorch, open_board):
    def made(weight):
        return small["chip"](
            {"input": (6,)},
            [small["population"]("out", 3)],
            [small["projection"]("input", "out", np.full((3, 6), weight))],
        )[0]

    stack = attach_hxtorch()
    with open_board(made(20)) as board:
        board.update(made(45))
        found = board.run(spikes, record=True)

    assert_same(found, expected(made(45), spikes))
    assert stack.calls == ["init", "run 50", "release"]


def test_the_margin_runs_and_is_not_recorded(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch()

    found = run(open_board(config, margin=7), spikes)

    wanted = expected(config, spikes)
    assert stack.calls[1] == "run 57"
    np.testing.assert_array_equal(found.raw("hidden", "spikes"), wanted.raw("hidden", "spikes"))
    last = int(wanted["readout", "v_mem"].times[-1] / config.dt)  # later rows have no sample after
    np.testing.assert_allclose(found.output[:, :last], wanted.output[:, :last], atol=1e-6)
    assert found.output.shape == wanted.output.shape


def test_the_chip_is_named_in_the_recording(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch()

    with open_board(config) as board:
        found = board.run(spikes)
        assert board.identifier == stack.silicon.identifier

    assert found.provenance["chip"] == "hicann-x-v3 chip 42"
    assert found.provenance["session"] == "hxtorch"
    assert found.provenance["config"] == config.content_hash
    assert board.raw.identifier == "hicann-x-v3 chip 42"


@pytest.mark.parametrize(
    ("options", "call"), [({"init": "minimal"}, "init minimal"), ({"ann": True}, "init ann=True")]
)
def test_the_connection_is_initialised_as_asked(options, call, config, attach_hxtorch, open_board):
    stack = attach_hxtorch()

    open_board(config, **options).close()

    assert stack.calls == [call, "release"]


def test_neurons_can_be_put_on_the_circuits_of_the_configuration(
    config, spikes, attach_hxtorch, open_board, monkeypatch
):
    import sys
    from types import SimpleNamespace

    halco = SimpleNamespace(
        LogicalNeuronOnDLS=lambda shape, anchor: (shape, anchor),
        AtomicNeuronOnDLS=lambda number: number,
        EnumRanged_512_=int,
    )
    monkeypatch.setitem(sys.modules, "dlens_vx_v3.halco", halco)
    stack = attach_hxtorch()

    run(open_board(config, placement="config"), spikes)

    places = [n.recording.placement_constraint for n in stack.experiments[0].neurons]
    assert [anchor for part in places for _, anchor in part] == config.neuron_circuit.tolist()
    assert [len(part) for part in places] == [8, 3]
