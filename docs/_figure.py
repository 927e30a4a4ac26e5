"""Draw the figure of the README: ``python docs/_figure.py`` (half a minute, one core).

A network learns to write a word with the spikes of seven output neurons, driven by frozen noise.
The figure shows the noise, the chip's hidden layer, and the word in floating point and on the chip.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

import ranvier as rv
import ranvier.nn as rnn
from ranvier.train import TensorBatches, fit

GLYPHS = {
    "r": "..... ..... #.##. ##..# #.... #.... #....",
    "a": "..... ..... .###. ....# .#### #...# .####",
    "n": "..... ..... #.##. ##..# #...# #...# #...#",
    "v": "..... ..... #...# #...# #...# .#.#. ..#..",
    "i": "..#.. ..... .##.. ..#.. ..#.. ..#.. .###.",
    "e": "..... ..... .###. #...# ##### #.... .###.",
}
"""Letters of 5 by 7 dots, row by row."""
WORD, LEAD, PITCH, WIDTH = "ranvier", 12, 12, 2
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8C8C8C"


def written(word: str) -> np.ndarray:
    """Return the spikes that write a word, (time, 7); the top row is neuron 6."""
    spikes = np.zeros((LEAD + PITCH * len(word), 7), dtype=np.int64)
    for number, letter in enumerate(word):
        for row, dots in enumerate(GLYPHS[letter].split()):
            for column in (i for i, dot in enumerate(dots) if dot == "#"):
                spikes[LEAD + PITCH * number + WIDTH * column, 6 - row] = 1
    return spikes


def trained(inputs: np.ndarray, target: np.ndarray) -> rnn.Sequential:
    """Return a network that answers the inputs with the target."""
    torch.manual_seed(0)
    n_hidden = 120
    taus = torch.tensor([2e-3, 4e-3, 8e-3, 16e-3]).repeat(n_hidden // 4)
    common = {"decay": "bitshift", "surrogate": rnn.PeriodicExponential(0.5), "tau_mem": 2e-3}
    net = rnn.Sequential(
        ("in", rnn.Linear(16, n_hidden)),
        ("hidden", rnn.CubaLIF(n_hidden, tau_syn=taus, max_spikes=31, **common)),
        ("out", rnn.Linear(n_hidden, 7)),
        ("readout", rnn.CubaLIF(7, tau_syn=2e-3, max_spikes=1, **common)),
        latency=1,
    )
    with torch.no_grad():
        net["in"].weight *= 0.5e-3 / taus[:, None]
        net["out"].weight *= 0.25
    pair = torch.tensor(inputs[None]).float(), torch.tensor(target[None]).float()
    data = TensorBatches(*pair, batch_size=1)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    result = fit(
        net,
        data,
        validation=data,
        loss=torch.nn.MSELoss(),
        optimizer=optimizer,
        epochs=6000,
        stop=lambda history: history["validation.loss"][-1] == 0,
    )
    print(f"{len(result.history)} epochs, loss {result.history['validation.loss'][-1]:g}")
    net.load_state_dict(dict(result.best.network))
    return net


def main() -> None:
    """Train, quantise, simulate and draw; stop if chip and floats differ."""
    torch.set_num_threads(1)
    target = written(WORD)
    inputs = (np.random.default_rng(0).random((len(target), 16)) < 0.3).astype(np.int64)
    net = trained(inputs, target)
    with torch.no_grad():
        floats = net(torch.tensor(inputs[None]).float())[0].numpy().astype(np.int64)
    mapped = rv.map(rnn.to_graph(net), "xylo-audio3")
    config = rv.quantize(mapped, calibration=inputs, candidates=32)
    chip = rv.simulate(config, inputs, record=["spikes"])
    differing = int(np.abs(chip.output - floats).sum())
    if differing:
        raise SystemExit(f"{differing} output spikes differ between chip and floats")
    draw(inputs, chip.raster("hidden"), floats, chip.output)


def draw(inputs: np.ndarray, hidden: np.ndarray, floats: np.ndarray, chip: np.ndarray) -> None:
    """Draw input, hidden layer and both outputs."""
    figure, axes = plt.subplots(
        4, 1, figsize=(9, 5.6), sharex=True, height_ratios=[1.3, 2.2, 1, 1], layout="constrained"
    )
    panels = (
        (inputs, GREY, "input: frozen noise, 16 channels", 8),
        (hidden, GREY, "hidden layer on the chip, 120 neurons", 2),
        (floats, BLUE, "floating point (torch)", 26),
        (
            chip,
            ORANGE,
            "simulated Xylo Audio 3: 8-bit weights, integer states",
            26,
        ),
    )
    for ax, (spikes, colour, title, size) in zip(axes, panels, strict=True):
        steps, neurons = np.nonzero(spikes)
        area = size * np.minimum(spikes[steps, neurons], 4)
        ax.scatter(steps, neurons, s=area, color=colour, linewidths=0)
        ax.set_title(title, fontsize=10, loc="left", color=colour if colour != GREY else "black")
        ax.set(yticks=[], ylim=(-1, spikes.shape[1]))
        ax.spines[["top", "right", "left"]].set_visible(False)
    axes[-1].set(xlabel="time (ms)", xlim=(-1, len(inputs)))
    figure.savefig(Path(__file__).parent / "_static" / "pipeline.png", dpi=130)


if __name__ == "__main__":
    main()
