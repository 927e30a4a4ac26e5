"""What the driver tells the SDK, and in which order. The emulation itself refuses the rest."""

import sys

import numpy as np
import pytest

from ranvier_dynapse2.driver import input_packets


@pytest.fixture
def emulated():
    return sys.modules["dynapse2_emulated_samna"]


def test_a_run_reads_the_clock_once_the_network_is_on_the_chips(config, counts, attach, open_board):
    sdk = attach()

    with open_board(config) as board:
        sdk.calls.clear()
        board.run(counts)

    n = len(input_packets(config, counts.reshape(30, 12))) + 3
    assert sdk.names()[:4] == ["apply network", "clock", f"run {n}", "apply leak"]
    assert sdk.names()[4:] == ["close_device"]


def test_packets_have_the_times_of_their_steps_and_the_end_is_marked(
    config, counts, attach, open_board
):
    sdk = attach(time=5_000_000)

    with open_board(config) as board:
        board.run(counts)

    start = (5_000_000 + 3 * 7) * 1e-6 + 0.1
    expected = input_packets(config, counts.reshape(30, 12), start=start)
    *sent, one, two, three = sdk.packets[0]
    found = np.array(sent)
    for k, name in enumerate(("time_us", "cores", "x", "y", "tag")):
        np.testing.assert_array_equal(found[:, k], expected[name])
    end = round(start * 1e6) + 30_000
    assert {one, two, three} == {(end, 15, -7, -7, 2047)}


def test_the_number_of_control_packets_can_be_chosen(config, counts, attach, open_board):
    sdk = attach()

    with open_board(config, control_packets=32, start_delay=0.1) as board:
        board.run(counts)

    assert sum(packet[4] == 2047 for packet in sdk.packets[0]) == 32


def test_echoes_follow_their_packets_straight_back(config, counts, attach, open_board):
    sdk = attach()

    with open_board(config, echo_inputs=True) as board:
        board.run(counts)

    reaching = np.isin(np.arange(12), config.input_channel)
    echoes = [p for p in sdk.packets[0] if p[2] == -7 and p[4] != 2047]
    assert len(echoes) == (counts.reshape(30, 12) * reaching).sum()
    assert {p[4] for p in echoes} <= set(1024 + np.arange(12))


def test_the_board_is_verified_when_opened_and_not_for_every_sample(
    config, rng, attach, open_board
):
    sdk = attach()

    with open_board(config) as board:
        model = sdk.board.model
        model.get_configuration = None
        board.run(rng.integers(0, 2, (2, 5, 6, 2)))

    assert sdk.count("run") == 2


def test_the_emulation_refuses_events_without_a_clock(config, attach, open_board, emulated):
    sdk = attach()

    with open_board(config), pytest.raises(emulated.ContractError, match="before the clock"):
        sdk.board.grid_bus_write_events([])


def test_the_emulation_refuses_events_while_the_chips_leak(config, attach, open_board, emulated):
    sdk = attach()

    with open_board(config):
        sdk.board.clock = sdk.time
        with pytest.raises(emulated.ContractError, match="leak"):
            sdk.board.grid_bus_write_events([])


def test_the_emulation_refuses_fields_that_the_sdk_does_not_have(attach, emulated):
    sdk = attach()
    core = sdk.dynapse2.Dynapse2Configuration().chips[0].cores[0]

    with pytest.raises(AttributeError):
        core.neurons[0].latch_soif = True
    with pytest.raises(AttributeError):
        core.monitored_neurons = 3
    with pytest.raises(emulated.ContractError, match="no bias"):
        core.parameters["SOIF_LEAK_P"] = emulated.Parameter()
    with pytest.raises(emulated.ContractError, match="list of 64"):
        core.neurons[0].synapses = []
