"""From classes of sources to the arrays of a layout: labels, filters, rows, synapses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layout import BACKGROUND_INPUT, CROSSBAR_INPUTS, CROSSBAR_OUTPUTS, ROW_MODES, Layout
from ..network import BssNetwork
from ._classes import Classes
from ._demand import Demand, Task
from .budget import Budget

Ints = NDArray[np.int64]
EXCITATORY, INHIBITORY = ROW_MODES.index("excitatory"), ROW_MODES.index("inhibitory")
LABEL_BITS, OUTPUT_BIT, BUS_BIT = 6, 8, 11
"""An event's label: 6 bits for synapses, 5 of row address, and bits 11-12, where the host puts the
number of the bus. Bits 8-10 of a neuron's event are its output."""
BOTH_ARRAYS, FIRST_ARRAY = 0, 1
"""Link for events that both arrays need; those for array h alone use link ``FIRST_ARRAY + h``."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A placement of one execution instance.

    Circuits (N, widest), a class per source, and a generator per background node.
    """

    circuits: Ints
    classes: Classes
    chosen: Ints
    generators: Ints


def positions_in_groups(*keys: Ints) -> tuple[Ints, Ints]:
    """Return the order of rows by keys, and each row's position among rows of equal leading keys.

    Parameters
    ----------
    *keys : array, (n,)
        Most significant first; rows are grouped by all but the last key.

    Returns
    -------
    order : array, (n,)
        Rows in order.
    position : array, (n,)
        In that order: 0 for the first row of a group.
    """
    order = np.lexsort(keys[::-1])
    fresh = np.zeros(order.size, dtype=np.bool_)
    fresh[:1] = True
    for key in keys[:-1]:
        fresh[1:] |= key[order][1:] != key[order][:-1]
    starts = np.flatnonzero(fresh)
    sizes = np.diff(np.append(starts, order.size))
    return order, np.arange(order.size) - np.repeat(starts, sizes)


def labels_of(chosen: Ints, task: Task) -> Ints:
    """Return a label for every source, distinct within a class.

    The channels of generators come first, those of the largest first: as their numbers are powers
    of two, each begins at a multiple of its own, and its labels differ in the lowest bits only.
    """
    size = np.bincount(task.channels, minlength=len(task.generators))
    block = np.concatenate([np.zeros(task.single, np.int64), -size[task.channels]])
    rank = np.empty(chosen.size, dtype=np.int64)
    rank[np.lexsort((np.arange(chosen.size), block))] = np.arange(chosen.size)
    order, position = positions_in_groups(chosen, rank)
    label = np.empty(chosen.size, dtype=np.int64)
    label[order] = position
    return label


def synapses_of(task: Task, demand: Sequence[Demand]) -> dict[str, Ints]:
    """Return one entry per synapse of an instance: what it stands for, source and neuron."""
    columns: dict[str, list[Ints]] = {
        n: [] for n in ("projection", "target", "source", "sign", "part", "event", "neuron")
    }
    for k, (d, source) in enumerate(zip(demand, task.source_of, strict=True)):
        if not (source >= 0).any():
            continue
        for sign, count in enumerate(d.both):
            number = task.number[task.target_of[k]]
            t, s = np.nonzero((number >= 0)[:, None] & (source >= 0)[None, :] & (count > 0))
            times = count[t, s]
            starts = np.repeat(np.cumsum(times) - times, times)
            t, s = np.repeat(t, times), np.repeat(s, times)
            columns["projection"].append(np.full(t.size, k))
            columns["target"].append(t)
            columns["source"].append(s)
            columns["sign"].append(np.full(t.size, sign))
            columns["part"].append(np.arange(t.size) - starts)
            columns["event"].append(source[s])
            columns["neuron"].append(number[t])
    empty = np.empty(0, dtype=np.int64)
    return {n: np.concatenate([empty, *v]).astype(np.int64) for n, v in columns.items()}


def assemble(
    network: BssNetwork,
    demand: Sequence[Demand],
    budget: Budget,
    *,
    parts: Sequence[tuple[Task, Solution]],
) -> Layout:
    """Return the layout of all execution instances."""
    pieces = [
        _instance(number, task, solution, demand=demand, budget=budget)
        for number, (task, solution) in enumerate(parts)
    ]
    joined = {
        name: (np.stack if name in _REGISTERS else np.concatenate)([p[name] for p in pieces])
        for name in pieces[0]
    }
    order = np.lexsort([joined[f"synapse_{n}"] for n in _SYNAPSE_ORDER[::-1]])
    joined |= {n: v[order] for n, v in joined.items() if n.startswith("synapse_")}
    return Layout(instances=len(pieces), **joined)


