"""Cutting the graph of neurons into parts of equal weight: METIS, or growing regions."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels._jit import jit
from ._connectivity import Net
from ._cost import Caps

Ints = NDArray[np.int32]
_EDGES = 5_000_000


class Graph(NamedTuple):
    """Sources as vertices: symmetric adjacency and the share of a core that each takes.

    Parameters
    ----------
    pointers, neighbours : arrays of int32, (n + 1,), (edges,)
        Compressed rows, both directions, no loops.
    weights : array of int32, (n,)
        0 for inputs, up to 1000.
    """

    pointers: Ints
    neighbours: Ints
    weights: Ints


def graph_of(net: Net, caps: Caps) -> Graph:
    """Return the graph of a network."""
    return Graph(*_symmetric(net), _weights(net, caps))


def partition(graph: Graph, *, parts: int, seed: int) -> NDArray[np.int64]:
    """Return the part of each vertex, (n,), 0..parts - 1.

    METIS cuts few edges; where pymetis is missing or fails, regions are grown instead.
    """
    try:
        import pymetis

        options = pymetis.Options()
        options.seed = seed
        adjacency = pymetis.CSRAdjacency(graph.pointers, graph.neighbours)
        found = pymetis.part_graph(parts, adjacency, vweights=graph.weights, options=options)
        return np.asarray(found.vertex_part, dtype=np.int64)
    except (ImportError, RuntimeError):  # any trouble of METIS is a RuntimeError
        return grown(graph, parts=parts)


def _weights(net: Net, caps: Caps) -> Ints:
    """Return the share of a core that each source takes; inputs take none."""
    load = np.diff(net.row) * caps.bits_per_synapse / caps.bits_per_word / caps.words
    share = np.maximum(load, 1.0 / caps.neurons)
    scaled = np.maximum(1, np.round(share / share.max() * 1000))
    return np.concatenate([np.zeros(net.n_inputs), scaled]).astype(np.int32)


def _symmetric(net: Net) -> tuple[Ints, Ints]:
    """Return pointers and neighbours of all sources, both directions, without loops.

    Of many synapses every n-th is taken: clusters show in a part of their edges.
    """
    from scipy import sparse  # type: ignore[import-untyped]

    size, step = net.n_inputs + net.n, 1 + net.segment.size // _EDGES
    source = net.source[net.segment[::step]]
    row = np.concatenate([np.zeros(net.n_inputs, dtype=np.int64), -(-net.row // step)])
    one = np.ones(source.size, dtype=np.int32)
    directed = sparse.csr_matrix((one, source, row.astype(np.int32)), shape=(size, size))
    directed.sum_duplicates()
    both = (directed + directed.T.tocsr()).tocsr()
    both.setdiag(0)
    both.data[:] = both.data != 0
    both.eliminate_zeros()
    both.sort_indices()
    return both.indptr.astype(np.int32), both.indices.astype(np.int32)


def grown(graph: Graph, *, parts: int) -> NDArray[np.int64]:
    """Cut a graph, (n,) parts, by growing one region after the other along its strongest ties."""
    weights = graph.weights.astype(np.int64)
    return _grow(graph.pointers, graph.neighbours, weights, parts)


@jit
def _grow(
    pointers: Ints, neighbours: Ints, weights: NDArray[np.int64], parts: int
) -> NDArray[np.int64]:
    n = weights.size
    part = np.full(n, -1, dtype=np.int64)
    share = (weights.sum() + parts - 1) // parts
    tie = np.zeros(n, dtype=np.int64)
    number, filled, seed = 0, 0, np.int64(0)
    heap = [(np.int64(0), np.int64(0))]
    for _ in range(n):
        if filled >= share and number < parts - 1:
            number, filled = number + 1, 0
            tie[:] = 0
            heap = [(np.int64(0), np.int64(0))]
        v = np.int64(-1)
        while len(heap) > 0 and v < 0:
            score, candidate = heapq.heappop(heap)
            if part[candidate] < 0 and -score == tie[candidate] and score < 0:
                v = candidate
        if v < 0:
            while part[seed] >= 0:
                seed += np.int64(1)
            v = seed
        part[v] = number
        filled += weights[v]
        for e in range(pointers[v], pointers[v + 1]):
            w = neighbours[e]
            if part[w] < 0:
                tie[w] += 1
                heapq.heappush(heap, (-tie[w], np.int64(w)))
    return part
