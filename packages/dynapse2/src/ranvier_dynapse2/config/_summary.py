"""The readable overview of a configuration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..biases import CORE_BIASES

if TYPE_CHECKING:
    from .configuration import Dynapse2Config


def describe(config: Dynapse2Config) -> str:
    """Return target, sizes, use of neurons, CAM and tags by core, currents at their limit, losses.

    Parameters
    ----------
    config : Dynapse2Config
        What is described.
    """
    place = config.placement
    neurons = place.port_id == (place.port.index("neuron") if "neuron" in place.port else -1)
    held = np.zeros((config.chips, config.limits.cores_per_chip), dtype=np.int64)
    np.add.at(held, (place.chip[neurons], place.core[neurons]), 1)
    entries = (config.cam_dendrite != 0).sum(axis=3)
    used = (held > 0) | (entries.sum(axis=2) > 0)
    rows = [
        f"{type(config).__name__} for {config.target}, dt = {config.dt:g} s, {config.model}",
        f"  neurons   {int(held.sum())} on {int(used.sum())} of {used.size} cores, "
        f"{int(used.any(axis=1).sum())} of {config.chips} chip(s)",
        f"  inputs    {config.n_channels} channel(s), "
        f"{np.unique(config.input_channel).size} of them send packets",
    ]
    rows += [f"  {name}: {shape}" for name, shape in config.node_shapes.items()]
    rows += [
        _core_line(config, (int(h), int(c)), held=int(held[h, c]), entries=entries[h, c])
        for h, c in np.argwhere(used)
    ]
    rows += _saturated(config, used)
    return "\n".join([*rows, *(f"  {d}" for d in config.diagnostics)])


def _core_line(
    config: Dynapse2Config, at: tuple[int, int], *, held: int, entries: NDArray[np.int64]
) -> str:
    limits = config.limits
    some = entries[entries > 0]
    cam = config.cam_dendrite[at] != 0
    tags = np.unique(config.cam_tag[at][cam]).size
    mean = float(some.mean()) if some.size else 0.0
    factor = float(config.drive_factor[at])
    extra = "" if math.isclose(factor, 1.0) else f", drive factor {factor:.4g}"
    return (
        f"  chip {at[0]} core {at[1]}: {held} of {limits.neurons_per_core} neurons, CAM max "
        f"{int(entries.max())} mean {mean:.1f} of {limits.synapses_per_neuron}, {tags} of "
        f"{limits.tags} tags, i_scale {config.i_scale[at]:.4g} A{extra}"
    )


def _saturated(config: Dynapse2Config, used: NDArray[np.bool_]) -> list[str]:
    """Say which currents of cores in use are at the end of their bias."""
    rows = []
    for name in CORE_BIASES:
        largest = config.table.largest(name)
        full = used & (config.current(name) >= largest)
        if full.any():
            cores = ", ".join(f"{h}.{c}" for h, c in np.argwhere(full))
            rows.append(f"  bias {name} is at its largest, {largest:.4g} A, on core(s) {cores}")
    return rows
