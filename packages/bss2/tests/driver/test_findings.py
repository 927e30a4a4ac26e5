"""What a recording says about its run, and what a session refuses before the chip is asked."""

import numpy as np
import pytest

from ranvier.errors import DeviceError, SimulationError
from ranvier_bss2.driver import DeployOptions, open_device
from ranvier_bss2.driver.limits import cycles_of


def codes(recording):
    return {d.code: d for d in recording.diagnostics}


def test_a_recording_says_that_the_driver_never_met_a_chip_and_that_times_are_steps(
    config, spikes, attach_hxtorch, open_board
):
    attach_hxtorch()

    with open_board(config) as board:
        found = codes(board.run(spikes))

    assert {"BS301", "BS305"} <= set(found)
    assert not {"BS302", "BS303", "BS304", "BS231"} & set(found)


def test_a_second_run_without_reset_is_a_loss(config, spikes, attach_hxtorch, open_board):
    attach_hxtorch()

    with open_board(config) as board:
        board.run(spikes)
        second = board.run(spikes)
        board.reset()
        third = board.run(spikes)

    assert codes(second)["BS302"].value == 1
    assert "run 2 since the last reset started at rest" in codes(second)["BS302"].message
    assert "BS302" not in codes(third)
    np.testing.assert_array_equal(second.output, third.output)


def test_counts_above_one_are_sent_once(config, spikes, attach_hxtorch, open_board):
    attach_hxtorch()

    with open_board(config) as board:
        found = board.run(spikes * 3)
        board.reset()
        same = board.run(spikes)

    assert codes(found)["BS231"].value == 3
    assert codes(found)["BS231"].node == "input"
    np.testing.assert_array_equal(found.output, same.output)


def test_traces_that_outlast_the_memory_are_reported_with_the_numbers(
    config, attach_hxtorch, open_board
):
    attach_hxtorch()

    with open_board(config) as board:
        found = board.run(np.zeros((1, 171, 6), int))

    (finding, other) = [d for d in found.diagnostics if d.code == "BS303"]
    assert (finding.node, other.node) == ("hidden", "readout")
    assert finding.message == "101 samples of 1.7 us each, the memory (sram) holds 100"
    assert "cadc='dram'" in finding.hint


def test_the_calibration_of_a_file_overrules_the_configuration(
    config, spikes, attach_hxtorch, open_board, tmp_path
):
    file = tmp_path / "spiking_calix-native.pkl"
    file.write_bytes(b"")
    attach_hxtorch()

    with open_board(config, calibration=file) as board:
        found = board.run(spikes)

    assert str(file) in codes(found)["BS304"].message
    assert found.provenance["calibration"] == str(file)


def test_a_chip_has_no_state_to_read_or_write(config, attach_hxtorch, open_board):
    attach_hxtorch()

    with open_board(config) as board:
        with pytest.raises(DeviceError, match=r"cannot be read; use ranvier\.open_simulation"):
            _ = board.state
        with pytest.raises(DeviceError, match=r"cannot be set; use ranvier\.open_simulation"):
            board.state = {}


def test_an_empty_input_is_refused_with_its_size(config, attach_hxtorch, open_board):
    attach_hxtorch()

    with (
        open_board(config) as board,
        pytest.raises(SimulationError, match="1 samples of 0 steps; a chip runs at least one"),
    ):
        board.run(np.zeros((0, 6), int))


def test_a_run_longer_than_the_timer_is_refused_with_the_numbers(config):
    assert cycles_of(config, 50, where="hxtorch") == 6250
    with pytest.raises(
        DeviceError, match=r"5000000000 cycles .* has 4294967295 \(34\.4 s\); split"
    ):
        cycles_of(config, 40_000_000, where="hxtorch")


def test_options_of_the_loopback_are_refused_together(config, attach_hxtorch):
    stack = attach_hxtorch()

    with pytest.raises(DeviceError, match=r"preset, chip_seed: a chip has its own variability"):
        open_device(config, "hxtorch", DeployOptions(preset="ideal", chip_seed=1))
    assert stack.calls == []


def test_two_memories_of_the_slow_converter_are_refused(small, attach_hxtorch, open_board):
    config, _ = small["chip"](
        {"input": (2,)},
        [
            small["population"]("hidden", 2, cadc="sram"),
            small["population"]("out", 2, cadc="dram", instance=1),
        ],
        [
            small["projection"]("input", "hidden", np.full((2, 2), 40)),
            small["projection"]("hidden", "out", np.full((2, 2), 40)),
        ],
    )
    stack = attach_hxtorch()

    with pytest.raises(DeviceError, match="one memory, not through sram and dram; choose one"):
        open_board(config)
    assert stack.calls == []


def test_a_release_without_the_dram_refuses_what_needs_it(small, attach_hxtorch, open_board):
    config, _ = small["chip"](
        {"input": (2,)},
        [small["population"]("out", 2, cadc="dram")],
        [small["projection"]("input", "out", np.full((2, 2), 40))],
    )
    stack = attach_hxtorch(old=True)

    with pytest.raises(DeviceError, match=r"no enable_cadc_recording_placement_in_dram.*newer"):
        open_board(config)
    assert stack.calls == ["init", "release"]


def test_update_needs_the_same_inputs(config, small, attach_hxtorch, open_board):
    other, _ = small["chip"](
        {"input": (2,)},
        [small["population"]("out", 2)],
        [small["projection"]("input", "out", np.full((2, 2), 40))],
    )
    attach_hxtorch()

    with (
        open_board(config) as board,
        pytest.raises(SimulationError, match=r"same inputs and time step.*open a new session"),
    ):
        board.update(other)


def test_an_output_whose_membrane_is_not_recorded_is_refused(small, attach_hxtorch, open_board):
    config, _ = small["chip"](
        {"input": (2,)},
        [small["population"]("out", 2, switches=("leaky",), cadc="off")],
        [small["projection"]("input", "out", np.full((2, 2), 40))],
    )
    stack = attach_hxtorch()

    with pytest.raises(DeviceError, match=r"membrane of 'out', which is not rec.*cadc='sram'"):
        open_board(config)
    assert stack.calls == []
