"""Valid random configurations of 1 to 4 chips, with the connections that they are meant to make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import OutputChannel, Placement
from ranvier_dynapse2.biases import (
    BUFFER_BIASES,
    CORE_BIASES,
    PARAMETER_BIASES,
    WEIGHT_BIASES,
    published_table,
)
from ranvier_dynapse2.config import DENDRITES, LATCHES, Dynapse2Config
from ranvier_dynapse2.config.codes import CHIP_BIASES, EXTRA_CORE_BIASES
from ranvier_dynapse2.nodes import CURRENTS, Dpi

CORES, NEURONS, ENTRIES, WORDS, TAGS = 4, 256, 64, 4, 2048
I_SCALE = 1e-8
BASE = (1.0, 2.0, 4.0, 8.0)
"""Base currents in units of the current scale: masks count."""
INPUTS = (6, 2)


@dataclass(frozen=True, eq=False)
class Intended:
    """Connections as the generator meant them, (n,) each; sources as in `routing`."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    port: NDArray[np.int64]
    mask: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """All columns side by side, sorted, (n, 4)."""
        return sorted_rows(self.source, self.target, self.port, mask=self.mask)


def sorted_rows(source: Any, target: Any, port: Any, *, mask: Any) -> NDArray[np.int64]:
    """Return columns side by side in a definite order, (n, 4)."""
    table = np.stack([np.asarray(c, dtype=np.int64) for c in (source, target, port, mask)], axis=1)
    return np.asarray(table[np.lexsort(table.T[::-1])])


def random_config(
    *,
    chips: int = 1,
    used: int = 12,
    inputs: tuple[int, ...] = INPUTS,
    fan_in: int = 8,
    shared: float = 0.2,
    all_monitored: bool = True,
    model: str = "merged_synapse",
    seed: int = 0,
    **changes: Any,
) -> tuple[Dynapse2Config, Intended]:
    """Return a board with random connections, and these.

    Parameters
    ----------
    chips : int
        1..4.
    used : int
        Neurons in use per core, 2..256, at random slots; the last quarter of all is "out".
    inputs : tuple of int
        Shape of the only input, "input".
    fan_in : int
        Most CAM entries per neuron, 1..64; all are used where enough tags reach a core.
    shared : float
        Probability that a packet takes the tag of an earlier one to the same cores.
    all_monitored : bool
        Whether the host hears all neurons or only "out".
    model : str
        Model of the synapses.
    seed : int
        Draws everything.
    **changes
        Fields of `Dynapse2Config` to replace.
    """
    rng = np.random.default_rng(seed)
    n_channels = int(np.prod(inputs))
    slots = np.stack(
        [np.sort(rng.choice(NEURONS, used, replace=False)) for _ in range(chips * CORES)]
    )
    positions = (np.arange(chips * CORES)[:, None] * NEURONS + slots).ravel()
    n_hidden = positions.size - positions.size // 4
    monitored = np.ones(positions.size, dtype=bool)
    monitored[:n_hidden] = all_monitored
    draft = _Draft(chips, n_channels, rng)
    for channel in range(n_channels):
        draft.send_inputs(channel, shared)
    for position, heard in zip(positions.tolist(), monitored.tolist(), strict=True):
        draft.send_neuron(position, shared, monitored=heard)
    intended = draft.listen(positions, fan_in)
    registers = draft.registers()
    fields: dict[str, Any] = {
        "target": "dynapse2",
        "dt": 1e-3,
        "input_shapes": {"input": inputs},
        "node_shapes": {"hidden": (n_hidden,), "out": (positions.size - n_hidden,)},
        "outputs": (OutputChannel(output="output", node="out"),),
        "placement": _placement(positions, n_hidden, registers, chips=chips),
        "chips": chips,
        "model": model,
        **_biases(chips),
        **registers,
        "latches": _latches(chips, positions),
    }
    return Dynapse2Config(**{**fields, **changes}), intended


def full_board(*, chips: int = 4, seed: int = 0) -> tuple[Dynapse2Config, Intended]:
    """Return a board whose neurons and CAM entries are all in use."""
    return random_config(chips=chips, used=NEURONS, inputs=(64,), fan_in=ENTRIES, seed=seed)


