"""Arguments of the verb, checked with advice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..graph import Graph
from .tally import Readout


def chosen_output(graph: Graph, output: str | None) -> str:
    """Return the Output node that decides; raises `InputError` with the known names."""
    if output is None and len(graph.outputs) == 1:
        return graph.outputs[0]
    if output not in graph.outputs:
        raise InputError(
            f"compare: output {output!r}; the network's outputs are {list(graph.outputs)}, name one"
        )
    return output


def checked_labels(labels: Any, *, n_samples: int, n: int) -> NDArray[np.int64] | None:
    """Return labels as int64, (n_samples,); raises `InputError` for others than 0..n-1."""
    if labels is None:
        return None
    given = np.asarray(labels)
    if given.shape != (n_samples,) or given.dtype.kind not in "iu":
        raise InputError(
            f"compare: labels of shape {given.shape} and type {given.dtype}; give "
            f"{n_samples} integers, one per sample"
        )
    if n < 2 or given.min() < 0 or given.max() >= n:
        raise InputError(
            f"compare: labels are {given.min()}..{given.max()}, the output has "
            f"{n} channel(s); give channels of the output, of at least 2"
        )
    return given.astype(np.int64)


def checked_readout(readout: str) -> Readout:
    """Return ``"mean"`` or ``"max"``; raises `InputError` for anything else."""
    if readout == "mean" or readout == "max":
        return readout  # type: ignore[return-value]
    raise InputError(f"compare: readout is {readout!r}; choose 'mean' or 'max'")


def checked_tau(tau: float | None, dt: float) -> float:
    """Return a time constant, in s; ten steps for None. Raises `InputError` unless positive."""
    chosen = 10 * dt if tau is None else float(tau)
    if not (math.isfinite(chosen) and chosen > 0):
        raise InputError(f"compare: tau is {tau!r} s; give a positive time")
    return chosen


def at_least(value: int, lowest: int, *, name: str) -> int:
    """Return a whole number; raises `InputError` if it is none, or below the lowest."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < lowest:
        raise InputError(f"compare: {name} is {value!r}; give a whole number >= {lowest}")
    return int(value)
