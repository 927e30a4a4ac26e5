"""The layer of `ranvier_bss2.kernels.layers` backward in time.

Per step, with the derivative ``h = 1/(alpha |v - threshold| + 1)**2`` at the membrane ``v`` that
was compared with the threshold; ``m`` and ``z`` are taken as constants, except in the two places
where ``z`` is an output and where it drives the adaptation::

    gz <- (1 - m) gz + b gw
    gv <- (1 - m) (1 - z) gv + dt/tau_adaptation a gw + h gz         (no factor with observed v)
    gx  = gi
    gi <- gi (1 - dt/tau_syn) + dt/C gv
    gw <- gw (1 - dt/tau_adaptation) - dt/C gv
    gv <- gv - g dt/C gv + (derivative of the exponential term) dt/C gv
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...kernels.lanes import (
    WIDTH,
    above,
    add,
    choose,
    divide,
    load,
    load_mask,
    magnitude,
    multiply,
    spread,
    store,
    subtract,
)
from ...kernels.layers import (
    EXP_SLOPE,
    KEEP,
    SCALE,
    THRESHOLD,
    W_GAIN,
    W_KEEP,
    B,
    Events,
    Floats,
    G,
    Observed,
    Records,
    States,
    Terms,
    exponential,
)
from ._jit import exact, part
from ._trained import START, Before, Step, gain, train_step

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


class Given(NamedTuple):
    """Gradients of the recorded traces, each (batch, time, n), flat, or empty."""

    z: Floats
    i: Floats
    v: Floats
    w: Floats


@part
def _through_threshold(gz: Floats, distance: Floats, alpha: np.float32) -> Floats:
    """Give the gradient of the membrane at the threshold."""
    root = add(multiply(spread(alpha), magnitude(distance)), spread(_ONE))
    found: Floats = divide(gz, multiply(root, root))
    return found


@part
def _through_adaptation(
    gz: Floats, gv: Floats, gw: Floats, c: Floats, terms: Terms, n: int, k: int
) -> tuple[Floats, Floats]:
    """Add what spikes and membrane do to the adaptation."""
    if terms.triggered:
        gz = add(gz, multiply(load(c, B * n + k), gw))
    if terms.subthreshold:
        gv = add(gv, multiply(load(c, W_GAIN * n + k), gw))
    return gz, gv


@part
def _spread_back(events: Events, to_weight: Floats, row: int, gradient: Floats) -> None:
    """Add the gradient of a tile's input to those of the weights of a row's events."""
    for p in range(events.pointer[row], events.pointer[row + 1]):
        place = events.channel[p] * WIDTH
        own = multiply(spread(events.value[p]), gradient)
        store(to_weight, place, add(load(to_weight, place), own))


@part
def _run_tile(
    events: Events,
    to_weight: Floats,
    listed: bool,
    given: Given,
    c: Floats,
    terms: Terms,
    seen: Observed,
    kept: Records,
    start: States,
    alpha: np.float32,
    gx: Floats,
    train: bool,
    total: Floats,
    size: tuple[int, int],
    place: tuple[int, int],
    room: Floats,
) -> None:
    """Take the tile of sample ``place[0]`` at neuron ``place[1]`` from the last step back.

    Where inputs are listed, the gradients of their weights, ``to_weight`` (n_in * WIDTH,), grow.
    """
    time, n = size
    b, k = place
    zero, one = spread(_ZERO), spread(_ONE)
    scale, keep, g = load(c, SCALE * n + k), load(c, KEEP * n + k), load(c, G * n + k)
    threshold = load(c, THRESHOLD * n + k)
    has_v, has_z = seen.v.size > 0, seen.z.size > 0
    adapts = terms.subthreshold | terms.triggered
    gi, gv, gw, gz = zero, zero, zero, zero
    compared, z, term = zero, zero, zero
    old_i, old_v, old_w = zero, zero, zero
    for t in range(time - 1, -1, -1):
        at = (b * time + t) * n + k
        gz = load(given.z, at) if given.z.size else zero
        gi = add(gi, load(given.i, at)) if given.i.size else gi
        gv = add(gv, load(given.v, at)) if given.v.size else gv
        gw = add(gw, load(given.w, at)) if given.w.size else gw
        whole = gv
        if kept.before.size:
            compared = load(kept.before, at)
        if terms.refractory:
            masked = load_mask(kept.masked, at)
            gz, gv = choose(masked, zero, gz), choose(masked, zero, gv)
        if terms.fire:
            z = load(seen.z, at) if has_z else choose(above(compared, threshold), one, zero)
            gv = gv if has_v else choose(above(z, zero), zero, gv)
        cut = subtract(whole, gv)
        if terms.subthreshold | terms.triggered:
            gz, gv = _through_adaptation(gz, gv, gw, c, terms, n, k)
        if terms.fire:
            gz = _through_threshold(gz, subtract(compared, threshold), alpha)
            gv = add(gv, gz)
        drive = multiply(scale, gv)
        if gx.size:
            store(gx, at, gi)
        if listed:
            _spread_back(events, to_weight, b * time + t, gi)
        if train | terms.exponential:
            old_v = load(kept.v, at - n) if t > 0 else load(start.v, b * n + k)
        if terms.exponential:
            term = exponential(old_v, room, c, n, k)
        if train:
            old_i = load(kept.i, at - n) if t > 0 else load(start.i, b * n + k)
            if adapts:
                old_w = load(kept.w, at - n) if t > 0 else load(start.w, b * n + k)
            step = Step(drive, gi, gw, cut, gz)
            train_step(total, step, Before(old_i, old_v, old_w, term, compared, z), c, terms, n, k)
        gi = add(multiply(gi, keep), drive)
        if adapts:
            gw = subtract(multiply(gw, load(c, W_KEEP * n + k)), drive)
        if terms.exponential:
            slope = divide(term, load(c, EXP_SLOPE * n + k))
            gv = add(gv, multiply(slope, drive))
        gv = subtract(gv, multiply(g, drive))
    if train:
        gain(total, START, gv)


@part
def _run_all(
    events: Events,
    to_weight: Floats,
    listed: bool,
    given: Given,
    c: Floats,
    terms: Terms,
    seen: Observed,
    kept: Records,
    start: States,
    alpha: np.float32,
    gx: Floats,
    train: bool,
    totals: Floats,
    shape: tuple[int, int, int],
) -> None:
    """Run all tiles."""
    batch, time, n = shape
    room = np.zeros(WIDTH, np.float32)
    for b in range(batch):
        for first in range(0, n, WIDTH):
            k = min(first, n - WIDTH)
            total = totals[first // WIDTH if train else 0]
            own = to_weight[first // WIDTH if listed else 0]
            _run_tile(
                events, own, listed, given, c, terms, seen, kept, start,
                alpha, gx, train, total, (time, n), (b, k), room,
            )  # fmt: skip


@part
def _run_some(
    events: Events,
    to_weight: Floats,
    listed: bool,
    given: Given,
    constants: Floats,
    terms: Terms,
    observed: Observed,
    kept: Records,
    start: States,
    alpha: np.float32,
    gx: Floats,
    train: bool,
    totals: Floats,
    shape: tuple[int, int, int],
) -> None:
    """Run all tiles, with what is known at compile time, so that less is kept in registers."""
    if train:
        _run_all(
            events, to_weight, listed, given, constants, terms, observed, kept, start, alpha, gx,
            True, totals, shape,
        )  # fmt: skip
    elif terms.exponential | terms.subthreshold | terms.triggered:
        _run_all(
            events, to_weight, listed, given, constants, terms, observed, kept, start, alpha, gx,
            False, totals, shape,
        )  # fmt: skip
    else:
        plain = Terms(terms.fire, False, False, False, terms.refractory)
        _run_all(
            events, to_weight, listed, given, constants, plain, observed, kept, start, alpha, gx,
            False, totals, shape,
        )  # fmt: skip


@exact
def run_backward(
    given: Given,
    constants: Floats,
    terms: Terms,
    observed: Observed,
    kept: Records,
    start: States,
    alpha: np.float32,
    gx: Floats,
    train: bool,
    totals: Floats,
    shape: tuple[int, int, int],
) -> None:
    """Fill ``gx``; arrays as in `ranvier_bss2.kernels.layers.run_forward`.

    With ``train``, ``totals`` (tiles, 15 * WIDTH) gain the gradients of the constants and of the
    membrane at the start, for every tile; the last tile overlaps the one before it.
    ``kept`` holds ``before``, ``masked`` with a refractory time, ``v`` for the exponential term,
    and all states for ``train``.
    """
    places, nowhere = np.zeros(0, np.int32), np.zeros((1, 0), np.float32)
    _run_some(
        Events(places, places, gx), nowhere, False, given, constants, terms, observed, kept, start,
        alpha, gx, train, totals, shape,
    )  # fmt: skip


@exact
def run_listed_backward(
    events: Events,
    to_weight: Floats,
    given: Given,
    constants: Floats,
    terms: Terms,
    observed: Observed,
    kept: Records,
    start: States,
    alpha: np.float32,
    gx: Floats,
    train: bool,
    totals: Floats,
    shape: tuple[int, int, int],
) -> None:
    """Add to ``to_weight`` (tiles, n_in * WIDTH); the rest is as in `run_backward`.

    ``gx`` is filled if it is not empty. The last tile overlaps the one before it.
    """
    _run_some(
        events, to_weight, True, given, constants, terms, observed, kept, start, alpha, gx, train,
        totals, shape,
    )  # fmt: skip
