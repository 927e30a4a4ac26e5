"""Whatever goes wrong: one clear error, and the chip is released."""

import os
from contextlib import suppress

import pytest

from ranvier.errors import DeviceError, SimulationError


def test_a_chip_that_does_not_answer_is_released_and_reported(config, attach_hxtorch, open_board):
    stack = attach_hxtorch(init_fails="No connection present.")

    with pytest.raises(
        DeviceError, match=r"initialising .* No connection .*; no chip is conn.*SLURM"
    ):
        open_board(config)
    assert stack.calls == ["init", "release"]


def test_an_interrupt_while_opening_releases_the_chip(config, attach_hxtorch, open_board):
    stack = attach_hxtorch(init_interrupted=True)

    with pytest.raises(KeyboardInterrupt):
        open_board(config)
    assert stack.calls == ["init", "release"]
    assert not stack.connected


def test_a_network_that_cannot_be_built_releases_the_chip(
    recurrent_config, spikes, attach_hxtorch, open_board
):
    stack = attach_hxtorch(lacks_output_handle=True)
    board = open_board(recurrent_config)

    with pytest.raises(
        DeviceError, match=r"have no output_handle, which recurrence needs; use ano"
    ):
        board.run(spikes)
    assert stack.calls == ["init", "release"]


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        (
            "Neuron(s) with in-degree larger than the number of synapse rows exist.",
            r"more circuits per neuron, or distribute the layer \(partition\)",
        ),
        ("No router of portfolio was successful.", "placement='stack'"),
        ("Something else broke.", "check the connection to the chip, then open it again"),
    ],
)
def test_errors_of_the_router_come_with_advice(
    message, advice, config, spikes, attach_hxtorch, open_board
):
    stack = attach_hxtorch(router_fails=message)
    board = open_board(config)

    with pytest.raises(DeviceError, match=f"hxtorch: running failed: .*{advice}"):
        board.run(spikes)
    assert stack.calls == ["init", "run 50", "release"]


def test_a_failed_run_closes_the_session(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch(run_fails="health information is bad")
    board = open_board(config)

    with pytest.raises(DeviceError, match="health information is bad"):
        board.run(spikes)

    assert not stack.connected
    with pytest.raises(SimulationError, match="closed"):
        board.run(spikes)
    with pytest.raises(SimulationError, match="closed"):
        board.reset()
    board.close()
    assert stack.calls.count("release") == 1


def test_an_interrupt_during_a_run_releases_the_chip(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch(interrupted=True)
    board = open_board(config)

    with pytest.raises(KeyboardInterrupt):
        board.run(spikes)
    assert stack.calls == ["init", "run 50", "release"]


def test_a_connection_that_is_lost_between_runs_is_reported(
    config, spikes, attach_hxtorch, open_board
):
    stack = attach_hxtorch()
    board = open_board(config)
    stack.connected = False

    with pytest.raises(DeviceError, match=r"No connection present\.; no chip is connected"):
        board.run(spikes)


def test_an_error_inside_the_with_block_releases_the_chip(config, attach_hxtorch, open_board):
    stack = attach_hxtorch()

    with pytest.raises(ZeroDivisionError), open_board(config):
        raise ZeroDivisionError
    assert stack.calls == ["init", "release"]


def test_a_release_that_fails_is_an_error(config, attach_hxtorch, open_board):
    attach_hxtorch(release_fails="lost")
    board = open_board(config)

    with pytest.raises(DeviceError, match="releasing the chip failed: lost"):
        board.close()


def test_a_release_that_fails_does_not_hide_the_first_error(
    config, spikes, attach_hxtorch, open_board
):
    attach_hxtorch(release_fails="lost", run_fails="broken")

    with pytest.raises(ZeroDivisionError), open_board(config):
        raise ZeroDivisionError
    board = attach_hxtorch(release_fails="lost", run_fails="broken") and open_board(config)
    with pytest.raises(DeviceError, match="broken"):
        board.run(spikes)


def test_results_of_another_shape_are_refused(config, spikes, attach_hxtorch, open_board):
    stack = attach_hxtorch(wrong_shape=True)
    board = open_board(config)

    with pytest.raises(DeviceError, match=r"spikes of 'hidden' has shape \(2, 51, 8\), expected"):
        board.run(spikes)
    assert not stack.connected


@pytest.mark.parametrize("fault", [{}, {"run_fails": "x"}, {"interrupted": True}])
def test_the_environment_is_restored_on_every_way_out(
    fault, config, spikes, attach_hxtorch, open_board, monkeypatch
):
    monkeypatch.setenv("QUIGGELDY_PORT", "1")
    stack = attach_hxtorch(**fault)
    board = open_board(config, host="there", port=4711, user="me")
    inside = dict(os.environ)

    with suppress(DeviceError, KeyboardInterrupt):
        board.run(spikes)
    board.close()

    wanted = {
        "QUIGGELDY_ENABLED": "1",
        "QUIGGELDY_IP": "there",
        "QUIGGELDY_PORT": "4711",
        "QUIGGELDY_USER_NO_MUNGE": "me",
    }
    assert stack.environments == [wanted]
    assert wanted.items() <= inside.items()
    assert os.environ["QUIGGELDY_PORT"] == "1"
    assert "QUIGGELDY_IP" not in os.environ
    assert "QUIGGELDY_USER_NO_MUNGE" not in os.environ


def test_the_environment_is_restored_when_opening_fails(config, attach_hxtorch, open_board):
    attach_hxtorch(init_fails="nobody there")

    with pytest.raises(DeviceError):
        open_board(config, host="there", port=4711)
    assert "QUIGGELDY_IP" not in os.environ


def test_a_second_session_is_refused_and_leaves_the_first_alone(
    config, spikes, attach_hxtorch, open_board
):
    stack = attach_hxtorch()

    with open_board(config) as board:
        with pytest.raises(
            DeviceError, match=r"connected to hicann-x-v3 chip 42 .*close the other"
        ):
            open_board(config)
        board.run(spikes)

    assert stack.calls == ["init", "run 50", "release"]
    open_board(config).close()
