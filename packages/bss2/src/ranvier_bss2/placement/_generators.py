"""Which background generator serves which node, and what that asks of the circuits.

A generator drives one bus of one array. All of its synapses lie in that array: a neuron with
circuits in both of them takes these events through the circuits of that array alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic

from ..diagnostics.placement import GENERATOR_OUT_OF_REACH
from ..network import BssNetwork
from ._demand import Ints, Task
from .budget import Budget


def circuits_in(circuits: Ints, budget: Budget) -> Ints:
    """Return how many circuits of each neuron lie in each array, (A, N)."""
    row = np.where(circuits >= 0, circuits // budget.columns, -1)
    return np.stack([(row == h).sum(axis=1) for h in range(budget.arrays)]).astype(np.int64)


def choose_generators(
    network: BssNetwork,
    task: Task,
    budget: Budget,
    *,
    inside: Ints,
    load: NDArray[np.float64],
) -> tuple[Ints, Diagnostic | None]:
    """Give every background node of an instance a generator.

    Parameters
    ----------
    network : BssNetwork
        For names, and generators that are given.
    task : Task
        The instance.
    budget : Budget
        The chip.
    inside : array of int, (A, N)
        Circuits of each neuron in each array.
    load : array, (generators,)
        What other sources need of the bus of each generator: the least loaded one is taken.

    Returns
    -------
    generator : array of int, (G,)
        Generator 0..7 by place in ``task.generators``.
    problem : Diagnostic or None
        Why there is none for a node.
    """
    need = task.unit_need[:, task.single :]
    reach = np.array(
        [(inside[:, own.any(axis=0)] > 0).all(axis=1) for own in need.transpose(1, 0, 2)]
    ).reshape(-1, budget.arrays)
    own = [network.backgrounds[k] for k in task.generators]
    given = np.array([b.generator for b in own], dtype=np.int64)
    chosen = np.full(len(own), -1, dtype=np.int64)
    order = np.lexsort((-need.sum(axis=(0, 2)), reach.sum(axis=1), given < 0))
    every = np.arange(budget.generators)
    for g in order.tolist():
        fits = reach[g, every // budget.buses] & ~np.isin(every, chosen)
        fits &= (given[g] < 0) | (every == given[g])
        options = every[fits & ((given[g] >= 0) | ~np.isin(every, given))]
        if not options.size:
            return chosen, _out_of_reach(own[g].name, given[g], reach[g], budget)
        chosen[g] = options[np.argmin(load[options])]
    return chosen, None


def rows_wanted(network: BssNetwork, task: Task, budget: Budget) -> Ints:
    """Return the row of circuits in which each neuron should lie for its generators, -1: any.

    Neurons that have generators in common lie in one row: that of a generator that is given, else
    the one with fewer generators so far.
    """
    driven = np.asarray(task.unit_need[:, task.single :].any(axis=0))
    rows = np.full(task.size, -1, dtype=np.int64)
    taken = np.zeros(budget.arrays, dtype=np.int64)
    given = np.array([network.backgrounds[k].generator for k in task.generators], dtype=np.int64)
    groups = _groups(driven)
    for members in sorted(groups, key=lambda g: (not (given[g] >= 0).any(), -len(g))):
        told = given[members][given[members] >= 0]
        row = int(told[0]) // budget.buses if told.size else int(np.argmin(taken))
        taken[row] += len(members)
        rows[driven[members].any(axis=0)] = row
    return rows


def too_wide(network: BssNetwork, *, task: Task, budget: Budget) -> Diagnostic | None:
    """Return a diagnostic if generators drive more neurons together than a row has circuits."""
    driven = np.asarray(task.unit_need[:, task.single :].any(axis=0))
    for members in _groups(driven):
        together = int((driven[members].any(axis=0) & (task.circuits == 1)).sum())
        if together > budget.columns:
            name = network.backgrounds[task.generators[members[0]]].name
            text = f"its {together} targets lie in both rows of {budget.columns} circuits"
            return GENERATOR_OUT_OF_REACH.at(name, text, value=together, limit=budget.columns)
    return None


def _groups(driven: NDArray[np.bool_]) -> list[list[int]]:
    """Return generators by which ones drive neurons in common, directly or by others."""
    groups: list[list[int]] = []
    for g in range(driven.shape[0]):
        near = [k for k in groups if (driven[k].any(axis=0) & driven[g]).any()]
        groups = [k for k in groups if k not in near]
        groups.append([*(m for k in near for m in k), g])
    return groups


def _out_of_reach(
    name: str, given: np.int64, reach: NDArray[np.bool_], budget: Budget
) -> Diagnostic:
    arrays = np.flatnonzero(reach).tolist()
    text = "its targets lie in both rows of circuits"
    if arrays:
        text = f"its targets lie in row {' or '.join(map(str, arrays))}, "
    if arrays and given >= 0:
        text += f"generator {given} reaches row {int(given) // budget.buses}"
    elif arrays:
        text += f"whose {budget.buses} generators are all taken"
    return GENERATOR_OUT_OF_REACH.at(name, text, value=len(arrays), limit=1)


def need_with(task: Task, generators: Ints, *, inside: Ints, budget: Budget) -> NDArray[np.int32]:
    """Return the need of all units, (2, F+E+G, N), as if neurons could use all their circuits.

    Rows are counted as need per circuit: a neuron with c circuits, k of them in the array of a
    generator, needs ``c ceil(need / k)``.
    """
    need = task.unit_need
    for g, array in enumerate((generators // budget.buses).tolist()):
        own = need[:, task.single + g]
        part = np.maximum(inside[array], 1)
        spread = task.circuits * -(-own // part)
        need[:, task.single + g] = np.where(part < task.circuits, spread, own)
    return need
