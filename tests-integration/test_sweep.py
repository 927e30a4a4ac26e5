"""A hundred virtual DYNAP-SE2 chips: the same table from a loop, processes, threads and dask."""

import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import CubaLIF, Graph, Linear
from ranvier.sweeps import SweepError, read_results

CHIPS = range(100)
VARY = {"simulate.chip_seed": CHIPS}
OPTIONS = {"simulate.mismatch": 0.1}


@pytest.fixture(scope="module")
def config():
    rng = np.random.default_rng(0)
    neurons = {"tau_mem": 20e-3, "tau_syn": 10e-3, "reset": "to_value", "decay": "euler"}
    nodes = {
        "fc": Linear(weight=rng.normal(0.6, 0.6, (16, 8))),
        "hidden": CubaLIF(shape=(16,), **neurons),
        "out_fc": Linear(weight=rng.normal(0.6, 0.6, (4, 16))),
        "out": CubaLIF(shape=(4,), **neurons),
    }
    return rv.build(Graph.sequential(nodes, dt=1e-3), "dynapse2")


@pytest.fixture(scope="module")
def spikes():
    return (np.random.default_rng(1).random((4, 100, 8)) < 0.15).astype(int)


@pytest.fixture(scope="module")
def inline(config, spikes):
    return rv.sweep(config, None, spikes, vary=VARY, options=OPTIONS, executor="inline")


def test_a_hundred_chips_equal_a_plain_loop(config, spikes, inline):
    counts = [
        rv.simulate(config, spikes, chip_seed=seed, mismatch=0.1).output.sum(axis=(0, 1))
        for seed in CHIPS
    ]

    np.testing.assert_array_equal(inline["counts"], counts)
    assert len({tuple(row) for row in inline["counts"].tolist()}) > 50


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("executor", ["processes", "threads"])
def test_executors_and_workers_change_nothing(config, spikes, inline, executor, workers):
    table = rv.sweep(
        config, None, spikes, vary=VARY, options=OPTIONS, executor=executor, workers=workers
    )

    assert table == inline


@pytest.mark.parametrize("chunk", [1, 7])
def test_chunks_change_nothing(config, spikes, inline, chunk):
    table = rv.sweep(
        config, None, spikes, vary=VARY, options=OPTIONS, executor="threads", chunk=chunk
    )

    assert table == inline


def test_dask_with_processes_changes_nothing(config, spikes, inline):
    distributed = pytest.importorskip("distributed")

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        table = rv.sweep(
            config,
            None,
            spikes,
            vary=VARY,
            options=OPTIONS,
            executor=client.get_executor(pure=False),
        )

    assert table == inline


def test_half_a_sweep_goes_on_elsewhere(config, spikes, inline, tmp_path):
    path = tmp_path / "chips.jsonl"
    arguments = {"vary": VARY, "options": OPTIONS, "results": path}

    def stop(done, total):
        if done > 40:
            raise RuntimeError("stopped on purpose")

    with pytest.raises(SweepError, match="stopped on purpose"):
        rv.sweep(config, None, spikes, executor="inline", chunk=3, progress=stop, **arguments)
    half = read_results(path)

    assert 40 < len(half) < 50
    assert half.rows == inline.rows[: len(half)]
    assert rv.sweep(config, None, spikes, executor="threads", **arguments) == inline


def test_noise_of_bss2_is_the_same_everywhere(spikes):
    rng = np.random.default_rng(0)
    nodes = {
        "fc": Linear(weight=rng.normal(0.3, 0.3, (6, 8))),
        "out": CubaLIF(shape=(6,), tau_mem=10e-3, tau_syn=5e-3, reset="to_value", decay="euler"),
    }
    graph = Graph.sequential(nodes, dt=1e-3)
    arguments = {
        "vary": {"trial_seed": range(6)},
        "options": {"simulate.preset": "uncalibrated"},
    }

    tables = [
        rv.sweep(graph, "bss2", spikes[:, :60], executor=executor, workers=2, **arguments)
        for executor in ("inline", "threads", "processes")
    ]

    assert tables[0] == tables[1] == tables[2]
    assert len({tuple(row) for row in tables[0]["counts"].tolist()}) > 1
