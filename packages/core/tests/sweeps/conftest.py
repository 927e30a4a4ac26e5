import importlib
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from ranvier.graph import Graph, Input, Output
from ranvier.plugins import manager
from ranvier.sweeps import worker

NOISY = runpy.run_path(str(Path(__file__).parent / "noisy_chip.py"))


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """Return the folder of a plugin package that looks installed."""
    folder = tmp_path_factory.mktemp("noisy")
    NOISY["write_chip"](folder)
    return folder


@pytest.fixture
def measures(package, monkeypatch):
    """Install the noisy chip for one test; return its module of evaluations."""
    monkeypatch.syspath_prepend(str(package))
    monkeypatch.setenv("RANVIER_CHIPS", "noisy")
    manager().refresh()
    worker._BENCHES.clear()
    yield importlib.import_module("noisy_chip_package.measures")
    for name in [n for n in sys.modules if n.startswith("noisy_chip_package")]:
        del sys.modules[name]
    worker._BENCHES.clear()
    manager().refresh()


@pytest.fixture
def graph():
    nodes = {"input": Input(shape=(6,)), "output": Output(shape=(6,))}
    return Graph(nodes, [("input", "output")], 1e-3)


@pytest.fixture
def spikes():
    """Return input counts, (batch, time, n)."""
    return np.random.default_rng(0).poisson(0.5, (3, 20, 6))
