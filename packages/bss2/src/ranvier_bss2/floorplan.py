"""A picture of the chip: synapse blocks and circuit blocks, with how full they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .config import Bss2Config
    from .targets import Limits

SYNAPSE_HEIGHT = 4
"""Height of a block of synapses; circuits have 1."""


def floorplan(config: Bss2Config) -> dict[str, Any]:
    """Return rectangles of every execution instance, with how full they are.

    Both arrays of synapses lie around the two rows of circuits, in blocks of 32 columns: the
    circuits of one event output, and the synapses that feed them.

    Parameters
    ----------
    config : Bss2Config
        The chip.

    Returns
    -------
    dict
        ``"chips"`` (execution instances), ``"columns"``, ``"rows"`` (of one instance's grid) and
        ``"rectangles"``: a list of dictionaries with ``chip`` (execution instance), ``core``
        (number of the block), ``x``, ``y``, ``width``, ``height`` (instances are one block
        apart), ``occupancy`` (share of circuits in use, or of synapses that are not 0; 0..1),
        ``resource`` (``"circuits"`` or ``"synapses"``, None where the block is empty) and
        ``populations`` (neurons by node: those whose first circuit is here, or is fed here).
    """
    limits = config.limits
    blocks = limits.event_outputs
    rows = 2 * (SYNAPSE_HEIGHT + 1)
    rectangles = [
        {
            "chip": instance,
            "core": line * blocks + block,
            "x": instance * (blocks + 1) + block,
            "y": y,
            "width": 1,
            "height": height,
            **_content(config, limits, instance=instance, array=array, block=block, line=line),
        }
        for instance in range(config.instances)
        for line, (array, y, height) in enumerate(_lines())
        for block in range(blocks)
    ]
    return {
        "chips": config.instances,
        "columns": blocks,
        "rows": rows,
        "rectangles": rectangles,
    }


def _lines() -> list[tuple[int, int, int]]:
    """Return array, y and height of synapses, circuits, circuits, synapses, top to bottom."""
    h = SYNAPSE_HEIGHT
    return [(0, 0, h), (0, h, 1), (1, h + 1, 1), (1, h + 2, h)]


def _content(
    config: Bss2Config, limits: Limits, *, instance: int, array: int, block: int, line: int
) -> dict[str, Any]:
    width = limits.columns // limits.event_outputs
    columns = slice(block * width, (block + 1) * width)
    circuit = np.asarray(config.neuron_circuit)
    row, column = circuit // limits.columns, circuit % limits.columns
    here = (
        (np.asarray(config.neuron_instance) == instance)
        & (row == array)
        & (column // width == block)
    )
    synapses = line in (0, 3)
    if synapses:
        weight = config.synapse_weight[instance, array, :, columns]
        share = float(np.count_nonzero(weight)) / weight.size
    else:
        share = float(here.sum()) / width
    first = here & (np.asarray(config.neuron_rank) == 0)
    population = np.asarray(config.neuron_population)[first].astype(np.int64)
    held = np.bincount(population, minlength=len(config.populations))
    return {
        "occupancy": share,
        "resource": ("synapses" if synapses else "circuits") if share else None,
        "populations": {p.name: int(n) for p, n in zip(config.populations, held, strict=True) if n},
    }
