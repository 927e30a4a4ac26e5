"""Checks of a configuration: shapes, types and ranges of every register, and references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..layout import CROSSBAR_INPUTS, CROSSBAR_OUTPUTS, ROW_MODES
from ..targets import Limits
from ._backgrounds import BACKGROUND, background_problems, background_ranges
from ._populations import population_problems, run_problems

if TYPE_CHECKING:
    from .configuration import Bss2Config

LABEL_BITS = 14
"""Bits of a label that the crossbar sees."""
NEURON = ("instance", "population", "index", "rank", "circuit")
SOURCE = ("instance", "projection", "channel", "link", "label")
_AXES = {
    "synapse_weight": ("execution instance", "array", "row", "column"),
    "synapse_label": ("execution instance", "array", "row", "column"),
    "row_mode": ("execution instance", "array", "row"),
    "driver_mask": ("execution instance", "array", "driver"),
    "node_mask": ("execution instance", "output", "input"),
    "node_target": ("execution instance", "output", "input"),
    "circuit_address": ("execution instance", "circuit"),
}


def register_problems(config: Bss2Config, limits: Limits) -> list[str]:
    """Return every problem of a configuration as a sentence with number, limit and place.

    Parameters
    ----------
    config : Bss2Config
        What is checked; nothing about its arrays is taken for granted.
    limits : Limits
        Of the target.

    Returns
    -------
    list of str
        Empty if the configuration can be written to a chip.
    """
    shaped = [
        p
        for name, kinds, shape in _expected(config, limits)
        for p in _form(name, getattr(config, name), kinds, shape)
    ]
    problems = [*shaped, *(p for q in config.populations for p in population_problems(q, limits))]
    problems += _end_problems(config)
    if problems:
        return problems
    for name, least, most in _ranges(config, limits):
        problems += _outside(name, getattr(config, name), least, most)
    if problems:
        return problems
    problems += _unreachable(config)
    problems += _silent_rows(config)
    problems += _place_problems(config)
    problems += _source_problems(config)
    problems += background_problems(config)
    return [*problems, *run_problems(config)]


def _expected(
    config: Bss2Config, limits: Limits
) -> Iterator[tuple[str, str, tuple[int | None, ...]]]:
    """Yield field, dtype or kinds of it, and shape; None is an axis of any length."""
    count = np.shape(config.synapse_weight)[:1] or (1,)
    array = (*count, limits.arrays)
    yield "synapse_weight", "uint8", (*array, limits.rows, limits.columns)
    yield "synapse_label", "uint8", (*array, limits.rows, limits.columns)
    yield "row_mode", "uint8", (*array, limits.rows)
    yield "driver_mask", "uint8", (*array, limits.drivers)
    yield "node_enabled", "bool", (*count, CROSSBAR_OUTPUTS, CROSSBAR_INPUTS)
    for name in ("node_mask", "node_target"):
        yield name, "integer", (*count, CROSSBAR_OUTPUTS, CROSSBAR_INPUTS)
    yield "circuit_address", "int16", (*count, limits.neuron_circuits)
    yield "background_regular", "bool", (np.size(config.background_instance),)
    for prefix, names in (("neuron", NEURON), ("source", SOURCE), ("background", BACKGROUND)):
        rows = np.size(getattr(config, f"{prefix}_instance"))
        for name in names:
            yield f"{prefix}_{name}", "integer", (rows,)


def _form(
    name: str, array: NDArray[Any], kind: str, shape: tuple[int | None, ...]
) -> Iterator[str]:
    if array.shape != shape:
        yield f"{name} has shape {array.shape}, expected {shape}"
    good = array.dtype.kind in "iu" if kind == "integer" else array.dtype == kind
    if not good:
        yield f"{name} is {array.dtype}, expected {kind}"


def _end_problems(config: Bss2Config) -> Iterator[str]:
    """Look at names: populations, ends of projections, outputs."""
    names = [p.name for p in config.populations]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"population {name!r} appears {names.count(name)} times, expected once"
    if not np.size(config.synapse_weight):
        yield "there are 0 execution instances, at least 1 is needed"
    for k, ends in enumerate(config.projections):
        if ends.source not in (*config.input_shapes, *config.background_shapes, *names):
            yield (
                f"projection {k} comes from {ends.source!r}, which is no input or population or "
                "background generator"
            )
        if ends.target not in names:
            yield f"projection {k} leads to {ends.target!r}, which is no population"
        if ends.delay < 0:
            yield f"projection {k} has delay {ends.delay}, must be >= 0"
    for channel in config.outputs:
        if channel.node not in names:
            yield f"output {channel.output!r} shows {channel.node!r}, which is no population"


def _ranges(config: Bss2Config, limits: Limits) -> Iterator[tuple[str, int, int]]:
    """Yield field, smallest and largest value."""
    last = config.instances - 1
    yield "synapse_weight", 0, limits.weight_max
    yield "synapse_label", 0, limits.label_max
    yield "row_mode", 0, len(ROW_MODES) - 1
    yield "driver_mask", 0, limits.row_address_max
    yield "node_mask", 0, (1 << LABEL_BITS) - 1
    yield "node_target", 0, (1 << LABEL_BITS) - 1
    yield "circuit_address", -1, limits.event_address_max
    yield "neuron_instance", 0, last
    yield "neuron_population", 0, len(config.populations) - 1
    yield "neuron_circuit", 0, limits.neuron_circuits - 1
    yield "source_instance", 0, last
    yield "source_projection", 0, len(config.projections) - 1
    yield "source_link", 0, limits.external_links - 1
    yield "source_label", 0, (1 << LABEL_BITS) - 1
    yield from background_ranges(config, limits)


def _outside(name: str, array: NDArray[Any], least: int, most: int) -> Iterator[str]:
    if not array.size or (int(array.min()) >= least and int(array.max()) <= most):
        return
    bad = (array < least) | (array > most)
    first = int(np.flatnonzero(bad)[0])
    yield (
        f"{name} is {int(array.flat[first])} at {_place(name, array, first)}, allowed are "
        f"{least}..{most} ({int(bad.sum())} value(s))"
    )


def _place(name: str, array: NDArray[Any], flat: int) -> str:
    """Name a position of an array in words."""
    at = [int(k) for k in np.unravel_index(flat, array.shape)]
    return ", ".join(f"{a} {k}" for a, k in zip(_AXES.get(name, ("entry",)), at, strict=True))


def _unreachable(config: Bss2Config) -> Iterator[str]:
    """Look for filters that let nothing pass."""
    never = config.node_enabled & ((config.node_target & ~config.node_mask) != 0)
    if never.any():
        first = int(np.flatnonzero(never)[0])
        yield (
            f"node_target is {int(config.node_target.flat[first])} outside of node_mask "
            f"{int(config.node_mask.flat[first])} at {_place('node_mask', never, first)} "
            f"({int(never.sum())} node(s)): no label passes; clear these bits or disable the node"
        )


def _silent_rows(config: Bss2Config) -> Iterator[str]:
    """Look for weights in rows that are switched off."""
    lost = (config.synapse_weight != 0) & (config.row_mode == 0)[..., None]
    if lost.any():
        first = int(np.flatnonzero(lost)[0])
        yield (
            f"synapse_weight is {int(config.synapse_weight.flat[first])} in a disabled row at "
            f"{_place('synapse_weight', lost, first)} ({int(lost.sum())} synapse(s)); enable the "
            "row or clear the weight"
        )


def _place_problems(config: Bss2Config) -> Iterator[str]:
    """Check that every neuron has its circuits, and every circuit one neuron."""
    place = np.stack([config.neuron_instance, config.neuron_circuit])
    _, count = np.unique(place, axis=1, return_counts=True)
    if np.any(count > 1):
        yield f"{int(np.sum(count > 1))} circuit(s) hold several neurons, at most 1 each"
    for k, p in enumerate(config.populations):
        rows = config.neuron_population == k
        index, rank = config.neuron_index[rows], config.neuron_rank[rows]
        wrong = (index < 0) | (index >= p.size) | (rank < 0) | (rank >= p.circuits)
        if wrong.any():
            yield f"population {p.name!r}: {int(wrong.sum())} circuit(s) of neurons or ranks that "
            yield f"it does not have (neurons 0..{p.size - 1}, ranks 0..{p.circuits - 1})"
            continue
        seen = np.bincount(index * p.circuits + rank, minlength=p.size * p.circuits)
        if np.any(seen != 1):
            yield (
                f"population {p.name!r}: {int(np.sum(seen != 1))} of {p.size * p.circuits} "
                "circuits are missing or double"
            )


def _source_problems(config: Bss2Config) -> Iterator[str]:
    """Check labels of external sources."""
    key = np.stack([config.source_instance, config.source_link, config.source_label])
    owner = np.stack([config.source_projection, config.source_channel])
    whole = np.unique(np.concatenate([key, owner]), axis=1)
    _, count = np.unique(whole[:3], axis=1, return_counts=True)
    if np.any(count > 1):
        yield f"{int(np.sum(count > 1))} label(s) stand for several sources of one instance"
    sizes = {n: int(np.prod(s, dtype=np.int64)) for n, s in config.input_shapes.items()}
    sizes |= {n: int(np.prod(s, dtype=np.int64)) for n, s in config.background_shapes.items()}
    sizes |= {p.name: p.size for p in config.populations}
    for k, ends in enumerate(config.projections):
        own = config.source_channel[config.source_projection == k]
        beyond = (own < 0) | (own >= sizes[ends.source])
        if beyond.any():
            yield (
                f"source_channel is {int(own[beyond][0])} for projection {k}, {ends.source!r} has "
                f"0..{sizes[ends.source] - 1}"
            )
