"""Biases and CAM entries with what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..biases import WEIGHT_BIASES
from ..config.codes import CAM_FLAGS, DENDRITES
from ..routing import place_of, position_of
from ..routing.packets import packets_of

if TYPE_CHECKING:
    from ..config import Dynapse2Config


@dataclass(frozen=True)
class BiasRow:
    """One bias of a core or chip.

    Parameters
    ----------
    chip : int
        Chip.
    core : int or None
        Core; None for a bias of the whole chip.
    bias : str
        Name.
    coarse, fine : int
        Code.
    current : float
        What the code gives, in A.
    """

    chip: int
    core: int | None
    bias: str
    coarse: int
    fine: int
    current: float


@dataclass(frozen=True)
class CamRow:
    """One CAM entry in use.

    Parameters
    ----------
    entry : int
        Its number, 0..63.
    tag : int
        Tag that opens it.
    synapse : str
        Type of synapse.
    mask : int
        Base currents that add up, bit k is base current k.
    current : float
        Their sum, in A.
    flags : tuple of str
        Switches that are on.
    sources : tuple of str
        Who opens it: ``"node[index]"``, or ``"chip.core.neuron"`` for neurons without a node.
    """

    entry: int
    tag: int
    synapse: str
    mask: int
    current: float
    flags: tuple[str, ...]
    sources: tuple[str, ...]


def bias_rows(config: Dynapse2Config) -> tuple[BiasRow, ...]:
    """Return all biases with codes and currents: by chip, those of its cores, then its own."""
    rows = []
    for chip in range(config.chips):
        for core in range(config.limits.cores_per_chip):
            coarse, fine = config.bias_coarse[chip, core], config.bias_fine[chip, core]
            rows += [
                _bias_row(config, name, int(coarse[k]), fine=int(fine[k]), place=(chip, core))
                for k, name in enumerate(config.bias_names)
            ]
        coarse, fine = config.chip_bias_coarse[chip], config.chip_bias_fine[chip]
        rows += [
            _bias_row(config, name, int(coarse[k]), fine=int(fine[k]), place=(chip, None))
            for k, name in enumerate(config.chip_bias_names)
        ]
    return tuple(rows)


def _bias_row(
    config: Dynapse2Config, name: str, coarse: int, *, fine: int, place: tuple[int, int | None]
) -> BiasRow:
    current = float(config.table.current(name, coarse, fine))
    return BiasRow(*place, name, coarse, fine, current)


def cam_rows(config: Dynapse2Config, chip: int, core: int, neuron: int) -> tuple[CamRow, ...]:
    """Return the CAM entries of a neuron that are in use, with who opens them.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    chip, core, neuron : int
        Place.

    Raises
    ------
    InputError
        The board has no such neuron.
    """
    position_of(config, chip, core=core, neuron=neuron)
    at = (chip, core, neuron)
    base = [float(config.current(name)[chip, core]) for name in WEIGHT_BIASES]
    senders = _senders(config, chip, core)
    rows = []
    for entry in np.flatnonzero(config.cam_dendrite[at]):
        mask, flags = int(config.cam_mask[at][entry]), int(config.cam_flags[at][entry])
        tag = int(config.cam_tag[at][entry])
        rows.append(
            CamRow(
                entry=int(entry),
                tag=tag,
                synapse=DENDRITES[int(config.cam_dendrite[at][entry])],
                mask=mask,
                current=sum(i for k, i in enumerate(base) if mask >> k & 1),
                flags=tuple(n for k, n in enumerate(CAM_FLAGS) if flags >> k & 1),
                sources=tuple(senders.get(tag, ())),
            )
        )
    return tuple(rows)


def _senders(config: Dynapse2Config, chip: int, core: int) -> dict[int, list[str]]:
    """Return who sends packets that a core hears, by tag."""
    packets, names = packets_of(config), _names(config)
    reach = packets.arrives & (packets.chip == chip) & ((packets.cores >> core & 1) == 1)
    found: dict[int, list[str]] = {}
    for tag, source in zip(
        packets.tag[reach].tolist(), packets.source[reach].tolist(), strict=True
    ):
        name = names.get(source)
        if name is None:
            name = ".".join(map(str, place_of(config, source - config.n_channels)))
        found.setdefault(tag, []).append(name)
    return found


def _names(config: Dynapse2Config) -> dict[int, str]:
    """Return the graph's names of channels and placed neurons, by number of the source."""
    names: dict[int, str] = {}
    start = 0
    for node, shape in config.input_shapes.items():
        size = int(np.prod(shape, dtype=np.int64))
        names |= {start + k: f"{node}[{k}]" for k in range(size)}
        start += size
    place = config.placement
    neurons = place.port.index("neuron") if "neuron" in place.port else -1
    for row in np.flatnonzero(place.port_id == neurons):
        position = position_of(
            config, int(place.chip[row]), core=int(place.core[row]), neuron=int(place.slot[row])
        )
        names[start + position] = f"{place.node[place.node_id[row]]}[{place.index[row]}]"
    return names
