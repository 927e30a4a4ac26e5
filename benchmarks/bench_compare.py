"""One network on every installed target: ``python benchmarks/bench_compare.py``.

16-48-48-8 with sparse recurrence (at most 64 weights into a neuron, 8 recurrent ones out of it), 64
samples of 250 steps. Prints the comparison, then the times of three calls: the first one compiles
the simulators' kernels, or loads them.

The network tells eight pairs of channels apart. No reset suits all chips: Loihi, BrainScaleS-2 and
DYNAP-SE2 reset to a value, Xylo by subtraction. So Xylo gets the option ``approximate_reset``, and
what that changes is in the table.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")

import time

import numpy as np

import ranvier as rv
from ranvier.graph import CubaLIF, Edge, Graph, Input, Linear, Output

DT = 1e-3
CLASSES, PER_CLASS = 8, 6
N_IN, N_HIDDEN = 16, CLASSES * PER_CLASS
FAN_OUT = 8
OPTIONS = {"xylo": {"approximate_reset": True}}


def network(*, seed=0):
    """Blocks of excitation per class, weak random weights elsewhere, a sparse random loop."""
    rng = np.random.default_rng(seed)
    of_hidden = np.repeat(np.arange(CLASSES), PER_CLASS)
    of_input = np.repeat(np.arange(CLASSES), N_IN // CLASSES)

    def weights(to, source, strong):
        same = to[:, None] == source[None]
        weak = rng.normal(0.0, 0.1 * strong, same.shape)
        return np.where(same, strong * rng.uniform(0.8, 1.2, same.shape), weak)

    loop = np.zeros((N_HIDDEN, N_HIDDEN))
    for offset in rng.choice(np.arange(1, N_HIDDEN), FAN_OUT, replace=False):
        source = np.arange(N_HIDDEN)
        loop[(source + offset) % N_HIDDEN, source] = rng.normal(0.0, 0.02, N_HIDDEN)

    def neurons(n):
        return CubaLIF(
            shape=(n,), tau_mem=16 * DT, tau_syn=8 * DT, decay="bitshift", reset="to_value"
        )

    nodes = {
        "input": Input(shape=(N_IN,)),
        "to_first": Linear(weight=weights(of_hidden, of_input, 0.09)),
        "first": neurons(N_HIDDEN),
        "to_second": Linear(weight=weights(of_hidden, of_hidden, 0.1)),
        "second": neurons(N_HIDDEN),
        "loop": Linear(weight=loop),
        "to_readout": Linear(weight=weights(np.arange(CLASSES), of_hidden, 0.1)),
        "readout": neurons(CLASSES),
        "output": Output(shape=(CLASSES,)),
    }
    edges = [
        Edge("input", "to_first"),
        Edge("to_first", "first"),
        Edge("first", "to_second", delay=1),
        Edge("to_second", "second"),
        Edge("second", "loop", delay=1),
        Edge("loop", "second"),
        Edge("second", "to_readout", delay=1),
        Edge("to_readout", "readout"),
        Edge("readout", "output"),
    ]
    return Graph(nodes, tuple(edges), DT)


def data(*, n_samples=64, n_steps=250, seed=1):
    """Return spikes (n_samples, n_steps, 16), of which one pair of channels is the busiest."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_samples) % CLASSES
    rates = np.full((n_samples, N_IN), 0.02)
    for channel in range(N_IN // CLASSES):
        rates[np.arange(n_samples), labels * (N_IN // CLASSES) + channel] = 0.1
    return (rng.random((n_samples, n_steps, N_IN)) < rates[:, None]).astype(np.int64), labels


def main():
    graph, (spikes, labels) = network(), data()
    times = []
    for _ in range(3):
        start = time.perf_counter(), time.process_time()
        found = rv.compare(graph, "all", spikes, labels, target_options=OPTIONS)
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    print(found)
    skipped = [r.target for r in found.targets if r.status != "ran"]
    print(f"\n{len(found.targets)} targets, not run: {skipped or 'none'}")
    for number, (wall, cpu) in enumerate(times, 1):
        print(f"call {number}: {wall:.2f} s wall, {cpu:.2f} s CPU" + " (compiles)" * (number == 1))


if __name__ == "__main__":
    main()
