"""Targets of the read-out regression: sums of sines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

_SLOWEST, _FASTEST = 2.0, 0.3


def sum_of_sines(
    outputs: int, *, seed: int, steps: int = 100, sines: int = 3
) -> NDArray[np.float64]:
    """Draw one target trace per output, each a sum of sines with largest magnitude 1.

    Parameters
    ----------
    outputs : int
        Number of traces, >= 1.
    seed : int
        Same seed, same traces.
    steps : int
        Length, >= 2.
    sines : int
        Sines per trace, >= 1.

    Returns
    -------
    float64 array, (1, steps, outputs)
        One sample, -1..1.

    Raises
    ------
    InputError
        A number is too small.

    Notes
    -----
    ``sum of +-sin(linspace(0, 2 pi / p, steps))`` with ``p = (0.3 - 2) u + 2``, u uniform in
    0..1, divided by its largest magnitude. Draws are numpy's, not torch's: the statistics are
    those of the published tutorial, single traces are not.

    References
    ----------
    brainscales2-demos @11e31d8, introduction to training in the loop.
    """
    if outputs < 1 or steps < 2 or sines < 1:
        raise InputError(
            f"sum_of_sines: {outputs} outputs, {steps} steps, {sines} sines; expected at least "
            "1, 2 and 1"
        )
    random = np.random.default_rng(seed)
    period = (_FASTEST - _SLOWEST) * random.random((sines, outputs)) + _SLOWEST
    sign = random.choice(np.array([-1.0, 1.0]), size=(sines, outputs))
    phase = np.linspace(0.0, 2.0 * np.pi / period, steps)
    total = (sign * np.sin(phase)).sum(axis=1)
    scaled: NDArray[np.float64] = total / np.abs(total).max(axis=0)
    return scaled[None]
