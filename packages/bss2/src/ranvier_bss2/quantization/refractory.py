"""Refractory counters: two clocks for all neurons of a run, and 8 bits for each neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

BASE_CLOCK = 250e6
"""Hz; a clock of scale k has the period ``2 ** (k + 1) / BASE_CLOCK`` (calix @e573081)."""
SCALE_MAX, COUNTER_MAX, HOLDOFF_STEPS = 15, 255, 31
"""Largest clock scale, counter and number of holdoff periods."""
COUNTS_WANTED = 30
"""Counts that the shortest refractory time is to have, for precision."""
START = 4
"""Clock scale at which the search begins."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RefractorySettings:
    """Registers of the refractory counters.

    Parameters
    ----------
    fast_clock, slow_clock : int
        Clock scales, 0..15.
    input_clock : array of int, (n,)
        1: the fast clock, 0: the slow one.
    counter : array of int, (n,)
        0..255.
    reset_holdoff : array of int, (n,)
        0..15: the reset is released ``31 - 2 reset_holdoff`` cycles before the end.
    """

    fast_clock: int
    slow_clock: int
    input_clock: Ints
    counter: Ints
    reset_holdoff: Ints

    @property
    def period(self) -> Floats:
        """Period of each neuron's clock, (n,), in s."""
        scale = np.where(self.input_clock == 1, self.fast_clock, self.slow_clock)
        return np.asarray(np.exp2(scale + 1.0) / BASE_CLOCK)

    @property
    def refractory(self) -> Floats:
        """Realised refractory times, (n,), in s."""
        return self.counter * self.period

    @property
    def holdoff(self) -> Floats:
        """Realised times between the release of the reset and the end, (n,), in s."""
        return (HOLDOFF_STEPS - 2 * self.reset_holdoff) * self.period


def refractory_settings(refractory: Floats, holdoff: Floats | None = None) -> RefractorySettings:
    """Choose clocks and counters for the refractory times of all neurons of a run.

    Parameters
    ----------
    refractory : array, (n,)
        Times after a spike, in s, > 0.
    holdoff : array, (n,), optional
        Times between reset and release, in s, >= 0; none by default.

    Returns
    -------
    RefractorySettings

    Raises
    ------
    QuantizationError
        A time is not positive, or no clock counts the longest one.

    Notes
    -----
    Neurons with up to the mean refractory time take the fast clock, the others the slow one, and so
    do those whose holdoff is longer than 31 periods of the fast clock. From scale 4 on, a clock is
    slowed down until the longest time has at most 255 counts, and sped up until the shortest has at
    least 30, as long as both are possible. ``counter = trunc(time / period) + 1``.

    References
    ----------
    calix @e573081, refractory periods.

    Examples
    --------
    >>> import numpy as np
    >>> found = refractory_settings(np.array([2e-6]))
    >>> found.fast_clock, found.counter.tolist()
    (3, [32])
    """
    time = np.asarray(refractory, dtype=np.float64)
    hold = np.zeros(time.shape) if holdoff is None else np.asarray(holdoff, dtype=np.float64)
    if not time.size:
        none = np.zeros(0, dtype=np.int64)
        return RefractorySettings(
            fast_clock=START, slow_clock=START, input_clock=none, counter=none, reset_holdoff=none
        )
    if not np.all(time > 0) or not np.all(hold >= 0):
        raise QuantizationError(
            f"bss2: refractory time is {float(time.min()):g} s and holdoff {float(hold.min()):g} s "
            "at least; give times > 0 and >= 0"
        )
    fast = time <= float(time.mean()) * (1 + 1e-12)
    fast_scale = _scale(time[fast], np.zeros(0))
    fast &= hold <= HOLDOFF_STEPS * _period(fast_scale)
    slow = ~fast
    slow_scale = _scale(time[slow], hold[slow]) if slow.any() else fast_scale
    period = np.where(fast, _period(fast_scale), _period(slow_scale))
    counter = np.trunc(time / period).astype(np.int64) + 1
    if np.any(counter > COUNTER_MAX + 1):
        worst = int(np.argmax(counter))
        raise QuantizationError(
            f"bss2: a refractory time of {time[worst]:g} s takes {counter[worst]} counts of "
            f"{period[worst]:g} s, a counter has {COUNTER_MAX}; choose times that lie closer "
            "together"
        )
    released = np.ceil(15 - np.trunc(hold / period) / 2)
    return RefractorySettings(
        fast_clock=fast_scale,
        slow_clock=slow_scale,
        input_clock=fast.astype(np.int64),
        counter=np.minimum(counter, COUNTER_MAX),
        reset_holdoff=np.where(fast, 15, np.clip(released, 0, 15)).astype(np.int64),
    )


def _period(scale: int) -> float:
    return float(2.0 ** (scale + 1) / BASE_CLOCK)


def _scale(time: Floats, hold: Floats) -> int:
    """Return the clock scale for neurons that share a clock."""
    least = max(float(time.max()) / COUNTER_MAX, float(hold.max(initial=0.0)) / HOLDOFF_STEPS)
    most = min(float(time.min()) / COUNTS_WANTED, float(hold.min(initial=np.inf)))
    most = max(most, 2 * least)
    scale = START
    while _period(scale) < least:
        scale += 1
    while _period(scale) > most and scale >= 0:
        scale -= 1
    if scale > SCALE_MAX:
        raise QuantizationError(
            f"bss2: a refractory time of {float(time.max()):g} s needs clock scale {scale}, the "
            f"largest is {SCALE_MAX}; choose a shorter time"
        )
    return max(scale, 0)
