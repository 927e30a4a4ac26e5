"""The adjoint of a layer of LIF neurons, backward in time.

Per step, with the current ``i`` that is recorded one step late (0 at first)::

    b      = lam_v (1 - dt/tau_mem)
    lam_i <- lam_i + dt/tau_syn (lam_v - lam_i)
    lam_v <- (1 - z) b + z (leak - reset + i)/(leak - threshold + i) b
             + z gz/(leak - threshold + i)            quotients that are not finite count as 0

References
----------
Wunderlich, Pehle, "Event-based backpropagation can compute exact gradients for spiking neural
networks", Sci. Rep. 11 (2021); hxtorch @3bfc7aa, spiking functionals.
"""

from __future__ import annotations

import numpy as np

from ...kernels.lanes import (
    WIDTH,
    above,
    add,
    choose,
    divide,
    load,
    magnitude,
    multiply,
    spread,
    store,
    subtract,
)
from ...kernels.layers import Floats
from ._jit import exact, part

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_HUGE = np.float32(np.finfo(np.float32).max)


@part
def _finite(value: Floats) -> Floats:
    """Put 0 in the place of NaN and infinities."""
    zero = spread(_ZERO)
    bounded = choose(above(magnitude(value), spread(_HUGE)), zero, value)
    # A comparison with NaN is false.
    finite: Floats = choose(above(add(magnitude(bounded), spread(_ONE)), zero), bounded, zero)
    return finite


@part
def _run_tile(
    gz: Floats,
    z: Floats,
    i: Floats,
    c: Floats,
    lam_i: Floats,
    inputs: Floats,
    size: tuple[int, int],
    place: tuple[int, int],
) -> None:
    """Take the tile of sample ``place[0]`` at neuron ``place[1]`` from the last step back."""
    time, n = size
    b, k = place
    zero, one = spread(_ZERO), spread(_ONE)
    leak, decay, rate = load(c, k), load(c, 3 * n + k), load(c, 4 * n + k)
    to_threshold = subtract(leak, load(c, n + k))
    to_reset = subtract(leak, load(c, 2 * n + k))
    current, voltage = zero, zero
    for t in range(time - 1, -1, -1):
        at = (b * time + t) * n + k
        store(lam_i, at, current)
        store(inputs, at, subtract(voltage, current))
        if t > 0:
            drive, fired = load(i, at - n), load(z, at)
            below = add(to_threshold, drive)
            jump = _finite(divide(multiply(fired, add(to_reset, drive)), below))
            kick = _finite(multiply(divide(fired, below), load(gz, at)))
            b_now = multiply(voltage, decay)
            current = add(current, multiply(rate, subtract(voltage, current)))
            after = add(multiply(subtract(one, fired), b_now), multiply(jump, b_now))
            voltage = add(after, kick)


@exact
def run_adjoint(
    gz: Floats,
    z: Floats,
    i: Floats,
    constants: Floats,
    lam_i: Floats,
    inputs: Floats,
    shape: tuple[int, int, int],
) -> None:
    """Fill ``lam_i`` and ``inputs = lam_v - lam_i``.

    ``constants`` (5 * n,) are leak, threshold, reset, ``1 - dt/tau_mem``, ``dt/tau_syn``; ``i[t]``
    is the current recorded in step t. Arrays (batch, time, n), ``shape``, are flat; ``n >= WIDTH``.
    """
    batch, time, n = shape
    for b in range(batch):
        for first in range(0, n, WIDTH):
            place = (b, min(first, n - WIDTH))
            _run_tile(gz, z, i, constants, lam_i, inputs, (time, n), place)
