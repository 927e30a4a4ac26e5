"""Whatever goes wrong: one clear error, and the board is released."""

import numpy as np
import pytest

from ranvier.errors import DeviceError, DeviceTimeoutError, SimulationError
from ranvier_dynapse2.driver import DeployOptions, open_device
from ranvier_dynapse2.simulator import Dynapse2Session

OPENING = [
    ({"apply_fails": True}, "applying the configuration failed: USB transfer failed; check cable"),
    ({"rejects": ("tag of core 1", "x")}, "rejected with 2 error.*: tag of core 1; x; reset the"),
    ({"read_back_differs": True}, r"1 register.* chip 0 core \d neuron \d+ synapse \d+ is \["),
    ({"drops_writes": True}, r"does not keep what is written to it: \d+ register.*bias SOIF_DC_P"),
    ({"lacks_bias": True}, r"has no bias SOIF_DC_P \(1 missing\); leave out these names"),
]


@pytest.mark.parametrize(("faults", "message"), OPENING)
def test_a_failed_opening_releases_the_board(faults, message, config, attach, open_board):
    sdk = attach(**faults)

    with pytest.raises(DeviceError, match=message):
        open_board(config)

    assert sdk.n_opened == 1
    assert sdk.released


def test_a_refused_bit_file_is_an_error(config, attach, open_board, tmp_path):
    bitfile = tmp_path / "other.bit"
    bitfile.write_bytes(b"bits")
    sdk = attach(bitfile_refused=True)

    with pytest.raises(DeviceError, match=r"the board refuses bitfile .*other\.bit"):
        open_board(config, bitfile=bitfile)
    assert sdk.released


@pytest.mark.parametrize(
    ("faults", "error", "message"),
    [
        ({"no_clock": True}, DeviceTimeoutError, r"none of 3 control packets .*0\.3 s.*bitfile="),
        ({"no_marker": True}, DeviceTimeoutError, "end marker did not come .*end='duration'"),
        ({"disconnects_at_poll": 4}, DeviceError, "reading events failed: device disconnected"),
        ({"apply_fails": True}, DeviceError, "applying the configuration failed: USB"),
    ],
)
def test_a_failed_run_releases_the_board(
    faults, error, message, config, counts, attach, open_board
):
    sdk = attach()
    board = open_board(config)
    for name, value in faults.items():
        setattr(sdk.faults, name, value)

    with pytest.raises(error, match=message):
        board.run(counts)

    assert sdk.released
    with pytest.raises(SimulationError, match="closed"):
        board.run(counts)


def test_chips_are_left_discharged_when_a_run_fails(config, counts, attach, open_board):
    sdk = attach(no_marker=True)
    board = open_board(config)

    with pytest.raises(DeviceTimeoutError):
        board.run(counts)

    assert sdk.discharged
    assert sdk.names()[-2:] == ["apply leak", "close_device"]


def test_events_that_never_stop_are_a_time_out(config, counts, attach, open_board):
    sdk = attach(runaway="stuck")
    board = open_board(config)

    with pytest.raises(DeviceTimeoutError, match="events do not stop within 0"):
        board.run(counts)
    assert sdk.released


def test_a_network_that_never_falls_silent_ends_by_the_boards_clock(
    config, counts, attach, open_board
):
    attach(runaway="running")

    with open_board(config, idle_time=0.05) as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)


@pytest.mark.parametrize("poll", [1, 2, 3, 4])
def test_an_interrupt_during_a_run_releases_the_board(poll, config, counts, attach, open_board):
    sdk = attach()
    board = open_board(config)
    sdk.faults.interrupts_at_poll = sdk.polls + poll

    with pytest.raises(KeyboardInterrupt):
        board.run(counts)

    assert sdk.released
    assert sdk.discharged


def test_an_interrupt_while_opening_releases_the_board(config, attach, open_board, monkeypatch):
    sdk = attach()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ranvier_dynapse2.driver.session.differences", interrupt)
    with pytest.raises(KeyboardInterrupt):
        open_board(config)
    assert sdk.n_opened == 1
    assert sdk.released


def test_an_error_inside_the_with_block_releases_the_board(config, attach, open_board):
    sdk = attach()

    with pytest.raises(ZeroDivisionError), open_board(config):
        raise ZeroDivisionError

    assert sdk.released


def test_a_board_that_is_gone_at_the_end_does_not_hide_the_first_error(config, attach, open_board):
    attach(close_fails=True)
    board = open_board(config)

    with pytest.raises(ZeroDivisionError), board:
        raise ZeroDivisionError


