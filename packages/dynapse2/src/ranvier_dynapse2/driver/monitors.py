"""Who reports spikes under which tag, as the neurons' SRAM says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError

from ..targets import target_named
from .events import Packets

if TYPE_CHECKING:
    from ..config import Dynapse2Config

Ints = NDArray[np.int64]
EVENT = np.dtype([("time", np.int64), ("tag", np.int64), ("x", np.int64), ("y", np.int64)])
"""What the host receives: time stamp in ticks, tag, and hops left."""


def fact(name: str) -> float:
    """Return a number of the manifest."""
    return float(str(target_named().fact(name).value))


def places_of(config: Dynapse2Config, node: str) -> tuple[Ints, Ints, Ints]:
    """Return chip, core and slot of a node's neurons, ordered by index."""
    place = config.placement
    rows = (place.node_id == place.node.index(node)) & (place.port_id == place.port.index("neuron"))
    order = np.argsort(place.index[rows], kind="stable")
    return place.chip[rows][order], place.core[rows][order], place.slot[rows][order]


def tags_of(config: Dynapse2Config, node: str) -> Ints:
    """Return the tags under which a node's neurons report spikes, by index; -1: they do not."""
    at = places_of(config, node)
    reports = config.sram_used[at] & (config.sram_x[at] == -int(fact("monitor_hops_x")))
    word = reports.argmax(axis=1)
    tags = config.sram_tag[at][np.arange(word.size), word].astype(np.int64)
    return np.where(reports.any(axis=1), tags, -1)


def neurons_of(config: Dynapse2Config, node: str) -> Ints:
    """Return the neurons of the board that a node's neurons are, ordered by index."""
    chip, core, slot = places_of(config, node)
    limits = config.limits
    return np.asarray((chip * limits.cores_per_chip + core) * limits.neurons_per_core + slot)


class Monitors:
    """Who reports under which tag; built from the words in the neurons' SRAM.

    Parameters
    ----------
    config : Dynapse2Config
        What runs.

    Raises
    ------
    DeviceError
        Two neurons of a chip report under one tag.

    Notes
    -----
    A word with x hop -7 leaves the row on the west side. A packet of chip h reaches the host with
    ``x_hop = -7 + h + 1`` (Aramatos/dynapse2_adaptation; rockpool 3.1.0 has the same for chip 0).
    """

    def __init__(self, config: Dynapse2Config) -> None:
        limits = config.limits
        self.out, self.step = -int(fact("monitor_hops_x")), int(fact("chip_step_x"))
        reports = config.sram_used & (config.sram_x == self.out)
        chip, core, slot, word = np.nonzero(reports)
        tag = config.sram_tag[chip, core, slot, word].astype(np.int64)
        neuron = (chip * limits.cores_per_chip + core) * limits.neurons_per_core + slot
        self.neuron = np.full((config.chips, limits.tags), -1, dtype=np.int64)
        self.y = np.zeros_like(self.neuron)
        self._check_unique(chip, tag, neuron)
        self.neuron[chip, tag] = neuron
        self.y[chip, tag] = config.sram_y[chip, core, slot, word]
        self.monitored = np.zeros(config.sram_used.shape[:3], dtype=bool)
        self.monitored[chip, core, slot] = True
        self._chip = np.repeat(np.arange(config.chips), self.monitored[0].size)
        self._tag = np.zeros(self.monitored.size, dtype=np.int64)
        self._tag[neuron] = tag

    @staticmethod
    def _check_unique(chip: Ints, tag: Ints, neuron: Ints) -> None:
        pairs = np.unique(np.stack([chip, tag, neuron], axis=1), axis=0)
        _, first, count = np.unique(pairs[:, :2], axis=0, return_index=True, return_counts=True)
        if np.any(count > 1):
            at = pairs[first[count > 1][0]]
            raise DeviceError(
                f"dynapse2: {int(np.sum(count > 1))} tag(s) report for several neurons of a chip, "
                f"the first is tag {at[1]} of chip {at[0]}; give every neuron its own, core * 256 "
                "+ neuron of the core"
            )

    def is_monitored(self, config: Dynapse2Config, node: str) -> NDArray[np.bool_]:
        """Return which neurons of a node report spikes, by index."""
        return np.asarray(self.monitored[places_of(config, node)])

    def chips_of(self, x: Ints) -> Ints:
        """Return the chips that packets come from, by the hops that are left; -1: none."""
        chip, rest = np.divmod(x - self.out - 1, self.step)
        return np.where((rest == 0) & (chip >= 0) & (chip < len(self.neuron)), chip, -1)

    def events(self, times: Ints, neurons: Ints) -> Packets:
        """Return the events with which spikes of neurons reach the host; silent ones send none."""
        heard = self.monitored.ravel()[neurons]
        neurons = neurons[heard]
        events = np.zeros(neurons.size, dtype=EVENT)
        chip, tag = self._chip[neurons], self._tag[neurons]
        events["time"], events["tag"] = times[heard], tag
        events["x"], events["y"] = self.returned_x(chip), self.y[chip, tag]
        return events

    def returned_x(self, chip: Ints | int) -> Any:
        """Return the x hops that packets of chips reach the host with."""
        return self.out + 1 + self.step * np.asarray(chip, dtype=np.int64)


def offered(config: Dynapse2Config, monitors: Monitors) -> dict[str, tuple[str, ...]]:
    """Return what can be recorded: nodes all of whose neurons report spikes, and outputs."""
    found: dict[str, tuple[str, ...]] = {
        node: ("spikes",)
        for node in config.node_shapes
        if np.all(monitors.is_monitored(config, node))
    }
    for c in config.outputs:
        found[c.node] = tuple(dict.fromkeys((*found.get(c.node, ()), c.quantity)))
    return found
