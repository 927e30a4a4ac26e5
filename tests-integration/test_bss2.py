"""From files of other frameworks to BrainScaleS-2, through the public functions and commands."""

import json
import subprocess
import sys
from pathlib import Path

import nir
import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import MappingError
from ranvier.graph import CubaLIF, Graph, Linear
from ranvier.testing.agreement_checks import spike_agreement

DT = 1e-3
README = Path(__file__).parents[1] / "packages" / "bss2" / "README.md"


@pytest.fixture
def nir_file(tmp_path):
    """Two layers as snnTorch exports them: Euler decays, gains tau/dt."""
    rng = np.random.default_rng(0)

    def neurons(n):
        tau_mem, tau_syn = np.full(n, 10 * DT), np.full(n, 6 * DT)
        return nir.CubaLIF(
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            r=tau_mem / DT,
            w_in=tau_syn / DT,
            v_leak=np.zeros(n),
            v_threshold=np.ones(n),
        )

    graph = nir.NIRGraph.from_list(
        nir.Linear(weight=rng.normal(0.05, 0.1, (24, 10))),
        neurons(24),
        nir.Linear(weight=rng.normal(0.05, 0.1, (4, 24))),
        neurons(4),
    )
    path = tmp_path / "net.nir"
    nir.write(path, graph)
    return path


@pytest.fixture
def spikes():
    return (np.random.default_rng(1).random((3, 90, 10)) < 0.2).astype(int)


def graph_of(path):
    return rv.read(path, dt=DT, convention="snntorch", reset="to_value")


def test_milliseconds_of_a_file_become_microseconds_of_the_chip_and_say_so(nir_file):
    config = rv.build(graph_of(nir_file), "bss2")

    assert config.chip_dt == pytest.approx(1e-6)
    assert any("us" in d.message for d in config.diagnostics if d.code == "BS101" or d.value)


def test_numerics_of_the_configuration_are_those_of_the_graph(nir_file, spikes):
    graph = graph_of(nir_file)
    config = rv.build(graph, "bss2")

    numeric = rv.simulate(config, spikes, level="numeric", record=["spikes"])
    reference = rv.simulate(rv.build(graph, "reference"), spikes, record=["spikes"])

    for name in graph.neurons:
        late = config.latency[name]
        ours = numeric.raster(name)[:, late:]
        theirs = reference.raster(name)[:, : ours.shape[1]]
        assert theirs.sum() > 20
        assert spike_agreement(ours, theirs) > 0.95  # weights have six bits and a sign


def test_virtual_chips_differ_and_the_loopback_is_the_emulator(nir_file, spikes):
    config = rv.build(graph_of(nir_file), "bss2")
    options = {"preset": "calibrated", "chip_seed": 2}

    expected = rv.simulate(config, spikes, trial_seed=3, **options).output
    other = rv.simulate(config, spikes, trial_seed=3, preset="calibrated", chip_seed=1).output
    with rv.deploy(config, device="loopback", **options) as chip:
        np.testing.assert_array_equal(chip.run(spikes, trial_seed=3).output, expected)
    assert not np.array_equal(expected, other)


def test_a_network_that_fits_nowhere_says_how_much_is_missing():
    rng = np.random.default_rng(0)
    nodes = {
        "w": Linear(weight=rng.normal(0, 0.1, (300, 90))),
        "n": CubaLIF(shape=(300,), tau_mem=0.5, tau_syn=1e-4, reset="to_value"),
        "v": Linear(weight=rng.normal(0, 0.1, (300, 300))),
        "m": CubaLIF(shape=(300,), tau_mem=10e-3, tau_syn=5e-3, reset="to_value"),
    }

    with pytest.raises(MappingError) as caught:
        rv.map(Graph.sequential(nodes, dt=DT), "bss2", partition="off")

    assert len(caught.value.diagnostics) > 1
    assert all(d.hint for d in caught.value.diagnostics)
    assert any(d.limit is not None for d in caught.value.diagnostics)


def test_the_commands_take_a_network_to_a_chip_and_back(nir_file, spikes, tmp_path):
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
    built = ranvier("build", "net.nir", "--target", "bss2", *how, "-o", "net.rv")
    ran = ranvier("simulate", "net.rv", "spikes.npy", "--chip-seed", "1", "-o", "out.rv", "--json")

    assert built.returncode == 0, built.stderr
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)
    expected = rv.simulate(rv.load(tmp_path / "net.rv"), spikes, chip_seed=1).output
    np.testing.assert_array_equal(rv.load(tmp_path / "out.rv").output, expected)


def test_the_code_of_the_package_readme_runs(tmp_path):
    code = README.read_text().split("```python\n")[1].split("```")[0]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Bss2Config for bss2" in done.stdout