def test_a_busy_board_is_an_error(config, attach, open_board):
    sdk = attach(busy=True)

    with pytest.raises(DeviceError, match=r"already opened.*another program may hold it"):
        open_board(config)
    assert sdk.n_opened == 0


def test_an_absent_board_is_an_error_with_the_usual_cause(config, attach):
    attach(boards=0)

    with pytest.raises(DeviceError, match=r"no board 'there:0'; attached: none.*udev rules"):
        open_device(config, "there:0", DeployOptions())


def test_a_board_with_too_few_chips_is_refused_with_the_numbers(make_config, attach, open_board):
    sdk = attach(1)

    with pytest.raises(DeviceError, match=r"is for 2 chips, DYNAP-SE2:0 .* has 1; map .*chips=1"):
        open_board(make_config(chips=2))
    assert sdk.released


def test_a_board_with_more_chips_than_needed_is_fine(config, counts, attach, open_board):
    attach(2)

    with open_board(config) as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)


def test_stray_events_are_counted_and_kept_apart(config, counts, attach, open_board):
    attach(stray=((500, 1999, -6, -7), (600, 3, 5, 1), (700, 2047, -6, 2)))

    with open_board(config) as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)
    (finding,) = [d for d in found.diagnostics if d.code == "DY302"]
    assert finding.value == 3
    assert "tag 1999 hops (-6, -7), tag 3 hops (5, 1)" in finding.message
    np.testing.assert_array_equal(board.unknown[0]["time"], [500, 600, 700])


def test_packets_left_over_from_before_are_not_taken_for_the_clock(
    config, counts, attach, open_board
):
    sdk = attach()

    with open_board(config) as board:
        sdk.board.leave(700)
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)


def test_a_late_answer_about_the_clock_is_not_taken_for_the_end(config, counts, attach, open_board):
    attach(late_clock=True)

    with open_board(config) as board:
        found = board.run(counts)

    expected = Dynapse2Session(config).run(counts).output
    assert expected.any()
    np.testing.assert_array_equal(found.output, expected)


def test_spikes_around_a_run_are_not_in_it(config, counts, attach, open_board):
    attach(before_and_after=True)

    with open_board(config) as board:
        found = board.run(counts)

    np.testing.assert_array_equal(found.output, Dynapse2Session(config).run(counts).output)
    assert next(d.value for d in found.diagnostics if d.code == "DY305") >= 1


def test_errors_that_the_sdk_queues_during_a_run_are_reported(config, counts, attach, open_board):
    attach(errors_in_run=("buffer was full",))

    with open_board(config) as board:
        found = board.run(counts)

    assert "buffer was full" in next(d.message for d in found.diagnostics if d.code == "DY306")


def test_an_output_that_shows_a_state_is_refused(make_config, attach, open_board):
    from ranvier.artifacts import OutputChannel

    outputs = (OutputChannel(output="output", node="out", quantity="v_mem"),)
    sdk = attach()

    with pytest.raises(DeviceError, match=r"'output' \(v_mem\): a board reports spikes only"):
        open_board(make_config(outputs=outputs))
    assert sdk.released


def test_a_run_that_would_cross_the_end_of_the_clock_is_refused_with_the_numbers(
    config, counts, attach, open_board
):
    sdk = attach(time=2**32 - 60_000_000 - 50_000)
    board = open_board(config)

    with pytest.raises(
        DeviceError, match=r"4235\d{6}.*4294967296.*latest tick 4234967296.*wait 60"
    ):
        board.run(counts)
    assert sdk.released


def test_a_run_longer_than_half_the_clock_is_refused(make_config, attach, open_board):
    sdk = attach()
    board = open_board(make_config(dt=10.0), wrap="send")

    with pytest.raises(DeviceError, match=r"takes 2150000000 ticks.*tell apart 2147483647; split"):
        board.run(np.zeros((215, 6, 2), int))
    assert sdk.released


@pytest.mark.parametrize("before", [150_000, 110_000, 90_000, 20])
def test_a_run_across_the_end_of_the_clock_can_be_sent(before, config, counts, attach, open_board):
    attach(time=2**32 - before)

    with open_board(config, wrap="send") as board:
        found = board.run(counts)

    expected = Dynapse2Session(config).run(counts).output
    assert expected.any()
    np.testing.assert_array_equal(found.output, expected)


def test_two_neurons_with_one_tag_cannot_be_told_apart(config, attach, open_board):
    tags = config.sram_tag.copy()
    monitored = config.sram_used & (config.sram_x == -7)
    tags[monitored] = 7
    attach()

    with pytest.raises(DeviceError, match=r"1 tag.* report for several neurons .* tag 7 of chip 0"):
        open_board(config.model_copy(update={"sram_tag": tags}))