def wired_config(
    places: dict[str, list[tuple[int, int, int]]],
    *,
    chips: int = 1,
    channels: int = 1,
    packets: Any = (),
    words: Any = (),
    entries: Any = (),
    model: str = "merged_synapse",
    **changes: Any,
) -> Dynapse2Config:
    """Return a board wired by hand; the last node is the output.

    Parameters
    ----------
    places : dict of str to list of (chip, core, neuron)
        By node, in order of the index.
    chips, channels : int
        Sizes of the board and of the input.
    packets : sequence of (channel, tag, cores, x)
        Packets of the input.
    words : sequence of ((chip, core, neuron), tag, cores, x)
        Words of neurons, besides those of the monitor, which all placed neurons have.
    entries : sequence of ((chip, core, neuron), tag, dendrite, mask)
        CAM entries; they fill the CAM in this order.
    model : str
        Model of the synapses.
    **changes
        Fields to replace.
    """
    draft = _Draft(chips, channels, np.random.default_rng(0))
    nodes = list(places)
    rows = []
    for number, name in enumerate(nodes):
        for index, (chip, core, neuron) in enumerate(places[name]):
            draft.word((chip, core, neuron), tag=core * NEURONS + neuron, cores=15, hops=(-7, -7))
            rows.append((number, index, chip, core, neuron, 0))
    for place, tag, cores, x in words:
        draft.word(place, tag=tag, cores=cores, hops=(x, 0))
    for (chip, core, neuron), tag, dendrite, mask in entries:
        free = int(np.flatnonzero(draft.cam["cam_dendrite"][chip, core, neuron] == 0)[0])
        at = (chip, core, neuron, free)
        draft.cam["cam_tag"][at], draft.cam["cam_mask"][at] = tag, mask
        draft.cam["cam_dendrite"][at] = DENDRITES.index(dendrite)
    draft.inputs = list(packets)
    rows += [
        (len(nodes), channel, x, k, tag, 1)
        for channel, tag, cores, x in packets
        for k in range(CORES)
        if cores >> k & 1
    ]
    table = np.asarray(rows, dtype=np.int64).reshape(-1, 6)
    columns = [np.ascontiguousarray(c) for c in table.T]
    placed = np.array([(h * CORES + c) * NEURONS + n for p in places.values() for h, c, n in p])
    fields: dict[str, Any] = {
        "target": "dynapse2",
        "dt": 1e-3,
        "input_shapes": {"input": (channels,)},
        "node_shapes": {name: (len(p),) for name, p in places.items()},
        "outputs": (OutputChannel(output="output", node=nodes[-1]),),
        "placement": Placement((*nodes, "input"), ("neuron", "input"), *columns),
        "chips": chips,
        "model": model,
        **_biases(chips),
        **draft.registers(),
        "latches": _latches(chips, placed),
    }
    return Dynapse2Config(**{**fields, **changes})


def replaced(config: Dynapse2Config, **changes: Any) -> Dynapse2Config:
    """Return a configuration with some fields replaced, validated again."""
    return Dynapse2Config(
        **{**{name: getattr(config, name) for name in Dynapse2Config.model_fields}, **changes}
    )


