"""Classes of events: which bus, and which part of its drivers, each source uses.

All drivers compare the address of an event under one mask. The values under the mask split the
drivers of a bus into groups; a class is a pair of a bus and a group. Within a class every event
reaches every row, and the label alone decides: so rows are interchangeable, and an assignment of
sources to classes is routable if the labels of a class suffice and, in each array,

    max over columns of exciting synapses + max over columns of inhibiting ones <= rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .budget import Budget

Ints = NDArray[np.int64]
STEEPNESS = 3
"""Loads are compared by their power 2 ** STEEPNESS, so that the fullest neuron counts most."""
OVERFULL = 1000
"""What a missing label counts, in rows."""
STEPS = 4000
"""Most moves and swaps that repair an assignment."""
SWAPS = 0.7
"""Share of swaps among them."""
HOPELESS, PATIENCE = 0.1, 1024
"""Share of the rows that may be missing for a repair to be tried, and steps without success after
which it ends."""


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes of one compare mask.

    Parameters
    ----------
    mask : int
        Compare mask of all drivers.
    bus, value : array of int, (K,)
        Bus and address under the mask.
    rows : int
        Rows of a class in an array.
    """

    mask: int
    bus: Ints
    value: Ints
    rows: int

    @classmethod
    def of(cls, mask: int, budget: Budget) -> Classes:
        """Return the classes of a mask."""
        values = np.unique(np.arange(budget.drivers_per_bus) & mask)
        return cls(
            mask,
            np.repeat(np.arange(budget.buses), values.size),
            np.tile(values, budget.buses),
            budget.rows_per_bus // values.size,
        )

    def open_to(self, outputs: Ints, budget: Budget) -> NDArray[np.bool_]:
        """Return the classes that events of an output can take, (n, K)."""
        low = np.arange(4)
        reached = (4 * outputs[:, None] + low) & self.mask
        value = (reached[:, None, :] == self.value[None, :, None]).any(axis=2)
        same = outputs[:, None] % budget.buses == self.bus[None, :]
        return np.asarray(value & same)

    def low_bits(self, outputs: Ints, chosen: Ints) -> Ints:
        """Return bits 0-1 of the row address that lead to a class, (n,)."""
        low = np.arange(4)
        reached = (4 * outputs[:, None] + low) & self.mask
        return np.asarray(np.argmax(reached == self.value[chosen][:, None], axis=1), np.int64)


@dataclass(frozen=True, eq=False)
class Problem:
    """Sources to be assigned to classes.

    Parameters
    ----------
    need : array, (2, S, U)
        Exciting and inhibiting synapses from source to (kind of) neuron.
    circuits : array, (U,)
        Circuits that a neuron spreads its synapses over.
    sides : array of bool, (A, U)
        Arrays in which it has circuits.
    allowed : array of bool, (S, K)
        Classes that a source may take.
    size : array, (S,)
        What a source takes of the room of its class.
    room : array, (K,)
        Labels (or places) of a class.
    rows : int
        Rows of a class.
    """

    need: NDArray[np.int32]
    circuits: Ints
    sides: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    size: Ints
    room: Ints
    rows: int


