"""Xylo's integer core against xylosim v2: ``python benchmarks/bench_xylo_kernel.py``.

16-1000-8, 1000 steps, one thread, process CPU time, alternating, best of five; spikes are compared
first. Both sides get their network built beforehand; ours gets arrays, xylosim its list of lists,
and none of its recordings is read back. Without xylosim only our figures are printed.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import importlib
import importlib.util
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ranvier_xylo.kernels import CoreArrays, prepare, run

ROOT = Path(__file__).parents[1]
N_HIDDEN, STEPS, BATCH, REPEATS = 1000, 1000, 64, 5
CASES = (  # recurrent targets per neuron, wanted spikes per neuron and step, wanted ratio
    (1000, 0.015, 150),
    (1000, 0.10, 100),
    (63, 0.05, 15),
    (63, 0.30, 6),
)
FIRST_CALL = """
import time
import numpy as np
from ranvier_xylo.kernels import CoreArrays, prepare, run
one, row = np.ones((1, 1, 1), int), np.ones(1, int)
net = prepare(CoreArrays(weights_in=one, weights_rec=one, weights_out=one[0],
    threshold=row, threshold_out=row, dash_mem=row, dash_mem_out=row,
    dash_syn=np.ones((1, 2), int), dash_syn_out=row))
start = time.perf_counter()
run(net, np.ones((1, 1, 1), int))
print(time.perf_counter() - start)
"""


def network(*, fan_out, threshold):
    """One synapse, random recurrent weights of both signs, dense input and output weights."""
    rng = np.random.default_rng(0)
    amplitude = 3 if fan_out >= N_HIDDEN else 12
    recurrent = np.zeros((N_HIDDEN, N_HIDDEN, 1), np.int8)
    signs = rng.choice([-1, 1], (N_HIDDEN, N_HIDDEN, 1))
    for source in range(N_HIDDEN):
        targets = rng.permutation(N_HIDDEN)[:fan_out]
        recurrent[source, targets, 0] = rng.integers(1, amplitude + 1, targets.size)
    return CoreArrays(
        weights_in=rng.integers(-127, 128, (16, N_HIDDEN, 1)),
        weights_rec=recurrent * signs,
        weights_out=rng.integers(-127, 128, (N_HIDDEN, 8)),
        threshold=np.full(N_HIDDEN, threshold),
        threshold_out=np.full(8, 2000),
        dash_mem=np.full(N_HIDDEN, 4),
        dash_mem_out=np.full(8, 4),
        dash_syn=np.full((N_HIDDEN, 2), 3),
        dash_syn_out=np.full(8, 3),
    )


def tuned_network(counts, *, fan_out, rate):
    """Choose the threshold by bisection so that the hidden neurons fire at this rate."""
    low, high = 1, 32767
    while high - low > 1 and high > 1.01 * low:
        middle = (low + high) // 2
        arrays = network(fan_out=fan_out, threshold=middle)
        found = run(prepare(arrays), counts[:1], record=["spikes"]).traces["spikes"].mean()
        low, high = (middle, high) if found > rate else (low, middle)
    return arrays, found


def seconds(function):
    """Process CPU time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def compare(arrays, counts):
    """Check equal spikes, then time ours, ours in a batch (per sample) and the peer in turn."""
    net, peer = prepare(arrays), None
    ours = run(net, counts[:1]).spikes[0]
    if importlib.util.find_spec("xylosim"):
        peer_layer = runpy.run_path(str(ROOT / "tests-integration/peers/xylosim_layer.py"))[
            "peer_layer"
        ]
        peer, _keep_alive = peer_layer(importlib.import_module("xylosim.v2"), arrays)
        raster = counts[0].tolist()
        if not np.array_equal(ours, peer.evolve(raster)):
            raise SystemExit("output spikes differ from xylosim: no timing is worth reading")
    best = [np.inf] * 3
    for repeat in range(REPEATS + 1):
        times = [
            seconds(lambda: run(net, counts[:1])),
            seconds(lambda: run(net, counts)) / BATCH,
            np.inf,
        ]
        if peer is not None:
            peer.reset_all()
            times[2] = seconds(lambda: peer.evolve(raster))
        if repeat:  # the first round warms up
            best = [min(pair) for pair in zip(best, times, strict=True)]
    return best


def first_call(cache):
    """Seconds of the first run in a fresh process with this cache folder."""
    env = {**os.environ, "NUMBA_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL], env=env, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main():
    counts = (np.random.default_rng(1).random((BATCH, STEPS, 16)) < 0.05).astype(np.uint8)
    print(
        "targets  spikes/neuron/step  us/step  in batch of 64  batch gain"
        "  xylosim us/step  ratio  in batch  wanted"
    )
    for fan_out, rate, wanted in CASES:
        arrays, found = tuned_network(counts, fan_out=fan_out, rate=rate)
        ours, batched, peer = (1e6 * t / STEPS for t in compare(arrays, counts))
        print(
            f"{fan_out:7d}  {found:18.3f}  {ours:7.2f}  {batched:14.2f}  {ours / batched:10.2f}"
            f"  {peer:15.1f}  {peer / ours:5.0f}  {peer / batched:8.0f}  {wanted:6d}"
        )
    with tempfile.TemporaryDirectory() as cache:
        print(f"first call: {first_call(cache):.1f} s with an empty cache", end=", ")
        print(f"{first_call(cache):.2f} s with a filled one")


if __name__ == "__main__":
    main()
