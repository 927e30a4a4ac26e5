"""Where refinement starts from: layer order, or a partition of the graph."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..network import LoihiNetwork
from ._checks import least_cores
from ._connectivity import Net
from ._cost import Caps, State, state_of, table_bytes
from ._fill import fill
from ._partition import graph_of, partition
from ._refine import WORK, compact
from .budget import Budget

_METIS_NEURONS = 64
_METIS_SYNAPSES = 20_000_000
_ONE_PARTITION = 5_000_000
Cores = NDArray[np.int32]


def best_start(
    network: LoihiNetwork, net: Net, budget: Budget, *, seed: int, most_bytes: int
) -> tuple[Cores, State | None]:
    """Return the cheapest start and its counters; None where the counters are too large.

    Candidates: each population on cores of its own with gaps filled afterwards, populations one
    after the other, and METIS partitions.
    """
    caps = Caps.of(budget)
    separate, orders = _layers(network, net, caps)
    together = fill(net, caps, orders, np.arange(net.n))
    chained = np.empty(net.n, dtype=np.int32)
    chained[orders] = together
    candidates = [separate, chained]
    if table_bytes(net, int(max(c.max(initial=0) for c in candidates)) + 1) > most_bytes:
        return min(candidates, key=lambda c: int(c.max(initial=0))), None
    best = _cheapest(net, caps, candidates)
    if net.n >= _METIS_NEURONS and net.segment.size <= _METIS_SYNAPSES and best.used > 1:
        least = least_cores(net, budget)
        parts = list(_partitioned(net, caps, cores=best.used, least=least, seed=seed))
        parts = [p for p in parts if table_bytes(net, int(p.max()) + 1) <= most_bytes]
        best = _cheapest(net, caps, parts, best=best)
    return best.core, best


def _cheapest(net: Net, caps: Caps, candidates: list[Cores], *, best: State | None = None) -> State:
    for core in candidates:
        state = state_of(net, caps, core)
        if best is None or state.used <= 2 * best.used:
            compact(net, state, caps, work=WORK // 8)
        if best is None or state.cost < best.cost:
            best = state
    if best is None:
        raise ValueError("no candidate")
    return best


def _layers(network: LoihiNetwork, net: Net, caps: Caps) -> tuple[Cores, NDArray[np.int64]]:
    """Return cores, each population on its own, and the order of neurons that needed fewest."""
    core = np.zeros(net.n, dtype=np.int32)
    orders = [np.zeros(0, dtype=np.int64)]
    start = used = 0
    for p in network.populations:
        stop = start + p.size
        best: tuple[int, Cores, NDArray[np.int64]] | None = None
        for order in _orders(net, caps, start, stop, p.shape):
            if best is not None and best[0] * caps.neurons < p.size:
                break
            own = fill(net, caps, order, order)
            if best is None or int(own[-1]) < best[0]:
                best = (int(own[-1]), own, order)
        if best is not None:
            own = _balanced(net, caps, best[2], cores=best[0] + 1, otherwise=best[1])
            core[best[2]] = own + used
            used += best[0] + 1
            orders.append(best[2])
        start = stop
    return core, np.concatenate(orders)


def _orders(
    net: Net, caps: Caps, start: int, stop: int, shape: tuple[int, ...]
) -> Iterator[NDArray[np.int64]]:
    """Yield orders of a population: as it is, by groups, rows across channels, blocks of them."""
    natural = np.arange(start, stop)
    yield natural
    group, threshold = net.group[start:stop], net.threshold[start:stop]
    kinds = (np.unique(group).size, np.unique(threshold).size)
    if kinds[0] > caps.groups or kinds[1] > caps.thresholds:
        yield natural[np.lexsort((group, threshold))]
        yield natural[np.argsort(group, kind="stable")]
    if len(shape) != 3 or shape[0] < 2 or stop - start <= 1:
        return
    channels, height, width = shape
    channel, y, x = np.unravel_index(np.arange(stop - start), (channels, height, width))
    blocks = 1
    while blocks < channels:
        block = channel * blocks // channels
        yield natural[np.lexsort((channel, x, y, block))]
        if blocks > 1:
            for bands in (2, 4):
                band = y * bands // height
                yield natural[np.lexsort((x, y, channel, block, band))]
        blocks *= 2


def _balanced(
    net: Net, caps: Caps, order: NDArray[np.int64], *, cores: int, otherwise: Cores
) -> Cores:
    """Split a population into equal parts where that takes no more cores."""
    units = np.arange(order.size) * cores // order.size
    own = fill(net, caps, order, units)
    return own if np.array_equal(own, units) else otherwise


def _partitioned(net: Net, caps: Caps, *, cores: int, least: int, seed: int) -> Iterator[Cores]:
    """Yield placements along METIS partitions, into few parts and into as many as layers took."""
    graph = graph_of(net, caps)
    few = max(2, least + least // 16)
    for parts in sorted({few, cores} if net.segment.size <= _ONE_PARTITION else {few}):
        part = partition(graph, parts=parts, seed=seed)[net.n_inputs :]
        order = np.argsort(part, kind="stable").astype(np.int64)
        core = np.empty(net.n, dtype=np.int32)
        core[order] = fill(net, caps, order, part[order])
        yield core
