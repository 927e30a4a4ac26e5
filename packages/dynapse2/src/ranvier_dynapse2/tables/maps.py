"""Which neuron of the graph is which neuron of the board, and by which packets they talk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..routing import Heard, delivered

if TYPE_CHECKING:
    from ..config import Dynapse2Config


@dataclass(frozen=True)
class NeuronRow:
    """One neuron of the graph.

    Parameters
    ----------
    node, index : str, int
        Graph node and flat index.
    chip, core, neuron : int
        Place.
    monitor_tag : int or None
        Tag by which its spikes reach the host; None: the host does not hear it.
    outputs : tuple of str
        Outputs of the graph that show it.
    """

    node: str
    index: int
    chip: int
    core: int
    neuron: int
    monitor_tag: int | None
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Destination:
    """Where one packet of an input goes.

    Parameters
    ----------
    chip : int or None
        Chip that broadcasts it; None: it leaves the board.
    cores : tuple of int
        Cores of its mask.
    tag : int
        Its tag.
    """

    chip: int | None
    cores: tuple[int, ...]
    tag: int

    def __str__(self) -> str:
        where = "off the board" if self.chip is None else f"chip {self.chip}"
        return f"tag {self.tag} to {where} cores {'+'.join(map(str, self.cores)) or 'none'}"


@dataclass(frozen=True)
class InputRow:
    """One channel of an input.

    Parameters
    ----------
    node, channel : str, int
        Input node and flat index in it.
    destinations : tuple of Destination
        Packets of one spike; none for channels that drive nothing.
    """

    node: str
    channel: int
    destinations: tuple[Destination, ...]


@dataclass(frozen=True)
class OutputRow:
    """One channel of an output.

    Parameters
    ----------
    output, channel : str, int
        Output node and flat index in it.
    node : str
        Neuron node that it shows.
    chip, core, neuron : int
        Place.
    monitor_tag, x_hop, y_hop : int or None
        Event that the host receives for a spike; None: it receives none.
    """

    output: str
    channel: int
    node: str
    chip: int
    core: int
    neuron: int
    monitor_tag: int | None
    x_hop: int | None
    y_hop: int | None


def neuron_map(config: Dynapse2Config) -> tuple[NeuronRow, ...]:
    """Return the place of every neuron of the graph, by node and index."""
    heard = _heard(config)
    shown: dict[str, tuple[str, ...]] = {}
    for channel in config.outputs:
        shown[channel.node] = (*shown.get(channel.node, ()), channel.output)
    rows = []
    for name in config.node_shapes:
        for index, place in enumerate(_places(config, name)):
            event = heard.get(place)
            rows.append(
                NeuronRow(name, index, *place, event.tag if event else None, shown.get(name, ()))
            )
    return tuple(rows)


def input_map(config: Dynapse2Config) -> tuple[InputRow, ...]:
    """Return the packets of every input channel, by input and index."""
    packets: dict[int, list[Destination]] = {}
    for row, channel in enumerate(config.input_channel.tolist()):
        x, y, mask = (int(getattr(config, f"input_{n}")[row]) for n in ("x", "y", "cores"))
        cores = tuple(k for k in range(config.limits.cores_per_chip) if mask >> k & 1)
        chip = x if 0 <= x < config.chips and y == 0 else None
        packets.setdefault(channel, []).append(Destination(chip, cores, int(config.input_tag[row])))
    rows, start = [], 0
    for name, shape in config.input_shapes.items():
        size = math.prod(shape)
        rows += [InputRow(name, k, tuple(packets.get(start + k, ()))) for k in range(size)]
        start += size
    return tuple(rows)


def output_map(config: Dynapse2Config) -> tuple[OutputRow, ...]:
    """Return which neuron of the board every channel of every output is.

    The number of rows depends on the network only, not on what fires.
    """
    heard = _heard(config)
    rows = []
    for channel in config.outputs:
        for index, place in enumerate(_places(config, channel.node)):
            event = heard.get(place)
            seen = (event.tag, event.x_hop, event.y_hop) if event else (None, None, None)
            rows.append(OutputRow(channel.output, index, channel.node, *place, *seen))
    return tuple(rows)


def _places(config: Dynapse2Config, node: str) -> list[tuple[int, int, int]]:
    """Return chip, core and neuron of a node's neurons, by index."""
    place = config.placement
    if node not in place.node:
        return []
    number = place.port.index("neuron")
    rows = (place.node_id == place.node.index(node)) & (place.port_id == number)
    found = sorted(
        zip(
            place.index[rows].tolist(),
            place.chip[rows].tolist(),
            place.core[rows].tolist(),
            place.slot[rows].tolist(),
            strict=True,
        )
    )
    return [(chip, core, neuron) for _, chip, core, neuron in found]


def _heard(config: Dynapse2Config) -> dict[tuple[int, int, int], Heard]:
    """Return the first event of every neuron that the host hears, by place."""
    found: dict[tuple[int, int, int], Heard] = {}
    for event in delivered(config):
        found.setdefault((event.chip, event.core, event.neuron), event)
    return found
