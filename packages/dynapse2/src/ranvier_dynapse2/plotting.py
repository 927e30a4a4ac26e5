"""Pictures of the chip: weights with their masks and base currents, events with tags, ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError, MissingDependencyError
from ranvier.events import style
from ranvier.plotting import in_out

from .biases import WEIGHT_BIASES
from .nodes import PORTS
from .routing import connections
from .tables import input_map, output_map

if TYPE_CHECKING:
    from ranvier.artifacts import Recording

    from .config import Dynapse2Config

_SIGN = {"ampa": 1.0, "nmda": 1.0, "gaba": -1.0, "shunt": -1.0}


def rate_ratio(counts: ArrayLike) -> NDArray[np.float64]:
    """Return the firing-rate ratio: the larger of two spike counts over the smaller.

    Parameters
    ----------
    counts : array of int, (..., 2)
        Spike counts of two neurons.

    Returns
    -------
    array, (...)
        At least 1; infinite if only one fires, 1 if none does.

    Raises
    ------
    InputError
        There are not two counts, or one is negative.

    Examples
    --------
    >>> rate_ratio([[49, 1], [8, 49], [0, 3]]).tolist()
    [49.0, 6.125, inf]
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.ndim < 1 or values.shape[-1] != 2 or values.min(initial=0.0) < 0:
        raise InputError(
            f"rate_ratio: counts have shape {values.shape}, expected (..., 2), all >= 0"
        )
    low, high = values.min(axis=-1), values.max(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(high == low, 1.0, high / low))


