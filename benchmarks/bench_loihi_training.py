"""A training step of a 200-256-200 network in Loihi's integers, against plain torch loops.

All compute the same forward pass (spikes are checked to be equal first), SpikeTime loss, backward
pass and Adam step; one sample of 2 000 steps, one thread. "loop" is a loop over time under torch's
autograd; "two loops" has a backward pass written by hand, too, so that autograd keeps no graph of
steps.

    python benchmarks/bench_loihi_training.py [repetitions]
"""

from __future__ import annotations

import itertools
import runpy
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as f

import ranvier.nn as rnn
from ranvier_loihi.nn._cuba import Cuba
from ranvier_loihi.nn._quantize import quantize_8bit

TESTS = Path(__file__).parents[1] / "packages/loihi/tests/nn"
plain = runpy.run_path(str(TESTS / "plain_cuba.py"))
PLAIN = {"loop": plain["loop_cuba"], "two loops": plain["plain_cuba"]}

STEPS, SIZES = 2000, (200, 256, 200)
THRESHOLD, CURRENT_DECAY, VOLTAGE_DECAY = 0.1, 1.0, 0.1


def shift(x):
    """Delay by one step."""
    return f.pad(x[:, :-1], (0, 0, 1, 0))


class Network(torch.nn.Module):
    """Two dense layers, each a step late; ``kind`` says how its neurons run."""

    def __init__(self, kind):
        super().__init__()
        g = torch.Generator().manual_seed(0)
        self.kind = kind
        self.weights = torch.nn.ParameterList(
            torch.nn.Parameter((torch.rand(n, n_in, generator=g) * 2 - 1) / n_in**0.5)
            for n_in, n in itertools.pairwise(SIZES)
        )
        self.neurons = torch.nn.ModuleList(
            Cuba(
                n,
                threshold=THRESHOLD,
                current_decay=CURRENT_DECAY,
                voltage_decay=VOLTAGE_DECAY,
            )
            for n in SIZES[1:]
        )

    def forward(self, x):
        for weight, neuron in zip(self.weights, self.neurons, strict=True):
            quantized = quantize_8bit(weight)
            if self.kind == "fused":
                x = neuron.run_dense(x, quantized)
            else:
                decays = neuron.current_decay, neuron.voltage_decay
                x = PLAIN[self.kind](f.linear(x, quantized), *decays, neuron.threshold)
            x = shift(x)
        return x


def make_step(network, x, target):
    """Give a function that trains once and returns the output and the seconds of each part."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-5)
    error = rnn.SpikeTime(time_constant=2.0, filter_order=2)

    def step():
        marks = [time.perf_counter()]
        out = network(x)
        marks.append(time.perf_counter())
        loss = error(out, target)
        optimizer.zero_grad()
        loss.backward()
        marks.append(time.perf_counter())
        optimizer.step()
        marks.append(time.perf_counter())
        return out.detach(), [b - a for a, b in itertools.pairwise(marks)]

    return step


def best(step, repetitions):
    """Give the parts of the fastest of several steps."""
    return min((step()[1] for _ in range(repetitions)), key=sum)


def main(repetitions=30):
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(1)
    x = (torch.rand(1, STEPS, SIZES[0], generator=g) < 0.005).float()
    target = (torch.rand(1, STEPS, SIZES[-1], generator=g) < 0.02).float()
    steps = {kind: make_step(Network(kind), x, target) for kind in ("fused", *PLAIN)}
    for _ in range(2):
        outputs = {kind: step()[0] for kind, step in steps.items()}
        for kind, out in outputs.items():
            if not torch.equal(out, outputs["fused"]):
                raise SystemExit(f"{kind}: {int((out != outputs['fused']).sum())} spikes differ")
    print(f"output spikes {int(outputs['fused'].sum())}, equal in two training steps")
    rows = {kind: best(step, repetitions if kind == "fused" else 3) for kind, step in steps.items()}
    for name, parts in rows.items():
        text = ", ".join(
            f"{part} {1e3 * seconds:.2f} ms"
            for part, seconds in zip(("forward", "loss+backward", "Adam"), parts, strict=True)
        )
        print(f"{name}: {1e3 * sum(parts):.1f} ms ({text})")
    for kind in PLAIN:
        print(f"{sum(rows[kind]) / sum(rows['fused']):.0f} times faster than {kind}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
