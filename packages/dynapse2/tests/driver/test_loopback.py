"""The loopback is the simulator behind packets and monitor events."""

import numpy as np
import pytest

from ranvier.artifacts import OutputChannel
from ranvier.errors import DeviceError
from ranvier_dynapse2.driver import DeployOptions, open_device
from ranvier_dynapse2.simulator import Dynapse2Session, SimulateOptions


def codes_of(recording):
    return [d.code for d in recording.diagnostics]


@pytest.mark.parametrize("chips", [1, 3])
@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_loopback_equals_the_simulator(chips, model, rng, make_config):
    config = make_config(chips=chips, model=model)
    batch = rng.integers(0, 4, (3, 25, 6, 2))
    expected = Dynapse2Session(config).run(batch, record=["spikes"])

    with open_device(config, "loopback") as board:
        found = board.run(batch, record=["spikes"])

    assert expected.raster("hidden").max() > 0
    assert set(found.signals) == set(expected.signals)
    for key in expected.signals:
        np.testing.assert_array_equal(found.raw(*key), expected.raw(*key))
    assert codes_of(found) == codes_of(expected)
    assert found.provenance["neuron_spikes"] == expected.provenance["neuron_spikes"]
    assert "tag" in found.labels["input"][0]


def test_several_spikes_of_a_neuron_in_one_step_survive_as_events(rng, make_config):
    config = make_config(dt=5e-3)
    batch = rng.integers(0, 30, (2, 20, 6, 2))
    expected = Dynapse2Session(config).run(batch, record=["spikes"])

    with open_device(config, "loopback", DeployOptions(double_window=2e-6)) as board:
        found = board.run(batch, record=["spikes"])

    assert expected.raster("hidden").max() > 1
    np.testing.assert_array_equal(found.raster("hidden"), expected.raster("hidden"))


def test_time_steps_need_not_be_whole_ticks(rng, make_config):
    config = make_config(dt=1e-3 / 3)
    counts = rng.integers(0, 3, (40, 6, 2))

    with open_device(config, "loopback") as board:
        found = board.run(counts, record=["spikes"])

    expected = Dynapse2Session(config).run(counts, record=["spikes"])
    np.testing.assert_array_equal(found.raster("hidden"), expected.raster("hidden"))


def test_loopback_keeps_a_state_per_sample(rng, config):
    batch = rng.integers(0, 3, (2, 24, 6, 2))

    with open_device(config, "loopback") as board:
        parts = [board.run(batch[:, :9]).output, board.run(batch[:, 9:]).output]
        board.reset()
        again = board.run(batch).output

    whole = Dynapse2Session(config).run(batch).output
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_array_equal(again, whole)


def test_loopback_may_be_a_virtual_chip(config, counts):
    options = SimulateOptions(mismatch=0.3, chip_seed=4)

    with open_device(config, "loopback", DeployOptions(mismatch=0.3, chip_seed=4)) as board:
        found = board.run(counts, record=["spikes"]).raster("hidden")

    virtual = Dynapse2Session(config, options).run(counts, record=["spikes"]).raster("hidden")
    ideal = Dynapse2Session(config).run(counts, record=["spikes"]).raster("hidden")
    np.testing.assert_array_equal(found, virtual)
    assert np.any(virtual != ideal)


def test_loopback_offers_what_a_board_could_record(make_config, counts):
    config = make_config(all_monitored=False)

    with open_device(config, "loopback") as board:
        assert dict(board.recordable()) == {"out": ("spikes",)}
        found = board.run(counts, record=True)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)


def test_an_output_that_shows_a_state_comes_from_the_simulator_with_a_note(make_config, counts):
    outputs = (OutputChannel(output="output", node="out", quantity="v_mem"),)
    config = make_config(outputs=outputs)

    with open_device(config, "loopback") as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)
    assert "DY308" in codes_of(found)


def test_echoes_are_the_inputs_that_reach_something(config, counts):
    with open_device(config, "loopback", DeployOptions(echo_inputs=True)) as board:
        found = board.run(counts)

    reaching = np.isin(np.arange(12), config.input_channel).reshape(6, 2)
    np.testing.assert_array_equal(found.raster("input"), counts * reaching)


def test_steps_with_more_spikes_than_ticks_are_reported(config):
    counts = np.zeros((3, 6, 2), int)
    counts[1, 0, 0] = 1500

    with open_device(config, "loopback") as board:
        found = board.run(counts)

    (finding,) = [d for d in found.diagnostics if d.code == "DY303"]
    assert (finding.value, finding.limit) == (1500, 1000)
    late = np.zeros_like(counts)
    late[1, 0, 0], late[2, 0, 0] = 1000, 500
    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(late).output)


def test_loopback_takes_empty_batches_and_runs_without_steps(config):
    with open_device(config, "loopback") as board:
        assert board.run(np.zeros((0, 5, 6, 2), int)).output.shape == (0, 5, 12)
        board.reset()
        assert board.run(np.zeros((1, 0, 6, 2), int), record=True).output.shape == (1, 0, 12)


def test_loopback_takes_another_configuration(make_config, counts):
    first, second = make_config(seed=1), make_config(seed=2)

    with open_device(first, "loopback") as board:
        board.update(second)
        found = board.run(counts).output

    np.testing.assert_array_equal(found, Dynapse2Session(second).run(counts).output)


@pytest.mark.parametrize(
    "options",
    [{"bitfile": "x.bit"}, {"monitor_neurons": (("out", 0),)}, {"sadc": ("soif_mem",)}],
)
def test_loopback_refuses_what_needs_a_board(options, config):
    with pytest.raises(DeviceError, match="has no FPGA and no analogue signals: leave out"):
        open_device(config, "loopback", DeployOptions(**options))


def test_time_steps_shorter_than_a_tick_are_refused(make_config):
    with pytest.raises(DeviceError, match="shorter than a tick"):
        open_device(make_config(dt=5e-7), "loopback")
