"""Pictures of a network's numbers: weights as images and histograms, time constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ranvier._require import require
from ranvier.errors import InputError
from ranvier.events import style

Arrays = Mapping[str, npt.ArrayLike]


def weights(
    matrix: npt.ArrayLike, *, ax: Any = None, title: str = "", limit: float | None = None
) -> Any:
    """Draw a weight matrix as image; white is 0.

    Parameters
    ----------
    matrix : array_like, shape (n_out, n_in)
        Weights, finite.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    title : str
        Title of the axes.
    limit : float, optional
        Absolute weight of the strongest colour. Default: the largest there is.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        The array is not a finite matrix.
    MissingDependencyError
        matplotlib is not installed.
    """
    values = _matrix(matrix)
    strongest = float(limit or np.abs(values).max() or 1.0)
    ax = style.new_axes(ax, figsize=(4.8, 3.6))
    image = ax.imshow(
        values,
        cmap=style.DIVERGING,
        vmin=-strongest,
        vmax=strongest,
        aspect="auto",
        interpolation="nearest",
    )
    ax.figure.colorbar(image, ax=ax, label="weight")
    ax.set_xlabel("source")
    ax.set_ylabel("target")
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True)
    ax.set_title(f"{title} {values.shape[0]}x{values.shape[1]}".strip(), fontsize=10)
    return ax


def weight_images(matrices: Arrays) -> Any:
    """Draw several weight matrices side by side, each with its own scale.

    Parameters
    ----------
    matrices : mapping of str to array_like, shapes (n_out, n_in)
        At least one.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        The mapping is empty, or an array is not a finite matrix.
    MissingDependencyError
        matplotlib is not installed.
    """
    figure, axes = _panels(len(matrices), rows=1, size=(3.4, 3.2))
    for ax, (name, matrix) in zip(axes[0], matrices.items(), strict=True):
        weights(matrix, ax=ax, title=name)
    return figure


def weight_histograms(before: Arrays, after: Arrays, *, bins: int = 50) -> Any:
    """Draw the distributions of weights before and after quantisation, one column per class.

    Parameters
    ----------
    before : mapping of str to array_like, any shapes
        Float weights of each class (input, recurrent, output …).
    after : mapping of str to array_like, any shapes
        The same classes, as codes; whole numbers get one bar per code (or per few, when there are
        more codes than ``4·bins``).
    bins : int
        Number of bars of float weights.

    Returns
    -------
    matplotlib Figure
        Two rows: before, after. Zeros, which are mostly absent synapses, are left out and counted
        in the title.

    Raises
    ------
    InputError
        The classes differ, or a weight is not finite.
    MissingDependencyError
        matplotlib is not installed.
    """
    if set(before) != set(after):
        raise InputError(
            f"plotting: before has classes {sorted(before)}, after has {sorted(after)}; give both"
        )
    figure, axes = _panels(len(before), rows=2, size=(2.9, 2.2))
    for column, name in enumerate(before):
        for row, (kind, values) in enumerate((("before", before[name]), ("after", after[name]))):
            unit = "weight" if row == 0 else "weight (code)"
            _histogram(axes[row, column], values, bins, f"{name}, {kind}", unit, row)
    return figure


def time_constants(layers: Arrays, *, dt: float | None = None) -> Any:
    """Draw the time constants of each layer over the neuron number.

    Parameters
    ----------
    layers : mapping of str to array_like, shapes (n,)
        Time constants, in s, > 0.
    dt : float, optional
        Time step, in s, drawn dashed.

    Returns
    -------
    matplotlib Figure
        One panel per layer, with a common logarithmic axis in ms.

    Raises
    ------
    InputError
        The mapping is empty, or a time constant is not finite and above 0.
    MissingDependencyError
        matplotlib is not installed.
    """
    values = {name: np.atleast_1d(np.asarray(taus, np.float64)) for name, taus in layers.items()}
    for name, taus in values.items():
        if taus.ndim != 1 or not (np.isfinite(taus).all() and (taus > 0).all()):
            raise InputError(
                f"plotting: layer {name!r}: time constants must be (n,), in s, above 0"
            )
    figure, axes = _panels(len(values), rows=1, size=(2.6, 2.8), sharey=True)
    for k, (ax, (name, taus)) in enumerate(zip(axes[0], values.items(), strict=True)):
        ax.scatter(np.arange(taus.size), taus * 1e3, s=14, color=style.colour(k), linewidths=0)
        if dt is not None:
            ax.axhline(dt * 1e3, color=style.GREY, linestyle="--", linewidth=0.8)
        ax.set_yscale("log", base=2)
        ax.yaxis.set_major_formatter("{x:g}")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("neuron")
        ax.set_title(name, fontsize=10)
    axes[0, 0].set_ylabel("time constant (ms)")
    return figure


def _histogram(ax: Any, values: npt.ArrayLike, bins: int, title: str, unit: str, row: int) -> None:
    """Draw the histogram of non-zero values."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(flat).all():
        raise InputError(f"plotting: {title}: a weight is NaN or infinite")
    present = flat[flat != 0]
    edges: Any = bins
    if present.size and (present == np.rint(present)).all():
        width = max(1, int(np.ceil((np.ptp(present) + 1) / (4 * bins))))
        edges = np.arange(present.min() - 0.5, present.max() + 0.5 + width, width)
    ax.hist(present, bins=edges, color=style.colour(row), linewidth=0)
    ax.set_title(f"{title} ({flat.size - present.size} zeros)", fontsize=9)
    ax.set_xlabel(unit)
    ax.set_ylabel("synapses")
    ax.yaxis.get_major_locator().set_params(integer=True)


def _panels(
    count: int, *, rows: int, size: tuple[float, float], sharey: bool = False
) -> tuple[Any, npt.NDArray[Any]]:
    """Return a figure and its Axes (rows, count)."""
    if count == 0:
        raise InputError("plotting: nothing to draw; give at least one named array")
    pyplot = require("matplotlib.pyplot", extra="plot")
    figure, axes = pyplot.subplots(
        rows,
        count,
        figsize=(size[0] * count + 0.6, size[1] * rows),
        squeeze=False,
        sharey=sharey,
        layout="constrained",
    )
    for ax in axes.flat:
        style.plain(ax)
    return figure, axes


def _matrix(matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return a finite float matrix, or raise InputError."""
    values = np.asarray(matrix, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise InputError(
            f"plotting: weights have shape {values.shape}, must be a finite (n_out, n_in) matrix; "
            "reshape kernels first"
        )
    return values
