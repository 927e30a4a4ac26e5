"""Spike counts as the single spike events a board takes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def events_from_counts(counts: NDArray[Any], *, most: int) -> tuple[Ints, Ints]:
    """Return one event per spike.

    Parameters
    ----------
    counts : array of int, (time, n_in), ≥ 0
    most : int
        Largest count per channel and step that the chip holds; more are not sent.

    Returns
    -------
    step, channel : array of int64, (n_events,)
        Ordered by step, then channel; a count of n is n equal rows.
    """
    step, channel = np.nonzero(counts)
    times = np.minimum(counts[step, channel], most).astype(np.int64)
    return np.repeat(step, times).astype(np.int64), np.repeat(channel, times).astype(np.int64)


def counts_from_events(step: Ints, channel: Ints, *, shape: tuple[int, int]) -> Ints:
    """Return the counts ``(time, n_in)`` that events make up, the inverse of the above."""
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (step, channel), 1)
    return counts
