"""An epoch of the YinYang network in BrainScaleS-2's numerics, against a plain loop over time.

5000 samples of 4 coordinates and a bias as spike times, each five times, 38 steps of 1 us, 120 LIF
and 3 LI neurons, batches of 50; forward, cross entropy of the largest membranes, backward, Adam.
"kernel" is `functional.linear_aelif` as users call it, "loop" the same layer as a matrix product
and a loop over time under torch's autograd. Spikes and losses are compared first; epochs alternate;
one thread; the best CPU time of several epochs counts.

    python benchmarks/bench_bss2_training.py [batches per epoch] [epochs]
"""

from __future__ import annotations

import sys
import time

import torch
from torch.nn import functional as f

from ranvier_bss2.nn import functional as bss2
from ranvier_bss2.numerics import NeuronParameters

STEPS, DT, BATCH, HIDDEN, CLASSES = 38, 1e-6, 50, 120, 3
TIMES = {"tau_mem": 6e-6, "tau_syn": 6e-6, "capacitance": 6e-6}
NEURONS = NeuronParameters.of_values({**TIMES, "refractory": DT}, dt=DT, n=HIDDEN)
READOUT = NeuronParameters.of_values(TIMES, dt=DT, n=CLASSES, switches=("leaky",))


def draw(samples, g):
    """Draw points in the YinYang circle, as spikes (samples, time, 25) and classes."""
    points = torch.rand(4 * samples, 2, generator=g)
    points = points[(points - 0.5).norm(dim=1) < 0.5][:samples]
    right, left = ((points - torch.tensor([x, 0.5])).norm(dim=1) for x in (0.75, 0.25))
    yin = (right <= 0.1) | ((left > 0.1) & (left <= 0.25)) | ((points[:, 1] > 0.5) & (right > 0.25))
    labels = torch.where((right < 0.1) | (left < 0.1), 2, yin.long())
    times = (2 + 24 * torch.cat([points, 1 - points], dim=1)).round().long()
    times = torch.cat([times, torch.full((samples, 1), 2)], dim=1)
    spikes = torch.zeros(samples, STEPS, 5).scatter_(1, times[:, None], 1.0)
    return spikes.repeat(1, 1, 5), labels


def make_network():
    """Give the weights of a network and their optimizer."""
    g = torch.Generator().manual_seed(0)
    # On a grid, so that sums are equal in whatever order a matrix product adds.
    hidden, readout = (
        torch.nn.Parameter((1024 * weight).round() / 1024)
        for weight in (
            0.16 + 0.05 * torch.randn(HIDDEN, 25, generator=g),
            0.1 * torch.randn(CLASSES, HIDDEN, generator=g),
        )
    )
    return hidden, readout, torch.optim.Adam([hidden, readout], lr=2e-3, fused=True)


def train(network, spikes, labels, backend):
    """Train on one batch; give the hidden spikes and the loss."""
    hidden, readout, optimizer = network
    z = bss2.linear_aelif(
        spikes, hidden, NEURONS, alpha=150.0, record=False, backend=backend
    ).spikes
    v = bss2.linear_aelif(z, readout, READOUT, record=False, backend=backend).v_mem
    loss = f.cross_entropy(v.amax(dim=1), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return z.detach(), loss.detach()


def epoch(backend, batches):
    """Time an epoch of a fresh network; give CPU seconds and the last loss."""
    network = make_network()
    start = time.process_time()
    for x, labels in batches:
        _, loss = train(network, x, labels, backend)
    return time.process_time() - start, float(loss)


def compare(batches):
    """Leave where spikes of one training step differ, or losses by more than rounding."""
    networks = {backend: make_network() for backend in ("kernel", "loop")}
    for x, labels in batches[:2]:
        ours, plain = (train(networks[b], x, labels, b) for b in ("kernel", "loop"))
        # Weights differ by rounding after the first Adam step; spikes are compared before it.
        if x is batches[0][0] and not torch.equal(ours[0], plain[0]):
            raise SystemExit(f"{int((ours[0] != plain[0]).sum())} spikes differ")
        if abs(float(ours[1] - plain[1])) > 1e-3:
            raise SystemExit(f"losses differ: {float(ours[1])} and {float(plain[1])}")
    print(f"spikes are equal, {float(ours[0].sum()) / BATCH:.0f} hidden ones per sample")


def main(count=100, epochs=3):
    torch.set_num_threads(1)
    spikes, labels = draw(BATCH * count, torch.Generator().manual_seed(1))
    batches = list(zip(spikes.split(BATCH), labels.split(BATCH), strict=True))
    compare(batches)
    found = {"kernel": [], "loop": []}
    for _ in range(epochs):
        for backend, runs in found.items():
            runs.append(epoch(backend, batches))
    best = {backend: min(runs) for backend, runs in found.items()}
    for backend, (seconds, loss) in best.items():
        print(
            f"{backend}: {1e3 * seconds / count:.2f} ms per batch, {seconds:.3f} s for {count} "
            f"batches, last loss {loss:.3f}"
        )
    print(f"{best['loop'][0] / best['kernel'][0]:.1f} times faster than the loop")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
