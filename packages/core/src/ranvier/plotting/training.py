"""Pictures of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ranvier.errors import InputError
from ranvier.events import style


def learning_curve(
    curves: Mapping[str, Sequence[float]],
    *,
    ax: Any = None,
    quantity: str = "loss",
    best: Literal["lowest", "highest"] | None = "lowest",
    log: bool = False,
    title: str = "",
) -> Any:
    """Draw a quantity over epochs, one line per data set, with the best epoch marked.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        Values after each epoch, from epoch 1 on; NaN where there is none.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    quantity : str
        Label of the vertical axis, with its unit if it has one.
    best : {"lowest", "highest"}, optional
        Which value to mark on each line and to name in the legend. None: neither.
    log : bool
        Whether the vertical axis is logarithmic.
    title : str
        Title of the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        There is no curve with a finite value, or a value is not above 0 with ``log=True``.
    MissingDependencyError
        matplotlib is not installed.
    """
    lines = {name: np.asarray(values, dtype=np.float64) for name, values in curves.items()}
    if not any(np.isfinite(values).any() for values in lines.values()):
        raise InputError("plotting: no curve holds a finite value; train at least one epoch")
    if log and any((values <= 0).any() for values in lines.values()):
        raise InputError("plotting: a value is not above 0; use log=False")
    ax = style.new_axes(ax)
    for k, (name, values) in enumerate(lines.items()):
        epochs = np.arange(1, values.size + 1)
        label = name
        if best is not None and np.isfinite(values).any():
            index = int(np.nanargmin(values) if best == "lowest" else np.nanargmax(values))
            ax.scatter(epochs[index], values[index], s=24, color=style.colour(k), zorder=3)
            label = f"{name}\n{best} {values[index]:.4g} in epoch {epochs[index]}"
        ax.plot(epochs, values, color=style.colour(k), linewidth=1.4, label=label)
    if log:
        ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_ylabel(quantity)
    ax.set_title(title, fontsize=10)
    style.legend(ax)
    return ax
