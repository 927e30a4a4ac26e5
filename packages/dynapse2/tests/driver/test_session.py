"""A board gives what the simulator gives."""

import numpy as np
import pytest

from ranvier.errors import DeviceError, SimulationError
from ranvier_dynapse2.simulator import Dynapse2Session


def codes_of(recording):
    return [d.code for d in recording.diagnostics]


@pytest.mark.parametrize("chips", [1, 2, 4])
@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_a_board_counts_what_the_simulator_counts(
    chips, model, make_config, counts, attach, open_board
):
    config = make_config(chips=chips, model=model)
    sdk = attach(chips)
    sdk.model = model

    with open_board(config) as board:
        found = board.run(counts, record=["spikes"])

    expected = Dynapse2Session(config).run(counts, record=["spikes"])
    assert expected.raster("out").any()
    for node in ("hidden", "out"):
        np.testing.assert_array_equal(found.raster(node), expected.raster(node))
    np.testing.assert_array_equal(found.output, expected.output)
    assert sdk.released
    assert sdk.discharged


def test_times_are_those_of_the_boards_clock(config, counts, attach, open_board):
    attach()

    with open_board(config) as board:
        signal = board.run(counts)["out", "spikes"]

    assert signal.tick_duration == 1e-6
    assert signal.n_ticks == 30_000
    assert np.any(signal.tick % 1000)
    by_hand = signal.raster().reshape(1, 30, 1000, -1).sum(axis=2)
    np.testing.assert_array_equal(signal.raster(1e-3), by_hand)


def test_samples_of_a_batch_start_at_rest(config, rng, attach, open_board):
    batch = rng.integers(0, 3, (3, 15, 6, 2))
    sdk = attach()

    with open_board(config) as board:
        found = board.run(batch, record=["spikes"])

    expected = Dynapse2Session(config).run(batch, record=["spikes"])
    np.testing.assert_array_equal(found.raster("hidden"), expected.raster("hidden"))
    kinds = ["run" if n.startswith("run") else n for n in sdk.names() if n[:3] in ("app", "run")]
    opening = ["apply leak", "apply network", "apply leak"]
    assert kinds == opening + ["apply network", "run", "apply leak"] * 3


def test_a_second_run_starts_at_rest_and_says_so(config, counts, attach, open_board):
    attach()

    with open_board(config) as board:
        first = board.run(counts)
        second = board.run(counts)
        board.reset()
        third = board.run(counts)

    np.testing.assert_array_equal(second.output, first.output)
    assert [("DY307" in codes_of(r)) for r in (first, second, third)] == [False, True, False]
    assert all("DY301" in codes_of(r) for r in (first, second, third))


def test_a_silent_board_still_has_outputs_of_full_width(config, attach, open_board):
    attach()

    with open_board(config) as board:
        found = board.run(np.zeros((8, 6, 2), int))

    assert found.output.shape == (8, 12)
    assert not found.output.any()


def test_series_come_back_as_series(config, counts, attach, open_board):
    from ranvier.events import EventSeries

    attach()
    series = EventSeries.from_raster(counts, 1e-3, t_start=0.5)

    with open_board(config) as board:
        found = board.run(series)

    expected = Dynapse2Session(config).run(series)
    np.testing.assert_array_equal(found.output.raster(1e-3), expected.output.raster(1e-3))


def test_only_nodes_whose_neurons_are_monitored_can_be_recorded(
    make_config, counts, attach, open_board
):
    config = make_config(all_monitored=False)
    attach()

    with open_board(config) as board:
        assert dict(board.recordable()) == {"out": ("spikes",)}
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)


def test_outputs_that_are_not_monitored_read_as_silent_and_are_reported(
    make_config, counts, attach, open_board
):
    config = make_config()
    used = config.sram_used.copy()
    used[..., 0] = False
    config = config.model_copy(update={"sram_used": used})
    attach()

    with open_board(config) as board:
        found = board.run(counts)

    assert found.output.shape == (30, 12)
    assert "DY233" in codes_of(found)


def test_update_writes_another_configuration(make_config, counts, attach, open_board):
    first, second = make_config(seed=1), make_config(seed=2)
    attach()

    with open_board(first) as board:
        board.run(counts)
        board.update(second)
        found = board.run(counts)
        with pytest.raises(SimulationError, match="open a new session"):
            board.update("nonsense")

    np.testing.assert_array_equal(found.output, Dynapse2Session(second).run(counts).output)


def test_a_state_can_be_neither_read_nor_set(config, attach, open_board):
    attach()

    with open_board(config) as board:
        with pytest.raises(DeviceError, match=r"cannot be read; use ranvier\.open_simulation"):
            board.get_state()
        with pytest.raises(DeviceError, match=r"cannot be set; use ranvier\.open_simulation"):
            board.set_state({})


def test_an_empty_input_is_refused_without_touching_the_board(config, attach, open_board):
    sdk = attach()

    with open_board(config) as board, pytest.raises(SimulationError, match="at least one step"):
        board.run(np.zeros((0, 6, 2), int))
    assert sdk.count("run") == 0


def test_a_closed_session_cannot_be_used(config, counts, attach, open_board):
    sdk = attach()
    board = open_board(config)
    board.close()
    board.close()

    for use in (lambda: board.run(counts), board.reset, lambda: board.update(config)):
        with pytest.raises(SimulationError, match="closed"):
            use()
    assert sdk.count("close_device") == 1


def test_channels_are_labelled_with_tags_and_places(config, counts, attach, open_board):
    attach()

    with open_board(config) as board:
        labels = board.run(counts).labels

    rows = config.input_channel == 0
    assert labels["input"][0] == "tag " + "+".join(map(str, config.input_tag[rows]))
    assert labels["input"][4] == "no tag"
    place = config.placement
    row = np.flatnonzero((place.node_id == 1) & (place.index == 3))[0]
    core, slot = place.core[row], place.slot[row]
    assert labels["output"][3] == f"chip 0 core {core} neuron {slot} (tag {core * 256 + slot})"


def test_a_recording_counts_what_energy_estimates_need(config, counts, attach, open_board):
    attach()

    with open_board(config) as board:
        found = board.run(counts)

    expected = Dynapse2Session(config).run(counts)
    for name in ("input_spikes", "input_rate", "neuron_spikes"):
        assert found.provenance[name] == expected.provenance[name]
