"""Printing of results: tables for people, one JSON document for programs, progress on a tty."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..diagnostics import Diagnostic

_PIPE_WIDTH = 400
"""Columns of a table that is not shown on a terminal, so that no cell is cut."""


@dataclass(frozen=True)
class Output:
    """How a command talks.

    Parameters
    ----------
    as_json : bool
        One JSON document on stdout instead of text.
    quiet : bool
        No text for people; errors and JSON are still printed.
    """

    as_json: bool = False
    quiet: bool = False

    def document(self, document: Mapping[str, Any]) -> None:
        """Print the result for programs, if asked for."""
        if self.as_json:
            print(json.dumps(jsonable(document), indent=2, allow_nan=False))

    def text(self, text: str) -> None:
        """Print a line or paragraph for people."""
        if not (self.as_json or self.quiet):
            print(text)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str) -> None:
        """Print a table for people; numbers are right-aligned."""
        if self.as_json or self.quiet:
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        cells = [list(row) for row in rows]
        table = Table(
            title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False
        )
        for number, column in enumerate(columns):
            numeric = all(isinstance(row[number], int | float | None) for row in cells)
            table.add_column(column, justify="right" if cells and numeric else "left")
        for row in cells:
            table.add_row(*(Text(_cell(value)) for value in row))
        width = None if sys.stdout.isatty() else _PIPE_WIDTH
        Console(width=width, highlight=False, soft_wrap=False).print(table)

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Print losses and notes on stderr, so that stdout stays clean."""
        if not (self.as_json or self.quiet):
            for diagnostic in diagnostics:
                print(str(diagnostic), file=sys.stderr)

    @contextmanager
    def progress(self, what: str) -> Iterator[None]:
        """Show that work goes on, on stderr and only when that is a terminal."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(what):
            yield


def jsonable(value: Any) -> Any:
    """Return a value in JSON's types: arrays as lists, infinite and undefined numbers as null."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy, which is not imported for commands that have no arrays
        return jsonable(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    dump = getattr(value, "to_dict", None)
    return jsonable(dump()) if dump is not None else str(value)


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)
