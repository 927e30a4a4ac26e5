"""Killed workers, Ctrl-C and a killed program: what was finished is kept, the rest is run later."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ranvier as rv
from ranvier.sweeps import SweepError, read_results

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of POSIX"),
]

ROWS = 40
SCRIPT = f"""
import sys
import numpy as np
import ranvier as rv
from noisy_chip_package.measures import slow

if __name__ == "__main__":
    rv.sweep(rv.load("net.rv"), "noisy", np.load("spikes.npy"), evaluate=slow, chunk=1,
             vary={{"simulate.chip_seed": range({ROWS})}}, results="sweep.jsonl", workers=2,
             executor=sys.argv[1])
"""


@pytest.fixture
def started(package, graph, spikes, tmp_path, monkeypatch):
    """Return a function that starts a sweep as a program and waits until rows are there."""
    import numpy as np

    rv.save(graph, tmp_path / "net.rv")
    np.save(tmp_path / "spikes.npy", spikes)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "pids").mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "RANVIER_CHIPS": "noisy",
        "NOISY_PIDS": str(tmp_path / "pids"),
        "NOISY_SECONDS": "0.25",
    }

    def start(executor):
        program = subprocess.Popen(
            [sys.executable, "script.py", executor],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        _wait_for(lambda: _lines(tmp_path / "sweep.jsonl") > 3, "no rows came")
        return program

    return start


@pytest.mark.parametrize("executor", ["processes", "inline"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_program_leaves_its_rows_and_goes_on(
    started, measures, graph, spikes, tmp_path, executor, how
):
    path = tmp_path / "sweep.jsonl"
    program = started(executor)

    program.send_signal(how)
    program.communicate(timeout=20)

    partial = read_results(path)
    arguments = {"vary": {"simulate.chip_seed": range(ROWS)}, "evaluate": measures.slow}
    resumed = rv.sweep(graph, "noisy", spikes, results=path, executor="inline", **arguments)
    expected = rv.sweep(graph, "noisy", spikes, executor="inline", **arguments)
    assert program.returncode in (-how, 1)
    assert 2 < len(partial) < ROWS
    assert resumed == expected == read_results(path)
    _wait_for(lambda: not _alive(tmp_path / "pids"), "workers outlive their program")


def test_a_killed_worker_is_replaced_once(measures, graph, spikes, tmp_path):
    vary = {"simulate.chip_seed": range(8)}
    evaluate = functools.partial(measures.kill_worker, marker=str(tmp_path), times=1)

    table = rv.sweep(graph, "noisy", spikes, vary=vary, evaluate=evaluate, workers=2)

    expected = rv.sweep(
        graph, "noisy", spikes, vary=vary, evaluate=measures.total, executor="inline"
    )
    assert table.rows == expected.rows


def test_workers_that_die_again_end_the_sweep_which_says_what_is_missing(
    measures, graph, spikes, tmp_path
):
    marker, path = tmp_path / "kills", tmp_path / "sweep.jsonl"
    marker.mkdir()
    vary = {"simulate.chip_seed": range(8)}
    evaluate = functools.partial(measures.kill_worker, marker=str(marker), times=2)
    arguments = {"vary": vary, "evaluate": evaluate, "workers": 1, "chunk": 1, "results": path}

    with pytest.raises(SweepError, match=r"died again.*8 of 8 rows are missing.*goes on") as caught:
        rv.sweep(graph, "noisy", spikes, **arguments)

    assert len(caught.value.result) == 0
    assert len(rv.sweep(graph, "noisy", spikes, **arguments)) == 8


def _lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _alive(folder):
    """Return the noted processes that still run."""
    alive = []
    for note in folder.iterdir():
        status = Path("/proc", note.name, "stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
            alive.append(note.name)
    return alive


def _wait_for(condition, problem, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, problem
        time.sleep(0.02)