def rate_ratios(
    ratios: ArrayLike, *, marked: ArrayLike = (), ax: Any = None, title: str = "", bins: int = 20
) -> Any:
    """Draw a histogram of firing-rate ratios, with some ratios marked as lines.

    Parameters
    ----------
    ratios : array, (n,)
        `rate_ratio` of many samples; infinite ones are counted in the title.
    marked : array, (m,)
        Ratios of single samples, those of the training set for instance.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    title : str
        Title of the axes.
    bins : int
        Bars.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    values, lines = np.asarray(ratios, dtype=float), np.asarray(marked, dtype=float)
    ax = style.new_axes(ax)
    finite = values[np.isfinite(values)]
    ax.hist(finite, bins=bins, color=style.GREY, label=f"{values.size} samples")
    for number, ratio in enumerate(lines):
        where = ratio if np.isfinite(ratio) else float(np.max(finite, initial=1.0)) * 1.1
        text = f"{ratio:.2f}" if np.isfinite(ratio) else "infinite"
        ax.axvline(where, color=style.colour(number), label=f"sample {number}: {text}")
    beyond = values.size - finite.size
    ax.set_title(title + (f" ({beyond} infinite)" if beyond else ""), fontsize=10)
    ax.set_xlabel("firing-rate ratio")
    ax.set_ylabel("samples")
    style.legend(ax)
    return ax


def core_weights(config: Dynapse2Config, *, chip: int = 0, core: int = 0) -> Any:
    """Draw the weights of a core: what each synapse is worth, its mask, and the base currents.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    chip, core : int
        Which core.

    Returns
    -------
    matplotlib Figure
        Left: signed synaptic current by source and neuron, in nA, exciting above zero. Middle: the
        four bits of every synapse, sorted by current. Right: the sixteen levels that the base
        currents make, and how many synapses use each.

    Raises
    ------
    InputError
        The board has no such core, or the core has no synapses.
    MissingDependencyError
        matplotlib is not installed.
    """
    if not (0 <= chip < config.chips and 0 <= core < config.limits.cores_per_chip):
        raise InputError(
            f"core_weights: no core {core} of chip {chip}; the board has {config.chips} chip(s) "
            f"of {config.limits.cores_per_chip} cores"
        )
    links = connections(config)
    size = config.limits.neurons_per_core
    rows = links.target // size == chip * config.limits.cores_per_chip + core
    if not rows.any():
        raise InputError(f"core_weights: core {core} of chip {chip} has no synapses")
    bases = np.array([config.current(name)[chip, core] for name in WEIGHT_BIASES]) * 1e9
    source, target, mask = links.source[rows], links.target[rows] % size, links.mask[rows]
    signs = np.array([_SIGN[name] for name in PORTS])[links.port[rows]]
    currents = ((mask[:, None] >> np.arange(4) & 1) @ bases) * signs
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(
        1, 3, figsize=(11, 4), width_ratios=[1.3, 0.7, 1.2], layout="constrained"
    )
    _draw_matrix(axes[0], source, target, currents)
    _draw_masks(axes[1], mask)
    _draw_levels(axes[2], bases, mask)
    figure.suptitle(f"chip {chip}, core {core}: {mask.size} connections", fontsize=10)
    return figure


def _draw_matrix(
    ax: Any, source: NDArray[Any], target: NDArray[Any], currents: NDArray[Any]
) -> None:
    sources, row = np.unique(source, return_inverse=True)
    targets, column = np.unique(target, return_inverse=True)
    matrix = np.zeros((sources.size, targets.size))
    np.add.at(matrix, (row, column), currents)
    most = float(np.abs(matrix).max()) or 1.0
    shown = ax.imshow(
        matrix, aspect="auto", cmap=style.DIVERGING, vmin=-most, vmax=most, interpolation="nearest"
    )
    ax.figure.colorbar(shown, ax=ax, label="synaptic current (nA)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="neuron in use", ylabel="source in use", title="weights")


def _draw_masks(ax: Any, mask: NDArray[Any]) -> None:
    bits = np.sort(mask)[:, None] >> np.arange(4) & 1
    ax.imshow(bits, aspect="auto", cmap="Greys", vmin=0, vmax=1.4, interpolation="nearest")
    ax.set(
        xticks=range(4),
        xticklabels=["W0", "W1", "W2", "W3"],
        ylabel="connection, by mask",
        title="masks",
    )


def _draw_levels(ax: Any, bases: NDArray[Any], mask: NDArray[Any]) -> None:
    levels = (np.arange(16)[:, None] >> np.arange(4) & 1) @ bases
    used = np.bincount(mask, minlength=16)
    ax.barh(levels, used, height=float(levels.max()) / 60, color=style.GREY)
    for number, base in enumerate(bases):
        ax.axhline(
            base, color=style.colour(number), linewidth=0.9, label=f"W{number} {base:.3g} nA"
        )
    ax.set(xlabel="connections", ylabel="level (nA)", title="base currents and levels")
    style.legend(ax)


def device_events(
    config: Dynapse2Config, inputs: ArrayLike, recording: Recording, *, sample: int = 0
) -> Any:
    """Draw what the host sends above what it hears, with the tags of the events as labels.

    Parameters
    ----------
    config : Dynapse2Config
        The board; with one input and one output.
    inputs : array of int, (batch, time, n) or (time, n)
        What was sent.
    recording : Recording
        What came back from a board, the loopback or the simulator.
    sample : int
        Which sample of a batch.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        The network has several inputs or outputs, or the input does not fit.
    MissingDependencyError
        matplotlib is not installed.
    """
    spikes, heard = np.asarray(inputs), np.asarray(recording.output)
    spikes = spikes if spikes.ndim == 2 else spikes[sample]
    heard = heard if heard.ndim == 2 else heard[sample]
    rows_in, rows_out = input_map(config), output_map(config)
    if spikes.shape[-1] != len(rows_in):
        raise InputError(
            f"device_events: the input has {spikes.shape[-1]} channels, the board "
            f"{len(rows_in)}; flatten it"
        )
    sent = [", ".join(str(d.tag) for d in row.destinations) or "none" for row in rows_in]
    back = [f"{row.chip}.{row.core}.{row.neuron}" for row in rows_out]
    return in_out(
        spikes,
        heard,
        dt=config.dt,
        input_labels=[f"tag {tag}" for tag in sent],
        output_labels=[f"neuron {place}" for place in back],
    )


def _pyplot() -> Any:
    """Return matplotlib's pyplot; raises `MissingDependencyError` with advice without it."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingDependencyError(
            "pictures need matplotlib; pip install 'ranvier-dynapse2[plot]'", name="matplotlib"
        ) from error
    return pyplot
