"""Rows as aligned text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ranvier.errors import InputError


def as_table(rows: Sequence[Any]) -> str:
    """Return rows as text with one aligned column per field.

    Parameters
    ----------
    rows : sequence of frozen dataclasses
        All of one kind, from one of the functions of `ranvier_dynapse2.tables`.

    Returns
    -------
    str
        A line of headings, then one line per row; numbers to the right; ``-`` for what is missing.
        ``"(no rows)"`` if there are none.

    Raises
    ------
    InputError
        Rows are of several kinds, or no dataclasses.
    """
    if not rows:
        return "(no rows)"
    kinds = {type(row) for row in rows}
    if len(kinds) != 1 or not dataclasses.is_dataclass(rows[0]):
        raise InputError(
            f"dynapse2: as_table takes rows of one table, got {sorted(k.__name__ for k in kinds)}"
        )
    names = [f.name for f in dataclasses.fields(rows[0])]
    columns = []
    for name in names:
        values = [getattr(row, name) for row in rows]
        cells = [name, *map(_cell, values)]
        width = max(map(len, cells))
        right = all(isinstance(v, int | float) or v is None for v in values)
        columns.append([c.rjust(width) if right else c.ljust(width) for c in cells])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _cell(value: Any) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)
