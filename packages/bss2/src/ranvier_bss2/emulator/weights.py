"""Weights of projections written into placed synapses, again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError, QuantizationError

from ..config import Bss2Config
from ..layout import Layout
from ..placement import synapse_arrays

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Synapses:
    """Synapses of one projection: where in its matrix, which sign and part, and where on chip."""

    entry: Ints
    sign: Ints
    base: Ints
    place: Ints
    shape: tuple[int, int]


class PlacedWeights:
    """The contents of all synapses, writable by projection.

    Parameters
    ----------
    config : Bss2Config
        Contents to start from.
    layout : Layout
        Where the synapses of its projections are.
    """

    def __init__(self, config: Bss2Config, layout: Layout) -> None:
        self._weight = np.array(config.synapse_weight, dtype=np.uint8)
        self._layout, self._limits = layout, config.limits
        sizes = {n: int(np.prod(s, dtype=np.int64)) for n, s in config.input_shapes.items()}
        sizes |= {p.name: p.size for p in config.populations}
        place = np.ravel_multi_index(
            (
                layout.synapse_instance,
                layout.synapse_array,
                layout.synapse_row,
                layout.synapse_column,
            ),
            self._weight.shape,
        )
        self._synapses = []
        for number, q in enumerate(config.projections):
            own = np.flatnonzero(layout.synapse_projection == number)
            shape = (sizes[q.target], sizes[q.source])
            entry = layout.synapse_target[own] * shape[1] + layout.synapse_source[own]
            sign = 1 - 2 * layout.synapse_sign[own]
            base = self._limits.weight_max * layout.synapse_part[own]
            self._synapses.append(_Synapses(entry, sign, base, place[own], shape))

    def write(self, weights: Mapping[int, NDArray[Any]]) -> NDArray[np.uint8]:
        """Write weights and return the contents of all synapses; nothing is written on an error.

        Raises
        ------
        InputError
            See `ranvier_bss2.emulator.Emulator.set_weights`; all problems are named.
        QuantizationError
            The synapses do not hold a weight.
        """
        problems = [p for number, matrix in weights.items() for p in self._faults(number, matrix)]
        if problems:
            raise InputError(f"bss2: {'; '.join(problems)}")
        changed = self._weight.copy()
        flat = changed.reshape(-1)
        for number, matrix in weights.items():
            own = self._synapses[number]
            wanted = np.asarray(matrix).astype(np.int64).reshape(-1)
            left = wanted[own.entry] * own.sign - own.base
            value = np.clip(left, 0, self._limits.weight_max)
            if int(value.sum()) != int(np.abs(wanted).sum()):
                self._explain(number, matrix)
            flat[own.place] = value
        self._weight = changed
        return changed

    def _faults(self, number: int, matrix: NDArray[Any]) -> list[str]:
        if not 0 <= number < len(self._synapses):
            return [f"no projection {number}; use 0..{len(self._synapses) - 1}"]
        values, shape = np.asarray(matrix), self._synapses[number].shape
        if values.shape != shape:
            return [f"projection {number}: shape {values.shape}, expected {shape}"]
        if values.dtype.kind not in "iub" and not np.array_equal(values, np.rint(values)):
            return [f"projection {number}: weights are not whole; round them first"]
        return []

    def _explain(self, number: int, matrix: NDArray[Any]) -> None:
        synapse_arrays(self._layout, {number: np.rint(matrix)}, limits=self._limits)
        raise QuantizationError(
            f"bss2: projection {number}: the layout holds some weights twice; map the graph again"
        )