_REGISTERS = (
    "circuit_address",
    "row_mode",
    "driver_mask",
    "node_enabled",
    "node_mask",
    "node_target",
)
_SYNAPSE_ORDER = ("projection", "target", "source", "sign", "part")


def _instance(
    number: int, task: Task, solution: Solution, *, demand: Sequence[Demand], budget: Budget
) -> dict[str, NDArray[Any]]:
    classes, chosen = solution.classes, solution.chosen
    label = labels_of(chosen, task)
    synapses = synapses_of(task, demand)
    at = _circuit_of(task, solution, synapses=synapses, budget=budget)
    array, column = at // budget.columns, at % budget.columns
    rows, modes = _rows(synapses, classes, at=at, chosen=chosen, budget=budget)
    sides = np.zeros((task.sources, budget.arrays), dtype=np.bool_)
    sides[synapses["event"], array] = True
    neuron, rank = np.nonzero(solution.circuits >= 0)
    result: dict[str, NDArray[Any]] = {
        "neuron_instance": np.full(neuron.size, number),
        "neuron_population": task.population[neuron],
        "neuron_index": task.index[neuron],
        "neuron_rank": rank.astype(np.int64),
        "neuron_circuit": solution.circuits[neuron, rank],
        "row_mode": modes,
        "driver_mask": np.full((budget.arrays, budget.drivers), classes.mask),
        "synapse_array": array,
        "synapse_row": rows,
        "synapse_column": column,
        "synapse_label": label[synapses["event"]],
        "synapse_instance": np.full(rows.size, number),
    }
    result |= {f"synapse_{n}": synapses[n] for n in _SYNAPSE_ORDER}
    result |= _events(number, task, solution, label=label, sides=sides, budget=budget)
    result |= _backgrounds(number, task, solution, label=label)
    return result


