"""Neurons with equal parameters form clusters; a core holds neurons of one cluster only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ..biases import PARAMETER_BIASES, published_table
from ..network import Population
from ..nodes import CURRENTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCALE = "i_scale"
PARAMETERS = (*CURRENTS, SCALE)
"""What neurons of a core share."""
_TRIES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Tolerances that an error message tries out."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of neurons and their parameters.

    Parameters
    ----------
    cluster : array of int, (N,)
        Cluster of every neuron, numbered by first neuron.
    values : array, (K, 20)
        `PARAMETERS` of every cluster, in A.
    """

    cluster: Ints
    values: Floats

    @property
    def sizes(self) -> Ints:
        """Neurons of every cluster, (K,)."""
        return np.bincount(self.cluster, minlength=len(self.values)).astype(np.int64)

    def cores(self, neurons_per_core: int) -> int:
        """Return how many cores the clusters take at least."""
        return int(np.sum(-(-self.sizes // neurons_per_core)))

    def currents(self) -> dict[str, Floats]:
        """Return every current by name, (N,), in A."""
        return {name: self.values[self.cluster, k] for k, name in enumerate(CURRENTS)}

    def i_scale(self) -> Floats:
        """Return the current scale, (N,), in A."""
        return np.asarray(self.values[self.cluster, len(CURRENTS)])


def clusters_of(
    currents: Mapping[str, Floats],
    i_scale: Floats,
    *,
    tolerance: float = 0.0,
    enough: int | None = None,
) -> Clusters:
    """Group neurons that can share a core.

    Neurons belong together when every current is equal or has the same bias code, and the current
    scale is equal; with a tolerance also when no value of the joined groups is more than that much
    larger than their smallest. A group takes the geometric mean over its neurons.

    Parameters
    ----------
    currents : mapping of str to array, (N,)
        Every one of `ranvier_dynapse2.nodes.CURRENTS`, in A.
    i_scale : array, (N,)
        Current scale, in A.
    tolerance : float
        Relative, >= 0.
    enough : int or None
        Stop merging once there are more clusters than this; None: never.
    """
    table = np.column_stack([*(currents[n] for n in CURRENTS), i_scale])
    rows, of_row = np.unique(table, axis=0, return_inverse=True)
    group = np.arange(len(rows))
    if len(rows) > 1:
        group = np.unique(_coded(rows), axis=0, return_inverse=True)[1].ravel()
    counts = np.bincount(of_row.ravel(), minlength=len(rows))
    if tolerance > 0:
        low, high = _bounds(rows, group)
        group = _merged(low, high, tolerance, enough or len(rows))[group]
    cluster = group[of_row.ravel()]
    _, first, numbered = np.unique(cluster, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    values = _geometric_means(rows, group, counts)
    return Clusters(rank[numbered.ravel()].astype(np.int64), values[np.argsort(first)])


def _coded(rows: Floats) -> Floats:
    """Replace every current by the one that its bias gives; exact zeros stay apart."""
    columns = [_given(name, rows[:, k]) for k, name in enumerate(CURRENTS)]
    return np.column_stack([*columns, rows[:, -1]])


def _given(name: str, values: Floats) -> Floats:
    """Return the current of the bias that is closest to each value; 0 for 0."""
    reachable = _reachable(PARAMETER_BIASES[name])
    middle = (reachable[1:] + reachable[:-1]) / 2
    return np.where(values > 0, reachable[np.searchsorted(middle, values)], 0.0)


@cache
def _reachable(bias: str) -> Floats:
    return np.unique(published_table().row(bias))


def _geometric_means(rows: Floats, group: Ints, counts: Ints) -> Floats:
    """Return the mean of every group, weighted by neurons; exact where all values are equal."""
    order, starts = _members(group)
    low, high = _bounds(rows, group)
    logs = np.log(np.where(rows > 0, rows, 1.0)) * counts[:, None]
    total = np.add.reduceat(logs[order], starts)
    mean = np.exp(total / np.add.reduceat(counts[order], starts)[:, None])
    return np.where(low == high, low, np.clip(mean, low, high))


def _members(group: Ints) -> tuple[Ints, Ints]:
    """Return an order in which the rows of each group are neighbours, and where groups start."""
    order = np.argsort(group, kind="stable")
    return order, np.searchsorted(group[order], np.arange(int(group.max()) + 1))


def _bounds(rows: Floats, group: Ints) -> tuple[Floats, Floats]:
    """Return the smallest and largest values of every group."""
    order, starts = _members(group)
    return np.minimum.reduceat(rows[order], starts), np.maximum.reduceat(rows[order], starts)


def _merged(lowest: Floats, highest: Floats, tolerance: float, enough: int) -> Ints:
    """Join groups, in order of their values, to the first group that stays within tolerance.

    Beyond ``enough`` groups every further one stays alone.
    """
    order = np.lexsort(lowest.T[::-1])
    low = np.empty_like(lowest)
    high = np.empty_like(lowest)
    group = np.empty(len(lowest), dtype=np.int64)
    n_groups = 0
    for row in order:
        if n_groups > enough:
            group[row], n_groups = n_groups, n_groups + 1
            continue
        new_low = np.minimum(low[:n_groups], lowest[row])
        new_high = np.maximum(high[:n_groups], highest[row])
        fits = np.all(new_high <= new_low * (1 + tolerance), axis=1)
        if fits.any():
            at = int(fits.argmax())
            low[at], high[at] = new_low[at], new_high[at]
        else:
            at, n_groups = n_groups, n_groups + 1
            low[at], high[at] = lowest[row], highest[row]
        group[row] = at
    return group


def report_changes(
    clusters: Clusters,
    currents: Mapping[str, Floats],
    populations: Sequence[Population],
    findings: Findings,
) -> None:
    """Report, per node, the largest relative change that sharing a core makes.

    A change that leaves the bias code alone does not count, nor does one of the current scale:
    weights are scaled against it.
    """
    shared = clusters.currents()
    for population in populations:
        own = population.neurons
        changes = {n: _change(n, shared[n][own], currents[n][own]) for n in CURRENTS}
        name = max(changes, key=lambda n: changes[n])
        if changes[name] > 0:
            moved = sum(change > 0 for change in changes.values())
            message = (
                f"{name} changes by up to {100 * changes[name]:.3g} %, {moved} current(s) move"
            )
            findings.add(codes.CLUSTERS_MERGED.at(population.name, message, value=changes[name]))


def _change(name: str, new: Floats, old: Floats) -> float:
    moved = _given(name, new) != _given(name, old)
    change = np.abs(new - old) / np.where(old > 0, old, 1.0)
    return float(np.max(change[moved], initial=0.0))


def check_cores(
    clusters: Clusters,
    currents: Mapping[str, Floats],
    i_scale: Floats,
    *,
    cores: int,
    neurons_per_core: int,
    findings: Findings,
) -> bool:
    """Report too many neurons or too many sets of parameters; return whether all fit.

    Parameters
    ----------
    clusters : Clusters
        With the tolerance chosen.
    currents, i_scale
        As in `clusters_of`.
    cores, neurons_per_core : int
        Size of the board.
    findings : Findings
        Receives the errors.
    """
    n, room = int(clusters.cluster.size), cores * neurons_per_core
    if n > room:
        message = f"{n} neurons needed, {room} available on {cores} cores"
        findings.add(codes.TOO_MANY_NEURONS.at(None, message, value=n, limit=room))
        return False
    needed = clusters.cores(neurons_per_core)
    if needed <= cores:
        return True
    count = len(clusters.values)
    message = (
        f"{count} different sets of parameters need {needed} cores of up to {neurons_per_core} "
        f"neurons, {cores} available"
    )
    hint = codes.PARAMETER_SETS.hint
    for tolerance in _TRIES:
        tried = clusters_of(currents, i_scale, tolerance=tolerance, enough=cores)
        if tried.cores(neurons_per_core) <= cores:
            hint += f" (tolerance={tolerance:g} would do: {len(tried.values)} sets)"
            break
    findings.add(codes.PARAMETER_SETS.at(None, message, value=needed, limit=cores, hint=hint))
    return False
