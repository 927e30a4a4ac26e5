"""A network as the flat arrays that the placement's kernels read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from ..network import LoihiNetwork, MappedConnection, MappedPopulation
from ._synapses import rows_of
from .budget import Budget

PARAMETERS = (
    "beta", "alpha", "threshold", "threshold_low", "refractory", "cosine", "sine",
)  # fmt: skip
"""What neurons of one group have in common, besides their population."""


class Net(NamedTuple):
    """Who feeds whom. Sources are numbered inputs first, then neurons in population order.

    A segment is one source within one connection.

    Parameters
    ----------
    n_inputs : int
        Input channels; source ``n_inputs + i`` is neuron i.
    row, segment : arrays of int, (n + 1,), (synapses,)
        Segments that feed each neuron.
    source, free : arrays of int, (segments,)
        Source of a segment; whether its synapses take no words (shared convolutions).
    first, own : arrays of int, (sources + 1,), (segments,)
        Segments of each source.
    kernel_row, kernel : arrays of int, (n + 1,), (entries,)
        Kernels (one output channel of one shared convolution) that each neuron needs.
    kernel_connection, kernel_bits : arrays of int, (kernels,)
        Number of the shared convolution, and size.
    group, threshold : arrays of int, (n,)
        Parameter set and threshold of each neuron, numbered.
    rate : array of float, (sources,)
        Spikes per unit of time; 0 for inputs, which come from outside.
    """

    n_inputs: int
    row: NDArray[np.int64]
    segment: NDArray[np.int32]
    source: NDArray[np.int32]
    free: NDArray[np.bool_]
    first: NDArray[np.int64]
    own: NDArray[np.int32]
    kernel_row: NDArray[np.int64]
    kernel: NDArray[np.int32]
    kernel_connection: NDArray[np.int32]
    kernel_bits: NDArray[np.int64]
    group: NDArray[np.int32]
    threshold: NDArray[np.int32]
    rate: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Number of neurons."""
        return int(self.group.size)


def bounds_of(network: LoihiNetwork) -> dict[str, tuple[int, int]]:
    """Return the sources of each input and population, ``{"hidden": (200, 456)}``."""
    found: dict[str, tuple[int, int]] = {}
    start = 0
    for name in (*network.inputs, *(p.name for p in network.populations)):
        found[name] = (start, start + network.size_of(name))
        start = found[name][1]
    return found


def connectivity(
    network: LoihiNetwork, budget: Budget, *, rates: Mapping[str, NDArray[Any]] | None = None
) -> Net:
    """Return the arrays of a network; ``rates`` per population, (1,) or (n,), default 1.

    Raises
    ------
    InputError
        Rates have a wrong number of values, or one is negative or not finite.
    """
    bounds = bounds_of(network)
    n_inputs = sum(network.size_of(name) for name in network.inputs)
    n_sources = max((stop for _, stop in bounds.values()), default=0)
    row, segment = _joined_rows(network, bounds, n_inputs=n_inputs)
    source, free = _segments(network, bounds, budget)
    order = np.argsort(source, kind="stable")
    first = np.searchsorted(source[order], np.arange(n_sources + 1))
    group, threshold = _groups(network.populations)
    return Net(
        n_inputs,
        row,
        segment,
        source,
        free,
        first.astype(np.int64),
        order.astype(np.int32),
        *_kernels(network, bounds, n_inputs=n_inputs, budget=budget),
        group,
        threshold,
        _rates(bounds, n_inputs=n_inputs, rates=rates or {}),
    )


def is_shared(connection: MappedConnection, budget: Budget) -> bool:
    """Say whether a core keeps the kernels of a connection once."""
    return budget.convolution_shared and connection.kind == "conv"


