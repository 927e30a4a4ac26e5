"""A file of another framework, taken to every Xylo through the public functions and commands."""

import json
import subprocess
import sys

import nir
import numpy as np
import pytest

import ranvier as rv
from ranvier.events import EventSeries

DT = 1e-3
TARGETS = [name for name in rv.targets() if name.startswith("xylo")]


@pytest.fixture
def nir_file(tmp_path):
    """A network as snnTorch exports it: Euler decays, gains tau/dt, threshold reset by choice."""
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
        nir.Affine(weight=rng.normal(0, 0.15, (12, 5)), bias=np.zeros(12)),
        neurons(12),
        nir.Linear(weight=rng.normal(0, 0.15, (12, 12))),
        neurons(12),
        nir.Linear(weight=rng.normal(0, 0.3, (3, 12))),
        neurons(3),
    )
    path = tmp_path / "net.nir"
    nir.write(path, graph)
    return path


@pytest.fixture
def spikes():
    return np.random.default_rng(1).poisson(0.3, (3, 100, 5))


@pytest.mark.parametrize("target", TARGETS)
def test_a_file_of_another_framework_runs_on_every_xylo(nir_file, spikes, target):
    graph = rv.read(nir_file, dt=DT, convention="snntorch", reset="subtract")

    config = rv.build(graph, target, calibration=spikes)
    recording = rv.simulate(config, spikes, record=["spikes", "v_mem"])
    reference = rv.simulate(rv.build(graph, "reference"), spikes, record=["spikes"])

    assert config.dt == DT
    # The chip needs a step per hop and may emit several spikes a step: counts per neuron agree.
    name = graph.neurons[0]
    ours, theirs = recording.raster(name).sum(1), reference.raster(name).sum(1)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98
    losses = {d.code for d in config.diagnostics if d.severity == "loss"}
    assert losses, "the spike limits differ, so that there is something to report"


@pytest.mark.parametrize("target", TARGETS)
def test_events_go_in_and_come_out(nir_file, target):
    graph = rv.read(nir_file, dt=DT, convention="snntorch", reset="subtract")
    config = rv.build(graph, target)
    rng = np.random.default_rng(2)
    raster = rng.poisson(0.4, (60, 5))
    series = EventSeries.from_raster(raster, DT, t_start=0.25)

    from_array = rv.simulate(config, raster).output
    from_series = rv.simulate(config, series).output

    assert isinstance(from_series, EventSeries)
    assert from_series.t_start == 0.25
    np.testing.assert_array_equal(from_series.raster(DT), from_array)


def test_the_commands_do_the_same(nir_file, spikes, tmp_path):
    np.save(tmp_path / "spikes.npy", spikes)

    def ranvier(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "ranvier.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    how = ("--dt", "1e-3", "--convention", "snntorch", "--reset", "subtract")
    built = ranvier("build", "net.nir", "--target", "xylo-audio3", *how, "-o", "net.rv")
    ran = ranvier("simulate", "net.rv", "spikes.npy", "-o", "out.rv", "--json")

    assert built.returncode == 0, built.stderr
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)
    expected = rv.simulate(rv.load(tmp_path / "net.rv"), spikes).output
    np.testing.assert_array_equal(rv.load(tmp_path / "out.rv").output, expected)
