"""A progress line on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol


class Report(Protocol):
    """Shows the numbers of a finished epoch."""

    def __call__(self, epoch: int, row: Mapping[str, float]) -> None:
        """Show them."""


def text_of(row: Mapping[str, float]) -> str:
    """Return the numbers of an epoch as one line."""
    return "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "epoch")


@contextmanager
def progress(*, done: int, total: int, wanted: bool | None) -> Iterator[Report]:
    """Yield a function that advances a bar; ``wanted=None`` shows it only on a terminal."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield lambda epoch, row: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=total, completed=done, numbers="")

        def report(epoch: int, row: Mapping[str, float]) -> None:
            bar.update(task, completed=epoch + 1, numbers=text_of(row))

        yield report
