"""A layer of analog neurons over all time steps, from input currents that are already weighted.

A tile of neurons of one sample runs through all steps with its state in registers. The last tile
overlaps the one before it where the layer is no multiple of its width: both compute the same.
Arrays (batch, time, n) are given flat, ``n >= WIDTH``; see `ranvier_bss2.kernels.arrangement`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import exact, part
from .lanes import (
    WIDTH,
    above,
    add,
    choose,
    load,
    multiply,
    spread,
    store,
    store_mask,
    subtract,
)

Floats = NDArray[np.float32]
Masks = NDArray[np.uint8]
Places = NDArray[np.int32]
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
LEAK, G, SCALE, KEEP, THRESHOLD, RESET, STEPS = range(7)
EXP_GAIN, EXP_SLOPE, EXP_THRESHOLD, W_KEEP, W_GAIN, W_LEAK, B = range(7, 14)


class Constants(NamedTuple):
    """What a layer multiplies by, (n,) of float32 each; kernels take them as one flat array.

    In this order: leak; ``g = C/tau_mem``, 0 without a leak; ``dt/C``; ``1 - dt/tau_syn``;
    threshold; reset; refractory steps; ``C/tau_mem exp_slope``; exp_slope; exp_threshold;
    ``1 - dt/tau_adaptation``; ``dt/tau_adaptation a``; leak_adaptation; b.
    """

    leak: Floats
    g: Floats
    scale: Floats
    keep: Floats
    threshold: Floats
    reset: Floats
    steps: Floats
    exp_gain: Floats
    exp_slope: Floats
    exp_threshold: Floats
    w_keep: Floats
    w_gain: Floats
    w_leak: Floats
    b: Floats


class Events(NamedTuple):
    """The entries of inputs (rows, n_in) that are not 0, row by row.

    Those of row ``r`` are at ``pointer[r]`` up to ``pointer[r + 1]``, in the order of the channels.
    """

    pointer: Places
    channel: Places
    value: Floats


class Terms(NamedTuple):
    """Which terms a layer has."""

    fire: bool
    exponential: bool
    subthreshold: bool
    triggered: bool
    refractory: bool


class Observed(NamedTuple):
    """Traces that replace those of the model, each (batch, time, n) or empty."""

    v: Floats
    z: Floats
    w: Floats


class States(NamedTuple):
    """States, each (batch, n)."""

    i: Floats
    v: Floats
    w: Floats
    ref: Floats


class Records(NamedTuple):
    """Where results go, each (batch, time, n) or empty.

    ``before`` is the membrane that was compared with the threshold, ``masked`` is 1 in refractory
    steps.
    """

    z: Floats
    i: Floats
    v: Floats
    w: Floats
    before: Floats
    masked: Masks


@part
def exponential(v: Floats, room: Floats, c: Floats, n: int, k: int) -> Floats:
    """Give the exponential term of the drive of a tile; ``room`` (WIDTH,) is scratch."""
    store(room, 0, v)
    for m in range(WIDTH):
        distance = room[m] - c[EXP_THRESHOLD * n + k + m]
        room[m] = c[EXP_GAIN * n + k + m] * np.exp(distance / c[EXP_SLOPE * n + k + m])
    value: Floats = load(room, 0)
    return value


@part
def _sum_events(events: Events, weight: Floats, row: int, n: int, k: int) -> Floats:
    """Give the weighted sum of the inputs of a row for a tile; ``weight`` (n_in, n) is flat."""
    total = spread(_ZERO)
    for p in range(events.pointer[row], events.pointer[row + 1]):
        one = load(weight, events.channel[p] * n + k)
        total = add(total, multiply(spread(events.value[p]), one))
    found: Floats = total
    return found


@part
def _adapt(w: Floats, v: Floats, z: Floats, c: Floats, terms: Terms, n: int, k: int) -> Floats:
    """Give the adaptation of the next step."""
    w = multiply(w, load(c, W_KEEP * n + k))
    if terms.subthreshold:
        gap = subtract(v, load(c, W_LEAK * n + k))
        w = add(w, multiply(load(c, W_GAIN * n + k), gap))
    if terms.triggered:
        w = add(w, multiply(load(c, B * n + k), z))
    return w


@part
def _count_down(ref: Floats, z: Floats, steps: Floats) -> Floats:
    """Give the refractory steps that are left: all of them after a spike."""
    zero = spread(_ZERO)
    left = choose(above(ref, zero), subtract(ref, spread(_ONE)), ref)
    left = choose(above(left, zero), left, zero)
    count: Floats = choose(above(z, zero), steps, left)
    return count


@part
def _run_tile(
    x: Floats,
    events: Events,
    listed: bool,
    c: Floats,
    terms: Terms,
    seen: Observed,
    start: States,
    end: States,
    out: Records,
    size: tuple[int, int],
    place: tuple[int, int],
    room: Floats,
) -> None:
    """Run the tile of sample ``place[0]`` at neuron ``place[1]``; ``size`` is (time, n).

    Inputs are ``x``, or ``events`` with the weights ``x`` where they are listed.
    """
    time, n = size
    b, k = place
    zero, one = spread(_ZERO), spread(_ONE)
    leak, g, scale = load(c, LEAK * n + k), load(c, G * n + k), load(c, SCALE * n + k)
    keep, threshold = load(c, KEEP * n + k), load(c, THRESHOLD * n + k)
    reset, steps = load(c, RESET * n + k), load(c, STEPS * n + k)
    i, v = load(start.i, b * n + k), load(start.v, b * n + k)
    w, ref = load(start.w, b * n + k), load(start.ref, b * n + k)
    has_v, has_z, has_w = seen.v.size > 0, seen.z.size > 0, seen.w.size > 0
    adapts = terms.subthreshold | terms.triggered
    z = zero
    for t in range(time):
        at = (b * time + t) * n + k
        drive = add(i, multiply(g, subtract(leak, v)))
        if terms.exponential:
            drive = add(drive, exponential(v, room, c, n, k))
        if adapts:
            drive = subtract(drive, w)
        v = load(seen.v, at) if has_v else add(v, multiply(scale, drive))
        given = _sum_events(events, x, b * time + t, n, k) if listed else load(x, at)
        i = add(multiply(i, keep), given)
        if out.before.size:
            store(out.before, at, v)
        if terms.fire:
            z = load(seen.z, at) if has_z else choose(above(v, threshold), one, zero)
        if adapts:
            w = load(seen.w, at) if has_w else _adapt(w, v, z, c, terms, n, k)
        if terms.fire and not has_v:
            v = choose(above(z, zero), reset, v)
        if terms.refractory:
            masked = above(ref, zero)
            if out.masked.size:
                store_mask(out.masked, at, masked)
            v = v if has_v else choose(masked, reset, v)
            z = z if has_z else choose(masked, zero, z)
            ref = _count_down(ref, z, steps)
        if out.z.size:
            store(out.z, at, z)
        if out.i.size:
            store(out.i, at, i)
        if out.v.size:
            store(out.v, at, v)
        if out.w.size:
            store(out.w, at, w)
    store(end.i, b * n + k, i)
    store(end.v, b * n + k, v)
    store(end.w, b * n + k, w)
    store(end.ref, b * n + k, ref)


@part
def _run_all(
    x: Floats,
    events: Events,
    listed: bool,
    c: Floats,
    terms: Terms,
    seen: Observed,
    start: States,
    end: States,
    out: Records,
    shape: tuple[int, int, int],
) -> None:
    """Run all tiles."""
    batch, time, n = shape
    room = np.zeros(WIDTH, np.float32)
    for b in range(batch):
        for first in range(0, n, WIDTH):
            k = min(first, n - WIDTH)
            _run_tile(
                x, events, listed, c, terms, seen, start, end, out, (time, n), (b, k), room
            )  # fmt: skip


@part
def _run_some(
    x: Floats,
    events: Events,
    listed: bool,
    c: Floats,
    terms: Terms,
    seen: Observed,
    start: States,
    end: States,
    out: Records,
    shape: tuple[int, int, int],
) -> None:
    """Run all tiles, with what is known at compile time, so that less is kept in registers."""
    if terms.exponential | terms.subthreshold | terms.triggered:
        _run_all(x, events, listed, c, terms, seen, start, end, out, shape)
    else:
        plain = Terms(terms.fire, False, False, False, terms.refractory)
        _run_all(x, events, listed, c, plain, seen, start, end, out, shape)


@exact
def run_forward(
    x: Floats,
    constants: Floats,
    terms: Terms,
    observed: Observed,
    start: States,
    end: States,
    records: Records,
    shape: tuple[int, int, int],
) -> None:
    """Run a layer; ``shape`` is (batch, time, n), all arrays are flat."""
    places = np.zeros(0, np.int32)
    none = Events(places, places, x)
    _run_some(x, none, False, constants, terms, observed, start, end, records, shape)


@exact
def run_listed(
    events: Events,
    weight: Floats,
    constants: Floats,
    terms: Terms,
    observed: Observed,
    start: States,
    end: States,
    records: Records,
    shape: tuple[int, int, int],
) -> None:
    """Run a layer on listed inputs (batch * time, n_in) and weights (n_in, n), flat.

    As `run_forward` on their weighted sums, added up in the order of the channels.
    """
    _run_some(weight, events, True, constants, terms, observed, start, end, records, shape)
