"""From files of other frameworks to a DYNAP-SE2, through the public functions and commands."""

import json
import subprocess
import sys
from pathlib import Path

import nir
import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import MappingError
from ranvier.graph import Graph, Linear

DT = 1e-3
README = Path(__file__).parents[1] / "packages" / "dynapse2" / "README.md"


@pytest.fixture
def nir_file(tmp_path):
    """Two layers as snnTorch exports them: Euler decays, gains tau/dt."""
    rng = np.random.default_rng(0)

    def neurons(n):
        tau_mem, tau_syn = np.full(n, 20 * DT), np.full(n, 10 * DT)
        return nir.CubaLIF(
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            r=tau_mem / DT,
            w_in=tau_syn / DT,
            v_leak=np.zeros(n),
            v_threshold=np.ones(n),
        )

    graph = nir.NIRGraph.from_list(
        nir.Linear(weight=rng.normal(0.6, 0.6, (24, 10))),
        neurons(24),
        nir.Linear(weight=rng.normal(0.6, 0.6, (4, 24))),
        neurons(4),
    )
    path = tmp_path / "net.nir"
    nir.write(path, graph)
    return path


@pytest.fixture
def spikes():
    return (np.random.default_rng(1).random((3, 200, 10)) < 0.1).astype(int)


def ranvier(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "ranvier.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
def test_a_file_of_another_framework_runs_and_says_what_changed(nir_file, spikes, model):
    graph = rv.read(nir_file, dt=DT, convention="snntorch", reset="to_value")

    config = rv.build(graph, "dynapse2", model=model)
    recording = rv.simulate(config, spikes, record=["spikes", "i_mem"])

    assert "DY101" in {d.code for d in config.diagnostics}  # exponential dynamics
    assert all(recording.raster(name).any() for name in graph.neurons)
    assert recording.output.shape == (3, 200, 4)


def test_the_loopback_answers_like_the_simulator(nir_file, spikes):
    config = rv.build(rv.read(nir_file, dt=DT, convention="snntorch", reset="to_value"), "dynapse2")

    expected = rv.simulate(config, spikes, mismatch=0.05, chip_seed=2).output
    with rv.deploy(config, device="loopback", mismatch=0.05, chip_seed=2) as chip:
        np.testing.assert_array_equal(chip.run(spikes).output, expected)


def test_a_network_that_fits_nowhere_lists_every_problem_with_its_number():
    rng = np.random.default_rng(0)
    from ranvier_dynapse2 import Dpi

    nodes = {
        "w": Linear(weight=rng.normal(0, 1, (20, 70)), bias=np.full(20, -1.0)),
        "n": Dpi(shape=(20,), i_tau_mem=np.geomspace(2e-12, 9e-11, 20), i_spkthr=5e-6),
    }

    with pytest.raises(MappingError) as caught:
        rv.map(Graph.sequential(nodes, dt=DT), "dynapse2")

    found = {d.code: d for d in caught.value.diagnostics}
    assert found["DY017"].value == 70
    assert found["DY017"].limit == 64
    assert found["DY016"].value == 20
    assert found["DY016"].limit == 16
    assert {"DY011", "DY014"} <= set(found)
    assert all(d.hint for d in found.values())


def test_the_commands_take_a_network_to_a_board_and_back(nir_file, spikes, tmp_path):
    np.save(tmp_path / "spikes.npy", spikes)

    how = ("--dt", "1e-3", "--convention", "snntorch", "--reset", "to_value")
    built = ranvier(
        tmp_path, "build", "net.nir", "--target", "dynapse2", *how, "--seed", "3", "-o", "net.rv"
    )
    ran = ranvier(
        tmp_path,
        *("simulate", "net.rv", "spikes.npy", "--mismatch", "0.05", "--chip-seed", "1"),
        *("-o", "out.rv", "--json"),
    )
    shown = ranvier(tmp_path, "show", "net.rv")

    assert built.returncode == 0, built.stderr
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)
    assert "CAM max" in shown.stdout
    config = rv.load(tmp_path / "net.rv")
    expected = rv.simulate(config, spikes, mismatch=0.05, chip_seed=1).output
    np.testing.assert_array_equal(rv.load(tmp_path / "out.rv").output, expected)


def test_the_code_of_the_package_readme_runs(tmp_path):
    code = README.read_text().split("```python\n")[1].split("```")[0]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Dynapse2Config for dynapse2" in done.stdout