class _Draft:
    """Registers while they are filled."""

    def __init__(self, chips: int, n_channels: int, rng: np.random.Generator) -> None:
        self.chips, self.n_channels, self.rng = chips, n_channels, rng
        self.taken = np.zeros((chips, CORES, TAGS), dtype=bool)
        self.senders: dict[tuple[int, int], list[list[int]]] = {}
        """By chip and core: lists of sources per tag."""
        self.tags: dict[tuple[int, int], list[int]] = {}
        self.routes: dict[tuple[int, int], list[int]] = {}
        """Tags by chip and mask, for packets that share one."""
        size = (chips, CORES, NEURONS)
        self.cam = {
            name: np.zeros((*size, ENTRIES), dtype=kind)
            for name, kind in (
                ("cam_tag", np.uint16),
                ("cam_mask", np.uint8),
                ("cam_dendrite", np.uint8),
                ("cam_flags", np.uint8),
            )
        }
        self.sram = {
            name: np.zeros((*size, WORDS), dtype=kind)
            for name, kind in (
                ("sram_used", bool),
                ("sram_tag", np.uint16),
                ("sram_cores", np.uint8),
                ("sram_x", np.int8),
                ("sram_y", np.int8),
            )
        }
        self.inputs: list[tuple[int, int, int, int]] = []

    def route(self, source: int, chip: int, *, shared: float) -> tuple[int, int] | None:
        """Choose cores and tag of a packet to a chip; None if no tag is free."""
        mask = int(self.rng.choice([1, 2, 4, 8, 1, 2, 4, 8, 5, 15]))
        cores = [k for k in range(CORES) if mask >> k & 1]
        before = self.routes.setdefault((chip, mask), [])
        if before and self.rng.random() < shared:
            tag = int(self.rng.choice(before))
        else:
            free = np.flatnonzero(~self.taken[chip, cores].any(axis=0))
            if not free.size:
                return None
            tag = int(self.rng.choice(free))
            before.append(tag)
        for core in cores:
            self.hear(source, (chip, core), tag=tag)
        return mask, tag

    def hear(self, source: int, place: tuple[int, int], *, tag: int) -> None:
        tags = self.tags.setdefault(place, [])
        senders = self.senders.setdefault(place, [])
        if not self.taken[(*place, tag)]:
            self.taken[(*place, tag)] = True
            tags.append(tag)
            senders.append([])
        senders[tags.index(tag)].append(source)

    def send_inputs(self, channel: int, shared: float) -> None:
        if channel % 5 == 4:  # drives nothing
            return
        n = int(self.rng.integers(1, self.chips + 1))
        for chip in self.rng.choice(self.chips, n, replace=False).tolist():
            found = self.route(channel, chip, shared=shared)
            if found:
                self.inputs.append((channel, found[1], found[0], chip))

    def send_neuron(self, position: int, shared: float, *, monitored: bool) -> None:
        at = np.unravel_index(position, (self.chips, CORES, NEURONS))
        if monitored:
            self.word(at, tag=position % (CORES * NEURONS), cores=15, hops=(-7, -7))
        n = int(self.rng.integers(0, min(WORDS - monitored, self.chips) + 1))
        for chip in self.rng.choice(self.chips, n, replace=False).tolist():
            found = self.route(self.n_channels + position, chip, shared=shared)
            if found:
                hops = (chip - int(at[0]), 0)
                self.word(at, tag=found[1], cores=found[0], hops=hops)

    def word(self, place: Any, *, tag: int, cores: int, hops: tuple[int, int]) -> None:
        """Fill the first free word of a neuron."""
        at = (*place, int(np.flatnonzero(~self.sram["sram_used"][tuple(place)])[0]))
        self.sram["sram_used"][at] = True
        self.sram["sram_tag"][at] = tag
        self.sram["sram_cores"][at] = cores
        self.sram["sram_x"][at], self.sram["sram_y"][at] = hops

    def listen(self, positions: NDArray[np.int64], fan_in: int) -> Intended:
        """Fill the CAM of neurons with tags that reach their core."""
        found: list[tuple[NDArray[np.int64], ...]] = []
        for position in positions.tolist():
            chip, core, neuron = np.unravel_index(position, (self.chips, CORES, NEURONS))
            place = (int(chip), int(core))
            tags = np.asarray(self.tags.get(place, []), dtype=np.int64)
            n = min(fan_in, tags.size)
            chosen = self.rng.choice(tags.size, n, replace=False) if n else tags
            entries = np.sort(self.rng.choice(ENTRIES, n, replace=False))
            mask = self.rng.integers(1, 16, n)
            dendrite = self.rng.choice([1, 1, 1, 2, 3, 4], n)
            at = (chip, core, neuron, entries)
            self.cam["cam_tag"][at] = tags[chosen]
            self.cam["cam_mask"][at], self.cam["cam_dendrite"][at] = mask, dendrite
            lists = [self.senders[place][k] for k in chosen.tolist()]
            count = [len(sources) for sources in lists]
            found.append(
                (
                    np.asarray([s for sources in lists for s in sources], dtype=np.int64),
                    np.full(sum(count), position, dtype=np.int64),
                    np.repeat(dendrite - 1, count),
                    np.repeat(mask, count),
                )
            )
        return Intended(*(np.concatenate(c) for c in zip(*found, strict=True)))

    def registers(self) -> dict[str, Any]:
        rows = np.asarray(self.inputs, dtype=np.int64).reshape(-1, 4)
        return {
            **self.cam,
            **self.sram,
            "input_channel": rows[:, 0].copy(),
            "input_tag": rows[:, 1].astype(np.uint16),
            "input_cores": rows[:, 2].astype(np.uint8),
            "input_x": rows[:, 3].astype(np.int8),
            "input_y": np.zeros(len(rows), dtype=np.int8),
        }


