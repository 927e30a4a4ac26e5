"""Busy configurations, and an emulated SDK in the place of samna."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from ranvier_dynapse2.driver import DeployOptions, list_devices, open_device
from ranvier_dynapse2.targets import target_named


def _load(name, path):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_HERE = Path(__file__).parent
emulation = _load("dynapse2_emulated_samna", _HERE / "emulated_samna.py")
configs = _load("dynapse2_random_configs", _HERE.parent / "random_configs.py")
FAST = {
    "settle": 0.0,
    "reset_pause": 0.0,
    "poll_interval": 0.0,
    "idle_time": 0.002,
    "read_timeout": 0.3,
    "clock_timeout": 0.3,
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def make_config():
    """Return a maker of random configurations."""
    return lambda **changes: configs.random_config(**changes)[0]


@pytest.fixture
def config(make_config):
    return make_config()


@pytest.fixture
def counts(rng):
    """Input of 30 steps, two-dimensional, with counts above one."""
    return (rng.random((30, 6, 2)) < 0.4) * rng.integers(1, 4, (30, 6, 2))


@pytest.fixture
def attach(monkeypatch):
    """Put an emulated SDK with boards in the place of samna."""

    def put(chips=1, *, boards=1, time=1_000_000, dt=1e-3, **faults):
        sdk = emulation.EmulatedSamna(
            chips=chips, faults=emulation.Faults(**faults), boards=boards, time=time, dt=dt
        )
        monkeypatch.setitem(sys.modules, "samna", sdk)
        return sdk

    return put


@pytest.fixture
def open_board():
    """Open the first attached board, as a user would, with short pauses."""

    def opened(config, **options):
        device = list_devices(target_named())[0]["id"]
        return open_device(config, device, DeployOptions(**{**FAST, **options}))

    return opened
