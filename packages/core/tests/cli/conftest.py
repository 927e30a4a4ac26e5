import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import ranvier
from ranvier.cli import main
from ranvier.cli.skeleton import write_package
from ranvier.graph import LIF, CubaLIF, Graph, Linear
from ranvier.plugins import manager

CHIP = "cli-chip"
PACKAGE = "ranvier_cli_chip"


@dataclass(frozen=True)
class Result:
    """Outcome of one command."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """Return the source folder of a generated plugin package that looks installed."""
    root = tmp_path_factory.mktemp("plugin") / "chip"
    write_package(CHIP, root)
    metadata = root / "src" / f"{PACKAGE}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ranvier-cli-chip\nVersion: 0.1.0\n"
    )
    (metadata / "entry_points.txt").write_text(f"[ranvier.chips]\n{CHIP} = {PACKAGE}.plugin\n")
    return root / "src"


@pytest.fixture
def chip(package, monkeypatch):
    """Install the generated plugin for one test; return its target's name."""
    monkeypatch.syspath_prepend(str(package))
    monkeypatch.setenv("RANVIER_CHIPS", CHIP)
    manager().refresh()
    yield CHIP
    for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE]:
        del sys.modules[name]
    manager().refresh()


@pytest.fixture
def cli(capfd, monkeypatch):
    """Return a function that runs one command in this process."""
    monkeypatch.delenv("RANVIER_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def process(package):
    """Return a function that runs Python with the generated plugin installed."""

    def run(*arguments, **options):
        environment = {**os.environ, "PYTHONPATH": str(package), "RANVIER_CHIPS": CHIP}
        environment.pop("RANVIER_DEBUG", None)
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    return run


@pytest.fixture
def graph():
    """Return a network of two layers whose decays the chip has exactly."""
    rng = np.random.default_rng(0)
    return Graph.sequential(
        {
            "fc": Linear(weight=rng.normal(size=(6, 4))),
            "hidden": CubaLIF(shape=(6,), tau_mem=8e-3, tau_syn=4e-3, decay="bitshift"),
            "out_fc": Linear(weight=rng.normal(size=(2, 6))),
            "out": LIF(shape=(2,), tau_mem=16e-3, decay="bitshift"),
        },
        dt=1e-3,
    )


@pytest.fixture
def lossy_graph():
    """Return a network whose decay the chip changes."""
    neuron = LIF(shape=(2,), tau_mem=7.3e-3)
    return Graph.sequential({"fc": Linear(weight=np.ones((2, 4))), "lif": neuron}, dt=1e-3)


@pytest.fixture
def network_file(graph, tmp_path):
    path = tmp_path / "net.rv"
    ranvier.save(graph, path)
    return path


@pytest.fixture
def config_file(chip, graph, tmp_path):
    path = tmp_path / "config.rv"
    ranvier.save(ranvier.build(graph, chip), path)
    return path


@pytest.fixture
def spikes():
    """Return input counts, (batch, time, n)."""
    return (np.random.default_rng(1).random((3, 20, 4)) < 0.3).astype(np.int64)


@pytest.fixture
def spikes_file(spikes, tmp_path):
    path = tmp_path / "spikes.npy"
    np.save(path, spikes)
    return path
