"""Placement of a network: circuits, then classes of events, then the layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.errors import InputError

from ..layout import Layout
from ..network import BssNetwork
from ._assembly import Solution, assemble
from ._checks import (
    constraint_problems,
    fan_in_problems,
    generator_problems,
    order_problems,
    task_problems,
)
from ._demand import Ints, Signed, Task, demands, task_of
from ._search import Search
from .budget import Budget


def place_network(
    network: BssNetwork,
    budget: Budget,
    *,
    constraints: Mapping[str, NDArray[Any]] | None = None,
    signed_rows: Signed = True,
    seed: int = 0,
    findings: Findings,
) -> Layout | None:
    """Find circuits, rows, labels and filters for a network.

    Neurons are placed by first fit in the order of the populations. Where this leaves no way for
    the events, neurons are packed without gaps, then spread over the buses, then spread at random.

    Parameters
    ----------
    network : BssNetwork
        Populations with their circuits per neuron and execution instances, and projections.
    budget : Budget
        Limits of the chip.
    constraints : mapping of str to array of int, (n, circuits)
        Circuits of populations that are placed by hand, by rank.
    signed_rows : bool or sequence of bool
        Whether each connection takes rows of both signs, so that its weight may change sign; for
        all projections, or for each. Without it, a connection keeps the sign of its weight (that
        of 0 is exciting).
    seed : int
        Of the random tries.
    findings : Findings
        Receives every problem, with numbers, limits and advice.

    Returns
    -------
    Layout or None
        None where something does not fit: `findings` then has errors.

    Raises
    ------
    InputError
        `signed_rows` has another number of entries than there are projections.
    """
    if not isinstance(signed_rows, bool) and len(signed_rows) != len(network.projections):
        raise InputError(
            f"bss2: signed_rows has {len(signed_rows)} entries for {len(network.projections)} "
            "projections; give one for each"
        )
    given = dict(constraints or {})
    demand = demands(network, budget, signed_rows)
    problems = [
        *constraint_problems(network, given, budget),
        *fan_in_problems(network, demand, budget),
        *order_problems(network),
    ]
    count = 1 + max((int(p.neuron_instance.max(initial=0)) for p in network.populations), default=0)
    tasks = [task_of(network, demand, instance=k) for k in range(count)]
    for number, task in enumerate(tasks):
        problems.extend(task_problems(task, budget, instance=number))
        where = f"execution instance {number}"
        problems.extend(generator_problems(network, task.generators, budget, where=where))
    findings.add(*problems)
    if problems:
        return None
    solutions = []
    for number, task in enumerate(tasks):
        search = Search(network, task, budget, instance=number, seed=seed)
        solution = search.run(_fixed(network, task, given))
        findings.add(*search.findings)
        solutions.append(solution)
    parts = [(t, s) for t, s in zip(tasks, solutions, strict=True) if s is not None]
    return assemble(network, demand, budget, parts=parts) if len(parts) == count else None


def place_task(
    network: BssNetwork, task: Task, budget: Budget, *, instance: int, seed: int
) -> Solution | None:
    """Place one execution instance without constraints; None where that was not found."""
    search = Search(network, task, budget, instance=instance, seed=seed)
    return search.run(_fixed(network, task, {}))


def _fixed(network: BssNetwork, task: Task, given: Mapping[str, NDArray[Any]]) -> Ints:
    """Return circuits that constraints give to the neurons of an instance, -1 elsewhere."""
    fixed = np.full((task.size, int(task.circuits.max(initial=1))), -1, dtype=np.int64)
    for k, p in enumerate(network.populations):
        if p.name in given:
            here = task.population == k
            fixed[here, : p.circuits] = np.asarray(given[p.name])[task.index[here]]
    return fixed
