"""Whatever goes wrong: one clear error, and the board is released."""

import numpy as np
import pytest

from ranvier.errors import DeviceError, DeviceTimeoutError, SimulationError
from ranvier_xylo.driver import DeployOptions, open_device

OPENING = [
    ({"firmware": ("0.11.4", "9.9.9")}, "firmware fxtree is 0.11.4, needed is"),
    ({"firmware": ("9.9", "1.1.2")}, "firmware unifirm is 1.1.2, needed is"),
    ({"firmware": ("unknown", "1.1.3")}, "'unknown' cannot be read"),
    ({"rejects": "weight of neuron 7 out of range"}, "rejects .*: weight of neuron 7 out of range"),
    ({"apply_fails": True}, "applying the configuration failed: USB transfer failed"),
]
SILENT = ({"silent": True}, DeviceTimeoutError, "within 0.2 s .*allow more with timeout=")
GONE = ({"disconnects_after_events": 30}, DeviceError, "failed: device disconnected; check cable")
SHORT = ({"short_readout": True}, DeviceError, "output_spikes of 2 neurons, expected 3")
LOST = ({"lost_step": 4}, DeviceError, "1 of 20 read-outs were lost, the first at step 4")
RUNNING = [
    ("xylo-audio2", "accelerated", *GONE),
    ("xylo-audio2", "manual", *GONE),
    ("xylo-audio3", "manual", *GONE),
    *[
        (target, mode, *fault)
        for target in ("xylo-audio3", "xylo-imu")
        for mode, faults in (
            ("accelerated", (SILENT, GONE, SHORT, LOST)),
            ("real-time", (SILENT, SHORT)),
        )
        for fault in faults
    ],
]


@pytest.mark.parametrize(("faults", "message"), OPENING)
def test_a_failed_opening_releases_the_board(faults, message, config, target, attach, open_board):
    sdk = attach(target, **faults)

    with pytest.raises(DeviceError, match=message):
        open_board(config)

    assert sdk.n_opened == 1
    assert sdk.released


@pytest.mark.parametrize(("target", "mode", "faults", "error", "message"), RUNNING)
def test_a_failed_run_releases_the_board(
    target, mode, faults, error, message, rng, make_config, counts, attach, open_board
):
    sdk = attach(target)
    board = open_board(make_config(rng, target), mode=mode, timeout=0.2)
    for name, value in faults.items():
        setattr(sdk.faults, name, value)
    given = np.zeros_like(counts) if mode == "real-time" else counts

    with pytest.raises(error, match=message):
        board.run(given)

    assert sdk.n_opened == 1
    assert sdk.released
    with pytest.raises(SimulationError, match="closed"):
        board.run(given)


@pytest.mark.parametrize("mode", ["accelerated", "real-time"])
@pytest.mark.parametrize("fault", ["silent", "states_silent", "lost_step"])
def test_audio2_waits_for_its_state_buffer_and_gives_up(
    fault, mode, rng, make_config, counts, attach, open_board
):
    sdk = attach("xylo-audio2")
    board = open_board(make_config(rng, "xylo-audio2"), mode=mode, timeout=0.2)
    board.run(np.zeros((2, 4), int))
    setattr(sdk.faults, fault, 4 if fault == "lost_step" else True)
    if mode == "real-time":
        sdk.chip.listening = False

    with pytest.raises(DeviceTimeoutError, match="allow more with timeout="):
        board.run(counts if mode == "accelerated" else np.zeros_like(counts))

    assert sdk.released


@pytest.mark.parametrize("target", ["xylo-audio3", "xylo-imu"])
def test_a_gap_in_real_time_is_noticed(target, rng, make_config, attach, open_board):
    sdk = attach(target, lost_step=4)
    board = open_board(make_config(rng, target), mode="real-time")

    with pytest.raises(DeviceError, match="read-outs were lost between steps 0 and 10"):
        board.run(np.zeros((10, 4), int))

    assert sdk.released


@pytest.mark.parametrize("target", ["xylo-audio2", "xylo-audio3"])
def test_a_step_that_is_never_finished_times_out(
    target, rng, make_config, counts, attach, open_board
):
    sdk = attach(target, never_ready=True)
    board = open_board(make_config(rng, target), mode="manual", timeout=0.1)

    with pytest.raises(DeviceTimeoutError, match=r"not finished within 0\.1 s"):
        board.run(counts)

    assert sdk.released


