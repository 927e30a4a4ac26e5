"""The figure of the demo: one utterance, in and out, float and chips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")

import matplotlib.pyplot as plt

from ranvier import plotting


def draw(
    counts: NDArray[np.int64],
    reference: NDArray[np.int64],
    chips: Mapping[str, NDArray[np.int64]],
    *,
    path: Path,
    dt: float = 1e-3,
) -> None:
    """Draw input spikes above the output spikes of the float network and of every chip.

    Parameters
    ----------
    counts : array, (time, 16)
        Input spikes of one utterance.
    reference : array, (time, 8)
        Output spikes of the float network.
    chips : mapping of str to array
        Output spikes of each chip.
    path : Path
        PNG file to write.
    """
    outputs = {"float": reference, **chips}
    figure = plt.figure(figsize=(2.6 * len(outputs), 5.0), layout="constrained")
    grid = figure.add_gridspec(2, len(outputs), height_ratios=(1.2, 1))
    top = figure.add_subplot(grid[0, :])
    plotting.raster(counts, dt=dt, ax=top)
    top.set_title("input: positive and negative parts of eight whitened components")
    for column, (name, spikes) in enumerate(outputs.items()):
        ax = figure.add_subplot(grid[1, column])
        plotting.raster(spikes, dt=dt, ax=ax, labels=[str(n + 1) for n in range(spikes.shape[1])])
        ax.set_title(f"{name}: {int(spikes.sum())} spikes")
        ax.set_ylabel("speaker" if column == 0 else "")
    figure.savefig(path, dpi=130)
    plt.close(figure)
