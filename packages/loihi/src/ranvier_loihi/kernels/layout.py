"""Arguments of the compiled loops, grouped: each is a tuple of arrays and whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Span(NamedTuple):
    """Steps to advance.

    Attributes
    ----------
    first : int
        Number of the first step within its chunk.
    n : int
        Number of steps.
    t : int
        Number of the first step within the run.
    step : int
        Steps before the run since the last reset.
    interval, offset : int
        Periodic reset of the population.
    """

    first: int
    n: int
    t: int
    step: int = 0
    interval: int = 0
    offset: int = 0


class Events(NamedTuple):
    """Messages by step: those of step k are ``ends[first + k]`` to ``ends[first + k + 1]``."""

    ends: Array
    first: int
    ids: Array
    values: Array


class Ring(NamedTuple):
    """Shape of a ring and how events enter and leave it.

    Attributes
    ----------
    slots, width : int
        Steps that it holds, and values per step.
    lead : int
        Steps from an event to the first slot that it can reach.
    spread : int
        1: a synaptic delay selects the slot, 0: the plane within it.
    left : int
        Shift of what leaves; negative is to the right.
    even : bool
        Whether all sources have the same axon delay.
    graded : bool
        Whether the value of a message counts.
    """

    slots: int
    width: int
    lead: int = 1
    spread: int = 1
    left: int = 0
    even: bool = True
    graded: bool = False


class Out(NamedTuple):
    """Where a population writes: events of the chunk, traces of the run, counts of losses.

    Attributes
    ----------
    fired, words : array of int8, of int64
        What each neuron emitted in this step, padded to eight; the same memory in words.
    ids, values, ends : array of int32, int64, int64
        Events of the chunk.
    first_trace, second_trace, third_trace, value_trace : array, (time, n) or (0, n)
        Recorded quantities.
    lost : array of int64, (2,)
        Currents wrapped and voltages clipped.
    """

    fired: Array
    words: Array
    ids: Array
    values: Array
    ends: Array
    first_trace: Array
    second_trace: Array
    third_trace: Array
    value_trace: Array
    lost: Array

    @classmethod
    def of(cls, n: int, *, chunk: int, traces: Sequence[Array]) -> Out:
        """Allocate for ``n`` neurons and chunks of so many steps."""
        fired = np.zeros(-(-n // 8) * 8, dtype=np.int8)
        first, second, third, value = traces
        return cls(
            fired,
            fired.view(np.int64),
            np.empty(n * chunk + 8, dtype=np.int32),
            np.empty(n * chunk + 8, dtype=np.int64),
            np.zeros(chunk + 1, dtype=np.int64),
            first,
            second,
            third,
            value,
            np.zeros(2, dtype=np.int64),
        )


class Lif(NamedTuple):
    """Registers of "lif" and "ternary" as the loop reads them."""

    keep_u: Array
    keep_v: Array
    high: Array
    low: Array
    refractory: Array


class Resonator(NamedTuple):
    """Registers of "rf" and "rf_iz"."""

    cosine: Array
    sine: Array
    high: Array
    state_exp: int


class Encoder(NamedTuple):
    """Registers of "delta" and "sigma_delta"."""

    bias: Array
    high: Array
    spike_exp: int
    state_exp: int
    sums: bool
    rectified: bool


class SparseNet(NamedTuple):
    """A sparse synapse, in the arrays of its configuration."""

    pointers: Array
    targets: Array
    weights: Array
    block: int
    n_target: int


class ConvNet(NamedTuple):
    """A convolution.

    Attributes
    ----------
    weights : array of int16, (c_in, kh, kw, c_out / groups)
        Kernels, output channels innermost.
    size : tuple of int
        (h, w) of the input.
    row_ptr, row_tap, row_out, col_ptr, col_tap, col_out : array of int64
        For each input row (column): the kernel rows that reach an output row, and which.
    columns_out, c_out, per_group : int
        Width and channels of the output; input channels per group.
    """

    weights: Array
    size: tuple[int, int]
    row_ptr: Array
    row_tap: Array
    row_out: Array
    col_ptr: Array
    col_tap: Array
    col_out: Array
    columns_out: int
    c_out: int
    per_group: int
