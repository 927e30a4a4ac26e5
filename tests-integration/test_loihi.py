"""From files of other frameworks to both Loihis, through the public functions and commands."""

import json
import subprocess
import sys
from pathlib import Path

import nir
import numpy as np
import pytest

import ranvier as rv
from ranvier.testing.agreement_checks import spike_agreement

DT = 1e-3
README = Path(__file__).parents[1] / "packages" / "loihi" / "README.md"


@pytest.fixture
def nir_file(tmp_path):
    """A network as snnTorch exports it: Euler decays, gains tau/dt, reset to zero by choice."""
    rng = np.random.default_rng(0)

    def neurons(n):
        tau_mem, tau_syn = np.full(n, 8 * DT), np.full(n, 4 * DT)
        return nir.CubaLIF(
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            r=tau_mem / DT,
            w_in=tau_syn / DT,
            v_leak=np.zeros(n),
            v_threshold=np.ones(n),
        )

    graph = nir.NIRGraph.from_list(
        nir.Linear(weight=rng.normal(0.05, 0.15, (24, 10))),
        neurons(24),
        nir.Linear(weight=rng.normal(0.05, 0.15, (4, 24))),
        neurons(4),
    )
    path = tmp_path / "net.nir"
    nir.write(path, graph)
    return path


@pytest.fixture
def spikes():
    return (np.random.default_rng(1).random((3, 200, 10)) < 0.2).astype(int)


@pytest.mark.parametrize("target", ["loihi1", "loihi2"])
def test_a_file_of_another_framework_runs_on_both_loihis(nir_file, spikes, target):
    graph = rv.read(nir_file, dt=DT, convention="snntorch", reset="to_value")

    config = rv.build(graph, target, calibration=spikes)
    recording = rv.simulate(config, spikes, record=["spikes", "v_mem"])
    reference = rv.simulate(rv.build(graph, "reference"), spikes, record=["spikes"])

    for name in graph.neurons:
        late = config.latency[name]
        ours = recording.raster(name)[:, late:]
        theirs = reference.raster(name)[:, : ours.shape[1]]
        assert theirs.sum() > 20
        assert spike_agreement(ours, theirs) > 0.97  # weights have seven bits and a sign


@pytest.mark.parametrize("target", ["loihi1", "loihi2"])
def test_the_loopback_answers_like_the_simulator(nir_file, spikes, target):
    graph = rv.read(nir_file, dt=DT, convention="snntorch", reset="to_value")
    config = rv.build(graph, target)

    expected = rv.simulate(config, spikes).output
    with rv.deploy(config, device="loopback") as chip:
        np.testing.assert_array_equal(chip.run(spikes).output, expected)


def test_the_commands_take_a_network_to_loihi_and_back_to_a_net_file(nir_file, spikes, tmp_path):
    np.save(tmp_path / "spikes.npy", spikes)

    def ranvier(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "ranvier.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    how = ("--dt", "1e-3", "--convention", "snntorch", "--reset", "to_value")
    built = ranvier("build", "net.nir", "--target", "loihi2", *how, "-o", "net.rv")
    ran = ranvier("simulate", "net.rv", "spikes.npy", "-o", "out.rv", "--json")

    assert built.returncode == 0, built.stderr
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)
    expected = rv.simulate(rv.load(tmp_path / "net.rv"), spikes).output
    np.testing.assert_array_equal(rv.load(tmp_path / "out.rv").output, expected)


def test_the_code_of_the_package_readme_runs(tmp_path):
    code = README.read_text().split("```python\n")[1].split("```")[0]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "LoihiConfig for loihi2" in done.stdout
