"""What counting alone can tell before anything is placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic

from ..diagnostics.placement import (
    BAD_CONSTRAINT,
    FAN_IN_TOO_LARGE,
    GENERATOR_TAKEN,
    INSTANCE_ORDER,
    TOO_MANY_CIRCUITS,
    TOO_MANY_GENERATORS,
    TOO_MANY_SOURCES,
)
from ..network import BssNetwork
from ._circuits import connected
from ._demand import Demand, Task, fan_in
from .budget import Budget


def fan_in_problems(
    network: BssNetwork, demand: Sequence[Demand], budget: Budget
) -> list[Diagnostic]:
    """Return a diagnostic per population whose neurons have too few circuits."""
    found = []
    for p in network.populations:
        synapses = fan_in(network, demand, p.name).sum(axis=0)
        most, limit = int(synapses.max(initial=0)), p.circuits * budget.rows
        if most <= limit:
            continue
        enough = -(-most // budget.rows)
        where = f"neuron {int(np.argmax(synapses))} needs {most} synapses"
        have = f"{p.circuits} circuit(s) have {limit} rows"
        hint = f"give each neuron {enough} circuits"
        if enough > budget.circuits:
            hint = (
                f"the whole chip has {budget.circuits * budget.rows} rows for one neuron: split "
                "its sources over a layer in between"
            )
        found.append(
            FAN_IN_TOO_LARGE.at(p.name, f"{where}, {have}", value=most, limit=limit, hint=hint)
        )
    return found


def task_problems(task: Task, budget: Budget, *, instance: int) -> list[Diagnostic]:
    """Return what does not fit into one execution instance."""
    found = []
    circuits = int(task.circuits.sum())
    if circuits > budget.circuits:
        found.append(
            TOO_MANY_CIRCUITS.at(
                None,
                f"execution instance {instance}: {task.size} neurons need {circuits} circuits, "
                f"the chip has {budget.circuits}",
                value=circuits,
                limit=budget.circuits,
            )
        )
    most = budget.buses * budget.drivers_per_bus * (budget.labels - 1)
    if task.sources > most:
        found.append(
            TOO_MANY_SOURCES.at(
                None,
                f"execution instance {instance}: {task.sources} sources of events, rows of all "
                f"addresses tell {most} apart",
                value=task.sources,
                limit=most,
            )
        )
    return found


def generator_problems(
    network: BssNetwork, generators: Sequence[int], budget: Budget, *, where: str
) -> list[Diagnostic]:
    """Return what is wrong with the background generators that are used together.

    Parameters
    ----------
    network : BssNetwork
        The network.
    generators : sequence of int
        Numbers of those of its generators that are used together.
    budget : Budget
        Limits of the chip.
    where : str
        What uses them, for the message.
    """
    found = []
    own = [network.backgrounds[k] for k in generators]
    if len(own) > budget.generators:
        text = f"{where}: {len(own)} generators, the chip has {budget.generators}"
        limit = budget.generators
        found.append(TOO_MANY_GENERATORS.at(None, text, value=len(own), limit=limit))
    first: dict[int, str] = {}
    for b in own:
        if b.generator >= 0 and first.setdefault(b.generator, b.name) != b.name:
            text = f"{where}: generator {b.generator} is that of {first[b.generator]!r} already"
            found.append(GENERATOR_TAKEN.at(b.name, text, value=b.generator, limit=1))
    return found


def order_problems(network: BssNetwork) -> list[Diagnostic]:
    """Return projections that lead to an earlier execution instance."""
    found = []
    for q in network.projections:
        if q.source in network.inputs or network.background(q.source) is not None:
            continue
        source = network.population(q.source).neuron_instance
        target = network.population(q.target).neuron_instance
        back = q.connected & (source[None, :] > target[:, None])
        if back.any():
            t, s = (int(k) for k in np.argwhere(back)[0])
            found.append(
                INSTANCE_ORDER.at(
                    q.target,
                    f"neuron {s} of {q.source!r} runs in instance {source[s]}, its target neuron "
                    f"{t} in instance {target[t]} before it ({int(back.sum())} such connections)",
                    value=int(back.sum()),
                    limit=0,
                )
            )
    return found


def constraint_problems(
    network: BssNetwork, constraints: Mapping[str, NDArray[Any]], budget: Budget
) -> list[Diagnostic]:
    """Return what is wrong with given circuits: names, shapes, ranges, overlaps, neighbours."""
    found: list[Diagnostic] = []
    names = [p.name for p in network.populations]
    owner: dict[tuple[int, int], str] = {}
    for name, given in constraints.items():
        if name not in names:
            known = ", ".join(names)
            found.append(BAD_CONSTRAINT.at(name, f"no such population; there are: {known}"))
            continue
        p, circuits = network.population(name), np.asarray(given)
        if circuits.shape != (p.size, p.circuits):
            wanted = f"({p.size}, {p.circuits})"
            found.append(
                BAD_CONSTRAINT.at(name, f"circuits of shape {circuits.shape}, must be {wanted}")
            )
            continue
        out = circuits[(circuits < 0) | (circuits >= budget.circuits)]
        if out.size:
            last = budget.circuits - 1
            found.append(BAD_CONSTRAINT.at(name, f"circuit {out[0]} is outside of 0..{last}"))
            continue
        apart = [n for n, row in enumerate(circuits) if not connected(row.tolist(), budget)]
        if apart:
            row = circuits[apart[0]].tolist()
            found.append(
                BAD_CONSTRAINT.at(name, f"circuits {row} of neuron {apart[0]} are not neighbours")
            )
        for instance, row in zip(p.neuron_instance.tolist(), circuits.tolist(), strict=True):
            for circuit in row:
                before = owner.setdefault((instance, circuit), name)
                if before != name or row.count(circuit) > 1:
                    found.append(
                        BAD_CONSTRAINT.at(name, f"circuit {circuit} is taken by {before!r}")
                    )
        found.extend(_twice(name, circuits, p.neuron_instance))
    return found


def _twice(name: str, circuits: NDArray[Any], instance: NDArray[np.int64]) -> list[Diagnostic]:
    """Return circuits that two neurons of one population share."""
    pairs = np.column_stack([np.repeat(instance, circuits.shape[1]), circuits.ravel()])
    _, first, times = np.unique(pairs, axis=0, return_index=True, return_counts=True)
    shared = pairs[first[times > 1], 1]
    if not shared.size:
        return []
    return [BAD_CONSTRAINT.at(name, f"circuit {shared[0]} is taken by two of its neurons")]
