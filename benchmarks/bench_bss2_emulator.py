"""BrainScaleS-2's emulator, from its registers: ``python benchmarks/bench_bss2_emulator.py``.

512 neurons, 128 input channels that fire in 3 % of the steps, 1000 steps, 64 trials. One thread,
process CPU time, best of several after a warm-up. Before times are taken, the ideal chip's spikes
are compared with the model's numerics.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import runpy
import sys
import time
from pathlib import Path

import numpy as np

from ranvier_bss2 import VirtualChip
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.records import spike_grid

TESTS = Path(__file__).parents[1] / "packages/bss2/tests"
chips = runpy.run_path(str(TESTS / "small_chips.py"))
NEURONS, CHANNELS, STEPS, TRIALS, RATE = 512, 128, 1000, 64, 0.03
LIMIT_S, SET_LIMIT_MS = 2.0, 20.0
KINDS = {"ideal": 1, "calibrated": 1, "calibrated, 4 substeps": 4}


def best(function, repeats=2):
    """Give the result, and the CPU time of the fastest of several calls."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return result, min(times)


def network(rng):
    w = rng.integers(-20, 24, size=(NEURONS, CHANNELS))
    layer = chips["population"]("layer", NEURONS, refractory=1e-6)
    return (
        *chips["chip"]({"input": (CHANNELS,)}, [layer], [chips["projection"]("input", "layer", w)]),
        w,
    )


def same_spikes(config, w, x):
    raw = Emulator(config, VirtualChip.of(0, "ideal")).run({"input": x}, trial_seed=0)
    grid = spike_grid(
        raw["layer"].spikes, n_samples=len(x), size=NEURONS, length=x.shape[1], dt=1e-6
    )
    return np.array_equal(grid, chips["level_a"](config, [w], {"input": x})["layer"][0])


def main():
    rng = np.random.default_rng(0)
    config, layout, w = network(rng)
    x = (rng.random((TRIALS, STEPS, CHANNELS)) < RATE).astype(np.int64)
    same = same_spikes(config, w, x[:2, :200])
    print(f"spikes of the ideal chip are the model's: {same}")
    print("| chip | CPU s | neuron steps per s | spikes per step and neuron |")
    print("| --- | --- | --- | --- |")
    ok = same
    for kind, substeps in KINDS.items():
        chip = VirtualChip.of(0, kind.split(",")[0])
        emulator = Emulator(config, chip, substeps=substeps, layout=layout)

        def run(emulator=emulator):
            emulator.reset()
            return emulator.run({"input": x}, trial_seed=0)

        emulator.run({"input": x[:1, :10]}, trial_seed=0)
        raw, seconds = best(run)
        updates = NEURONS * STEPS * TRIALS
        rate = raw["layer"].spikes.cycle.size / updates
        print(f"| {kind} | {seconds:.2f} | {updates / seconds / 1e6:.0f} M | {rate:.4f} |")
        ok &= substeps > 1 or seconds <= LIMIT_S
    _, seconds = best(lambda: emulator.set_weights({0: w}), repeats=5)
    print(f"{w.size} signed weights written in {seconds * 1e3:.1f} ms")
    return 0 if ok and seconds * 1e3 <= SET_LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
