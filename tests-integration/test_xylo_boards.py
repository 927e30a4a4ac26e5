"""Xylo boards against the simulator: an emulated SDK always, attached silicon where there is some.

``RANVIER_HARDWARE=xylo-audio3`` demands a board of that target: without one the tests fail.
"""

import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import CubaLIF, Graph, Linear
from ranvier_xylo import XyloSession
from ranvier_xylo.driver import DeployOptions, list_devices, open_device
from ranvier_xylo.targets import target_named

DRIVER_TESTS = Path(__file__).parents[1] / "packages" / "xylo" / "tests" / "driver"
TARGETS = ("xylo-audio2", "xylo-audio3", "xylo-imu")


@pytest.fixture(params=["emulated", "attached"])
def device(request, target, monkeypatch):
    """Id of an emulated or of an attached board."""
    if request.param == "emulated":
        emulation = runpy.run_path(str(DRIVER_TESTS / "emulated_samna.py"))
        monkeypatch.setitem(sys.modules, "samna", emulation["EmulatedSamna"](target))
    (first, *_) = list_devices(target_named(target)) or [{"id": "", "problem": "none attached"}]
    if first["id"]:
        return first["id"]
    problem = first["problem"]
    if os.environ.get("RANVIER_HARDWARE") == target:
        pytest.fail(f"RANVIER_HARDWARE demands a board of {target}: {problem}")
    return pytest.skip(f"no {target} board: {problem}")


@pytest.fixture(params=TARGETS)
def target(request):
    return request.param


@pytest.fixture
def config(target):
    rng = np.random.default_rng(0)
    neurons = {"tau_mem": 4e-3, "tau_syn": 2e-3, "decay": "bitshift"}
    layers = [
        Linear(weight=rng.normal(0.2, 0.5, (24, 8))),
        CubaLIF(shape=(24,), max_spikes=31, **neurons),
        Linear(weight=rng.normal(0.1, 0.4, (4, 24))),
        CubaLIF(shape=(4,), max_spikes=1, **neurons),
    ]
    return rv.build(Graph.sequential(layers, dt=1e-3), target)


def options_for(target):
    return DeployOptions(soft_reset=target == "xylo-audio3")


@pytest.mark.parametrize("record", [False, True])
def test_a_board_agrees_with_the_simulator(record, target, device, config):
    spikes = np.random.default_rng(1).poisson(0.4, (100, 8))

    with open_device(config, device, options_for(target)) as board:
        found = board.run(spikes, record=record)

    expected = XyloSession(config).run(spikes, record=record)
    assert expected.output.any()
    for key in found.signals:
        np.testing.assert_array_equal(found.raw(*key), expected.raw(*key), err_msg=str(key))


def test_a_board_carries_its_state_from_run_to_run(target, device, config):
    spikes = np.random.default_rng(2).poisson(0.4, (60, 8))

    with open_device(config, device, options_for(target)) as board:
        parts = [board.run(spikes[:25]).output, board.run(spikes[25:]).output]

    np.testing.assert_array_equal(np.concatenate(parts), XyloSession(config).run(spikes).output)
