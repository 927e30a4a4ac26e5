"""One spike followed through the board, packet by packet and hop by hop.

This is the readable form of the routing; `ranvier_dynapse2.routing.connections` gives the same for
all sources at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ranvier.errors import InputError

from .sources import place_of

if TYPE_CHECKING:
    from ..config import Dynapse2Config


@dataclass(frozen=True)
class Packet:
    """What became of one packet.

    Parameters
    ----------
    word : int
        Word of the neuron's SRAM, or row of the inputs, that sent it.
    tag : int
        Tag, 0..2047.
    cores : tuple of int
        Cores that it is meant for.
    path : tuple of (int, int)
        Positions on the grid from the first chip on; chip h sits at (h + 1, 0). The last one may
        lie outside of the board.
    hops_left : tuple of (int, int)
        What is left of x_hop and y_hop at the end of the path.
    fate : {"broadcast", "host", "lost"}
        Broadcast to cores of a chip; left the row on the west side, where the host listens; left
        the board elsewhere.
    chip : int or None
        Chip of the broadcast.
    opened : tuple of (int, int, int)
        Core, neuron and CAM entry of every synapse that opened.
    """

    word: int
    tag: int
    cores: tuple[int, ...]
    path: tuple[tuple[int, int], ...]
    hops_left: tuple[int, int]
    fate: str
    chip: int | None
    opened: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class _Destination:
    word: int
    tag: int
    mask: int
    x: int
    y: int


def walk(config: Dynapse2Config, source: int) -> tuple[Packet, ...]:
    """Follow all packets that one spike of a source sends.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    source : int
        Input channel, or `ranvier_dynapse2.routing.neuron_source` of a neuron.

    Raises
    ------
    InputError
        There is no such source.

    Notes
    -----
    A packet first travels along x, then along y; each chip on the way counts the hops down by one
    towards zero. At (0, 0) hops it is broadcast to the cores of its mask, and every CAM entry in
    use there whose tag is equal opens its synapse. Packets of the host enter at the first chip.
    The sources state no order of x and y; only with x first do both written forms of the monitor's
    hops, (-7, -7) and (-7, 0), leave the row in the west.
    """
    limits = config.limits
    n = config.chips * limits.cores_per_chip * limits.neurons_per_core
    if not 0 <= source < config.n_channels + n:
        raise InputError(
            f"dynapse2: source {source} does not exist; there are {config.n_channels} channels "
            f"and {n} neurons"
        )
    if source < config.n_channels:
        return tuple(_travel(config, 0, d) for d in _input_rows(config, source))
    chip, core, neuron = place_of(config, source - config.n_channels)
    return tuple(_travel(config, chip, d) for d in _words(config, chip, core=core, neuron=neuron))


def _words(config: Dynapse2Config, chip: int, *, core: int, neuron: int) -> Iterator[_Destination]:
    for word in range(config.limits.destinations_per_neuron):
        at = (chip, core, neuron, word)
        if config.sram_used[at]:
            yield _Destination(
                word,
                int(config.sram_tag[at]),
                int(config.sram_cores[at]),
                int(config.sram_x[at]),
                int(config.sram_y[at]),
            )


def _input_rows(config: Dynapse2Config, channel: int) -> Iterator[_Destination]:
    for row, owner in enumerate(config.input_channel):
        if owner == channel:
            yield _Destination(
                row,
                int(config.input_tag[row]),
                int(config.input_cores[row]),
                int(config.input_x[row]),
                int(config.input_y[row]),
            )


def _travel(config: Dynapse2Config, start: int, to: _Destination) -> Packet:
    """Move a packet until it has arrived or left the board."""
    x, y, left_x, left_y = start + 1, 0, to.x, to.y
    path = [(x, y)]
    while (left_x, left_y) != (0, 0) and 1 <= x <= config.chips and y == 0:
        if left_x:
            step = 1 if left_x > 0 else -1
            x, left_x = x + step, left_x - step
        else:
            step = 1 if left_y > 0 else -1
            y, left_y = y + step, left_y - step
        path.append((x, y))
    on_board = 1 <= x <= config.chips and y == 0
    cores = tuple(k for k in range(config.limits.cores_per_chip) if to.mask >> k & 1)
    chip = x - 1 if on_board else None
    return Packet(
        word=to.word,
        tag=to.tag,
        cores=cores,
        path=tuple(path),
        hops_left=(left_x, left_y),
        fate="broadcast" if on_board else "host" if x < 1 else "lost",
        chip=chip,
        opened=() if chip is None else tuple(_opened(config, chip, cores=cores, tag=to.tag)),
    )


def _opened(
    config: Dynapse2Config, chip: int, *, cores: tuple[int, ...], tag: int
) -> Iterator[tuple[int, int, int]]:
    for core in cores:
        match = (config.cam_tag[chip, core] == tag) & (config.cam_dendrite[chip, core] != 0)
        for neuron, entry in zip(*match.nonzero(), strict=True):
            yield core, int(neuron), int(entry)
