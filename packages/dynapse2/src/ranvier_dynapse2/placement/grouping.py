"""Sources with equal synapses share tags: who belongs together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_PORTS = 4


class Grouped(NamedTuple):
    """Synapses of groups of sources.

    Parameters
    ----------
    group : array of int64, (n_sources,)
        Group of every source, numbered by first source; -1: the source drives nothing.
    synapse_group, synapse_target, synapse_port : array of int64, (S,)
        Group, neuron and port; sorted by target, then group, then port; each triple once.
    synapse_weight : array of float64, (S,)
        Magnitude of the weight, > 0.
    """

    group: Ints
    synapse_group: Ints
    synapse_target: Ints
    synapse_port: Ints
    synapse_weight: Floats

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max(initial=-1)) + 1

    def entries(self, n_neurons: int) -> Ints:
        """Return the CAM entries that each neuron needs, (n_neurons,)."""
        return np.bincount(self.synapse_target, minlength=n_neurons).astype(np.int64)


class _Lists(NamedTuple):
    source: Ints
    target: Ints
    port: Ints
    weight: Floats


def group_sources(
    n_sources: int,
    source: ArrayLike,
    target: ArrayLike,
    port: ArrayLike,
    weight: ArrayLike,
    *,
    share: bool = True,
) -> Grouped:
    """Put sources whose outgoing synapses are all exactly equal into one group.

    Synapses between the same source, target and port add up; synapses of weight 0 are dropped.

    Parameters
    ----------
    n_sources : int
        Input channels first, then neurons.
    source, target, port : array of int, (S,)
        Source, neuron (0 is the first neuron) and port 0..3 of every synapse.
    weight : array, (S,)
        Magnitude of the weight, >= 0.
    share : bool
        False gives every source with synapses a group of its own.

    Raises
    ------
    InputError
        A weight is negative or not finite, or a source or port is out of range.

    Examples
    --------
    >>> group_sources(3, [0, 1, 2], [0, 0, 1], [0, 0, 0], [0.5, 0.5, 0.5]).group
    array([0, 0, 1])
    """
    lists = _merged(*_checked(n_sources, source, target, port, weight))
    leader = _leaders(n_sources, lists) if share else np.arange(n_sources)
    leader[np.bincount(lists.source, minlength=n_sources) == 0] = -1
    group = np.full(n_sources, -1, dtype=np.int64)
    active = leader >= 0
    group[active] = np.unique(leader[active], return_inverse=True)[1].ravel()
    kept = leader[lists.source] == lists.source
    of = group[lists.source[kept]]
    order = np.lexsort((lists.port[kept], of, lists.target[kept]))
    return Grouped(
        group,
        of[order],
        lists.target[kept][order],
        lists.port[kept][order],
        lists.weight[kept][order],
    )


def _checked(
    n_sources: int, source: ArrayLike, target: ArrayLike, port: ArrayLike, weight: ArrayLike
) -> _Lists:
    lists = _Lists(
        np.asarray(source, dtype=np.int64),
        np.asarray(target, dtype=np.int64),
        np.asarray(port, dtype=np.int64),
        np.asarray(weight, dtype=np.float64),
    )
    bad = []
    for name, values, limit in (
        ("source", lists.source, n_sources),
        ("port", lists.port, _PORTS),
        ("target", lists.target, 1 << 32),
    ):
        wrong = int(np.count_nonzero((values < 0) | (values >= limit)))
        if wrong:
            bad.append(f"{wrong} values of {name} outside 0..{limit - 1}")
    wrong = int(np.count_nonzero(~(np.isfinite(lists.weight) & (lists.weight >= 0))))
    if wrong:
        bad.append(f"{wrong} weights that are negative or not finite")
    if bad:
        raise InputError(
            f"dynapse2: synapses: {'; '.join(bad)}; give magnitudes and select the sign by the port"
        )
    return lists


def _merged(source: Ints, target: Ints, port: Ints, weight: Floats) -> _Lists:
    """Return synapses sorted by source, target and port, each triple once, none of weight 0."""
    order = np.lexsort((port, target, source))
    source, target, port, weight = source[order], target[order], port[order], weight[order]
    if source.size:
        new = np.ones(source.size, dtype=np.bool_)
        new[1:] = (np.diff(source) != 0) | (np.diff(target) != 0) | (np.diff(port) != 0)
        first = np.flatnonzero(new)
        weight = np.add.reduceat(weight, first)
        source, target, port = source[first], target[first], port[first]
    kept = weight > 0
    return _Lists(source[kept], target[kept], port[kept], weight[kept])


def _leaders(n_sources: int, lists: _Lists) -> Ints:
    """Return for every source the first source with equal synapses, (n_sources,).

    Sources are compared synapse by synapse; sums of hashes say which ones are worth comparing.
    """
    length = np.bincount(lists.source, minlength=n_sources)
    first = np.concatenate([[0], np.cumsum(length)])
    total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(_hashes(lists))])
    digest = total[first[1:]] - total[first[:-1]]
    order = np.lexsort((np.arange(n_sources), digest, length))
    start = np.ones(n_sources, dtype=np.bool_)
    start[1:] = (np.diff(digest[order]) != 0) | (np.diff(length[order]) != 0)
    head = order[np.maximum.accumulate(np.where(start, np.arange(n_sources), 0))]
    leader = np.empty(n_sources, dtype=np.int64)
    leader[order] = head
    differs = np.zeros(n_sources, dtype=np.bool_)
    twin = np.arange(lists.source.size) - first[lists.source] + first[leader[lists.source]]
    unequal = np.zeros(lists.source.size, dtype=np.bool_)
    for values in (lists.target, lists.port, lists.weight):
        unequal |= values != values[twin]
    differs[lists.source[unequal]] = True
    return np.where(differs, np.arange(n_sources), leader)


def _hashes(lists: _Lists) -> NDArray[np.uint64]:
    """Return a number per synapse that depends on target, port and weight (splitmix64)."""
    where = (lists.target * _PORTS + lists.port).astype(np.uint64)
    return _mixed(_mixed(where) ^ lists.weight.view(np.uint64))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed
