"""What background generators emit: cycles and channels, from settings and time alone.

The chip draws from a shift register that it starts with a seed; its polynomial and the moment at
which it starts are not published. Modelled is a generator of independent draws: every run from
rest, and every sample of a batch, starts it anew from its seed, so that events depend on the seed
and on the time since then, and on nothing else. The first event or draw is one period after the
start.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .network import BssBackground

Ints = NDArray[np.int64]
CLOCK = 125e6
"""Cycles per second, see the fact ``background_clock`` of the manifest."""
DRAWS = 255
"""A draw is one of 1..255 with equal chances: a shift register of 8 bits is never 0. So
``draw <= rate`` has the probability ``rate / 255``, and 0 switches off."""
BLOCK = 1 << 18
"""Draws that are made at once."""
_GOLDEN, _MIX_1, _MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def background_events(own: BssBackground, begin: int, end: int) -> tuple[Ints, Ints]:
    """Return the events of a generator in a span of time.

    Parameters
    ----------
    own : BssBackground
        Settings.
    begin, end : int
        Cycles since the start, ``begin <= cycle < end``.

    Returns
    -------
    cycle, channel : array of int64, (events,)
        When, ascending, and for which channel, 0..n-1.

    Notes
    -----
    Draw j of seed s is the same whatever the span: it is computed from s and j alone.

    References
    ----------
    haldls @838548a, background spike source (period, rate, seed, random bits of the label).
    """
    pieces = list(_blocks(own, max(begin, 1), end))
    empty = np.zeros(0, dtype=np.int64)
    cycle = np.concatenate([empty, *(c for c, _ in pieces)])
    channel = np.concatenate([empty, *(k for _, k in pieces)])
    return cycle, channel


def mean_rate(own: BssBackground) -> float:
    """Return the mean number of events per second of the chip, all channels together.

    Parameters
    ----------
    own : BssBackground
        Settings.

    Examples
    --------
    >>> mean_rate(BssBackground(name="b", shape=(1,), regular=False, period=125, rate=51, seed=1))
    200000.0
    """
    share = 1.0 if own.regular else own.rate / DRAWS
    return CLOCK / own.period * share


def background_counts(own: BssBackground, *, start: int, n_steps: int, dt: float) -> Ints:
    """Return how many events fall into each step, (n_steps, n).

    Parameters
    ----------
    own : BssBackground
        Settings.
    start : int
        First step, counted since the generator started.
    n_steps : int
        Steps.
    dt : float
        Time step on the chip, in s.

    Notes
    -----
    An event belongs to the step whose end is nearest, as records are binned: step t holds cycles
    from half a step before ``t dt`` on.
    """
    cycle, channel = step_events(own, start=start, n_steps=n_steps, dt=dt)
    counts = np.zeros((n_steps, own.size), dtype=np.int64)
    np.add.at(counts, (_step_of(cycle, dt) - start, channel), 1)
    return counts


def step_events(own: BssBackground, *, start: int, n_steps: int, dt: float) -> tuple[Ints, Ints]:
    """Return the events that belong to some steps, as `background_events` does.

    Parameters
    ----------
    own : BssBackground
        Settings.
    start : int
        First step.
    n_steps : int
        Steps.
    dt : float
        Time step on the chip, in s.
    """
    ratio = dt * CLOCK
    begin = math.floor((start - 0.5) * ratio) - 1
    end = math.ceil((start + n_steps - 0.5) * ratio) + 2
    cycle, channel = background_events(own, begin, end)
    step = _step_of(cycle, dt)
    inside = (step >= start) & (step < start + n_steps)
    return cycle[inside], channel[inside]


def _step_of(cycle: Ints, dt: float) -> Ints:
    ratio = dt * CLOCK
    ratio = round(ratio) if math.isclose(ratio, round(ratio), rel_tol=1e-9) else ratio
    return np.asarray((cycle + math.floor(ratio / 2)) // ratio).astype(np.int64)


def _blocks(own: BssBackground, begin: int, end: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield events block by block."""
    first, last = -(-begin // own.period), -(-end // own.period)
    for low in range(first, last, BLOCK):
        number = np.arange(low, min(low + BLOCK, last), dtype=np.int64)
        channel = np.zeros(number.size, dtype=np.int64)
        if not own.regular:
            bits = _mixed(_start(own.seed) + number.astype(np.uint64) * np.uint64(_GOLDEN))
            emits = bits % np.uint64(DRAWS) < np.uint64(own.rate)
            number = number[emits]
            channel = (_mixed(bits[emits]) % np.uint64(own.size)).astype(np.int64)
        yield number * own.period, channel


def _start(seed: int) -> NDArray[np.uint64]:
    return _mixed(np.array([seed], dtype=np.uint64) ^ np.uint64(_MIX_2))


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits (the finaliser of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(_MIX_1)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(_MIX_2)
    return np.asarray(x ^ (x >> np.uint64(31)))
