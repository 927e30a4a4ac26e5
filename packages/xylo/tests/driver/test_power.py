"""Power is measured during a run, and never left running."""

import numpy as np
import pytest

from ranvier.errors import DeviceError
from ranvier_xylo.driver import DeployOptions

CHANNELS = {
    "xylo-audio2": ["io_power", "afe_ldo_power", "snn_core_power", "afe_core_power"],
    "xylo-audio3": ["io_power", "analog_power", "digital_power"],
    "xylo-imu": ["Io", "Core"],
}


def test_samples_come_by_channel_in_watts_without_nan(config, target, counts, attach, open_board):
    attach(target)

    with open_board(config, power=True) as board:
        recording = board.run(counts)
        readings = board.power

    assert list(readings) == CHANNELS[target]
    np.testing.assert_allclose(readings[CHANNELS[target][1]], [2e-3, 3e-3], rtol=1e-12)
    assert recording.provenance["power"][CHANNELS[target][1]] == pytest.approx(2.5e-3)


def test_a_measurement_left_running_is_stopped_first(config, target, counts, attach, open_board):
    sdk = attach(target, power_left_on=True)

    with open_board(config, power=True) as board:
        board.run(counts)
        first = board.power
        board.run(counts)

    assert {values.size for values in first.values()} == {2}
    names = [name for name in sdk.names() if name.startswith("power")]
    assert names == ["power.stop", "power.start", "power.stop", "power.start", "power.stop"]
    assert sdk.released


@pytest.mark.parametrize(("given", "rates"), [(None, [5.0, 100.0, 5.0]), (20.0, [20.0] * 3)])
def test_the_rate_is_the_boards_own_unless_given(
    given, rates, config, target, counts, attach, open_board
):
    sdk = attach(target)

    with open_board(config, power=True, power_rate=given) as board:
        board.run(counts)

    assert ("power.start", rates[list(CHANNELS).index(target)]) in sdk.calls


def test_a_run_without_a_sample_says_so(config, target, counts, attach, open_board):
    attach(target, power_is_nan=True)

    with open_board(config, power=True) as board:
        recording = board.run(counts)

    assert set(recording.provenance["power"].values()) == {None}
    assert "XY302" in [d.code for d in recording.diagnostics]


def test_a_failed_run_stops_the_measurement(config, target, counts, attach, open_board):
    sdk = attach(target)
    board = open_board(config, power=True)
    sdk.faults.disconnects_after_events = sdk.chip.received + 10

    with pytest.raises(DeviceError, match="device disconnected"):
        board.run(counts)

    assert sdk.names().count("power.stop") == 1
    assert sdk.released


def test_without_the_option_nothing_is_measured(config, target, counts, attach, open_board):
    sdk = attach(target)

    with open_board(config) as board:
        board.run(counts)

        assert board.power == {}
    assert not any(name.startswith("power") for name in sdk.names())


def test_options_are_checked():
    for wrong in ({"timeout": 0}, {"clock": -1}, {"margin": -0.1}, {"mode": "x"}, {"speed": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            DeployOptions(**wrong)
