"""Loihi's simulator: ``python benchmarks/bench_loihi_simulator.py [--large]``.

One thread, process CPU time, best of five after a warm-up, with the rates that go with it. With
``--large`` it builds 1e6 neurons with 1e9 synapses (3 bytes each) and runs them; it takes 6 GB.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import resource
import time

import numpy as np

from ranvier.artifacts import OutputChannel, Placement
from ranvier_loihi.config import ConvSynapse, DenseSynapse, LoihiConfig, Population
from ranvier_loihi.simulator import LoihiSession
from ranvier_loihi.sparse import random_sparse_synapse

REPEATS = 5


def lif(name, shape, **fields):
    registers = {"decay_u": 1024, "decay_v": 128, "threshold": 80, **fields}
    arrays = {
        k: np.array([v]) if np.isscalar(v) and k != "drive" else v for k, v in registers.items()
    }
    return Population(name=name, model="lif", shape=shape, **arrays)


def configured(populations, synapses, inputs, **fields):
    """Give every neuron a place; nobody runs this on a chip."""
    rows = [(p.name, np.arange(p.size), "neuron", np.arange(p.size)) for p in populations]
    return LoihiConfig(
        target="loihi2",
        dt=1e-3,
        input_shapes=inputs,
        outputs=(OutputChannel(output="output", node=populations[-1].name),),
        node_shapes={p.name: p.shape for p in populations},
        placement=Placement.from_rows(rows),
        populations=tuple(populations),
        synapses=tuple(synapses),
        **fields,
    )


def weights(rng, shape, size):
    return (rng.integers(-size, size + 1, shape) * 2).astype(np.int16)


def dense_network():
    """200-256-200, 2000 steps, 10 % input."""
    rng = np.random.default_rng(0)
    config = configured(
        [lif("hidden", (256,)), lif("output_neurons", (200,))],
        [
            DenseSynapse(source="input", target="hidden", weights=weights(rng, (256, 200), 20)),
            DenseSynapse(
                source="hidden", target="output_neurons", weights=weights(rng, (200, 256), 20)
            ),
        ],
        {"input": (200,)},
    )
    return config, (rng.random((2000, 200)) < 0.1).astype(np.int64)


def conv_network():
    """3x66x200, five convolutions, four dense layers, 24 steps, driven by biases."""
    rng = np.random.default_rng(1)
    shape = (3, 66, 200)
    first = lif("image", shape, drive="input", drive_weight=60.0, bias_exp=6, decay_u=4096)
    populations, synapses = [first], []
    for i, (channels, kernel, stride) in enumerate(
        ((24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1))
    ):
        conv = ConvSynapse(
            source=populations[-1].name,
            target=f"conv{i}",
            weights=weights(rng, (channels, shape[0], kernel, kernel), 12),
            input_shape=shape,
            stride=(stride, stride),
        )
        shape = conv.output_shape
        populations.append(lif(f"conv{i}", shape))
        synapses.append(conv)
    n = int(np.prod(shape))
    for i, size in enumerate((100, 50, 10, 1)):
        synapses.append(
            DenseSynapse(
                source=populations[-1].name, target=f"fc{i}", weights=weights(rng, (size, n), 12)
            )
        )
        populations.append(lif(f"fc{i}", (size,)))
        n = size
    config = configured(populations, synapses, {"input": (3, 66, 200)}, values=("input",))
    return config, rng.random((1, 3, 66, 200)).repeat(24, axis=0)


def measured(name, config, x):
    start = time.perf_counter()
    session = LoihiSession(config)
    session.run(x)
    first = time.perf_counter() - start
    best = np.inf
    for _ in range(REPEATS):
        session.reset()
        start = time.process_time()
        recording = session.run(x)
        best = min(best, time.process_time() - start)
    events = recording.provenance["events"]
    rates = {p.name: round(events[p.name] / (p.size * len(x)), 3) for p in config.populations}
    print(f"{name}: {1e3 * best:.2f} ms (first call {first:.1f} s)")
    print(f"  {len(x)} steps, input {recording.provenance['input_rate']:.3f}, rates {rates}")


def large_network(n=1_000_000, fan_out=1000, steps=10):
    """1e6 neurons, 1e9 recurrent synapses of +-2, started by a bias."""
    start = time.perf_counter()
    synapse = random_sparse_synapse(
        "cells", "cells", n_source=n, n_target=n, fan_out=fan_out, grid=(-4, 2, 2), seed=1
    )
    built = time.perf_counter() - start
    rng = np.random.default_rng(2)
    cells = lif(
        "cells", (n,), v_initial=rng.integers(0, 6000, n), bias_mant=rng.integers(0, 300, n)
    )
    one = DenseSynapse(source="input", target="cells", weights=np.zeros((n, 1), dtype=np.int16))
    start = time.perf_counter()
    session = LoihiSession(configured([cells], [synapse, one], {"input": (1,)}))
    opened = time.perf_counter() - start
    session.run(np.zeros((1, 1), dtype=np.int64))
    start = time.process_time()
    recording = session.run(np.zeros((steps, 1), dtype=np.int64))
    spent = time.process_time() - start
    spikes = recording.provenance["events"]["cells"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n} neurons, {n * fan_out:.2g} synapses: built in {built:.1f} s, opened in {opened:.1f} s"
    )
    print(
        f"  {steps} steps, rate {spikes / n / steps:.4f} per step: {spent:.2f} s, "
        f"{spikes * fan_out / spent / 1e9:.2f} G synaptic events/s, peak {memory:.2f} GiB"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--neurons", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.large:
        large_network(options.neurons)
    else:
        measured("dense 200-256-200", *dense_network())
        measured("convolutions 3x66x200", *conv_network())
