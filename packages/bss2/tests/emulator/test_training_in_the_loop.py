"""A readout learns three curves on an emulated chip: traces of the chip, gradients of the model."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_bss2 import VirtualChip
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.records import trace_of

chips = runpy.run_path(str(Path(__file__).parents[1] / "small_chips.py"))
STEPS, INPUTS, OUTPUTS, SCALE = 100, 128, 3, 55.0
RATE, BETAS = 2e-3, (0.9, 0.999)


def curves(rng):
    """Return sums of three sines of random periods, each with a largest value of 1."""
    period = (0.3 - 2) * rng.random((3, OUTPUTS)) + 2
    sign = np.where(np.arange(3) % 2, -1, 1)[:, None, None]
    angle = np.linspace(0, 1, STEPS)[:, None] * 2 * np.pi / period[:, None]
    total = (sign * np.sin(angle)).sum(axis=0)
    return total / np.abs(total).max(axis=0)


def responses(x):
    """Return the membrane of the model per unit of weight, (time, inputs)."""
    v, i, rows = np.zeros(INPUTS), np.zeros(INPUTS), []
    for t in range(STEPS):
        v, i = v + 0.1 * (i - v), 0.9 * i + x[t]
        rows.append(v)
    return np.array(rows)


def losses(chip, epochs=200):
    rng = np.random.default_rng(0)
    target = curves(rng)
    w = rng.uniform(-1, 1, (OUTPUTS, INPUTS)) / np.sqrt(INPUTS)
    x = (rng.random((STEPS, INPUTS)) < 0.03).astype(int)
    own = chips["population"]("li", OUTPUTS, switches=("leaky",), shift_to_first=True)
    first = chips["projection"]("input", "li", np.zeros((OUTPUTS, INPUTS)))
    config, layout = chips["chip"]({"input": (INPUTS,)}, [own], [first])
    emulator = Emulator(config, chip, layout=layout, cadc_period=1e-6)
    model, found = responses(x), []
    mean, square = np.zeros_like(w), np.zeros_like(w)
    for epoch in range(1, epochs + 1):
        scaled = np.clip(SCALE * w, -63, 63)
        emulator.set_weights({0: np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)})
        emulator.reset()
        raw = emulator.run({"input": x[None]}, trial_seed=epoch)
        error = trace_of(config.populations[0], raw, length=STEPS, dt=1e-6)[0] - target
        found.append(np.mean(error**2))
        gradient = 2 * error.T @ model / error.size
        mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
        square = BETAS[1] * square + (1 - BETAS[1]) * gradient**2
        step = mean / (1 - BETAS[0] ** epoch)
        w -= RATE * step / (np.sqrt(square / (1 - BETAS[1] ** epoch)) + 1e-8)
    return found


def test_rounded_weights_and_samples_do_not_keep_a_readout_from_learning():
    found = losses(VirtualChip.of(0, "ideal"))

    assert 0.2 < found[0] < 0.6
    assert found[-1] < 0.003


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_noisy_chip_is_learned_with_its_deviations(seed):
    found = losses(VirtualChip.of(seed))

    assert 0.2 < found[0] < 0.6
    assert np.mean(found[-10:]) < 0.02
