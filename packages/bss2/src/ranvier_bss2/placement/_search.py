"""The search for a routable placement of one execution instance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic

from ..diagnostics.placement import NO_FREE_PLACE, NO_ROUTING, REARRANGED, ROWS_ON_BUS
from ..network import BssNetwork
from ._assembly import Solution
from ._circuits import first_fit
from ._classes import STEPS, Assignment, Classes, Problem, assign
from ._demand import Ints, Task
from ._generators import (
    choose_generators,
    circuits_in,
    need_with,
    rows_wanted,
    too_wide,
)
from .budget import Budget

MASKS = (0, 1, 3, 19, 7, 15, 31)
"""Compare masks that are tried: more bits tell more sources apart, but divide the rows. Bits 0-1
of a neuron's row address are free, bits 2-4 are its output."""


@dataclass(frozen=True, eq=False)
class _Kinds:
    """Neurons with equal needs, circuits and arrays count once."""

    need: NDArray[np.int32]
    circuits: Ints
    sides: NDArray[np.bool_]

    @classmethod
    def of(cls, task: Task, sides: NDArray[np.bool_], need: NDArray[np.int32]) -> _Kinds:
        columns = np.ascontiguousarray(need.transpose(2, 0, 1))
        first: dict[bytes, int] = {}
        for n in range(task.size):
            own = (task.circuits[n].tobytes(), sides[:, n].tobytes(), columns[n].tobytes())
            first.setdefault(b"".join(own), n)
        kept = np.array(sorted(first.values()), dtype=np.int64)
        return cls(need[:, :, kept], task.circuits[kept], sides[:, kept])


