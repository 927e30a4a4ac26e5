"""A training step of DYNAP-SE2 networks in compiled loops, against plain torch under autograd.

Both compute the same forward pass (spikes are checked to be equal first) and the same gradients.
One thread. "frozen noise" is 60 inputs to 2 recurrent neurons, 2 samples of 500 steps; "hidden" is
100 inputs, 128 recurrent neurons and 10 outputs, 32 samples of 250 steps; "four synapses" is 100
inputs to 64 neurons with AMPA, GABA, NMDA and shunt, 16 samples of 250 steps.

    python benchmarks/bench_dynapse2_training.py [repetitions]
"""

from __future__ import annotations

import copy
import sys
import time

import torch

import ranvier.nn as rnn
from ranvier_dynapse2.nn import DPI


def frozen_noise():
    """Give a network and its input."""
    net = rnn.Sequential(rnn.Linear(60, 2, bias=False), DPI(2, recurrent=True))
    return net, torch.poisson(torch.full((2, 500, 60), 0.05))


def hidden():
    """Give a network and its input."""
    net = rnn.Sequential(
        rnn.Linear(100, 128, bias=False),
        DPI(128, recurrent=True),
        rnn.Linear(128, 10, bias=False),
        DPI(10),
    )
    with torch.no_grad():
        net[0].weight.uniform_(-0.6, 1.0)
        net[2].weight.uniform_(-0.6, 1.0)
    return net, torch.poisson(torch.full((32, 250, 100), 0.02))


def four_synapses():
    """Give a network and its input."""
    net = rnn.Sequential(rnn.Linear(100, 4 * 64, bias=False), DPI(64, model="four_synapse"))
    with torch.no_grad():
        net[0].weight.uniform_(0.0, 0.25)
        net[0].weight.view(64, 4, 100)[:, 1::2] *= 0.1
    return net, torch.poisson(torch.full((16, 250, 100), 0.02))


def plain_copy(net):
    """Give a copy whose layers are loops of torch operations."""
    other = copy.deepcopy(net)
    for module in other.modules():
        if isinstance(module, DPI):
            module.backend = "loop"
    return other


def step(net, x):
    """Run forward and backward once; give output, gradients and seconds of each part."""
    net.zero_grad()
    start = time.perf_counter()
    out = net(x)
    middle = time.perf_counter()
    out.sum(1).pow(2).mean().backward()
    end = time.perf_counter()
    return out.detach(), [p.grad for p in net.parameters()], (middle - start, end - middle)


def compare(name, made, repetitions):
    """Check that both give the same, then print the fastest of several steps."""
    net, x = made
    plain = plain_copy(net)
    out, found, _ = step(net, x)
    other, wanted, parts = step(plain, x)
    if not torch.equal(out, other):
        raise SystemExit(f"{name}: {int((out != other).sum())} spikes differ")
    off = max(
        float((a - b).abs().max() / b.abs().max()) for a, b in zip(found, wanted, strict=True)
    )
    fast = min((step(net, x)[2] for _ in range(repetitions)), key=sum)
    slow = min([parts, step(plain, x)[2]], key=sum)
    print(f"{name}: {int(out.sum())} output spikes equal, gradients within {off:.1e}")
    for kind, (forward, backward) in (("kernel", fast), ("torch loop", slow)):
        print(f"  {kind}: forward {1e3 * forward:.2f} ms, backward {1e3 * backward:.2f} ms")
    print(f"  {sum(slow) / sum(fast):.0f} times faster")


def main(repetitions=10):
    """Run all."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    compare("frozen noise", frozen_noise(), repetitions)
    compare("hidden", hidden(), repetitions)
    compare("four synapses", four_synapses(), repetitions)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
