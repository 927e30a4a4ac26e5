"""The journal of a sweep: rows as they come, in a file that any interruption leaves readable."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import FileError
from ..events.atomic import replacing
from .job import Outcome
from .result import SweepResult
from .space import Row, space_of

FORMAT = "ranvier.sweep"
VERSION = 1
SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Content:
    """What a journal holds.

    Parameters
    ----------
    definition : mapping
        What was swept, see `ranvier.sweeps.plan`.
    outcomes : mapping of int to Outcome
        Finished rows by their index.
    size : int
        Bytes of the whole lines; a line that was cut off lies beyond.
    """

    definition: Mapping[str, Any]
    outcomes: Mapping[int, Outcome]
    size: int


class Journal:
    """A file to which finished rows are appended: a first line that says what, a line per job.

    Every line is written at once and forced to the disk. A last line that was cut off is ignored.

    Parameters
    ----------
    path : Path
        File ending in ``.jsonl``; new, empty, or the journal of the same sweep.
    definition : mapping
        What is swept.

    Raises
    ------
    FileError
        The ending is another one, the file is something else or of another sweep, or the disk
        refuses.
    """

    def __init__(self, path: Path, definition: Mapping[str, Any]) -> None:
        self.path = check_suffix(path)
        if path.exists() and path.stat().st_size:
            content = read_journal(path)
            check_same(path, content.definition, definition)
            self.finished = content.outcomes
            self._open(content.size)
        else:
            write_journal(path, definition, {})
            self.finished = {}
            self._open(path.stat().st_size)

    def _open(self, size: int) -> None:
        """Cut off what lies beyond the whole lines and stand at the end."""
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            os.ftruncate(self._file, size)
        except OSError as error:
            raise FileError(f"{self.path}: cannot be continued ({error.strerror})") from error

    def append(self, rows: Mapping[int, Row], outcomes: Iterable[Outcome]) -> None:
        """Keep the outcomes of one job."""
        line = _line([(rows[o.index], o) for o in outcomes])
        try:
            while line:
                line = line[os.write(self._file, line) :]
            os.fsync(self._file)
        except OSError as error:
            raise FileError(
                f"{self.path}: cannot be written ({error.strerror}); the rows before are intact, "
                "make room and run again"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)


def read_results(path: str | os.PathLike[str]) -> SweepResult:
    """Read what a sweep kept, finished or not.

    Parameters
    ----------
    path : path
        File given as ``results=``, or saved with `SweepResult.save`.

    Returns
    -------
    SweepResult
        Rows that are there; ``missing`` tells which are not.

    Raises
    ------
    FileError
        Missing, something else, or damaged before its last line.
    """
    content = read_journal(Path(path))
    return SweepResult(content.definition, content.outcomes)


def check_suffix(path: Path) -> Path:
    """Return a path that ends in ``.jsonl``; raise `FileError` for another ending."""
    if path.suffix.lower() != SUFFIX:
        raise FileError(
            f"{path}: results of a sweep are kept as {SUFFIX}; name it {path.stem}{SUFFIX}"
        )
    return path


def write_journal(
    path: Path, definition: Mapping[str, Any], outcomes: Mapping[int, Outcome]
) -> None:
    """Write a whole journal, completely or not at all."""
    header = {"format": FORMAT, "version": VERSION, "definition": dict(definition)}
    rows = {row.index: row for row in space_of(definition).rows()} if outcomes else {}
    body = _line([(rows[i], outcomes[i]) for i in sorted(outcomes)]) if outcomes else b""
    with replacing(path) as temporary:
        temporary.write_bytes(json.dumps(header).encode() + b"\n" + body)


def read_journal(path: Path) -> Content:
    """Read the whole lines of a journal.

    Raises
    ------
    FileError
        As in `read_results`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    *lines, _ = data.split(b"\n")  # what follows the last line break was cut off
    definition = _definition(path, lines[0] if lines else b"")
    outcomes: dict[int, Outcome] = {}
    size = len(lines[0]) + 1
    rows = space_of(definition).rows()
    for number, line in enumerate(lines[1:], start=2):
        found = _outcomes(line, rows)
        if found is None and number < len(lines):
            raise FileError(
                f"{path}: line {number} is damaged, lines after it are not; restore the file, or "
                "delete that line to run its rows again"
            )
        if found is not None:
            outcomes |= found
            size += len(line) + 1
    return Content(definition, outcomes, size)


def check_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise `FileError` unless two definitions are equal, naming what differs."""
    odd = sorted(k for k in {*found, *wanted} if _text(found, k) != _text(wanted, k))
    if odd:
        raise FileError(
            f"{path}: belongs to another sweep: {', '.join(odd)} differ; give another file for "
            "results, or repeat the sweep that it belongs to"
        )


def _definition(path: Path, line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
        known = header["format"] == FORMAT
        version, definition = header["version"], dict(header["definition"])
        space_of(definition)
    except (ValueError, TypeError, LookupError):
        known, version, definition = False, 0, {}
    if not known:
        raise FileError(
            f"{path}: holds no results of a sweep; give another file, it was not changed"
        )
    if version > VERSION:
        raise FileError(
            f"{path}: has version {version}, this ranvier reads up to {VERSION}; run: "
            "pip install --upgrade ranvier"
        )
    return definition


def _text(definition: Mapping[str, Any], name: str) -> str:
    return json.dumps(definition.get(name), sort_keys=True)  # NaN equals NaN in text


def _line(entries: Iterable[tuple[Row, Outcome]]) -> bytes:
    rows = []
    for row, outcome in entries:
        found = {"error": outcome.error} if outcome.error else {"values": dict(outcome.values)}
        rows.append({"index": row.index, "parameters": dict(row.parameters), **found})
    return json.dumps({"rows": rows}).encode() + b"\n"


def _outcomes(line: bytes, rows: tuple[Row, ...]) -> dict[int, Outcome] | None:
    """Return the outcomes of a line; None if it is damaged or fits no row."""
    try:
        entries = json.loads(line)["rows"]
        if any(dict(rows[e["index"]].parameters) != e["parameters"] for e in entries):
            return None
        return {
            e["index"]: Outcome(e["index"], e.get("values", {}), e.get("error", ""))
            for e in entries
        }
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