def _joined_rows(
    network: LoihiNetwork, bounds: Mapping[str, tuple[int, int]], *, n_inputs: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    n = max((stop for _, stop in bounds.values()), default=0) - n_inputs
    counts = np.zeros(n, dtype=np.int64)
    pieces, base = [], 0
    for c in network.connections:
        start, stop = (b - n_inputs for b in bounds[c.target])
        own, sources = rows_of(c, stop - start)
        counts[start:stop] += own
        sources += np.int32(base)
        pieces.append((start, own, sources))
        base += network.size_of(c.source)
    row = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    segment = np.empty(int(row[-1]), dtype=np.int32)
    place = row[:-1].copy()
    while pieces:
        start, own, sources = pieces.pop(0)
        stop = start + own.size
        shift = place[start:stop] - np.concatenate([[0], np.cumsum(own)[:-1]])
        segment[np.repeat(shift, own) + np.arange(sources.size)] = sources
        place[start:stop] += own
    return row, segment


def _segments(
    network: LoihiNetwork, bounds: Mapping[str, tuple[int, int]], budget: Budget
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    source = [np.arange(*bounds[c.source], dtype=np.int32) for c in network.connections]
    free = [
        np.full(s.size, is_shared(c, budget))
        for s, c in zip(source, network.connections, strict=True)
    ]
    return (
        np.concatenate([np.zeros(0, dtype=np.int32), *source]),
        np.concatenate([np.zeros(0, dtype=np.bool_), *free]),
    )


def _kernels(
    network: LoihiNetwork,
    bounds: Mapping[str, tuple[int, int]],
    *,
    n_inputs: int,
    budget: Budget,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    n = max((stop for _, stop in bounds.values()), default=0) - n_inputs
    neurons, kernels, owner, bits, base = [], [], [], [], 0
    shared = [c for c in network.connections if is_shared(c, budget)]
    for number, c in enumerate(shared):
        start, stop = (b - n_inputs for b in bounds[c.target])
        channels = c.weight.shape[0]
        neurons.append(np.arange(start, stop))
        kernels.append(base + np.repeat(np.arange(channels), (stop - start) // channels))
        owner.append(np.full(channels, number))
        bits.append(np.full(channels, c.weight[0].size * budget.bits_per_synapse))
        base += channels
    none = [np.zeros(0, dtype=np.int64)]
    neuron = np.concatenate(none + neurons)
    order = np.argsort(neuron, kind="stable")
    return (
        np.searchsorted(neuron[order], np.arange(n + 1)).astype(np.int64),
        np.concatenate(none + kernels)[order].astype(np.int32),
        np.concatenate(none + owner).astype(np.int32),
        np.concatenate(none + bits).astype(np.int64),
    )


def _groups(
    populations: tuple[MappedPopulation, ...],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number parameter sets and thresholds; those of two populations always count apart.

    Quantisation scales each population by itself: equal numbers need not stay equal.
    """
    group, threshold = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int32)]
    n_groups = n_thresholds = 0
    for p in populations:
        table = np.stack([p.full(name).astype(np.float64) for name in PARAMETERS], axis=1)
        own, n_groups = _numbered(table, n_groups)
        group.append(own)
        own, n_thresholds = _numbered(table[:, 2:3], n_thresholds)
        threshold.append(own)
    return np.concatenate(group), np.concatenate(threshold)


def _numbered(table: NDArray[np.float64], base: int) -> tuple[NDArray[np.int32], int]:
    if not len(table) or np.all(table == table[0]):
        return np.full(len(table), base, dtype=np.int32), base + 1
    kinds, number = np.unique(table, axis=0, return_inverse=True)
    return (base + number.ravel()).astype(np.int32), base + len(kinds)


def _rates(
    bounds: Mapping[str, tuple[int, int]], *, n_inputs: int, rates: Mapping[str, NDArray[Any]]
) -> NDArray[np.float64]:
    rate = np.ones(max((stop for _, stop in bounds.values()), default=0))
    rate[:n_inputs] = 0.0
    for name, values in rates.items():
        if name in bounds and bounds[name][0] >= n_inputs:
            start, stop = bounds[name]
            own = np.asarray(values, dtype=np.float64).ravel()
            if own.size not in (1, stop - start) or not np.all(np.isfinite(own) & (own >= 0)):
                raise InputError(
                    f"loihi: rates of {name!r} have {own.size} values; give 1 or {stop - start}, "
                    "finite and >= 0"
                )
            rate[start:stop] = own
    return rate
