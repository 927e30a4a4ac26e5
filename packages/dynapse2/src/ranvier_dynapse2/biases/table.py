"""The table of currents that the bias generator gives for its coarse and fine codes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import QuantizationError

from .names import scale_factor, transistor

TYPES = ("N", "P")
SHAPE = (2, 6, 256)
PUBLISHED = "currents.csv"
SOURCE = "rockpool 3.1.0, devices/dynapse/lookup/paramgen.py, after the vendor's documentation"
"""Where the currents of `published_table` come from."""


class BiasCode(NamedTuple):
    """A code of the bias generator: coarse 0..5 and fine 0..255."""

    coarse: int
    fine: int


@dataclass(frozen=True, eq=False)
class BiasTable:
    """Currents by transistor type (N, P), coarse and fine code, before the scale factor.

    Parameters
    ----------
    currents : array, (2, 6, 256)
        In A, >= 0. Within a coarse range they need not rise with the fine code.

    Raises
    ------
    QuantizationError
        The shape is wrong, or a current is negative or not finite.
    """

    currents: NDArray[np.float64]

    def __post_init__(self) -> None:
        currents = np.array(self.currents, dtype=np.float64)
        if currents.shape != SHAPE:
            raise QuantizationError(
                f"dynapse2: bias table has shape {currents.shape}, expected {SHAPE}: types N and "
                "P, coarse 0..5, fine 0..255"
            )
        if not np.all(np.isfinite(currents)) or currents.min() < 0:
            raise QuantizationError(
                "dynapse2: the bias table has negative or infinite currents; all are finite, >= 0 A"
            )
        currents.setflags(write=False)
        object.__setattr__(self, "currents", currents)

    @classmethod
    def from_csv(cls, path: str | Path) -> BiasTable:
        """Read a table with the columns type, coarse, fine, current_A.

        Parameters
        ----------
        path : str or Path
            One row for each of the 3072 codes, in any order.

        Raises
        ------
        QuantizationError
            The file cannot be read, or a code is missing, repeated or out of range.
        """
        currents = np.full(SHAPE, np.nan)
        try:
            with Path(path).open(newline="", encoding="utf-8") as stream:
                for number, row in enumerate(csv.DictReader(stream), start=2):
                    at = (TYPES.index(row["type"]), int(row["coarse"]), int(row["fine"]))
                    if min(at) < 0 or not np.isnan(currents[at]):
                        raise ValueError(f"line {number}: code {at[1:]} is repeated or negative")
                    currents[at] = float(row["current_A"])
        except (OSError, UnicodeDecodeError, KeyError, ValueError, IndexError, TypeError) as error:
            raise QuantizationError(
                f"dynapse2: {path}: not a bias table ({error}); it needs the columns type (N or "
                "P), coarse (0..5), fine (0..255) and current_A"
            ) from error
        missing = int(np.isnan(currents).sum())
        if missing:
            raise QuantizationError(
                f"dynapse2: {path}: {missing} of {currents.size} codes are missing"
            )
        return cls(currents)

    def row(self, name: str) -> NDArray[np.float64]:
        """Return the currents of a bias, (6, 256), in A, scale factor included."""
        return np.asarray(self.currents[TYPES.index(transistor(name))] * scale_factor(name))

    def current(self, name: str, coarse: ArrayLike, fine: ArrayLike) -> NDArray[np.float64]:
        """Return the current of codes, in A; arrays of equal shape.

        Raises
        ------
        QuantizationError
            The bias is unknown, or a code is out of range.
        """
        c, f = np.asarray(coarse), np.asarray(fine)
        if c.size and (c.min() < 0 or c.max() > 5 or f.min() < 0 or f.max() > 255):
            raise QuantizationError(
                f"dynapse2: {name}: code ({c.max()}, {f.max()}) is out of range; coarse is 0..5, "
                "fine 0..255"
            )
        return np.asarray(self.row(name)[c.astype(np.int64), f.astype(np.int64)])

    def code(self, name: str, current: float) -> BiasCode:
        """Return the code whose current is closest: the first of the lowest coarse range.

        Parameters
        ----------
        name : str
            Bias.
        current : float
            Wanted, in A, >= 0. Above the largest current the code saturates at (5, 255).

        Raises
        ------
        QuantizationError
            The bias is unknown, or the current is negative or not finite.

        Notes
        -----
        The error is absolute, not relative. The currents are not monotone in the fine code, so the
        whole table is searched.

        Examples
        --------
        >>> published_table().code("SOIF_LEAK_N", 2.127660e-12)
        BiasCode(coarse=0, fine=11)
        """
        if not (np.isfinite(current) and current >= 0):
            raise QuantizationError(
                f"dynapse2: {name}: current {current!r} A has no code; it must be finite and >= 0"
            )
        if current == 0:
            scale_factor(name)
            return BiasCode(0, 0)
        error = np.abs(self.row(name) - current)
        fine = error.argmin(axis=1)
        coarse = int(error[np.arange(len(fine)), fine].argmin())
        return BiasCode(coarse, int(fine[coarse]))

    def largest(self, name: str) -> float:
        """Return the largest current of a bias, in A."""
        return float(self.row(name).max())

    def smallest(self, name: str) -> float:
        """Return the smallest current of a bias, in A; there is no exact zero."""
        return float(self.row(name).min())

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, BiasTable) and np.array_equal(self.currents, other.currents)

    def __hash__(self) -> int:
        return hash(self.currents.tobytes())


@cache
def published_table() -> BiasTable:
    """Return the table that ships with this package; see `SOURCE`."""
    return BiasTable.from_csv(Path(__file__).with_name(PUBLISHED))
