"""Boards behave as the simulator does, in every mode."""

import numpy as np
import pytest

from ranvier.errors import DeviceError, InputError, SimulationError
from ranvier_xylo import XyloSession

MODES = [
    ("xylo-audio2", "accelerated"),
    ("xylo-audio3", "accelerated"),
    ("xylo-imu", "accelerated"),
    ("xylo-audio2", "manual"),
    ("xylo-audio3", "manual"),
    ("xylo-audio2", "real-time"),
    ("xylo-audio3", "real-time"),
    ("xylo-imu", "real-time"),
]


def assert_same(found, expected):
    assert set(found.signals) == set(expected.signals)
    for node, quantity in expected.signals:
        np.testing.assert_array_equal(
            found.raw(node, quantity), expected.raw(node, quantity), err_msg=f"{node}.{quantity}"
        )
        np.testing.assert_array_equal(found.trace(node, quantity), expected.trace(node, quantity))


def recordable_by(session):
    return [f"{n}.{q}" for n, quantities in session.recordable().items() for q in quantities]


@pytest.mark.parametrize(("target", "mode"), MODES)
@pytest.mark.parametrize("record", [False, True])
def test_a_board_gives_what_the_simulator_gives(
    target, mode, record, rng, make_config, counts, attach, open_board
):
    config = make_config(rng, target)
    sensed = mode == "real-time"
    sdk = attach(target, sensor=np.minimum(counts, 15) if sensed else None)

    with open_board(config, mode=mode) as board:
        wanted = recordable_by(board) if record else ()
        found = board.run(np.zeros_like(counts) if sensed else counts, record=wanted)

    expected = XyloSession(config).run(counts, record=wanted)
    assert expected.raster("o").any()
    assert_same(found, expected)
    assert sdk.released


@pytest.mark.parametrize(("target", "mode"), MODES[:5])
@pytest.mark.parametrize("readout", ["v_mem", "i_syn"])
def test_outputs_may_be_membranes_or_currents(
    target, mode, readout, rng, make_config, counts, attach, open_board
):
    config = make_config(rng, target, readout=readout)
    attach(target)

    with open_board(config, mode=mode) as board:
        found = board.run(counts)

    assert_same(found, XyloSession(config).run(counts))


@pytest.mark.parametrize(("target", "mode"), MODES[:5])
def test_chunks_equal_one_run(target, mode, rng, make_config, counts, attach, open_board):
    config = make_config(rng, target)
    attach(target)

    with open_board(config, mode=mode) as board:
        parts = [
            board.run(part, record=["v_mem"]).raw("h", "v_mem")
            for part in (counts[:1], counts[1:8], counts[8:])
        ]

    whole = XyloSession(config).run(counts, record=["v_mem"]).raw("h", "v_mem")
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_recording_something_else_leaves_the_state_alone(
    config, target, counts, attach, open_board
):
    attach(target)
    simulator = XyloSession(config)

    with open_board(config) as board:
        board.run(counts[:9])
        found = board.run(counts[9:], record=["v_mem"])

    simulator.run(counts[:9])
    assert_same(found, simulator.run(counts[9:], record=["v_mem"]))


@pytest.mark.parametrize(
    ("target", "options"),
    [("xylo-audio2", {}), ("xylo-imu", {}), ("xylo-audio3", {"soft_reset": True})],
)
def test_samples_of_a_batch_start_from_a_cleared_state(
    target, options, rng, make_config, attach, open_board
):
    config = make_config(rng, target)
    batch = rng.integers(0, 6, (3, 15, 4))
    attach(target)

    with open_board(config, **options) as board:
        found = board.run(batch, record=["v_mem"])
        with pytest.raises(SimulationError, match=r"call reset\(\)"):
            board.run(batch)
        board.reset()
        again = board.run(batch[1], record=["v_mem"])

    expected = XyloSession(config).run(batch, record=["v_mem"])
    assert_same(found, expected)
    np.testing.assert_array_equal(again.raw("h", "v_mem"), expected.raw("h", "v_mem")[1])


