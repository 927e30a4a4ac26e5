"""Checks of a configuration's placement, outputs and latencies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..nodes import synapse_states
from ..targets import Limits

if TYPE_CHECKING:
    from .configuration import Dynapse2Config

PORTS = ("neuron", "input")
_STATES = ("i_ahp", "i_mem", "v_mem", "spikes")


def placement_problems(config: Dynapse2Config, limits: Limits) -> Iterator[str]:
    """Yield what is wrong with placement, inputs' tags and outputs."""
    place = config.placement
    odd = [port for port in place.port if port not in PORTS]
    if odd:
        yield f"placement: unknown ports {odd}; ports: {', '.join(PORTS)}"
        return
    columns = (place.node_id, place.index, place.chip, place.core, place.slot, place.port_id)
    if len({c.shape for c in columns}) != 1 or place.index.ndim != 1:
        yield f"placement: columns differ in shape: {sorted({str(c.shape) for c in columns})}"
        return
    ranges = (
        ("node_id", place.node_id, len(place.node)),
        ("port_id", place.port_id, len(place.port)),
        ("chip", place.chip, config.chips),
        ("core", place.core, limits.cores_per_chip),
    )
    outside = [p for name, values, n in ranges for p in _outside(f"placement: {name}", values, n)]
    yield from outside
    if outside:
        return
    yield from _neuron_problems(config, limits)
    yield from _input_problems(config, limits)
    yield from _output_problems(config)


def _outside(where: str, values: NDArray[np.int64], n: int) -> Iterator[str]:
    if values.size and (values.min() < 0 or values.max() >= n):
        yield f"{where} is {values.min()}..{values.max()}, allowed are 0..{n - 1}"


def _rows(config: Dynapse2Config, port: str) -> NDArray[np.int64]:
    place = config.placement
    number = place.port.index(port) if port in place.port else -1
    return np.flatnonzero(place.port_id == number)


def _neuron_problems(config: Dynapse2Config, limits: Limits) -> Iterator[str]:
    place, rows = config.placement, _rows(config, "neuron")
    outside = list(_outside("placement: slot", place.slot[rows], limits.neurons_per_core))
    if outside:
        yield from outside
        return
    position = (place.chip[rows] * limits.cores_per_chip + place.core[rows]) * (
        limits.neurons_per_core
    ) + place.slot[rows]
    where, count = np.unique(position, return_counts=True)
    if np.any(count > 1):
        first = int(where[count > 1][0])
        chip, rest = divmod(first, limits.cores_per_chip * limits.neurons_per_core)
        core, slot = divmod(rest, limits.neurons_per_core)
        yield (
            f"placement: {int((count > 1).sum())} physical neuron(s) hold several of the graph, "
            f"the first is chip {chip}, core {core}, neuron {slot}"
        )
    placed = {place.node[k] for k in np.unique(place.node_id[rows])}
    for name in sorted(placed - set(config.node_shapes)):
        yield f"placement: {name!r} has no shape in node_shapes"
    for name, shape in config.node_shapes.items():
        own = rows[place.node_id[rows] == place.node.index(name)] if name in placed else rows[:0]
        size = math.prod(shape)
        if not np.array_equal(np.sort(place.index[own]), np.arange(size)):
            yield (
                f"placement: {name!r} has {own.size} place(s) for {size} neuron(s) of shape "
                f"{shape}; every index 0..{size - 1} needs one"
            )


def _input_problems(config: Dynapse2Config, limits: Limits) -> Iterator[str]:
    """Compare the input rows of the placement with the packets of the inputs."""
    place, rows = config.placement, _rows(config, "input")
    starts, total = {}, 0
    for name, shape in config.input_shapes.items():
        starts[name] = (total, math.prod(shape))
        total += math.prod(shape)
    channel = np.full(rows.size, -1, dtype=np.int64)
    for number, name in enumerate(place.node):
        own = place.node_id[rows] == number
        if not own.any():
            continue
        if name not in starts:
            yield f"placement: {name!r} is no input; inputs: {list(starts)}"
            return
        start, size = starts[name]
        outside = list(_outside(f"placement: index of {name!r}", place.index[rows][own], size))
        yield from outside
        if outside:
            return
        channel[own] = start + place.index[rows][own]
    core = place.chip[rows] * limits.cores_per_chip + place.core[rows]
    outside = list(_outside("placement: slot (tag) of an input", place.slot[rows], limits.tags))
    yield from outside
    if outside:
        return
    written = np.unique(_keys(channel, core, place.slot[rows]))
    sent = np.unique(_keys(*_arrivals(config, limits)))
    if not np.array_equal(written, sent):
        yield (
            f"placement: {np.setdiff1d(sent, written).size} core(s) that input packets reach are "
            f"missing and {np.setdiff1d(written, sent).size} are wrong; one row per channel, tag "
            "and core"
        )


def _keys(
    channel: NDArray[np.int64], core: NDArray[np.int64], tag: NDArray[np.int64]
) -> NDArray[np.int64]:
    return np.asarray((channel << 32) | (core << 16) | tag)


def _arrivals(
    config: Dynapse2Config, limits: Limits
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return channel, core of the board and tag of every core that an input packet reaches."""
    x = config.input_x.astype(np.int64)
    lands = (x >= 0) & (x < config.chips) & (config.input_y == 0)
    bits = np.arange(limits.cores_per_chip)
    hit = lands[:, None] & (((config.input_cores[:, None] >> bits) & 1) == 1)
    row, core = np.nonzero(hit)
    return (
        config.input_channel[row],
        x[row] * limits.cores_per_chip + core,
        config.input_tag[row].astype(np.int64),
    )


def _output_problems(config: Dynapse2Config) -> Iterator[str]:
    known = {"i_syn", *synapse_states(), *_STATES}
    for channel in config.outputs:
        if channel.node not in config.node_shapes:
            yield (
                f"output {channel.output!r} shows {channel.node!r}, which is no placed node; "
                f"nodes: {list(config.node_shapes)}"
            )
        if channel.quantity not in known:
            yield (
                f"output {channel.output!r} shows {channel.quantity!r}; quantities: "
                f"{', '.join(sorted(known))}"
            )
