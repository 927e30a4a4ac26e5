"""What a placement takes of every core, and the packets that it sends between chips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .allocation import Routes
from .budget import Budget
from .grouping import Grouped
from .places import Places


@dataclass(frozen=True, kw_only=True)
class CoreUse:
    """What is used of a core, and of how much.

    Parameters
    ----------
    chip, core : int
        Chip of the board and core of the chip.
    neurons, neurons_max : int
        Neurons.
    cam_entries, cam_max : int
        CAM entries, and those that may be used.
    tags, tags_max : int
        Packets with different tags that reach the core, and tags that may be used.
    """

    chip: int
    core: int
    neurons: int
    neurons_max: int
    cam_entries: int
    cam_max: int
    tags: int
    tags_max: int


def occupancy(
    grouped: Grouped, places: Places, routes: Routes, *, budget: Budget
) -> tuple[CoreUse, ...]:
    """Return what every core of the board holds, in order of chips and cores.

    Parameters
    ----------
    grouped, places, routes : Grouped, Places, Routes
        A placed network.
    budget : Budget
        The board.
    """
    position = places.position(budget)
    neurons = np.bincount(position, minlength=budget.cores)
    entries = np.bincount(position[grouped.synapse_target], minlength=budget.cores)
    tags = [
        np.unique(routes.tag[(routes.chip == h) & (routes.cores >> k & 1 == 1)]).size
        for h in range(budget.chips)
        for k in range(budget.cores_per_chip)
    ]
    return tuple(
        CoreUse(
            chip=k // budget.cores_per_chip,
            core=k % budget.cores_per_chip,
            neurons=int(neurons[k]),
            neurons_max=budget.neurons_per_core,
            cam_entries=int(entries[k]),
            cam_max=int(budget.entries_per_slot[k].sum()),
            tags=tags[k],
            tags_max=int(budget.tags_per_core[k]),
        )
        for k in range(budget.cores)
    )


def interchip_packets(grouped: Grouped, places: Places, routes: Routes, *, n_channels: int) -> int:
    """Count the packets that leave a chip, or come from the host, if every source fires once.

    Parameters
    ----------
    grouped, places, routes : Grouped, Places, Routes
        A placed network.
    n_channels : int
        Number of input channels, the first sources; each of their packets counts.
    """
    of_group = np.bincount(grouped.group[grouped.group >= 0], minlength=grouped.n_groups)
    own = grouped.group[n_channels:]
    total = int(of_group[routes.group].sum())
    near = np.zeros((grouped.n_groups, int(routes.chip.max(initial=0)) + 1), dtype=np.int64)
    inside = (own >= 0) & (places.chip < near.shape[1])
    np.add.at(near, (own[inside], places.chip[inside]), 1)
    return total - int(near[routes.group, routes.chip].sum())


def occupancy_table(uses: tuple[CoreUse, ...]) -> str:
    """Return a table of the cores in use, one line each.

    Parameters
    ----------
    uses : tuple of CoreUse
        From `occupancy`.
    """
    lines = ["chip  core       neurons      CAM entries           tags"]
    lines += [
        f"{u.chip:4d}  {u.core:4d}  {u.neurons:5d} / {u.neurons_max:4d}  "
        f"{u.cam_entries:6d} / {u.cam_max:6d}  {u.tags:4d} / {u.tags_max:4d}"
        for u in uses
        if u.neurons
    ]
    return "\n".join(lines)
