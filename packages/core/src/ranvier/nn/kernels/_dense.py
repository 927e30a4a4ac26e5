"""Layer kernels: one pass over time per sample, on input currents that are already weighted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import exact, part, reassociated
from ._surrogate import WINDOW, derivative_row

F32 = np.float32
U8 = np.uint8
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Marks = NDArray[np.uint8]


class Constants(NamedTuple):
    """Numbers of a layer, one per neuron (``beta`` one per column)."""

    alpha: Floats
    beta: Floats
    threshold: Floats
    bias: Floats
    v_reset: Floats


class Rule(NamedTuple):
    """How a layer fires; ``code`` and ``scale`` are those of the surrogate."""

    fires: bool
    subtract: bool
    strict: bool
    max_spikes: F32
    code: int
    scale: F32


@part
def integrate_row(
    x: Floats,
    b: int,
    t: int,
    i: Floats,
    v: Floats,
    u: Floats,
    alpha: Floats,
    beta: Floats,
    bias: Floats,
    synapses: int,
) -> None:
    """Update the currents and give the membranes before firing."""
    if synapses == 1:
        for n in range(u.shape[0]):
            c = beta[n] * i[n] + x[b, t, n]
            i[n] = c
            u[n] = (alpha[n] * v[n] + c) + bias[n]
    else:
        for m in range(i.shape[0]):
            i[m] = beta[m] * i[m] + x[b, t, m]
        for n in range(u.shape[0]):
            total = i[n * synapses]
            for s in range(1, synapses):
                total += i[n * synapses + s]
            u[n] = (alpha[n] * v[n] + total) + bias[n]


@part
def fire_row(
    u: Floats,
    v: Floats,
    out: Floats,
    b: int,
    t: int,
    threshold: Floats,
    v_reset: Floats,
    max_spikes: F32,
    strict: bool,
    subtract: bool,
) -> None:
    """Give the spike counts of sample ``b`` in step ``t`` and the membranes after the reset."""
    zero, one = F32(0.0), F32(1.0)
    if max_spikes == one and subtract and not strict:
        for n in range(u.shape[0]):
            count = one if u[n] >= threshold[n] else zero
            out[b, t, n] = count
            v[n] = u[n] - count * threshold[n]
    else:
        for n in range(u.shape[0]):
            count = min(np.floor(u[n] / threshold[n]), max_spikes)
            fired = u[n] > threshold[n] if strict else u[n] >= threshold[n]
            count = (one if max_spikes == one else count) if fired else zero
            out[b, t, n] = count
            after = u[n] - count * threshold[n] if subtract else v_reset[n]
            v[n] = after if fired else u[n]


@part
def copy_row(source: Floats, target: Floats, b: int, t: int) -> None:
    """Copy a row to step ``t`` of sample ``b``."""
    for n in range(source.shape[0]):
        target[b, t, n] = source[n]


@part
def mark_row(
    code: int,
    u: Floats,
    out: Floats,
    threshold: Floats,
    scale: F32,
    marks: Marks,
    b: int,
    t: int,
) -> None:
    """Keep in bit 0 where the derivative of a compact surrogate is not zero, in bit 1 the spike."""
    no, active, spike = U8(0), U8(1), U8(2)
    if code == WINDOW:
        for n in range(u.shape[0]):
            near = active if abs(u[n] - threshold[n]) < scale else no
            marks[b, t, n] = near | (spike if out[b, t, n] > F32(0.0) else no)
    else:
        for n in range(u.shape[0]):
            near = active if u[n] >= threshold[n] - scale else no
            marks[b, t, n] = near | (spike if out[b, t, n] > F32(0.0) else no)


@part
def marked_derivative_row(
    code: int, marks: Marks, b: int, t: int, threshold: Floats, scale: F32, h: Floats
) -> None:
    """Give dS/dV from what `mark_row` has kept."""
    if code == WINDOW:
        height = F32(0.5) / scale
        for n in range(h.shape[0]):
            h[n] = height if marks[b, t, n] & U8(1) else F32(0.0)
    else:
        for n in range(h.shape[0]):
            h[n] = F32(1.0) / threshold[n] if marks[b, t, n] & U8(1) else F32(0.0)


@part
def load_state(i: Floats, v: Floats, current: Floats, membrane: Floats, b: int) -> None:
    """Take the state of sample ``b`` into rows, which may be longer."""
    for m in range(current.shape[1]):
        i[m] = current[b, m]
    for n in range(membrane.shape[1]):
        v[n] = membrane[b, n]


@part
def save_state(i: Floats, v: Floats, current: Floats, membrane: Floats, b: int) -> None:
    """Keep the state of sample ``b``."""
    for m in range(current.shape[1]):
        current[b, m] = i[m]
    for n in range(membrane.shape[1]):
        membrane[b, n] = v[n]


@part
def clear(row: Floats) -> None:
    """Set a row to zero."""
    for n in range(row.shape[0]):
        row[n] = F32(0.0)


@exact
def dense_forward(
    x: Floats,
    k: Constants,
    rule: Rule,
    synapses: int,
    current: Floats,
    membrane: Floats,
    out: Floats,
    u_all: Floats,
    marks: Marks,
    currents: Floats,
    membranes: Floats,
    scratch: Floats,
    first: int,
    last: int,
) -> None:
    """Run samples ``first`` to ``last`` of a layer.

    ``current`` and ``membrane`` hold the state and are updated. ``u_all``, ``marks``,
    ``currents`` and ``membranes`` are filled unless they are empty. ``out`` may be ``x`` where
    there is one synapse per neuron: a row is read before it is written.
    """
    alpha, beta, threshold, bias, v_reset = k
    fires, subtract, strict, max_spikes = rule.fires, rule.subtract, rule.strict, rule.max_spikes
    i, v, u = (
        scratch[0, : beta.shape[0]],
        scratch[1, : alpha.shape[0]],
        scratch[2, : alpha.shape[0]],
    )
    keep_u, keep_i, keep_v = u_all.size > 0, currents.size > 0, membranes.size > 0
    mark = marks.size > 0
    for b in range(first, last):
        load_state(i, v, current, membrane, b)
        for t in range(x.shape[1]):
            integrate_row(x, b, t, i, v, u, alpha, beta, bias, synapses)
            if fires:
                fire_row(u, v, out, b, t, threshold, v_reset, max_spikes, strict, subtract)
            else:
                for n in range(v.shape[0]):
                    v[n] = u[n]
                copy_row(u, out, b, t)
            if keep_u:
                copy_row(u, u_all, b, t)
            if mark:
                mark_row(rule.code, u, out, threshold, rule.scale, marks, b, t)
            if keep_i:
                copy_row(i, currents, b, t)
            if keep_v:
                copy_row(v, membranes, b, t)
        save_state(i, v, current, membrane, b)


@part
def membrane_gradient_row(
    gout: Floats,
    u_all: Floats,
    out: Floats,
    b: int,
    t: int,
    h: Floats,
    gu: Floats,
    alpha: Floats,
    threshold: Floats,
    v_reset: Floats,
    rule: Rule,
) -> None:
    """Turn the gradient of the next step's membrane, in ``gu``, into that of this one's."""
    one = F32(1.0)
    if not rule.fires:
        for n in range(gu.shape[0]):
            gu[n] = alpha[n] * gu[n] + gout[b, t, n]
    elif rule.subtract:
        for n in range(gu.shape[0]):
            gv = alpha[n] * gu[n]
            gu[n] = gv + h[n] * (gout[b, t, n] - threshold[n] * gv)
    else:
        for n in range(gu.shape[0]):
            gv = alpha[n] * gu[n]
            jump = gout[b, t, n] + (v_reset[n] - u_all[b, t, n]) * gv
            gu[n] = gv * (one - out[b, t, n]) + h[n] * jump


@part
def threshold_gradient_row(
    gout: Floats,
    u_all: Floats,
    out: Floats,
    b: int,
    t: int,
    h: Floats,
    gu: Floats,
    alpha: Floats,
    threshold: Floats,
    v_reset: Floats,
    rule: Rule,
    totals: Doubles,
) -> None:
    """Add the gradient of the threshold; before `membrane_gradient_row` of the same step."""
    for n in range(gu.shape[0]):
        gv = alpha[n] * gu[n]
        share = h[n] * u_all[b, t, n] / threshold[n]
        if rule.subtract:
            jump = gout[b, t, n] - threshold[n] * gv
            totals[2, n] -= out[b, t, n] * gv + share * jump
        else:
            totals[2, n] -= share * (gout[b, t, n] + (v_reset[n] - u_all[b, t, n]) * gv)


@part
def current_gradient_row(
    gu: Floats, gi: Floats, beta: Floats, synapses: int, gx: Floats, b: int, t: int
) -> None:
    """Turn the gradient of the next step's currents, in ``gi``, into that of this one's."""
    if synapses == 1:
        for n in range(gu.shape[0]):
            g = gu[n] + beta[n] * gi[n]
            gi[n] = g
            gx[b, t, n] = g
        return
    for m in range(gi.shape[0]):
        gi[m] = gu[m // synapses] + beta[m] * gi[m]
        gx[b, t, m] = gi[m]


@reassociated
def dense_backward(
    gout: Floats,
    u_all: Floats,
    marks: Marks,
    out: Floats,
    k: Constants,
    rule: Rule,
    synapses: int,
    gx: Floats,
    v_before: Floats,
    currents: Floats,
    i_before: Floats,
    totals: Doubles,
    wanted: tuple[bool, bool, bool, bool],
    scratch: Floats,
    first: int,
    last: int,
) -> None:
    """Run the gradient of samples ``first`` to ``last`` back through time.

    ``totals`` has the rows alpha, beta, threshold, bias; ``wanted`` says which to fill.
    ``marks``, where they are not empty, stand for ``u_all`` and ``out``; they do only with the
    reset "subtract" and without the gradients of alpha and of the threshold. ``gx`` may be
    ``gout`` where there is one synapse per neuron.
    """
    alpha, beta, threshold, _, v_reset = k
    n, m, steps = gout.shape[2], gx.shape[2], gout.shape[1]
    h, gu, gi = scratch[0, :n], scratch[1, :n], scratch[2, :m]
    marked = marks.size > 0
    for b in range(first, last):
        clear(gu)
        clear(gi)
        for t in range(steps - 1, -1, -1):
            if marked:
                marked_derivative_row(rule.code, marks, b, t, threshold, rule.scale, h)
            elif rule.fires:
                derivative_row(rule.code, u_all, b, t, threshold, rule.scale, rule.max_spikes, h)
                if wanted[2]:
                    threshold_gradient_row(
                        gout, u_all, out, b, t, h, gu, alpha, threshold, v_reset, rule, totals
                    )
            membrane_gradient_row(gout, u_all, out, b, t, h, gu, alpha, threshold, v_reset, rule)
            current_gradient_row(gu, gi, beta, synapses, gx, b, t)
            if wanted[0]:
                add_alpha(gu, u_all, out, b, t, v_before, threshold, v_reset, rule, totals)
            if wanted[1]:
                add_beta(gi, currents, i_before, b, t, totals)
            if wanted[3]:
                add_bias(gu, totals)


@part
def add_alpha(
    gu: Floats,
    u_all: Floats,
    out: Floats,
    b: int,
    t: int,
    v_before: Floats,
    threshold: Floats,
    v_reset: Floats,
    rule: Rule,
    totals: Doubles,
) -> None:
    """Add the gradient of alpha; the membrane after a reset follows from ``u`` and the spikes."""
    for n in range(gu.shape[0]):
        if t == 0:
            v = v_before[b, n]
        elif not rule.fires:
            v = out[b, t - 1, n]
        elif rule.subtract:
            v = u_all[b, t - 1, n] - out[b, t - 1, n] * threshold[n]
        else:
            v = v_reset[n] if out[b, t - 1, n] > F32(0.0) else u_all[b, t - 1, n]
        totals[0, n] += gu[n] * v


@part
def add_beta(
    gi: Floats, currents: Floats, i_before: Floats, b: int, t: int, totals: Doubles
) -> None:
    """Add the gradient of beta."""
    for m in range(gi.shape[0]):
        totals[1, m] += gi[m] * (currents[b, t - 1, m] if t > 0 else i_before[b, m])


@part
def add_bias(gu: Floats, totals: Doubles) -> None:
    """Add the gradient of the bias."""
    for n in range(gu.shape[0]):
        totals[3, n] += gu[n]