@dataclass(eq=False)
class Assignment:
    """A (partial) solution: class of every source, -1: none yet, and the loads it makes."""

    problem: Problem
    chosen: Ints = field(init=False)
    load: NDArray[np.int64] = field(init=False)
    used: Ints = field(init=False)
    peak: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        p = self.problem
        classes = p.room.size
        self.chosen = np.full(p.size.size, -1, dtype=np.int64)
        self.load = np.zeros((2, classes, p.circuits.size), dtype=np.int64)
        self.used = np.zeros(classes, dtype=np.int64)
        self.peak = np.zeros((2, p.sides.shape[0], classes), dtype=np.int64)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows that each array and class needs, (A, K)."""
        return np.asarray(self.peak.sum(axis=0))

    @property
    def overflow(self) -> int:
        """Rows and labels that are missing."""
        p = self.problem
        rows = np.maximum(self.rows - p.rows, 0).sum()
        return int(rows + OVERFULL * np.maximum(self.used - p.room, 0).sum())

    def best(self, source: int) -> int:
        """Return the class that takes a source best."""
        p = self.problem
        options = np.flatnonzero(p.allowed[source])
        at = np.flatnonzero(p.need[:, source].any(axis=0))
        after = self.load[:, options][:, :, at] + p.need[:, source, at][:, None, :]
        rows = -(-after // p.circuits[at])
        missing = np.maximum(self.used[options] + p.size[source] - p.room[options], 0) * OVERFULL
        for side, here in enumerate(p.sides[:, at]):
            peak = np.maximum(
                self.peak[:, side, options], rows[:, :, here].max(axis=2, initial=0)
            ).sum(axis=0)
            missing = missing + np.maximum(peak - p.rows, 0)
        share = after / (p.circuits[at] * max(1.0, p.rows / 2))
        for _ in range(STEEPNESS):
            share = share * share
        cost = share.sum(axis=(0, 2)) + 1e-9 * self.used[options]
        return int(options[np.lexsort((cost, missing))[0]])

    @property
    def full(self) -> Ints:
        """Classes that overflow, in any array."""
        p = self.problem
        return np.flatnonzero((self.rows > p.rows).any(axis=0) | (self.used > p.room))

    def cost(self, *classes: int) -> float:
        """Return what classes cost: first what is missing, then rows, then uneven loads."""
        p, at = self.problem, list(classes)
        rows = self.rows[:, at]
        labels = np.maximum(self.used[at] - p.room[at], 0).sum()
        missing = np.maximum(rows - p.rows, 0).sum() + OVERFULL * labels
        share = self.load[:, at] / (p.circuits * max(1.0, p.rows / 2))
        for _ in range(STEEPNESS):
            share = share * share
        return float(missing + 0.01 * rows.sum() + 0.01 * share.mean())

    def add(self, source: int, to: int) -> None:
        """Give a source a class."""
        self.chosen[source] = to
        self._change(source, to, 1)

    def remove(self, source: int) -> None:
        """Take a source's class away."""
        self._change(source, int(self.chosen[source]), -1)
        self.chosen[source] = -1

    def _change(self, source: int, at: int, by: int) -> None:
        p = self.problem
        self.used[at] += by * p.size[source]
        self.load[:, at] += by * p.need[:, source]
        rows = -(-self.load[:, at] // p.circuits)
        for side, here in enumerate(p.sides):
            self.peak[:, side, at] = rows[:, here].max(axis=1, initial=0)


def assign(
    problem: Problem, order: Ints, *, rng: np.random.Generator, steps: int = STEPS
) -> Assignment:
    """Give every source a class: greedily, then by moves and swaps out of classes that overflow.

    Parameters
    ----------
    problem : Problem
        Sources, neurons and classes.
    order : array of int, (S,)
        Order of the greedy pass.
    rng : numpy Generator
        For moves and swaps.
    steps : int
        Most of them.

    Returns
    -------
    Assignment
        It fits if its ``overflow`` is 0.
    """
    result = Assignment(problem)
    for source in order.tolist():
        result.add(source, result.best(source))
    limit = HOPELESS * float(problem.rows * result.rows.size)
    if 0 < result.overflow <= limit:
        _improve(result, rng, steps=steps)
    return result


def _improve(result: Assignment, rng: np.random.Generator, *, steps: int) -> None:
    """Move or swap sources of overflowing classes where that costs less, until all fit."""
    p = result.problem
    best, since = result.overflow, 0
    for step in range(steps):
        now = result.overflow
        best, since = (now, step) if now < best else (best, since)
        if not now or step - since > PATIENCE:
            return
        full = result.full
        at = int(rng.choice(full))
        source = int(rng.choice(np.flatnonzero(result.chosen == at)))
        options = np.flatnonzero(p.allowed[source])
        options = options[options != at]
        if not options.size:
            continue
        to = int(rng.choice(options))
        back = -1
        if rng.random() < SWAPS:
            others = np.flatnonzero((result.chosen == to) & p.allowed[:, at])
            back = int(rng.choice(others)) if others.size else -1
        before = result.cost(at, to)
        _exchange(result, source, to, back=back, at=at)
        if result.cost(at, to) > before:
            _exchange(result, source, at, back=back, at=to)


def _exchange(result: Assignment, source: int, to: int, *, back: int, at: int) -> None:
    """Move a source to a class, and another one, if there is one, the other way."""
    result.remove(source)
    if back >= 0:
        result.remove(back)
        result.add(back, at)
    result.add(source, to)