def test_audio3_refuses_what_needs_a_cleared_state_and_says_so(
    rng, make_config, counts, attach, open_board
):
    config = make_config(rng, "xylo-audio3")
    sdk = attach("xylo-audio3")

    with open_board(config) as board:
        with pytest.raises(DeviceError, match="soft_reset=True"):
            board.run(np.stack([counts, counts]))
        recording = board.run(counts)
        with pytest.raises(DeviceError, match="power-cycle"):
            board.reset()
        board.run(counts)

    assert "XY301" in [d.code for d in recording.diagnostics]
    assert sdk.released


def test_a_cleared_board_reports_no_unknown_state(config, counts, target, attach, open_board):
    attach(target)

    with open_board(config, soft_reset=target == "xylo-audio3") as board:
        codes = [d.code for d in board.run(counts).diagnostics]

    assert "XY301" not in codes
    assert "XY303" in codes


@pytest.mark.parametrize("target", ["xylo-audio2", "xylo-audio3"])
@pytest.mark.parametrize("mode", ["accelerated", "manual"])
def test_state_is_read_from_memory(target, mode, rng, make_config, counts, attach, open_board):
    config = make_config(rng, target)
    attach(target)
    simulator = XyloSession(config)

    with open_board(config, mode=mode) as board:
        board.run(counts[:7])
        found = board.state
        after = board.run(counts[7:])

    simulator.run(counts[:7])
    for name, values in simulator.state.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    np.testing.assert_array_equal(after.output, simulator.run(counts[7:]).output)


def test_the_imu_has_no_published_memory_map(rng, make_config, attach, open_board):
    sdk = attach("xylo-imu")
    board = open_board(make_config(rng, "xylo-imu"))

    with pytest.raises(DeviceError, match="memory map of this chip is not published"):
        board.get_state()

    assert sdk.released


def test_a_state_cannot_be_set(config, target, attach, open_board):
    attach(target)

    with open_board(config) as board, pytest.raises(DeviceError, match="open_simulation"):
        board.set_state({})


def test_update_writes_another_configuration_and_keeps_the_state(
    rng, target, make_config, counts, attach, open_board
):
    first = make_config(rng, target)
    second = make_config(rng, target)
    attach(target)

    with open_board(first) as board:
        board.run(counts[:9])
        board.update(second)
        found = board.run(counts[9:], record=["v_mem"])
        with pytest.raises(SimulationError, match="open a new session"):
            board.update("nonsense")

    simulator = XyloSession(first)
    simulator.run(counts[:9])
    simulator.update(second)
    assert_same(found, simulator.run(counts[9:], record=["v_mem"]))


def test_real_time_takes_no_spikes_from_the_host(config, target, counts, attach, open_board):
    attach(target)

    with open_board(config, mode="real-time") as board, pytest.raises(InputError, match="sensor"):
        board.run(counts)


def test_real_time_checks_the_clock_against_the_cycle_model(rng, make_config, attach, open_board):
    sdk = attach("xylo-audio2")

    with pytest.raises(DeviceError, match=r"needs a main clock of .* MHz.*set clock= higher"):
        open_board(make_config(rng, "xylo-audio2"), mode="real-time", clock=1e6)

    assert sdk.released


def test_a_closed_session_cannot_be_used(config, target, counts, attach, open_board):
    sdk = attach(target)
    board = open_board(config)
    board.close()
    board.close()

    for use in (lambda: board.run(counts), board.reset, board.get_state):
        with pytest.raises(SimulationError, match="closed"):
            use()
    assert sdk.names().count("close_device") == 1


def test_an_empty_input_is_refused_without_touching_the_board(config, target, attach, open_board):
    attach(target)

    with open_board(config) as board, pytest.raises(SimulationError, match="at least one step"):
        board.run(np.zeros((0, 4), int))
