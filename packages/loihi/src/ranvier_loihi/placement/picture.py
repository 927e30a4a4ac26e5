"""Pictures of a placement: how full each core is, and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ranvier.errors import InputError
from ranvier.events import style

from .occupancy import RESOURCES, CoreUse, occupancy_of

if TYPE_CHECKING:
    from ..config import LoihiConfig

_LABELLED = 24
_SHORT = {
    "neurons": "neurons",
    "axons_in": "axons in",
    "axons_out": "axons out",
    "synapse_words": "synapse words",
    "groups": "groups",
    "thresholds": "thresholds",
}


def draw_occupancy(uses: Sequence[CoreUse], ax: Any = None) -> Any:
    """Draw how full every core is: one column per core, one row per resource, in percent.

    Parameters
    ----------
    uses : sequence of CoreUse
        From `occupancy` or `occupancy_of`, at least one.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        There is no core.
    MissingDependencyError
        matplotlib is not installed.
    """
    if not uses:
        raise InputError("loihi: no core is in use, there is nothing to draw; place a network")
    shares = np.array([[100 * u.shares[name] for u in uses] for name in RESOURCES])
    width = min(14.0, max(6.4, 2.5 + 0.45 * len(uses)))
    ax = style.new_axes(ax, figsize=(width, 3.6))
    image = ax.imshow(
        shares, cmap="cividis", vmin=0.0, vmax=100.0, aspect="auto", interpolation="nearest"
    )
    ax.figure.colorbar(image, ax=ax, label="in use (%)")
    ax.set_yticks(range(len(RESOURCES)), [_SHORT[name] for name in RESOURCES])
    _name_cores(ax, uses)
    if len(uses) <= _LABELLED:
        _write_numbers(ax, shares)
    chips = len({use.chip for use in uses})
    ax.set_title(f"{len(uses)} core(s) on {chips} chip(s)", fontsize=10)
    return ax


def _name_cores(ax: Any, uses: Sequence[CoreUse]) -> None:
    """Label columns with their cores, and with what they hold where there is room."""
    step = -(-len(uses) // _LABELLED)
    shown = range(0, len(uses), step)
    several = len({use.chip for use in uses}) > 1
    names = [f"{uses[k].chip}.{uses[k].core}" if several else f"{uses[k].core}" for k in shown]
    if len(uses) <= _LABELLED // 2:
        held = ["\n".join(uses[k].populations) for k in shown]
        names = [f"{name}\n{nodes}" for name, nodes in zip(names, held, strict=True)]
    ax.set_xticks(list(shown), names, fontsize=8)
    ax.set_xlabel("chip.core" if several else "core")


def _write_numbers(ax: Any, shares: Any) -> None:
    for row, values in enumerate(shares):
        for column, value in enumerate(values):
            ax.text(
                column,
                row,
                f"{value:.0f}" if value >= 1 or value == 0 else "<1",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if value < 55 else "black",
            )


def floorplan(config: LoihiConfig) -> dict[str, Any]:
    """Return one rectangle per core of the chips in use, with how full it is.

    The vendor publishes no positions: cores lie row by row on a grid as square as the count
    allows, chips side by side.

    Returns
    -------
    dict
        ``"chips"``, ``"columns"``, ``"rows"`` (of one chip's grid) and ``"rectangles"``: a list of
        dictionaries with ``chip``, ``core``, ``x``, ``y``, ``width``, ``height`` (in cores; chips
        are one core apart), ``occupancy`` (share of the fullest resource, 0..1), ``resource``
        (its name, None where the core is empty) and ``populations`` (neurons by node).
    """
    per_chip = config.limits.cores_per_chip
    columns, rows = _grid(per_chip)
    used = {(u.chip, u.core): u for u in occupancy_of(config)}
    chips = sorted({chip for chip, _ in used})
    rectangles = [
        {
            "chip": chip,
            "core": core,
            "x": position * (columns + 1) + core % columns,
            "y": core // columns,
            "width": 1,
            "height": 1,
            **_content(used.get((chip, core))),
        }
        for position, chip in enumerate(chips)
        for core in range(per_chip)
    ]
    return {"chips": len(chips), "columns": columns, "rows": rows, "rectangles": rectangles}


def _content(use: CoreUse | None) -> dict[str, Any]:
    if use is None:
        return {"occupancy": 0.0, "resource": None, "populations": {}}
    name = use.fullest
    return {
        "occupancy": use.shares[name],
        "resource": name,
        "populations": dict(use.populations),
    }


def _grid(count: int) -> tuple[int, int]:
    """Return columns and rows of the squarest full grid, columns first."""
    rows = max(r for r in range(1, int(count**0.5) + 1) if count % r == 0)
    return count // rows, rows
