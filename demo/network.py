"""The network of the demo and its training: 16-60-60-8 with three synaptic time constants."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from speech import N_SPEAKERS, Encoder, Utterances
from torch import Tensor

from ranvier import nn
from ranvier.train import FitResult, TensorBatches, fit

DT = 1e-3
TAU_MEM = 2 * DT
TAU_SYN = (2 * DT, 4 * DT, 8 * DT)
READOUT_GAIN = 0.03
"""Logit per output spike. The decision itself needs no gain: most spikes win."""


@dataclass(frozen=True)
class Recipe:
    """How the network is trained; chosen by cross-validation on the training set."""

    epochs: int = 100
    batch_size: int = 60
    learning_rate: float = 5e-3
    weight_decay: float = 0.3
    noise: float = 0.3
    weight_scale: float = 0.25


def build(seed: int, *, weight_scale: float = Recipe.weight_scale) -> nn.Sequential:
    """Return the untrained network.

    It is made for the chip: decays are bit shifts, hidden neurons may emit 31 spikes per step,
    output neurons one, and a hop between layers takes a step.
    """
    torch.manual_seed(seed)
    sizes = (16, 60, 60, N_SPEAKERS)
    layers: dict[str, torch.nn.Module] = {}
    for number, (n_in, n_out) in enumerate(pairwise(sizes)):
        last = n_out == N_SPEAKERS
        linear = nn.Linear(n_in, n_out)
        with torch.no_grad():
            linear.weight *= weight_scale
        name = "output" if last else f"hidden{number}"
        layers[f"{name}_weights"] = linear
        layers[name] = nn.CubaLIF(
            n_out,
            tau_mem=TAU_MEM,
            tau_syn=TAU_SYN[0] if last else np.resize(TAU_SYN, n_out),
            decay="bitshift",
            max_spikes=1 if last else 31,
            surrogate=nn.PeriodicExponential(0.5),
            dt=DT,
        )
    return nn.Sequential(layers, latency=1)


def votes(spikes: Tensor) -> Tensor:
    """Count output spikes per speaker: ``(batch, time, 8)`` to ``(batch, 8)``."""
    return spikes.sum(1)


def decide(spikes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the speaker with the most output spikes, (batch,)."""
    return np.asarray(spikes.sum(axis=1).argmax(axis=1))


def loss(spikes: Tensor, speakers: Tensor) -> Tensor:
    """Cross entropy on the read-out that the chip uses."""
    return torch.nn.functional.cross_entropy(READOUT_GAIN * votes(spikes), speakers)


def accuracy(spikes: Tensor, speakers: Tensor) -> Tensor:
    """Return the fraction of right decisions."""
    return (votes(spikes).argmax(1) == speakers).float().mean()


def train(
    utterances: Utterances,
    encoder: Encoder,
    *,
    seed: int,
    recipe: Recipe,
    directory: Path | None = None,
    show_progress: bool | None = None,
) -> tuple[nn.Sequential, FitResult]:
    """Train a network on noisy copies of the utterances, new ones in every epoch."""
    network = build(seed, weight_scale=recipe.weight_scale)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    batches = -(-len(utterances) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.epochs * batches
    )
    speakers = torch.from_numpy(utterances.speakers)

    def data(epoch: int) -> TensorBatches:
        rng = np.random.default_rng((seed, epoch))
        counts = encoder(utterances, noise=recipe.noise, rng=rng)
        x = torch.from_numpy(counts).float()
        return TensorBatches(x, speakers, batch_size=recipe.batch_size, shuffle=True)

    result = fit(
        network,
        data,
        loss=loss,
        metrics={"accuracy": accuracy},
        epochs=recipe.epochs,
        optimizer=optimizer,
        scheduler=schedule,
        schedule_per_batch=True,
        seed=seed,
        directory=directory,
        show_progress=show_progress,
    )
    return network, result