def test_memory_access_is_taken_back_when_a_manual_run_fails(
    rng, make_config, counts, attach, open_board
):
    sdk = attach("xylo-audio2", never_ready=True)
    board = open_board(make_config(rng, "xylo-audio2"), mode="manual", timeout=0.1)

    with pytest.raises(DeviceTimeoutError):
        board.run(counts, record=["v_mem"])

    assert sdk.chip.registers[1] == 1


def test_manual_mode_of_the_imu_is_refused_with_the_reason(rng, make_config, attach, open_board):
    sdk = attach("xylo-imu")

    with pytest.raises(DeviceError, match="status registers of this chip are not published"):
        open_board(make_config(rng, "xylo-imu"), mode="manual")

    assert sdk.released


@pytest.mark.parametrize(("target", "start"), [("xylo-audio2", -1), ("xylo-imu", -2)])
def test_a_negative_time_is_an_error(target, start, rng, make_config, counts, attach, open_board):
    sdk = attach(target, start_time=start)
    board = open_board(make_config(rng, target))

    with pytest.raises(DeviceError, match="the chip's time is -1, it cannot be negative"):
        board.run(counts)

    assert sdk.released


def test_the_negative_time_of_an_unused_audio3_is_its_beginning(
    rng, make_config, counts, attach, open_board
):
    attach("xylo-audio3", start_time=-7)

    with open_board(make_config(rng, "xylo-audio3")) as board:
        assert board.run(counts).raster("o").any()


@pytest.mark.parametrize(
    ("target", "mode"),
    [
        *[("xylo-audio2", mode) for mode in ("accelerated", "manual", "real-time")],
        *[("xylo-audio3", mode) for mode in ("accelerated", "manual", "real-time")],
        *[("xylo-imu", mode) for mode in ("accelerated", "real-time")],
    ],
)
def test_an_interrupt_during_a_run_releases_the_board(
    target, mode, rng, make_config, counts, attach, open_board
):
    sdk = attach(target)
    board = open_board(make_config(rng, target), mode=mode, power=True)
    sdk.faults.interrupts_at_poll = sdk.polls + 2

    with pytest.raises(KeyboardInterrupt):
        board.run(np.zeros_like(counts) if mode == "real-time" else counts)

    assert sdk.released


def test_an_interrupt_while_opening_releases_the_board(rng, make_config, attach, open_board):
    sdk = attach("xylo-audio2", interrupts_at_poll=1)

    with pytest.raises(KeyboardInterrupt):
        open_board(make_config(rng, "xylo-audio2"))

    assert sdk.n_opened == 1
    assert sdk.released


def test_another_chip_version_is_refused(rng, make_config, attach, open_board):
    sdk = attach("xylo-audio2", version=(2, 0))

    with pytest.raises(DeviceError, match=r"the chip is version 2\.0, this driver knows 1\.1"):
        open_board(make_config(rng, "xylo-audio2"))

    assert sdk.released


def test_an_error_inside_the_with_block_releases_the_board(config, target, attach, open_board):
    sdk = attach(target)

    with pytest.raises(ZeroDivisionError), open_board(config):
        raise ZeroDivisionError

    assert sdk.released


def test_a_board_that_is_gone_at_the_end_does_not_hide_the_first_error(
    config, target, counts, attach, open_board
):
    attach(target, close_fails=True)
    board = open_board(config, power=True)

    with pytest.raises(ZeroDivisionError), board:
        raise ZeroDivisionError


def test_a_busy_board_is_an_error(config, target, attach, open_board):
    sdk = attach(target, busy=True)

    with pytest.raises(DeviceError, match=r"already opened.*another program may hold it"):
        open_board(config)

    assert sdk.n_opened == 0


def test_an_absent_board_is_an_error_with_the_usual_cause(config, target, attach):
    attach(target, boards=0)

    with pytest.raises(DeviceError, match=r"no board 'there:0'; attached: none.*udev rules"):
        open_device(config, "there:0", DeployOptions())


def test_the_first_generation_has_no_boards(rng, make_config):
    with pytest.raises(DeviceError, match=r"xylo-v1: device 'any:0'.*no board support.*loopback"):
        open_device(make_config(rng, "xylo-v1"), "any:0", DeployOptions())
