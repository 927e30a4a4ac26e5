"""Checks of background generators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..layout import BACKGROUND_INPUT
from ..targets import Limits

if TYPE_CHECKING:
    from .configuration import Bss2Config

BACKGROUND = ("instance", "node", "generator", "label", "mask", "period", "rate", "seed")
SAME = ("mask", "regular", "period", "rate", "seed")
"""What all rows of one node have in common."""
LABEL_MAX, MASK_MAX = (1 << 14) - 1, (1 << 8) - 1
"""Bits of a label, and its lowest ones: those that a generator draws."""


def background_ranges(config: Bss2Config, limits: Limits) -> Iterator[tuple[str, int, int]]:
    """Yield field, smallest and largest value.

    Parameters
    ----------
    config : Bss2Config
        For the number of execution instances and nodes.
    limits : Limits
        Of the target.
    """
    yield "background_instance", 0, config.instances - 1
    yield "background_node", 0, len(config.background_shapes) - 1
    yield "background_generator", 0, limits.background_sources - 1
    yield "background_label", 0, LABEL_MAX
    yield "background_mask", 0, MASK_MAX
    yield "background_period", 1, limits.background_period_max
    yield "background_rate", 0, limits.background_rate_max
    yield "background_seed", 0, limits.background_seed_max


def background_problems(config: Bss2Config) -> Iterator[str]:
    """Yield what is wrong with generators beyond ranges.

    Parameters
    ----------
    config : Bss2Config
        With values in range.
    """
    place = np.stack([config.background_instance, config.background_generator])
    _, count = np.unique(place, axis=1, return_counts=True)
    if np.any(count > 1):
        yield f"{int(np.sum(count > 1))} background generator(s) serve several nodes, at most 1"
    for number, (name, shape) in enumerate(config.background_shapes.items()):
        where = f"background generator {name!r}"
        rows = np.flatnonzero(config.background_node == number)
        if not rows.size:
            yield f"{where}: has no generator; leave it out of background_shapes"
            continue
        for field in SAME:
            values = np.unique(getattr(config, f"background_{field}")[rows])
            if values.size > 1:
                yield f"{where}: background_{field} is {values.tolist()}, must be one value"
        channels = 1 << int(config.background_mask[rows[0]]).bit_count()
        size = int(np.prod(shape, dtype=np.int64))
        if channels != size:
            yield f"{where}: background_mask draws from {channels} labels, its shape has {size}"
        if channels > 1 and config.background_regular[rows[0]]:
            yield f"{where}: is regular and has {channels} channels, a regular one has 1"
        if np.any(config.background_label[rows] & config.background_mask[rows]):
            yield f"{where}: background_label has bits that are drawn; clear them"
        yield from _closed(config, where, rows.tolist())


def _closed(config: Bss2Config, where: str, rows: list[int]) -> Iterator[str]:
    """Look for crossbar nodes that let nothing of a generator through to its bus."""
    for row in rows:
        generator = int(config.background_generator[row])
        node = (int(config.background_instance[row]), generator, BACKGROUND_INPUT + generator)
        if not config.node_enabled[node]:
            yield (
                f"{where}: node_enabled is False at execution instance {node[0]}, output {node[1]},"
                f" input {node[2]}: its events reach nothing; enable it"
            )
