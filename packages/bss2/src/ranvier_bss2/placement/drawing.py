"""Pictures of a chip: what its synapses hold, and which circuits belong to which population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError
from ranvier.events import style

from ..layout import ROW_MODES, Layout
from ..targets import limits_of

if TYPE_CHECKING:
    from ..config import Bss2Config
    from ..routing import RoutingRegisters

_ARRAYS = ("top", "bottom")


def draw_synapses(registers: RoutingRegisters, *, instance: int = 0, ax: Any = None) -> Any:
    """Draw the signed weights of both synapse arrays, as they lie on the chip.

    Synapses that no event can open, and those of weight 0, stay white; rows that are in use have
    a mark at the left edge, blue for exciting and red for inhibiting ones.

    Parameters
    ----------
    registers : Bss2Config or ranvier_bss2.routing.Registers
        The chip.
    instance : int
        Execution instance.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        There is no such execution instance.
    MissingDependencyError
        matplotlib is not installed.
    """
    _check(instance, registers.row_mode.shape[0])
    limits = limits_of()
    mode = np.asarray(registers.row_mode[instance])
    sign = np.where(mode == ROW_MODES.index("excitatory"), 1, -1) * (mode > 0)
    weight = np.asarray(registers.synapse_weight[instance]).astype(np.int64) * sign[:, :, None]
    gap = np.zeros((6, limits.columns))
    image = np.ma.masked_equal(np.vstack([weight[0], gap, weight[1]]), 0)
    ax = style.new_axes(ax, figsize=(6.4, 10.5))
    top = limits.weight_max
    shown = ax.imshow(image, cmap="RdBu", vmin=-top, vmax=top, interpolation="nearest")
    ax.figure.colorbar(shown, ax=ax, label="weight (LSB)", shrink=0.6)
    for array, first in enumerate((0, limits.rows + 6)):
        _mark_rows(ax, sign[array], first)
    ax.set_xlim(-9, limits.columns - 0.5)
    ax.set_xticks(range(0, limits.columns + 1, 32))
    height = limits.rows + 6
    ticks = [h * height + r for h in range(limits.arrays) for r in range(0, limits.rows, 64)]
    ax.set_yticks(ticks, [f"{t % height}" for t in ticks])
    ax.set_xlabel("column")
    ax.set_ylabel("row of the bottom array        row of the top array")
    used = int((weight != 0).sum())
    ax.set_title(f"execution instance {instance}: {used} weights that are not 0", fontsize=10)
    return ax


def _mark_rows(ax: Any, sign: NDArray[np.int64], first: int) -> None:
    for value, colour in ((1, "tab:blue"), (-1, "tab:red")):
        rows = first + np.flatnonzero(sign == value)
        ax.hlines(rows, -8, -3, color=colour, linewidth=0.5)


def draw_placement(
    layout: Layout | Bss2Config,
    *,
    names: Sequence[str] | None = None,
    instance: int = 0,
    ax: Any = None,
) -> Any:
    """Draw which circuit belongs to which population; a dot marks the circuit that fires.

    Parameters
    ----------
    layout : Layout or Bss2Config
        Places.
    names : sequence of str, optional
        Names of the populations. Default: those of the configuration, or their numbers.
    instance : int
        Execution instance.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        There is no such execution instance.
    MissingDependencyError
        matplotlib is not installed.
    """
    _check(instance, np.asarray(layout.row_mode).shape[0])
    limits = limits_of()
    here = np.asarray(layout.neuron_instance) == instance
    population = np.asarray(layout.neuron_population)[here].astype(np.int64)
    circuit = np.asarray(layout.neuron_circuit)[here].astype(np.int64)
    names = _names(layout, population) if names is None else names
    ax = style.new_axes(ax, figsize=(11.0, 3.2))
    lower = _draw_circuits(ax, population, circuit, names=names)
    address = np.asarray(layout.circuit_address)[instance]
    first = circuit[(np.asarray(layout.neuron_rank)[here] == 0) & (address[circuit] >= 0)]
    ax.plot(first % limits.columns, first // limits.columns, "k.", markersize=1.5)
    for edge in range(0, limits.columns + 1, limits.columns // limits.event_outputs):
        ax.axvline(edge - 0.5, color="0.6", linewidth=0.6)
    ax.set_xticks(range(0, limits.columns + 1, 32))
    ax.set_yticks(range(limits.arrays), _ARRAYS)
    ax.set_xlabel("column (lines: event outputs)")
    ax.set_title(
        f"execution instance {instance}: {circuit.size} of {limits.neuron_circuits} circuits",
        fontsize=10,
    )
    ax.legend(handles=lower, loc="upper center", bbox_to_anchor=(0.5, -0.3), ncols=6, fontsize=8)
    return ax


def _draw_circuits(
    ax: Any, population: NDArray[np.int64], circuit: NDArray[np.int64], *, names: Sequence[str]
) -> list[Any]:
    """Draw one field per circuit and return the handles of a legend."""
    from matplotlib import colormaps
    from matplotlib.patches import Patch

    limits = limits_of()
    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    image = np.ones((limits.arrays, limits.columns, 3))
    handles = []
    for k in np.unique(population).tolist():
        own = circuit[population == k]
        image[own // limits.columns, own % limits.columns] = colours[k % len(colours)]
        label = f"{names[k]}: {own.size} circuits"
        handles.append(Patch(color=colours[k % len(colours)], label=label))
    ax.imshow(image, aspect="auto", interpolation="nearest")
    return handles


def _names(layout: Layout | Bss2Config, population: NDArray[np.int64]) -> Sequence[str]:
    if isinstance(layout, Layout):
        return [f"population {k}" for k in range(int(population.max(initial=0)) + 1)]
    return [p.name for p in layout.populations]


def _check(instance: int, count: int) -> None:
    if not 0 <= instance < count:
        raise InputError(f"bss2: execution instance {instance} does not exist; use 0..{count - 1}")
