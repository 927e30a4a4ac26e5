"""A full DYNAP-SE2 board: ``python benchmarks/bench_dynapse2_board.py``.

4 chips, 4096 neurons, 64 CAM entries each, all in use: time to validate, to find all connections,
to save and load (at most 1 s each, at most 5 MB), to open a simulation, and to run 1000 steps. The
kernels are compiled by a small board first.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import runpy
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import ranvier
from ranvier_dynapse2 import Dynapse2Session
from ranvier_dynapse2.routing import connections

TESTS = Path(__file__).parents[1] / "packages" / "dynapse2" / "tests"
LIMIT, SIZE = 1.0, 5_000_000


def timed(name, call):
    """Run a call, print its time in s and return its result and the time."""
    start = time.perf_counter()
    result = call()
    taken = time.perf_counter() - start
    print(f"{name:<28} {taken:8.4f} s")
    return result, taken


def main():
    boards = runpy.run_path(str(TESTS / "random_configs.py"))
    small, _ = boards["random_config"]()
    with Dynapse2Session(small) as session:
        session.run(np.ones((1, 3, *boards["INPUTS"]), dtype=np.int64))
    (config, _), _ = timed("draw a board", boards["full_board"])
    timed("validate", lambda: boards["replaced"](config))
    found, routing = timed("find all connections", lambda: connections(config))
    print(f"{len(found)} connections")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "board.rv"
        _, saving = timed("save", lambda: ranvier.save(config, path))
        loaded, loading = timed("load", lambda: ranvier.load(path))
        size = path.stat().st_size
    print(f"{size / 1e6:.2f} MB, equal: {loaded == config}")
    session, _ = timed("open a simulation", lambda: Dynapse2Session(config))
    spikes = (np.random.default_rng(0).random((1, 1000, 64)) < 0.05).astype(np.int64)
    recording, _ = timed("run 1000 steps", lambda: session.run(spikes, record=["spikes"]))
    print(f"{recording['hidden', 'spikes'].total} spikes of the hidden neurons")
    return 0 if max(routing, saving, loading) <= LIMIT and size <= SIZE else 1


if __name__ == "__main__":
    sys.exit(main())
