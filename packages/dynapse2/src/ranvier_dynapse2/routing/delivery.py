"""What the host hears, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .packets import packets_of
from .sources import place_of

if TYPE_CHECKING:
    from ..config import Dynapse2Config


@dataclass(frozen=True)
class Heard:
    """A neuron whose spikes reach the host.

    Parameters
    ----------
    chip, core, neuron : int
        Its place.
    word : int
        Word of its SRAM that reports it.
    tag : int
        Tag of the event that the host receives.
    x_hop, y_hop : int
        Hops of that event: what is left of them.
    unique : bool
        False if another neuron sends equal events: the host cannot tell them apart.
    """

    chip: int
    core: int
    neuron: int
    word: int
    tag: int
    x_hop: int
    y_hop: int
    unique: bool


@dataclass(frozen=True)
class Lost:
    """A packet that leaves the board where nobody listens.

    Parameters
    ----------
    channel : int or None
        Input channel that sends it, None for a neuron.
    chip, core, neuron : int or None
        Neuron that sends it, None for an input.
    word : int
        Word of the SRAM, or row of the inputs.
    tag, x_hop, y_hop : int
        Its destination.
    """

    channel: int | None
    chip: int | None
    core: int | None
    neuron: int | None
    word: int
    tag: int
    x_hop: int
    y_hop: int


def delivered(config: Dynapse2Config) -> tuple[Heard, ...]:
    """Return which neurons the host can hear, and by which event: one row per reporting word.

    Parameters
    ----------
    config : Dynapse2Config
        The board.

    Returns
    -------
    tuple of Heard
        Sorted by chip, core, neuron, word.
    """
    packets = packets_of(config)
    rows = np.flatnonzero(packets.reaches_host & (packets.source >= config.n_channels))
    x, y = (hops[rows] for hops in packets.hops_left)
    source, tag = packets.source[rows], packets.tag[rows]
    events = np.stack([tag, x, y], axis=1)
    senders = np.unique(np.column_stack([events, source]), axis=0)[:, :3]
    kinds, count = np.unique(senders, axis=0, return_counts=True)
    shared = {tuple(event) for event in kinds[count > 1].tolist()}
    return tuple(
        Heard(
            *place_of(config, int(source[k]) - config.n_channels),
            word=int(packets.word[row]),
            tag=int(tag[k]),
            x_hop=int(x[k]),
            y_hop=int(y[k]),
            unique=tuple(events[k].tolist()) not in shared,
        )
        for k, row in enumerate(rows)
    )


def lost(config: Dynapse2Config) -> tuple[Lost, ...]:
    """Return the packets that leave the board neither to a core nor to the host.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    """
    packets = packets_of(config)
    found = []
    for row in np.flatnonzero(packets.is_lost):
        source = int(packets.source[row])
        from_input = source < config.n_channels
        place = (None, None, None) if from_input else place_of(config, source - config.n_channels)
        found.append(
            Lost(
                channel=source if from_input else None,
                chip=place[0],
                core=place[1],
                neuron=place[2],
                word=int(packets.word[row]),
                tag=int(packets.tag[row]),
                x_hop=int(packets.x[row]),
                y_hop=int(packets.y[row]),
            )
        )
    return tuple(found)