def _circuit_of(
    task: Task, solution: Solution, *, synapses: dict[str, Ints], budget: Budget
) -> Ints:
    """Spread the synapses of a neuron over its circuits in turn, class by class; return circuits.

    All circuits of a neuron then hold equally many of each sign and class, up to one. Where only
    some of them lie in the array of a generator, they share its synapses in the same way.
    """
    own = np.full(task.sources, -1, dtype=np.int64)
    own[task.single :] = solution.generators[task.channels] // budget.buses
    array, neuron = own[synapses["event"]], synapses["neuron"]
    there = np.where(solution.circuits >= 0, solution.circuits // budget.columns, -1)
    part = (there[neuron] == array[:, None]).sum(axis=1)
    array = np.where(part < task.circuits[neuron], array, -1)
    sequence = _sequence(synapses, solution.chosen)
    order, position = positions_in_groups(neuron, array, synapses["sign"], sequence)
    neuron, array = neuron[order], array[order]
    usable = (there >= 0)[neuron] & ((array < 0)[:, None] | (there[neuron] == array[:, None]))
    turn = position % np.maximum(usable.sum(axis=1), 1)
    rank = np.argmax(usable & (np.cumsum(usable, axis=1) == turn[:, None] + 1), axis=1)
    at = np.empty(order.size, dtype=np.int64)
    at[order] = solution.circuits[neuron, rank]
    return at


def _sequence(synapses: dict[str, Ints], chosen: Ints) -> Ints:
    """Return the order of synapses by class, source, projection and part, as one key."""
    keys = (
        chosen[synapses["event"]],
        synapses["event"],
        synapses["projection"],
        synapses["part"],
    )
    order = np.lexsort(keys[::-1])
    sequence = np.empty(order.size, dtype=np.int64)
    sequence[order] = np.arange(order.size)
    return sequence


def _rows(
    synapses: dict[str, Ints], classes: Classes, *, at: Ints, chosen: Ints, budget: Budget
) -> tuple[Ints, Ints]:
    """Return the row of every synapse, and the modes of all rows, (A, rows).

    The k-th synapse of a column, class and sign takes the k-th row of that class and sign.
    """
    kind = chosen[synapses["event"]]
    order, position = positions_in_groups(at, kind, synapses["sign"], _sequence(synapses, chosen))
    modes = np.zeros((budget.arrays, budget.rows), dtype=np.int64)
    array, kind, sign = at[order] // budget.columns, kind[order], synapses["sign"][order]
    count = np.zeros((budget.arrays, classes.bus.size, 2), dtype=np.int64)
    np.maximum.at(count, (array, kind, sign), position + 1)
    rows = np.empty(order.size, dtype=np.int64)
    for k in range(classes.bus.size):
        table = _class_rows(classes, k, budget)
        for mode, own, used in ((EXCITATORY, 0, table[0]), (INHIBITORY, 1, table[1])):
            here = (kind == k) & (sign == own)
            rows[order[here]] = used[position[here]]
            for a in range(budget.arrays):
                modes[a, used[: count[a, k, own]]] = mode
    return rows, modes


def _class_rows(classes: Classes, k: int, budget: Budget) -> tuple[Ints, Ints]:
    """Return the rows of a class in the order in which exciting, and inhibiting ones are taken."""
    position = np.arange(budget.drivers_per_bus)
    position = position[(position & classes.mask) == classes.value[k]]
    driver = position * budget.buses + classes.bus[k]
    first, second = 2 * driver + 1, 2 * driver
    return (
        np.concatenate([first, second[::-1]]),
        np.concatenate([second, first[::-1]]),
    )


def _events(
    number: int,
    task: Task,
    solution: Solution,
    *,
    label: Ints,
    sides: NDArray[np.bool_],
    budget: Budget,
) -> dict[str, NDArray[Any]]:
    """Return addresses of circuits, labels of outer sources, and the crossbar."""
    classes, chosen, inner = solution.classes, solution.chosen, task.fires.size
    circuit = solution.circuits[task.fires, 0]
    output = np.asarray(budget.output_of(circuit))
    address = np.full(budget.circuits, -1, dtype=np.int64)
    address[circuit] = classes.low_bits(output, chosen[:inner]) << LABEL_BITS | label[:inner]
    host = slice(inner, task.single)
    outer = chosen[host]
    link = np.where(sides[host].all(axis=1), BOTH_ARRAYS, FIRST_ARRAY + sides[host, 1])
    enabled = np.zeros((CROSSBAR_OUTPUTS, CROSSBAR_INPUTS), dtype=np.bool_)
    mask, target = np.zeros((2, *enabled.shape), dtype=np.int64)
    for h in range(budget.arrays):
        bus = h * budget.buses + np.arange(budget.buses)
        sending = output[sides[:inner, h]]
        enabled[h * budget.buses + sending % budget.buses, sending] = True
        for number_of_link in (BOTH_ARRAYS, FIRST_ARRAY + h):
            at = budget.outputs + number_of_link
            used = np.unique(classes.bus[outer[link == number_of_link]])
            enabled[bus[used], at] = True
            mask[bus[used], at] = (budget.buses - 1) << BUS_BIT
            target[bus[used], at] = used << BUS_BIT
    enabled[budget.arrays * budget.buses + output % budget.buses, output] = True
    enabled[solution.generators, BACKGROUND_INPUT + solution.generators] = True
    return {
        "circuit_address": address,
        "source_instance": np.full(outer.size, number),
        "source_projection": task.outside[:, 0],
        "source_channel": task.outside[:, 1],
        "source_link": link.astype(np.int64),
        "source_label": label[host]
        | classes.value[outer] << LABEL_BITS
        | classes.bus[outer] << BUS_BIT,
        "node_enabled": enabled,
        "node_mask": mask,
        "node_target": target,
    }


def _backgrounds(
    number: int, task: Task, solution: Solution, *, label: Ints
) -> dict[str, NDArray[Any]]:
    """Return generators, the label of their first channel, and the bits that are drawn."""
    first = task.single + np.searchsorted(task.channels, np.arange(len(task.generators)))
    classes = solution.classes
    size = np.bincount(task.channels, minlength=first.size)
    return {
        "background_instance": np.full(first.size, number),
        "background_node": np.array(task.generators, dtype=np.int64),
        "background_generator": solution.generators,
        "background_label": label[first] | classes.value[solution.chosen[first]] << LABEL_BITS,
        "background_mask": size - 1,
    }
