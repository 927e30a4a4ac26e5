"""Numbers of a training run by epoch: table, best epoch, CSV, learning curve."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError, InputError
from ..events.atomic import replacing

Mode = Literal["min", "max"]


@dataclass
class History:
    """One row of named numbers per finished epoch.

    Parameters
    ----------
    rows : list of dict
        ``{"epoch": 0, "train.loss": 1.2, "validation.loss": 1.3, ...}``.
    """

    rows: list[dict[str, float]] = field(default_factory=list)

    def append(self, row: Mapping[str, float]) -> None:
        """Add the numbers of an epoch."""
        self.rows.append(dict(row))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order of appearance."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self.names:
            raise InputError(f"history: no column {name!r}; columns: {', '.join(self.names)}")
        return np.array([row.get(name, np.nan) for row in self.rows], dtype=np.float64)

    def best(self, name: str, *, mode: Mode = "min") -> dict[str, float]:
        """Return the row with the lowest (or highest) value; the first of equals."""
        values = self[name]
        if np.all(np.isnan(values)):
            raise InputError(f"history: column {name!r} has no value")
        return self.rows[int(np.nanargmin(values) if mode == "min" else np.nanargmax(values))]

    def to_csv(self, path: str | Path) -> Path:
        """Write the table, one line per epoch, atomically."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, fieldnames=self.names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _shown(v) for k, v in row.items()} for row in self.rows)
        target = Path(path)
        with replacing(target) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")
        return target

    @classmethod
    def from_csv(cls, path: str | Path) -> History:
        """Read what `to_csv` wrote; raises `FileError` on anything else."""
        try:
            with Path(path).open(newline="", encoding="utf-8") as file:
                rows = [
                    {k: float(v) for k, v in r.items() if v != ""} for r in csv.DictReader(file)
                ]
        except (OSError, ValueError, TypeError, UnicodeDecodeError) as error:
            raise FileError(f"{path}: not a table of training numbers: {error}") from error
        return cls(rows)

    def plot(self, ax: Any = None, *, names: tuple[str, ...] | None = None) -> Any:
        """Draw the columns (losses by default) over epochs; returns the axes."""
        from ..plotting import learning_curve

        shown = names or tuple(n for n in self.names if n.endswith("loss"))
        return learning_curve({n: self[n].tolist() for n in shown}, ax=ax)

    def __str__(self) -> str:
        if not self.rows:
            return "History: no epoch finished"
        return "  ".join(f"{k} {_shown(v)}" for k, v in self.rows[-1].items())


def _shown(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