class Search:
    """Tries placements of one execution instance until one is routable.

    Parameters
    ----------
    network : BssNetwork
        For the names of populations.
    task : Task
        Neurons, sources and synapses of the instance.
    budget : Budget
        The chip.
    instance : int
        Number of the instance.
    seed : int
        Of random tries.
    """

    def __init__(
        self, network: BssNetwork, task: Task, budget: Budget, *, instance: int, seed: int
    ) -> None:
        self.network, self.task, self.budget, self.instance = network, task, budget, instance
        self.findings: list[Diagnostic] = []
        self._rng = np.random.default_rng([seed, instance])
        self._nearest: tuple[int, Assignment] | None = None
        self._crowded: Diagnostic | None = None
        self._need, self._size, self._unit = task.unit_need, task.unit_size, task.unit
        self._far: Diagnostic | None = None
        total = self._need.sum(axis=(0, 2))
        number = np.arange(self._size.size)
        inner, bound = number < task.fires.size, number >= task.single
        self._stage = np.where(bound | inner & (total > 0), 0, np.where(inner, 1, 2))
        self._order = np.lexsort((number, -total, self._stage))

    def run(self, fixed: Ints) -> Solution | None:
        """Return the first routable placement; `findings` says what was found, or why none.

        Parameters
        ----------
        fixed : array of int, (N, widest)
            Circuits that are given, -1 elsewhere.
        """
        placed_once = False
        for how, steps, circuits, order in self._placements(fixed):
            if circuits is None:
                continue
            placed_once = True
            solution = self._route(circuits, order, steps=steps)
            if solution is not None:
                if how:
                    message = f"execution instance {self.instance}: neurons are {how}"
                    self.findings.append(REARRANGED.at(None, message))
                return solution
        wide = too_wide(self.network, task=self.task, budget=self.budget)
        self.findings.append(wide or (self._failure() if placed_once else self._no_place()))
        return None

    def _placements(self, fixed: Ints) -> Iterator[tuple[str, int, Ints | None, Ints]]:
        """Yield how neurons are placed, steps of repair, their circuits, and order of sources."""
        task, budget, order = self.task, self.budget, self._order
        plain, rows = np.arange(task.size), None
        placed = first_fit(task.circuits, budget, order=plain.tolist(), fixed=fixed)
        yield "", 0, placed, order
        if task.generators:
            rows = rows_wanted(self.network, task, budget)
            first = np.lexsort((plain, rows < 0)).tolist()
            placed = first_fit(task.circuits, budget, order=first, fixed=fixed, rows=rows)
            yield "placed in the rows of their background generators", 0, placed, order
        large = np.argsort(-task.circuits, kind="stable").tolist()
        placed = first_fit(task.circuits, budget, order=large, fixed=fixed, packed=True, rows=rows)
        yield "packed column by column, the largest first", 0, placed, order
        for attempt in range(2 + budget.tries):
            order = self._order if attempt < 2 else self._shuffled()
            steps, how = (STEPS if attempt else 0), "spread over the buses"
            if attempt < 2 or not (fixed[:, 0] >= 0).all():
                bus = self._buses(order, fixed)
                spread = np.lexsort((plain, bus < 0, -task.circuits)).tolist()
                placed = first_fit(
                    task.circuits,
                    budget,
                    order=spread,
                    fixed=fixed,
                    packed=True,
                    bus=bus,
                    rows=rows,
                )
            yield how, steps, placed, order

    def _shuffled(self) -> Ints:
        rng, units = self._rng, self._size.size
        total = self._need.sum(axis=(0, 2)) * np.exp(rng.normal(0.0, 0.3, units))
        return np.lexsort((rng.random(units), -total, self._stage))

    def _buses(self, order: Ints, fixed: Ints) -> Ints:
        """Spread the firing neurons over the buses; return the bus of every neuron, -1: any."""
        task, budget = self.task, self.budget
        everywhere = np.zeros((budget.arrays, task.size), dtype=np.bool_)
        everywhere[0] = True
        kinds = _Kinds.of(task, everywhere, self._need)
        size = np.zeros(self._size.size, dtype=np.int64)
        wide = task.circuits[task.fires]
        size[: task.fires.size] = np.where(wide > 1, wide + wide % 2, 1)
        allowed = np.ones((size.size, budget.buses), dtype=np.bool_)
        first = fixed[task.fires, 0]
        own = np.asarray(budget.output_of(first)) % budget.buses
        allowed[: first.size] = (first < 0)[:, None] | (own[:, None] == np.arange(budget.buses))
        problem = Problem(
            need=kinds.need,
            circuits=kinds.circuits,
            sides=kinds.sides,
            allowed=allowed,
            size=size,
            room=np.full(budget.buses, budget.circuits // budget.buses),
            rows=budget.rows_per_bus,
        )
        chosen = assign(problem, order, rng=self._rng).chosen
        bus = np.full(task.size, -1, dtype=np.int64)
        sending = self._stage[: task.fires.size] == 0
        bus[task.fires[sending]] = chosen[: task.fires.size][sending]
        return bus

    def _route(self, circuits: Ints, order: Ints, *, steps: int) -> Solution | None:
        """Assign classes for one placement, with as few groups as labels allow.

        The last label stays free for synapses that nothing uses. Where rows are missing and not
        labels, more groups would only divide the rows further.
        """
        task, budget = self.task, self.budget
        output = np.asarray(budget.output_of(circuits[task.fires, 0]))
        if self._overfull(output):
            return None
        inside = circuits_in(circuits, budget)
        generators, far = self._generators(inside, output, shaken=steps > 0)
        if far is not None:
            self._far = self._far or far
            return None
        need = need_with(task, generators, inside=inside, budget=budget)
        kinds = _Kinds.of(task, inside > 0, need)
        labels = budget.labels - 1
        for mask in MASKS:
            classes = Classes.of(mask, budget)
            allowed = np.ones((self._size.size, classes.bus.size), dtype=np.bool_)
            allowed[: task.fires.size] = classes.open_to(output, budget)
            allowed[task.single :] = classes.bus == generators[:, None] % budget.buses
            few = task.sources > classes.bus.size * labels or classes.rows < 2
            if few or not allowed.any(axis=1).all():
                continue
            problem = Problem(
                need=kinds.need,
                circuits=kinds.circuits,
                sides=kinds.sides,
                allowed=allowed,
                size=self._size,
                room=np.full(classes.bus.size, labels),
                rows=classes.rows,
            )
            result = assign(problem, order, rng=self._rng, steps=steps)
            if not result.overflow:
                return Solution(circuits, classes, result.chosen[self._unit], generators)
            if self._nearest is None or result.overflow < self._nearest[0]:
                self._nearest = (result.overflow, result)
            if (result.used < labels).all():
                break
        return None

    def _generators(
        self, inside: Ints, output: Ints, *, shaken: bool
    ) -> tuple[Ints, Diagnostic | None]:
        """Return a generator for every background node, or why one has none.

        Buses are taken in the order of what neurons need of them in an array; ``shaken`` disturbs
        this order at random.
        """
        task, budget = self.task, self.budget
        if not task.generators:
            return np.zeros(0, dtype=np.int64), None
        share = task.need[:, : task.fires.size].sum(axis=0) @ (inside / task.circuits).T
        table = np.zeros((budget.buses, budget.arrays))
        np.add.at(table, output % budget.buses, share)
        load = table.T.ravel()
        if shaken:
            load = (load + load.mean()) * np.exp(self._rng.normal(0.0, 0.5, load.size))
        return choose_generators(self.network, task, budget, inside=inside, load=load)

    def _overfull(self, output: Ints) -> bool:
        """Return whether the neurons on one bus alone need more rows than it has; keep which."""
        task, budget = self.task, self.budget
        for bus in range(budget.buses if task.size else 0):
            mine = np.flatnonzero(output % budget.buses == bus)
            rows = (-(-task.need[:, mine].sum(axis=1) // task.circuits)).sum(axis=0)
            n = int(np.argmax(rows))
            if rows[n] > budget.rows_per_bus:
                name = self.network.populations[task.population[n]].name
                self._crowded = ROWS_ON_BUS.at(
                    name,
                    f"neuron {task.index[n]} needs {rows[n]} rows per circuit for the neurons on "
                    f"bus {bus}, a bus has {budget.rows_per_bus}",
                    value=int(rows[n]),
                    limit=budget.rows_per_bus,
                )
                return True
        return False

    def _no_place(self) -> Diagnostic:
        task, budget = self.task, self.budget
        needed = int(task.circuits.sum())
        return NO_FREE_PLACE.at(
            None,
            f"execution instance {self.instance}: {task.size} neurons of {needed} circuits "
            f"together leave gaps, {budget.circuits} circuits do not hold them side by side",
            value=needed,
            limit=budget.circuits,
        )

    def _failure(self) -> Diagnostic:
        """Explain the try that came nearest."""
        where = f"execution instance {self.instance}"
        if self._nearest is None and self._far is not None:
            return self._far
        if self._nearest is None:
            fallback = NO_ROUTING.at(None, f"{where}: {self.task.sources} sources find no labels")
            return self._crowded or fallback
        overflow, result = self._nearest
        rows = result.rows
        array, k = np.unravel_index(int(np.argmax(rows)), rows.shape)
        return NO_ROUTING.at(
            None,
            f"{where}: the best of all tries lacks {overflow} row(s) or label(s); array {array} "
            f"needs {rows[array, k]} of {result.problem.rows} rows of a group, with "
            f"{result.used[k]} of {self.budget.labels - 1} labels",
            value=int(rows[array, k]),
            limit=result.problem.rows,
        )
