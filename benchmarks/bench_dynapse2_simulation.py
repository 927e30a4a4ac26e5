"""DYNAP-SE2's neurons against a numpy loop: ``python benchmarks/bench_dynapse2_simulation.py``.

One thread, process CPU time, best of several after a warm-up. Spikes are compared first: the loop
of the tests does the same float32 operations, with sums taken source by source. Its times are those
of the loop with sums made by a matrix product (first network), or without the sums (the others).
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import runpy
import sys
import time
from pathlib import Path

import numpy as np

from ranvier_dynapse2.dpi import DpiParameters, Synapses, run_routed
from ranvier_dynapse2.nodes import MODELS, Dpi

TESTS = Path(__file__).parents[1] / "packages/dynapse2/tests"
plain = runpy.run_path(str(TESTS / "plain_dpi.py"))
DT = 1e-3
TUTORIAL_LIMIT_MS, STEPS_LIMIT_M = 20.0, 20.0
RATE_HZ = 50.0


def best(function, repeats):
    """Give the result, and the CPU time of the fastest of several calls."""
    result, times = function(), []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return result, min(times)


def neurons(n, model):
    return DpiParameters.of_node(Dpi(shape=(n,), model=model), dt=DT)


def numpy_run(parameters, counts, weight, recurrent, product):
    """Run the loop of the tests on the merged model."""
    batch, steps, channels = counts.shape
    x = product(counts.reshape(-1, channels), weight).reshape(1, batch, steps, -1)
    loop = plain["Plain"](parameters.model, parameters.values, DT)
    with np.errstate(divide="ignore"):
        return loop.run(x, recurrent[None])[0]


def matrix_product(counts, weight):
    return counts.astype(np.float32) @ weight


def tutorial():
    """60 inputs of 50 Hz to 2 recurrent neurons, 100 samples of 500 steps."""
    rng = np.random.default_rng(2023)
    counts = rng.poisson(RATE_HZ * DT, (100, 500, 60))
    weight = rng.normal(0, 5, (60, 2)).astype(np.float32)
    recurrent = np.array([[10.7, -7.3], [-7.1, 10.1]], dtype=np.float32)
    parameters = neurons(2, "merged_synapse")
    wired = {
        "synapses_in": Synapses.of_matrix(weight),
        "synapses_rec": Synapses.of_matrix(recurrent),
    }
    start = time.perf_counter()
    run_routed(parameters, counts[:1], **wired)
    first = time.perf_counter() - start
    run, spent = best(lambda: run_routed(parameters, counts, **wired), 9)
    check(run, numpy_run(parameters, counts, weight, recurrent, plain["weighted"]))
    _, loop = best(lambda: numpy_run(parameters, counts, weight, recurrent, matrix_product), 3)
    rate = run.spikes.mean() / DT
    print(f"60-2 recurrent, 100 samples x 500 steps, {rate:.0f} Hz (first call {first:.2f} s)")
    print(
        f"  {1e3 * spent:.1f} ms, bar {TUTORIAL_LIMIT_MS:.0f} ms; numpy {1e3 * loop:.0f} ms: "
        f"{loop / spent:.0f} times faster"
    )
    return 1e3 * spent <= TUTORIAL_LIMIT_MS


def large(model, n=1024, fan_in=64, steps=500):
    """1024 neurons with 64 inputs each."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(RATE_HZ * DT, (1, steps, n))
    parameters = neurons(n, model)
    merged = model == "merged_synapse"
    weight = rng.uniform(0, 4.0 if merged else 1.0, n * fan_in).astype(np.float32)
    port = rng.choice(4, n * fan_in, p=[0.7, 0.3, 0, 0] if merged else [0.5, 0.2, 0.2, 0.1])
    wired = {
        "synapses_in": Synapses.of_pairs(
            n,
            rng.integers(0, n, n * fan_in),
            target=np.repeat(np.arange(n), fan_in),
            port=port,
            weight=weight,
        ),
        "synapses_rec": Synapses.none(n),
    }
    run, spent = best(lambda: run_routed(parameters, counts, **wired), 5)
    x = numpy_sums(parameters, counts, wired["synapses_in"])
    with np.errstate(divide="ignore"):
        reference, loop = best(lambda: plain["Plain"](model, parameters.values, DT).run(x)[0], 1)
    check(run, reference)
    speed = n * steps / spent / 1e6
    events = int(np.diff(wired["synapses_in"].indptr) @ counts.sum(axis=(0, 1)))
    print(f"{model}: 1024 neurons with {fan_in} inputs of {RATE_HZ:.0f} Hz, {steps} steps")
    print(
        f"  {speed:.0f} M neuron-steps/s, bar {STEPS_LIMIT_M:.0f}; {events / spent / 1e6:.0f} M "
        f"synaptic events/s; neurons at {run.spikes.mean() / DT:.0f} Hz; "
        f"{loop / spent:.0f} times faster than numpy"
    )
    return speed >= STEPS_LIMIT_M


def numpy_sums(parameters, counts, synapses):
    """Sum what reaches every port in every step, source by source."""
    source = np.repeat(np.arange(synapses.n_sources), np.diff(synapses.indptr))
    ports, n = parameters.n_ports, parameters.n
    sign = np.where(synapses.port % 2 == 1, -1, 1) if ports == 1 else 1
    slot = synapses.port.astype(np.int64) % ports * n + synapses.target
    x = np.zeros((ports, *counts.shape[:2], n), dtype=np.float32)
    for t in range(counts.shape[1]):
        added = counts[0, t, source].astype(np.float32) * (synapses.weight * np.float32(sign))
        drive = np.zeros(ports * n, dtype=np.float32)
        np.add.at(drive, slot, added.astype(np.float32))
        x[:, 0, t] = drive.reshape(ports, n)
    return x


def check(run, spikes):
    """Stop if spikes differ."""
    different = int(np.sum(run.spikes != spikes))
    if different:
        raise SystemExit(f"{different} of {spikes.size} spike counts differ")
    print(f"{int(spikes.sum())} spikes equal to the numpy loop's")


def main():
    passed = [tutorial(), *(large(model) for model in MODELS)]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
