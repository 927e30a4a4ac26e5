"""Every packet that inputs and neurons can send, and where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..config import Dynapse2Config

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Packets:
    """Packets sorted by source; each array is (n,).

    Parameters
    ----------
    source : array of int
        Channel, or ``n_channels`` plus position of the neuron.
    word : array of int
        Word of the SRAM, or row of the inputs.
    start : array of int
        Chip where it sets out; the host's packets enter at chip 0.
    tag, cores, x, y : array of int
        Its destination as written.
    chips : int
        Chips of the board.
    """

    source: Ints
    word: Ints
    start: Ints
    tag: Ints
    cores: Ints
    x: Ints
    y: Ints
    chips: int

    @property
    def chip(self) -> Ints:
        """Where the packet ends if the row were endless; -1 is the first position in the west."""
        return np.asarray(self.start + self.x)

    @property
    def arrives(self) -> NDArray[np.bool_]:
        """Packets that are broadcast on a chip of the board."""
        return np.asarray((self.chip >= 0) & (self.chip < self.chips) & (self.y == 0))

    @property
    def reaches_host(self) -> NDArray[np.bool_]:
        """Packets that leave the row on the west side."""
        return np.asarray(self.chip < 0)

    @property
    def is_lost(self) -> NDArray[np.bool_]:
        """Packets that leave the board elsewhere."""
        return np.asarray(~self.arrives & ~self.reaches_host)

    @property
    def hops_left(self) -> tuple[Ints, Ints]:
        """Hops x and y as they are when a packet leaves the row in the west."""
        return np.asarray(self.x + self.start + 1), self.y


def packets_of(config: Dynapse2Config) -> Packets:
    """Return every packet of a configuration.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    """
    limits = config.limits
    order = np.argsort(config.input_channel, kind="stable")
    used = np.flatnonzero(config.sram_used)
    position = used // limits.destinations_per_neuron
    per_chip = limits.cores_per_chip * limits.neurons_per_core

    def both(name: str) -> Ints:
        inputs = getattr(config, f"input_{name}")[order].astype(np.int64)
        words = getattr(config, f"sram_{name}").reshape(-1)[used].astype(np.int64)
        return np.concatenate([inputs, words])

    return Packets(
        source=np.concatenate([config.input_channel[order], config.n_channels + position]),
        word=np.concatenate([order, used % limits.destinations_per_neuron]),
        start=np.concatenate([np.zeros(order.size, dtype=np.int64), position // per_chip]),
        tag=both("tag"),
        cores=both("cores"),
        x=both("x"),
        y=both("y"),
        chips=config.chips,
    )
