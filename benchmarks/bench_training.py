"""Training step: kernels against plain torch loops, with spikes compared first.

    python benchmarks/bench_training.py [--repeats 5] [--surrogate window|periodic] [--memory]

Two baselines: ``plain``, one Python iteration per time step through all layers with one matrix
product per layer and step, as it is usually written; and ``loop``, the loop of this library, layer
by layer with the feed-forward product of all steps at once. The bars are against ``plain``.
One thread; process CPU time (best) next to wall time (median), alternating the three.
Input and hidden rates are printed with every time. ``--memory`` measures the growth of the
resident set at the peak of one step in fresh processes (Linux).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import ctypes
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import ranvier.nn as rnn

INPUT_RATE = 0.06
HIDDEN_RATE = 0.06
RECURRENT_GAIN = 0.2


@dataclass(frozen=True)
class Case:
    """One network, its number of steps, its batch and the bar for the ratio of CPU times."""

    name: str
    sizes: tuple[int, ...]
    steps: int
    batch: int
    bar: float
    recurrent: bool = False


CASES = (
    Case("16-24-24-24-1", (16, 24, 24, 24, 1), 100, 32, 12.0),
    Case("64-128-128-10", (64, 128, 128, 10), 250, 64, 8.0),
    Case("100-512rec-20", (100, 512, 20), 250, 64, 6.0, recurrent=True),
    Case("200-256-200", (200, 256, 200), 2000, 1, 40.0),
)
NAMES = ("plain", "loop", "auto")
SURROGATES = {"window": rnn.Window(0.5), "periodic": rnn.PeriodicExponential(0.5)}


def build(case: Case, surrogate: rnn.Surrogate) -> tuple[rnn.Sequential, Tensor, Tensor]:
    """Give network, input and target; weights scaled layer by layer to the hidden rate."""
    torch.manual_seed(0)
    modules: list[torch.nn.Module] = []
    for place, (n_in, n_out) in enumerate(zip(case.sizes, case.sizes[1:], strict=False)):
        modules.append(rnn.Linear(n_in, n_out))
        modules.append(
            rnn.CubaLIF(
                n_out,
                tau_mem=10e-3,
                tau_syn=5e-3,
                recurrent=case.recurrent and place == 0,
                surrogate=surrogate,
            )
        )
    net = rnn.Sequential(*modules)
    x = (torch.rand(case.batch, case.steps, case.sizes[0]) < INPUT_RATE).float()
    with torch.no_grad():
        signal = x
        for linear, neurons in zip(modules[::2], modules[1::2], strict=True):
            low, high = 0.0, 50.0
            weight = linear.weight.clone()
            if neurons.weight_rec is not None:
                neurons.weight_rec *= RECURRENT_GAIN
            for _ in range(12):
                middle = 0.5 * (low + high)
                linear.weight.copy_(weight * middle)
                rate = float(neurons(linear(signal)).mean())
                low, high = (middle, high) if rate < HIDDEN_RATE else (low, middle)
            signal = neurons(linear(signal))
    target = (torch.rand(case.batch, case.steps, case.sizes[-1]) < HIDDEN_RATE).float()
    return net, x, target


class Spike(torch.autograd.Function):
    """A spike where the threshold is reached; the surrogate gradient of the plain loop."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, threshold: Tensor, surrogate: rnn.Surrogate) -> Tensor:
        ctx.save_for_backward(v, threshold)
        ctx.surrogate = surrogate
        return (v >= threshold).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        v, threshold = ctx.saved_tensors
        return gradients[0] * ctx.surrogate.derivative(v, threshold, max_spikes=1), None, None


def plain_loop(net: rnn.Sequential, x: Tensor) -> Tensor:
    """Run a network step after step through all layers, one matrix product each."""
    modules = list(net.children())
    layers = [
        (linear.weight, neurons.weight_rec, neurons.parameters_of_step(), neurons.surrogate)
        for linear, neurons in zip(modules[::2], modules[1::2], strict=True)
    ]
    states = [(torch.zeros(len(x), p.n),) * 3 for _, _, p, _ in layers]
    outputs = []
    for t in range(x.shape[1]):
        spikes = x[:, t]
        for place, (weight, weight_rec, p, surrogate) in enumerate(layers):
            i, v, before = states[place]
            i = p.beta * i + spikes @ weight.T
            if weight_rec is not None:
                i = i + before @ weight_rec.T
            v = p.alpha * v + i
            spikes = Spike.apply(v, p.threshold, surrogate)
            v = v - spikes * p.threshold
            states[place] = (i, v, spikes)
        outputs.append(spikes)
    return torch.stack(outputs, 1)