def _placement(
    positions: NDArray[np.int64], n_hidden: int, registers: dict[str, Any], *, chips: int
) -> Placement:
    rows = []
    for channel, tag, cores, chip in zip(
        *(registers[f"input_{n}"].tolist() for n in ("channel", "tag", "cores", "x")), strict=True
    ):
        rows += [(2, channel, chip, k, tag, 1) for k in range(CORES) if cores >> k & 1]
    chip, core, slot = np.unravel_index(positions, (chips, CORES, NEURONS))
    index = np.arange(positions.size)
    out = index >= n_hidden
    neurons = np.stack(
        [out, np.where(out, index - n_hidden, index), chip, core, slot, 0 * index], axis=1
    )
    table = np.concatenate([neurons, np.asarray(rows, dtype=np.int64).reshape(-1, 6)])
    columns = [np.ascontiguousarray(c) for c in table.astype(np.int64).T]
    return Placement(("hidden", "out", "input"), ("neuron", "input"), *columns)


def _latches(chips: int, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    latches = np.zeros((chips * CORES * NEURONS, len(LATCHES)), dtype=bool)
    latches[positions, LATCHES.index("so_dc")] = True
    return latches.reshape(chips, CORES, NEURONS, len(LATCHES))


@cache
def _codes() -> tuple[tuple[int, int], ...]:
    table, node = published_table(), Dpi(shape=(1,))
    currents = {PARAMETER_BIASES[n]: float(getattr(node, n).ravel()[0]) for n in CURRENTS}
    currents |= {n: b * I_SCALE for n, b in zip(WEIGHT_BIASES, BASE, strict=True)}
    found = [tuple(table.code(n, currents[n])) for n in CORE_BIASES]
    return (*found, *(BUFFER_BIASES[n] for n in EXTRA_CORE_BIASES))


def _biases(chips: int) -> dict[str, Any]:
    codes = np.asarray(_codes(), dtype=np.uint8)
    extra = np.asarray([BUFFER_BIASES[n] for n in CHIP_BIASES], dtype=np.uint8)
    core, chip = np.ones((chips, CORES, 1), np.uint8), np.ones((chips, 1), np.uint8)
    return {
        "bias_names": (*CORE_BIASES, *EXTRA_CORE_BIASES),
        "bias_coarse": core * codes[:, 0],
        "bias_fine": core * codes[:, 1],
        "chip_bias_names": CHIP_BIASES,
        "chip_bias_coarse": chip * extra[:, 0],
        "chip_bias_fine": chip * extra[:, 1],
        "i_scale": np.full((chips, CORES), I_SCALE),
        "drive_factor": np.ones((chips, CORES)),
        "bias_table": published_table().currents,
    }


def shuffled_placement(config: Dynapse2Config, *, seed: int = 0) -> Dynapse2Config:
    """Return the same board with the rows of its placement in another order."""
    place = config.placement
    order = np.random.default_rng(seed).permutation(len(place))
    columns = ("node_id", "index", "chip", "core", "slot", "port_id")
    rows = [getattr(place, name)[order] for name in columns]
    return replaced(config, placement=Placement(place.node, place.port, *rows))
