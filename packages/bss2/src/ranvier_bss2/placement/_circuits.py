"""Circuits for neurons: shapes on the chip, first fit, and given places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .budget import Budget

Ints = NDArray[np.int64]


def shape_at(cell: int, circuits: int, budget: Budget) -> Ints:
    """Return the circuits of a neuron that begins at a cell, (circuits,).

    Cells count the chip column by column, upper row first: cell ``2 column + row``.
    """
    cells = np.arange(cell, cell + circuits)
    return np.asarray(cells % 2 * budget.columns + cells // 2)


def cells_of(circuits: Ints, budget: Budget) -> Ints:
    """Return the cells of circuits."""
    return np.asarray(circuits % budget.columns * 2 + circuits // budget.columns)


def connected(circuits: Sequence[int], budget: Budget) -> bool:
    """Return whether circuits are joined: within a column, or side by side in a row."""
    left = set(circuits)
    edge = [left.pop()]
    while edge:
        row, column = divmod(edge.pop(), budget.columns)
        beside = {row * budget.columns + c for c in (column - 1, column + 1) if c >= 0}
        beside = {k for k in beside if k // budget.columns == row}
        near = (beside | {(1 - row) * budget.columns + column}) & left
        left -= near
        edge.extend(near)
    return not left


class Board:
    """Free cells of a chip; neurons are put on it one by one."""

    def __init__(self, budget: Budget, taken: Ints | None = None) -> None:
        self.budget = budget
        self.free = np.ones(budget.circuits, dtype=np.bool_)
        if taken is not None:
            self.free[cells_of(taken, budget)] = False

    def put(
        self, circuits: int, *, odd: bool, bus: int | None = None, row: int | None = None
    ) -> Ints | None:
        """Take the first place for a neuron and return its circuits, (circuits,).

        Parameters
        ----------
        circuits : int
            Size of the neuron.
        odd : bool
            Whether it may begin in the lower row; neurons of one circuit always may.
        bus : int or None
            Bus that its events must take.
        row : int or None
            Row of circuits in which it must begin.
        """
        for cell in self._anchors(circuits, odd=odd, bus=bus, row=row):
            if self.free[cell : cell + circuits].all():
                self.free[cell : cell + circuits] = False
                return shape_at(cell, circuits, self.budget)
        return None

    def _anchors(
        self, circuits: int, *, odd: bool, bus: int | None, row: int | None
    ) -> Iterator[int]:
        budget = self.budget
        last = budget.circuits - circuits
        first = np.flatnonzero(self.free[: last + 1])
        if circuits == 1 and not odd:
            first = first[np.argsort(first % 2, kind="stable")]
        elif circuits > 1 and not (odd and circuits % 2 and circuits > 1):
            first = first[first % 2 == 0]
        if row is not None:
            first = first[first % 2 == row]
        if bus is not None:
            output = budget.output_of(first // 2)
            first = first[output % budget.buses == bus]
        yield from first.tolist()


def first_fit(
    circuits: Ints,
    budget: Budget,
    *,
    order: Sequence[int],
    fixed: Ints,
    packed: bool = False,
    bus: Ints | None = None,
    rows: Ints | None = None,
) -> Ints | None:
    """Place neurons one after the other, each at the first place that is free.

    Parameters
    ----------
    circuits : array of int, (n,)
        Circuits per neuron.
    budget : Budget
        The chip.
    order : sequence of int
        Order of the neurons.
    fixed : array of int, (n, widest)
        Circuits that are given, -1 elsewhere.
    packed : bool
        Whether neurons fill the chip column by column without gaps, instead of the upper row
        first.
    bus : array of int, (n,), optional
        Bus that the events of a neuron should take, -1: any. Where that is full, any is taken.
    rows : array of int, (n,), optional
        Row in which a neuron of one circuit must lie, -1: any.

    Returns
    -------
    array of int, (n, widest), or None
        Circuits by rank, -1 beyond the neuron's own; None where a neuron finds no place.
    """
    board = Board(budget, fixed[fixed >= 0])
    placed = fixed.copy()
    odd = packed and budget.interlock
    for n in order:
        if placed[n, 0] >= 0:
            continue
        size, wanted = int(circuits[n]), None if bus is None or bus[n] < 0 else int(bus[n])
        single = packed if size == 1 else odd
        row = None if rows is None or rows[n] < 0 or size > 1 else int(rows[n])
        found = board.put(size, odd=single, bus=wanted, row=row)
        if found is None and wanted is not None:
            found = board.put(size, odd=single, row=row)
        if found is None:
            return None
        placed[n, :size] = found
    return placed
