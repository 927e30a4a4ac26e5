import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from ranvier.graph import CubaLIF, Edge, Graph, Input, Linear, Output
from ranvier.plugins import manager

LATE = runpy.run_path(str(Path(__file__).parent / "late_chip.py"))


@pytest.fixture
def chips(tmp_path, monkeypatch):
    """Install the late chip, one that cannot be imported and one without a manifest."""
    folder = tmp_path / "site"
    folder.mkdir()
    LATE["install"](folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("RANVIER_CHIPS", "late")
    manager().refresh()
    yield lambda *names: (monkeypatch.setenv("RANVIER_CHIPS", ",".join(names)), manager().refresh())
    for name in [n for n in sys.modules if n.startswith("fake_")]:
        del sys.modules[name]
    manager().refresh()


@pytest.fixture
def graph():
    """Return two layers, the first with a loop, whose output tells three channels apart."""
    neuron = {"tau_mem": 8e-3, "tau_syn": 4e-3}
    nodes = {
        "in": Input(shape=(3,)),
        "w": Linear(weight=np.repeat(np.eye(3), 2, axis=0) * 0.3),
        "hidden": CubaLIF(shape=(6,), **neuron),
        "loop": Linear(weight=np.roll(np.eye(6), 1, axis=0) * 0.05),
        "v": Linear(weight=np.repeat(np.eye(3), 2, axis=1) * 0.3),
        "out": CubaLIF(shape=(3,), **neuron),
        "result": Output(shape=(3,)),
    }
    edges = [
        Edge("in", "w"),
        Edge("w", "hidden"),
        Edge("hidden", "loop", delay=1),
        Edge("loop", "hidden"),
        Edge("hidden", "v"),
        Edge("v", "out"),
        Edge("out", "result"),
    ]
    return Graph(nodes, tuple(edges), 1e-3)


@pytest.fixture
def labels():
    return np.arange(6) % 3


@pytest.fixture
def spikes(labels):
    """Return counts, (6, 40, 3); the labelled channel is the busiest."""
    rates = np.full((6, 3), 0.05)
    rates[np.arange(6), labels] = 0.6
    return (np.random.default_rng(0).random((6, 40, 3)) < rates[:, None]).astype(np.int64)