def use(net: rnn.Sequential, name: str) -> Callable[[Tensor], Tensor]:
    """Give what computes the network, with the backend of every neuron layer set."""
    if name == "plain":
        return partial(plain_loop, net)
    for module in net.modules():
        if isinstance(module, rnn.LifFamily):
            module.backend = "loop" if name == "loop" else "auto"
    return net


def step(net: rnn.Sequential, name: str, x: Tensor, target: Tensor) -> Tensor:
    """Forward, mean squared error, backward; give the output."""
    run = use(net, name)
    net.zero_grad(set_to_none=True)
    out = run(x)
    torch.nn.functional.mse_loss(out, target).backward()
    return out.detach()


def compare(net: rnn.Sequential, x: Tensor, target: Tensor) -> str:
    """Say how spikes and gradients of kernels and loops differ, and the rates of all layers."""
    results = []
    for name in NAMES:
        out = step(net, name, x, target)
        results.append((out, [p.grad.clone() for p in net.parameters()]))
    *slow, (spikes, gradients) = results
    errors = [
        float((p - q).norm() / p.norm())
        for _, expected in slow
        for p, q in zip(expected, gradients, strict=True)
    ]
    differing = sum(int((out != spikes).sum()) for out, _ in slow)
    with torch.no_grad():
        _, traces = net(x, record=True)
    rates = ", ".join(f"{float(layer.spikes.mean()):.3f}" for layer in traces.values())
    return f"rates {rates}; differing spikes {differing}; gradients {max(errors):.1e}"


def time_once(run: Callable[[], object]) -> tuple[float, float]:
    """Give CPU and wall time of one call, in s."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def measure(case: Case, surrogate: str, repeats: int) -> None:
    """Print the figures of one case."""
    net, x, target = build(case, SURROGATES[surrogate])
    print(f"{case.name} T={case.steps} B={case.batch} {surrogate}: {compare(net, x, target)}")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
    for _ in range(repeats):
        for name in ("plain", "auto", "loop", "auto"):
            times[name].append(time_once(lambda name=name: step(net, name, x, target)))
    best = {name: min(cpu for cpu, _ in rows) for name, rows in times.items()}
    median = {name: statistics.median(wall for _, wall in rows) for name, rows in times.items()}
    for name in NAMES:
        print(f"  {name:5s} cpu best {1e3 * best[name]:8.2f} ms  wall {1e3 * median[name]:8.2f} ms")
    bar = f" (bar {case.bar:g})" if surrogate == "window" else ""
    ratios = {name: best[name] / best["auto"] for name in ("plain", "loop")}
    print(f"  plain/auto {ratios['plain']:.1f}{bar}, loop/auto {ratios['loop']:.1f}")


def peak(case: Case, surrogate: str, name: str) -> None:
    """Print the growth of the resident set by one step, at its peak, in MiB."""
    net, x, target = build(case, SURROGATES[surrogate])
    step(net, name, x[:1, :2], target[:1, :2])
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    step(net, name, x, target)
    print((_status("VmHWM") - before) / 1024)


def _status(name: str) -> int:
    """Give a figure of this process from the Linux kernel, in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise RuntimeError(f"the kernel reports no {name}")


def memory(case: Case, surrogate: str) -> None:
    """Print the peak memory of the loops and the kernels."""
    found = {}
    for name in NAMES:
        arguments = [sys.executable, __file__, "--peak", case.name, name]
        done = subprocess.run(
            [*arguments, "--surrogate", surrogate], capture_output=True, text=True, check=True
        )
        found[name] = float(done.stdout.split()[-1])
    grown = ", ".join(f"{value:.1f} MiB ({name})" for name, value in found.items())
    ratio = found["auto"] / max(found["plain"], 1e-9)
    print(f"{case.name}: peak grows by {grown}; auto/plain {ratio:.2f}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--surrogate", choices=tuple(SURROGATES), default="window")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--peak", nargs=2, metavar=("CASE", "BACKEND"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cases = {case.name: case for case in CASES}
    if arguments.peak:
        peak(cases[arguments.peak[0]], arguments.surrogate, arguments.peak[1])
        return
    for case in CASES:
        if arguments.only in case.name:
            if arguments.memory:
                memory(case, arguments.surrogate)
            else:
                measure(case, arguments.surrogate, arguments.repeats)


if __name__ == "__main__":
    main()
