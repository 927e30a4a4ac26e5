"""What travels between a sweep and its workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..artifacts import Recording
from .space import Row

Evaluate: TypeAlias = Callable[[Recording], Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Parcel:
    """What all rows share; sent to a worker once and kept there under its key.

    Parameters
    ----------
    key : str
        Hash of the content.
    network : bytes
        Graph, mapped network or configuration as a ``.rv`` file.
    target : str
        Name of the target.
    inputs : mapping of str to array
        Input ``([batch,] time, *shape)`` by name.
    lengths : array of int, (batch,), or None
        Valid steps of each sample.
    record : sequence of str or bool
        Quantities to record besides the outputs.
    fixed : mapping
        Options that are the same in all rows, by ``"verb.option"``.
    """

    key: str
    network: bytes = field(repr=False)
    target: str
    inputs: Mapping[str, NDArray[Any]] = field(repr=False)
    lengths: NDArray[np.int64] | None
    record: Sequence[str] | bool
    fixed: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Job:
    """Rows for one worker.

    Parameters
    ----------
    key : str
        Key of the parcel.
    rows : tuple of Row
        What to run; seeds are among their parameters.
    evaluate : callable
        From a recording to numbers.
    parcel : Parcel or None
        Sent along with the first jobs, and again when a worker asks for it.
    """

    key: str
    rows: tuple[Row, ...]
    evaluate: Evaluate
    parcel: Parcel | None = None


@dataclass(frozen=True)
class Outcome:
    """Result of one row.

    Parameters
    ----------
    index : int
        Place in the table.
    values : mapping of str to number or list
        What the evaluation found; empty if the row failed.
    error : str
        Why the network cannot be built or run with these options; empty if it can.
    """

    index: int
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Reply:
    """Answer to a job.

    Parameters
    ----------
    outcomes : tuple of Outcome
        One per row.
    row_seconds : float
        Median time of a row, in s.
    needs_parcel : bool
        Whether nothing ran because the worker does not have the parcel.
    """

    outcomes: tuple[Outcome, ...] = ()
    row_seconds: float = 0.0
    needs_parcel: bool = False
