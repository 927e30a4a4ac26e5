"""Weights of a network written into the synapses that a layout reserved for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

from ..layout import Layout
from ..targets import Limits, limits_of

UNUSED_LABEL = 63
"""Label of synapses that nothing uses: the last one that a placement gives to a source."""


def synapse_arrays(
    layout: Layout, weights: Mapping[int, NDArray[Any]], *, limits: Limits | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return weights and labels of all synapses of the chip, per execution instance.

    Parameters
    ----------
    layout : Layout
        Where the synapses are.
    weights : mapping of int to array of int, (n_target, n_source)
        Signed weights of every projection of the layout, by its number. A weight beyond 63 fills
        its synapses one after the other.
    limits : Limits
        Of the target; default: those of ``bss2``.

    Returns
    -------
    weight, label : array of uint8, (I, 2, 256, 256)
        By array, row and column; 0..63.

    Raises
    ------
    QuantizationError
        A weight has no synapses of its sign, or not enough; all projections are named.
    """
    limits = limits or limits_of()
    shape = (layout.instances, limits.arrays, limits.rows, limits.columns)
    weight, label = np.zeros(shape, np.uint8), np.full(shape, UNUSED_LABEL, np.uint8)
    value = np.zeros(layout.synapse_projection.size, dtype=np.int64)
    problems = []
    for projection, matrix in weights.items():
        own = np.flatnonzero(layout.synapse_projection == projection)
        target, source = layout.synapse_target[own], layout.synapse_source[own]
        sign = 1 - 2 * layout.synapse_sign[own]
        signed = np.asarray(matrix).astype(np.int64)
        left = np.maximum(signed[target, source] * sign, 0)
        value[own] = np.clip(
            left - limits.weight_max * layout.synapse_part[own], 0, limits.weight_max
        )
        rebuilt = np.zeros_like(signed)
        np.add.at(rebuilt, (target, source), value[own] * sign)
        lost = int((rebuilt != signed).sum())
        if lost:
            t, s = (int(k) for k in np.argwhere(rebuilt != signed)[0])
            problems.append(
                f"projection {projection}: {lost} weight(s), first {signed[t, s]} from {s} to {t}, "
                f"of which the synapses hold {rebuilt[t, s]}"
            )
    if problems:
        raise QuantizationError(
            f"bss2: {'; '.join(problems)}; clip the weights to what was placed, or map the graph "
            "again with these weights"
        )
    at = (
        layout.synapse_instance,
        layout.synapse_array,
        layout.synapse_row,
        layout.synapse_column,
    )
    weight[at], label[at] = value, layout.synapse_label
    return weight, label
