"""Small configurations, and emulated stacks in the place of hxtorch and PyNN."""

import importlib.util
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from ranvier_bss2.driver import DeployOptions, open_device

_HERE = Path(__file__).parent
ACCESS = ("SLURM_FPGA_IPS", "QUIGGELDY_ENABLED", "QUIGGELDY_IP", "QUIGGELDY_PORT")


def _load(name):
    full = f"bss2_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, _HERE / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


networks = _load("emulated_networks")
chips = runpy.run_path(str(_HERE.parent / "small_chips.py"))


@pytest.fixture(autouse=True)
def _no_access(monkeypatch):
    """Tests run without access to a chip, whatever the machine has."""
    for name in (*ACCESS, "QUIGGELDY_USER_NO_MUNGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def small():
    """Makers of populations, projections and chips."""
    return chips


def _weights(n_out, n_in, seed=3, low=-30, high=60):
    return np.random.default_rng(seed).integers(low, high, size=(n_out, n_in))


@pytest.fixture(scope="session")
def config():
    """Two layers, 6 inputs, firing hidden neurons and a membrane as output."""
    hidden = chips["population"]("hidden", 8, refractory=2e-6)
    readout = chips["population"]("readout", 3, switches=("leaky",), tau_syn=6e-6)
    return chips["chip"](
        {"input": (6,)},
        [hidden, readout],
        [
            chips["projection"]("input", "hidden", _weights(8, 6)),
            chips["projection"]("hidden", "readout", _weights(3, 8, seed=4)),
        ],
    )[0]


@pytest.fixture(scope="session")
def firing_config():
    """Two firing layers, 6 inputs; what PyNN can run."""
    hidden = chips["population"]("hidden", 8, refractory=2e-6)
    out = chips["population"]("out", 3, refractory=1e-6, madc_neuron=1)
    return chips["chip"](
        {"input": (6,)},
        [hidden, out],
        [
            chips["projection"]("input", "hidden", _weights(8, 6)),
            chips["projection"]("hidden", "out", _weights(3, 8, seed=4, low=-10)),
        ],
    )[0]


@pytest.fixture(scope="session")
def recurrent_config():
    """A layer that feeds itself."""
    hidden = chips["population"]("hidden", 8, refractory=2e-6)
    return chips["chip"](
        {"input": (6,)},
        [hidden],
        [
            chips["projection"]("input", "hidden", _weights(8, 6)),
            chips["projection"]("hidden", "hidden", _weights(8, 8, seed=5), delay=1),
        ],
    )[0]


@pytest.fixture(scope="session")
def split_config():
    """A layer over two execution instances, read out in a third."""
    hidden = chips["population"]("hidden", 8, split=(5, 3))
    out = chips["population"]("out", 3, instance=2)
    return chips["chip"](
        {"input": (6,)},
        [hidden, out],
        [
            chips["projection"]("input", "hidden", _weights(8, 6)),
            chips["projection"]("hidden", "out", _weights(3, 8, seed=4, low=-10)),
        ],
    )[0]


@pytest.fixture
def spikes(rng):
    """Input of two samples, 50 steps."""
    return (rng.random((2, 50, 6)) < 0.2).astype(np.int64)


def _put(monkeypatch, modules):
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def attach_hxtorch(monkeypatch):
    """Put an emulated hxtorch in the place of the real one."""
    pytest.importorskip("torch")
    emulation = _load("emulated_hxtorch")

    def put(*, chip=None, old=False, **faults):
        silicon = networks.Silicon(**({} if chip is None else {"chip": chip}))
        stack = emulation.EmulatedHxtorch(silicon, old=old, faults=emulation.Faults(**faults))
        _put(monkeypatch, stack.modules())
        return stack

    return put


@pytest.fixture
def attach_pynn(monkeypatch):
    """Put an emulated PyNN in the place of the real one."""
    emulation = _load("emulated_pynn")

    def put(*, chip=None, dt=1e-6, **faults):
        silicon = networks.Silicon(**({} if chip is None else {"chip": chip}))
        stack = emulation.EmulatedPynn(silicon, faults=emulation.Faults(**faults), dt=dt)
        _put(monkeypatch, stack.modules())
        return stack

    return put


@pytest.fixture
def open_board():
    """Open a device with options, as a user would."""
    return lambda config, device="hxtorch", **options: open_device(
        config, device, DeployOptions(**options)
    )
