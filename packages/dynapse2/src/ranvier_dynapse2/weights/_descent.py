"""Kernel: coordinate descent over the masks of one neuron's synapses."""

from __future__ import annotations

import numpy as np

from ._assignment import N_LEVELS, Array
from ._jit import jit


@jit
def drive(weights: Array, times: Array, counts: Array, first: Array, steps: int) -> Array:
    """Return the net drive of every time step."""
    out = np.zeros(steps, np.float64)
    for source in range(weights.size):
        for event in range(first[source], first[source + 1]):
            out[times[event]] += counts[event] * weights[source]
    return out


@jit
def realised(masks: Array, weights: Array, levels: Array) -> Array:
    """Return the weights of the masks, with the signs of the wanted ones."""
    out = np.empty(weights.size, np.float64)
    for source in range(weights.size):
        out[source] = np.sign(weights[source]) * levels[masks[source]]
    return out


@jit
def objective(
    masks: Array,
    weights: Array,
    levels: Array,
    times: Array,
    counts: Array,
    first: Array,
    steps: int,
    price: float,
) -> float:
    """Return the squared error of the rectified drive plus the price of the changed weights."""
    new = realised(masks, weights, levels)
    wanted = drive(weights, times, counts, first, steps)
    actual = drive(new, times, counts, first, steps)
    total = 0.0
    for t in range(steps):
        total += (max(wanted[t], 0.0) - max(actual[t], 0.0)) ** 2
    for source in range(weights.size):
        total += price * (weights[source] - new[source]) ** 2
    return total


@jit
def descend(
    masks: Array,
    weights: Array,
    levels: Array,
    times: Array,
    counts: Array,
    first: Array,
    steps: int,
    price: float,
    rounds: int,
) -> None:
    """Give each synapse its best mask in turn until a round changes nothing."""
    wanted = np.maximum(drive(weights, times, counts, first, steps), 0.0)
    for _ in range(rounds):
        new = realised(masks, weights, levels)
        actual = drive(new, times, counts, first, steps)
        changed = False
        for source in range(weights.size):
            if weights[source] == 0.0:
                continue
            sign = np.sign(weights[source])
            old_mask = masks[source]
            old = new[source]
            best, best_mask = np.inf, old_mask
            for i in range(N_LEVELS):
                mask = old_mask if i == 0 else (i - 1 if i - 1 < old_mask else i)
                step = sign * levels[mask] - old
                cost = price * (weights[source] - old - step) ** 2
                for event in range(first[source], first[source + 1]):
                    t = times[event]
                    shifted = max(actual[t] + counts[event] * step, 0.0)
                    cost += (wanted[t] - shifted) ** 2
                if cost < best - 1e-12 * abs(best) or i == 0:
                    best, best_mask = cost, np.uint8(mask)
            if best_mask != old_mask:
                changed = True
                step = sign * levels[best_mask] - old
                for event in range(first[source], first[source + 1]):
                    actual[times[event]] += counts[event] * step
                masks[source] = best_mask
                new[source] = old + step
        if not changed:
            return
