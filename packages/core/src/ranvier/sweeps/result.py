"""The table of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, SimulationError
from .job import Outcome
from .space import TRIAL_SEED, Space, space_of


class SweepResult:
    """One row per combination of what varied, in the order of the product of the axes.

    Equal for every executor, number of workers and size of jobs.

    Parameters
    ----------
    definition : mapping
        What was swept: hashes of network and input, axes, options, seed, versions.
    outcomes : mapping of int to Outcome
        Finished rows by their index.
    """

    def __init__(self, definition: Mapping[str, Any], outcomes: Mapping[int, Outcome]) -> None:
        self.definition = MappingProxyType(dict(definition))
        self._outcomes = {index: outcomes[index] for index in sorted(outcomes)}

    @cached_property
    def _space(self) -> Space:
        return space_of(self.definition)

    @cached_property
    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """Finished rows: parameters, trial seed, and what was found (or ``error``)."""
        made = []
        for row in self._space.rows():
            if row.index in self._outcomes:
                outcome = self._outcomes[row.index]
                failed = {"error": outcome.error} if outcome.error else {}
                made.append(MappingProxyType({**row.parameters, **outcome.values, **failed}))
        return tuple(made)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the columns that say how a row was run."""
        return tuple(dict.fromkeys((*self._space.axes, TRIAL_SEED)))

    @property
    def results(self) -> tuple[str, ...]:
        """Names of the columns that say what was found."""
        return tuple(dict.fromkeys(k for o in self._outcomes.values() for k in o.values))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return (*self.parameters, *self.results)

    @property
    def failed(self) -> tuple[Mapping[str, Any], ...]:
        """Rows that the target refuses; ``row["error"]`` says why."""
        return tuple(row for row in self.rows if "error" in row)

    @property
    def missing(self) -> tuple[Mapping[str, Any], ...]:
        """Parameters of the rows that have not run."""
        rows = self._space.rows()
        return tuple(row.parameters for row in rows if row.index not in self._outcomes)

    def __len__(self) -> int:
        return len(self._outcomes)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, (n_rows, ...); a failed row has NaN, other kinds are objects."""
        if name not in self.columns:
            raise InputError(f"sweep: no column {name!r}; columns: {', '.join(self.columns)}")
        return _column([row.get(name) for row in self.rows])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SweepResult) and repr(self.to_dict()) == repr(other.to_dict())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self.definition), self._outcomes)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's types."""
        return {
            "definition": dict(self.definition),
            "parameters": list(self.parameters),
            "results": list(self.results),
            "rows": [dict(row) for row in self.rows],
            "missing": len(self.missing),
        }

    def summary(self) -> dict[str, dict[str, float]]:
        """Return count, mean, standard deviation, least and largest of every single-number result.

        Returns
        -------
        dict of str to dict
            ``n``, ``mean``, ``std`` (of the sample, NaN for one row), ``min``, ``max`` over the
            rows that did not fail.
        """
        found = {}
        for name in self.results:
            values = [row[name] for row in self.rows if name in row]
            if all(isinstance(value, int | float) for value in values):
                found[name] = _statistics(np.asarray(values, dtype=np.float64))
        return found

    def save(self, path: str | PathLike[str]) -> None:
        """Write the table as JSON lines (``.jsonl``), completely or not at all.

        `read_results` reads it, and ``sweep(..., results=path)`` goes on from it.
        """
        from .journal import check_suffix, write_journal

        write_journal(check_suffix(Path(path)), self.definition, self._outcomes)

    def __str__(self) -> str:
        count = f"{len(self)} of {self._space.size} rows"
        lines = [f"SweepResult on {self.definition['target']}: {count}, {len(self.failed)} failed"]
        for name, own in self.summary().items():
            spread = f"{own['mean']:.4g} ± {own['std']:.2g}"
            lines.append(f"  {name}: {spread} ({own['min']:.4g} to {own['max']:.4g})")
        return "\n".join(lines)

    __repr__ = __str__


class SweepError(SimulationError):
    """A sweep ended early.

    Parameters
    ----------
    message : str
        What happened, how much is missing, what to do.
    result : SweepResult
        The rows that are finished.
    """

    def __init__(self, message: str, result: SweepResult) -> None:
        super().__init__(message)
        self.result = result

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.result)


def _statistics(values: NDArray[np.float64]) -> dict[str, float]:
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        "min": float(values.min()),
        "max": float(values.max()),
    }


def _column(values: list[Any]) -> NDArray[Any]:
    present = [value for value in values if value is not None]
    try:
        made = np.asarray(present)
    except ValueError:  # ragged
        made = np.asarray(None)
    if made.dtype.kind not in "biufU" or (made.dtype.kind == "U" and len(present) < len(values)):
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    if len(present) == len(values):
        return made
    filled = np.full((len(values), *made.shape[1:]), np.nan)
    filled[[value is not None for value in values]] = made
    return filled
