"""The loopback is the simulator behind the driver's records."""

import numpy as np
import pytest

from ranvier.errors import DeviceError
from ranvier_bss2.driver import DeployOptions, open_device
from ranvier_bss2.driver.loopback import NEEDS_STACK
from ranvier_bss2.simulator import Bss2Session, SimulateOptions


def assert_same(found, wanted):
    assert set(found.signals) == set(wanted.signals)
    for key in wanted.signals:
        np.testing.assert_array_equal(found.raw(*key), wanted.raw(*key))


@pytest.mark.parametrize("name", ["config", "firing_config", "recurrent_config", "split_config"])
def test_the_loopback_gives_what_the_simulator_gives(name, request, spikes):
    config = request.getfixturevalue(name)

    with open_device(config, "loopback") as board, Bss2Session(config) as session:
        found = board.run(spikes, record=True, trial_seed=0)
        assert_same(found, session.run(spikes, record=True, trial_seed=0))

    assert found.provenance["session"] == "loopback"


def test_the_virtual_chip_can_be_chosen(config, spikes):
    options = {"preset": "calibrated", "chip_seed": 5, "variability": {"sigma_leak": 0.0}}

    with (
        open_device(config, "loopback", DeployOptions(**options)) as board,
        Bss2Session(config, SimulateOptions(**options)) as session,
        Bss2Session(config) as ideal,
    ):
        found = board.run(spikes, record=True, trial_seed=7)
        assert_same(found, session.run(spikes, record=True, trial_seed=7))
        other = ideal.run(spikes, record=True)

    assert (found.raw("hidden", "v_mem") != other.raw("hidden", "v_mem")).any()


def test_the_loopback_is_what_an_emulated_chip_gives(
    recurrent_config, spikes, attach_hxtorch, open_board
):
    attach_hxtorch()

    with open_board(recurrent_config) as chip, open_device(recurrent_config, "loopback") as board:
        found, wanted = chip.run(spikes), board.run(spikes)

    np.testing.assert_array_equal(found.output, wanted.output)
    assert wanted.output.any()


def test_options_that_need_a_chip_are_refused_together(config):
    options = {
        "path": "pynn",
        "host": "there",
        "port": 1,
        "user": "me",
        "init": "minimal",
        "ann": True,
        "placement": "config",
        "margin": 3,
    }

    with pytest.raises(DeviceError, match="no chip and no software stack: leave out path") as e:
        open_device(config, "loopback", DeployOptions(**options))
    assert all(name in str(e.value) for name in options if name != "port")
    assert set(options) - {"port"} | {"nightly"} == set(NEEDS_STACK)
