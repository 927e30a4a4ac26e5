"""How arrays (batch, time, n) lie in memory when a kernel runs.

Layers of many neurons run as they are. Layers of few neurons run with the samples side by side, as
one sample (1, time, columns) with ``columns = batch * n``, and with some unused columns if that
are still fewer than a tile.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._jit import exact
from .lanes import WIDTH

Kind = TypeVar("Kind", bound=np.generic)


@exact
def put_beside(array: NDArray[Any], rows: NDArray[Any]) -> None:
    """Put (batch, time, n) into (time, columns), sample beside sample; unused columns are 0."""
    batch, time, n = array.shape
    for t in range(time):
        row = rows[t]
        for b in range(batch):
            for m in range(n):
                row[b * n + m] = array[b, t, m]
        for k in range(batch * n, row.shape[0]):
            row[k] = 0


@exact
def take_beside(rows: NDArray[Any], array: NDArray[Any]) -> None:
    """Undo `put_beside`."""
    batch, time, n = array.shape
    for b in range(batch):
        for t in range(time):
            for m in range(n):
                array[b, t, m] = rows[t, b * n + m]


class Arrangement(NamedTuple):
    """Where samples and neurons are in memory.

    Attributes
    ----------
    batch, time, n : int
        Shape of the arrays.
    beside : bool
        Whether samples run side by side.
    shape : tuple of int
        Shape that kernels see.
    """

    batch: int
    time: int
    n: int
    beside: bool
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, batch: int, time: int, n: int) -> Arrangement:
        """Arrange arrays of a shape."""
        beside = n < WIDTH
        shape = (1, time, max(batch * n, WIDTH)) if beside else (batch, time, n)
        return cls(batch, time, n, beside, shape)

    @property
    def repeats(self) -> int:
        """How often the neurons are repeated in a row of the kernels."""
        return self.batch if self.beside else 1

    def empty(self, kind: type[Kind]) -> NDArray[Kind]:
        """Give a flat array that a kernel fills."""
        return np.empty(math.prod(self.shape), dtype=kind)

    def lay(self, array: NDArray[Kind]) -> NDArray[Kind]:
        """Lay (batch, time, n) out for a kernel, flat; unused columns are 0."""
        if not array.size:
            return array.reshape(-1)
        if not self.beside:
            return np.ascontiguousarray(array).reshape(-1)
        rows = np.empty(self.shape[1:], dtype=array.dtype)
        put_beside(np.ascontiguousarray(array), rows)
        return rows.reshape(-1)

    def take(self, flat: NDArray[Kind]) -> NDArray[Kind]:
        """Undo `lay`: give (batch, time, n), contiguous."""
        if not self.beside:
            return flat.reshape(self.batch, self.time, self.n)
        array = np.empty((self.batch, self.time, self.n), dtype=flat.dtype)
        take_beside(flat.reshape(self.shape[1:]), array)
        return array

    def lay_row(self, row: NDArray[Any], fill: float = 0.0) -> NDArray[np.float32]:
        """Lay (batch, n) out for a kernel, flat."""
        flat: NDArray[np.float32] = np.ascontiguousarray(row, dtype=np.float32).reshape(-1)
        missing = self.shape[0] * self.shape[2] - flat.size
        return np.pad(flat, (0, missing), constant_values=fill) if missing > 0 else flat

    def lay_constants(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Repeat constants (rows, n) for the columns of a kernel, flat; unused columns get 1."""
        wide = np.ones((len(rows), self.shape[2]), dtype=np.float32)
        wide[:, : self.repeats * self.n] = np.tile(rows, (1, self.repeats))
        return wide.reshape(-1)

    def sum_columns(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sum (rows, columns) over the samples that lie side by side: (rows, n)."""
        parts = rows[:, : self.repeats * self.n].reshape(len(rows), self.repeats, self.n)
        total: NDArray[np.float32] = parts.sum(axis=1)
        return total
