"""Configurations for every board, and an emulated SDK in the place of samna."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from ranvier.artifacts import OutputChannel, Placement
from ranvier_xylo import XyloConfig
from ranvier_xylo.driver import DeployOptions, list_devices, open_device
from ranvier_xylo.targets import target_named


def _load_emulation():
    path = Path(__file__).with_name("emulated_samna.py")
    spec = importlib.util.spec_from_file_location("emulated_samna", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["emulated_samna"] = module
    spec.loader.exec_module(module)
    return module


emulation = _load_emulation()
BOARDS = tuple(emulation.DEVICE_TYPES)


def random_config(rng, target, *, readout="spikes", n_hid=9, n_ien=6, n_oen=5, changes=None):
    """A busy network with aliases, biases and, where there are, two synapses."""
    n_in, n_out, n_syn = 4, 3, 2 if target == "xylo-audio2" else 1
    biased = target != "xylo-v1"

    def weights(*shape):
        return rng.integers(-60, 128, shape) * (rng.random(shape) < 0.6)

    aliases = np.full(n_hid, -1)
    aliases[[0, 2]] = [3, 7]
    rows = [
        ("x", np.arange(n_in), "input", np.arange(n_in)),
        ("h", np.arange(n_hid), "hidden", np.arange(n_hid)),
        ("o", np.arange(n_out), "output", np.arange(n_out)),
    ]
    fields = {
        "target": target,
        "dt": 1e-3,
        "input_shapes": {"x": (n_in,)},
        "node_shapes": {"h": (n_hid,), "o": (n_out,)},
        "outputs": (OutputChannel(output="y", node="o", quantity=readout),),
        "placement": Placement.from_rows(rows),
        "weights_in": weights(n_in, n_ien, n_syn),
        "weights_rec": weights(n_hid, n_hid, n_syn),
        "weights_out": weights(n_oen, n_out),
        "weight_shift_in": 2,
        "weight_shift_rec": 1,
        "weight_shift_out": 3,
        "dash_mem": rng.integers(1, 6, n_hid),
        "dash_syn": rng.integers(1, 6, (n_hid, n_syn)),
        "dash_mem_out": rng.integers(1, 6, n_out),
        "dash_syn_out": rng.integers(1, 6, n_out),
        "threshold": rng.integers(100, 2000, n_hid),
        "threshold_out": rng.integers(100, 2000, n_out),
        "bias": rng.integers(-20, 60, n_hid) * biased,
        "bias_out": rng.integers(-20, 60, n_out) * biased,
        "aliases": aliases,
        "readout": readout,
        "v_lsb": np.full(n_hid, 0.01),
        "v_lsb_out": np.full(n_out, 0.02),
        "v_offset_out": np.zeros(n_out),
        "i_lsb": np.full((n_hid, n_syn), 0.03),
        "i_lsb_out": np.full(n_out, 0.04),
    }
    return XyloConfig(**{**fields, **(changes or {})})


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(params=BOARDS)
def target(request):
    return request.param


@pytest.fixture
def make_config():
    return random_config


@pytest.fixture
def config(rng, target):
    return random_config(rng, target)


@pytest.fixture
def counts(rng):
    """Input of 20 steps, a few counts above 15."""
    return (rng.random((20, 4)) < 0.4) * rng.integers(1, 19, (20, 4))


@pytest.fixture
def attach(monkeypatch):
    """Put an emulated SDK with one board in the place of samna."""

    def put(target, *, sensor=None, boards=1, **faults):
        sdk = emulation.EmulatedSamna(
            target,
            faults=emulation.Faults(**faults),
            sensor=np.zeros((0, 4), np.int64) if sensor is None else sensor,
            boards=boards,
        )
        monkeypatch.setitem(sys.modules, "samna", sdk)
        return sdk

    return put


@pytest.fixture
def open_board():
    """Open the only attached board, as a user would."""

    def opened(config, **options):
        device = list_devices(target_named(config.target))[0]["id"]
        return open_device(config, device, DeployOptions(**options))

    return opened
