"""Seeds of temporal noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

_GOLDEN, _MIX_1, _MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def trial_of(seed: int | None) -> int:
    """Return a trial seed: the one given, or a fresh one.

    Raises
    ------
    InputError
        It is negative or no whole number.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"bss2: trial_seed is {seed!r}; use a whole number >= 0, or None")
    return int(seed)


def sample_keys(seed: int, first: int, batch: int) -> NDArray[np.uint64]:
    """Return a key of noise for every sample of a batch, (batch,).

    Parameters
    ----------
    seed : int
        Trial seed, >= 0.
    first : int
        Number of the first sample, >= 0.
    batch : int
        How many.
    """
    base = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    number = np.arange(first + 1, first + batch + 1, dtype=np.uint64)
    return _mixed(base + number * np.uint64(_GOLDEN))


def instance_keys(keys: NDArray[np.uint64], instance: int) -> NDArray[np.uint64]:
    """Return the keys of an execution instance: every one has noise of its own."""
    return _mixed(keys ^ np.full_like(keys, _MIX_2) + np.uint64(instance))


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits (the finaliser of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(_MIX_1)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(_MIX_2)
    return np.asarray(x ^ (x >> np.uint64(31)))
