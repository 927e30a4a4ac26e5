"""The backward pass of a layer: all states in reverse time, hand-written.

Limits have derivative 1 above them and 0 at and below. Lanes as in the forward pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._jit import reassociated

Array = NDArray[Any]
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)


@reassociated
def run_backward(
    g: Array, slope: Array, through_reset: bool, weight: Array, c: Any, start: Any, kept: Any,
    gx: Array, gw: Array,
) -> None:  # fmt: skip
    """Compute the gradients of input and recurrent weights.

    Parameters
    ----------
    g : float32 array, (time, lanes)
        Gradient of the spike counts.
    slope : float32 array, (time, lanes)
        Surrogate derivative of the counts, in 1/A.
    through_reset : bool
        Whether the reset passes a gradient to the counts.
    weight : float32 array, (ports, n, n)
        Recurrent weights, second axis the source; (ports, 0, 0) for none.
    c : Constants
        Repeated for all lanes.
    start : State
        Where the run started.
    kept : Kept
        What the forward pass kept.
    gx : float32 array, (time, ports, lanes)
        Filled: gradient of the drive, so of the input.
    gw : float32 array, as ``weight``
        Added to: gradient of the recurrent weights.
    """
    lanes, ports = g.shape[1], gx.shape[1]
    gs, gmem = np.zeros(lanes, dtype=np.float32), np.zeros(lanes, dtype=np.float32)
    gfb, gahp = np.zeros_like(gs), np.zeros_like(gs)
    gf, gleak, gq = np.zeros_like(gs), np.zeros_like(gs), np.zeros_like(gs)
    imem = np.zeros_like(gs)
    gsyn = np.zeros((ports, lanes), dtype=np.float32)
    dt = np.float32(c.dt)
    for t in range(g.shape[0] - 1, -1, -1):
        spikes = kept.spikes[t - 1] if t > 0 else start.spikes
        if through_reset:
            unreset(gs, gmem, kept.i_pre[t], kept.spikes[t], c.i_o)
        enter(gmem, gs, gfb, g[t], slope[t], kept.i_pre[t], kept.spikes[t], c.i_o)
        before_step(imem, kept.i_pre[t - 1] if t > 0 else start.i_mem, spikes, c.i_o, t)
        iahp, fb, force = kept.i_ahp[t], kept.fb[t], kept.force[t]
        extra = iahp if ports == 1 else kept.i_syn[t, 3]
        through_rate(gf, gmem, imem, extra, c.leak, c.gain, c.charge, dt)
        through_input(gq, gf, kept.i_in[t], c.ratio_mem, c.i_o)
        through_leak(gleak, gf, imem, extra, fb, force, c.leak, c.gain)
        through_feedback(gfb, gf, imem, extra, fb, c.leak, c.gain, c.power)
        through_membrane(gmem, gf, imem, extra, fb, force, c.leak, c.gain)
        if ports == 1:
            decay_merged(gmem, gf, iahp, c.leak)
            leak_merged(gleak, gf, gq, c.ratio_mem)
            adapt_merged(gahp, gleak, gf, imem, iahp, c.leak, c.i_o)
            gather(gsyn[0], gq, _ONE)
        else:
            opening(gmem, gq, kept.i_syn[t, 2], imem, c.i_f_nmda)
            decay_four(gmem, gf, iahp, extra, c.leak)
            leak_four(gleak, gf, imem, iahp, extra, c.leak, c.ratio_mem)
            adapt_four(gahp, gf, imem, iahp, extra, c.leak, c.ratio_mem, c.i_o)
            gather(gsyn[0], gq, _ONE)
            gather(gsyn[1], gq, -_ONE)
            gather_nmda(gsyn[2], gq, imem, c.i_f_nmda)
            gather(gsyn[3], gleak, _ONE)
        scaled(gs, gahp, c.add_ahp)
        scaled(gahp, gahp, c.keep_ahp)
        for p in range(ports):
            through_synapse(
                gx[t, p], gsyn[p], kept.drive[t, p], c.scale, c.ratio_syn[p], c.add_syn[p], c.i_o
            )
            scaled(gsyn[p], gsyn[p], c.keep_syn[p])
        if weight.shape[1] > 0:
            collect(gw, gx[t], spikes)
            if t > 0:
                through_recurrent(gs, gx[t], weight, slope[t - 1])


@reassociated
def unreset(gs: Array, gmem: Array, ipre: Array, spikes: Array, i_o: Array) -> None:
    """Add to the gradient of the spikes what the reset gives."""
    for k in range(gs.size):
        gs[k] += gmem[k] * (i_o[k] - ipre[k]) if spikes[k] <= _ONE else _ZERO


@reassociated
def enter(
    gmem: Array, gs: Array, gfb: Array, g: Array, slope: Array, ipre: Array, spikes: Array,
    i_o: Array,
) -> None:  # fmt: skip
    """Go back through reset, count and voltage: ``gmem`` becomes that before the reset."""
    for k in range(gmem.size):
        kept = gmem[k] if spikes[k] == _ZERO else _ZERO
        before = kept + (gs[k] + g[k]) * slope[k] + gfb[k] / ipre[k]
        gmem[k] = before if ipre[k] > i_o[k] else _ZERO


@reassociated
def before_step(imem: Array, ipre: Array, spikes: Array, i_o: Array, t: int) -> None:
    """Write the membrane at the start of the step: after the reset of the step before."""
    for k in range(imem.size):
        imem[k] = i_o[k] if t > 0 and spikes[k] > _ZERO else ipre[k]


@reassociated
def through_rate(
    gf: Array, gmem: Array, imem: Array, extra: Array, leak: Array, gain: Array, charge: Array,
    dt: Any,
) -> None:  # fmt: skip
    """Write the gradient of what drives the membrane."""
    for k in range(gf.size):
        rate = imem[k] * (leak[k] + extra[k]) / (charge[k] * (imem[k] + gain[k]))
        gf[k] = gmem[k] * dt * rate


@reassociated
def through_input(gq: Array, gf: Array, i_in: Array, ratio: Array, i_o: Array) -> None:
    """Write the gradient of the net input current."""
    for k in range(gq.size):
        gq[k] = gf[k] * ratio[k] if i_in[k] > i_o[k] else _ZERO


@reassociated
def through_leak(
    gleak: Array, gf: Array, imem: Array, extra: Array, fb: Array, force: Array, leak: Array,
    gain: Array,
) -> None:  # fmt: skip
    """Write what time constant and feedback give to the gradient of the leak."""
    for k in range(gleak.size):
        total = leak[k] + extra[k]
        gleak[k] = gf[k] / total * (force[k] - fb[k] * (imem[k] + gain[k]) / total)


@reassociated
def through_feedback(
    gfb: Array, gf: Array, imem: Array, extra: Array, fb: Array, leak: Array, gain: Array,
    power: Array,
) -> None:  # fmt: skip
    """Write the gradient of the logarithm of the membrane that the feedback came from."""
    for k in range(gfb.size):
        gfb[k] = gf[k] * (imem[k] + gain[k]) / (leak[k] + extra[k]) * fb[k] * power[k]


@reassociated
def through_membrane(
    gmem: Array, gf: Array, imem: Array, extra: Array, fb: Array, force: Array, leak: Array,
    gain: Array,
) -> None:  # fmt: skip
    """Add to the gradient of the membrane what speed and feedback give."""
    for k in range(gmem.size):
        speed = gain[k] / (imem[k] * (imem[k] + gain[k])) * force[k]
        gmem[k] += gf[k] * (speed + fb[k] / (leak[k] + extra[k]))


@reassociated
def decay_merged(gmem: Array, gf: Array, iahp: Array, leak: Array) -> None:
    """Take from the gradient of the membrane what its decay takes."""
    for k in range(gmem.size):
        gmem[k] -= gf[k] * (_ONE + iahp[k] / leak[k])


@reassociated
def decay_four(gmem: Array, gf: Array, iahp: Array, shunt: Array, leak: Array) -> None:
    """Take from the gradient of the membrane what its decay takes."""
    for k in range(gmem.size):
        gmem[k] -= gf[k] * (_ONE + iahp[k] / (leak[k] + shunt[k]))


@reassociated
def leak_merged(gleak: Array, gf: Array, gq: Array, ratio: Array) -> None:
    """Take from the gradient of the leak what input and steady state take."""
    for k in range(gleak.size):
        gleak[k] -= gf[k] * ratio[k] + gq[k]


@reassociated
def leak_four(
    gleak: Array, gf: Array, imem: Array, iahp: Array, shunt: Array, leak: Array, ratio: Array
) -> None:
    """Add to the gradient of the leak what steady state and decay give."""
    for k in range(gleak.size):
        total = leak[k] + shunt[k]
        gleak[k] += gf[k] * (imem[k] * iahp[k] / (total * total) - ratio[k])


@reassociated
def adapt_merged(
    gahp: Array, gleak: Array, gf: Array, imem: Array, iahp: Array, leak: Array, i_o: Array
) -> None:
    """Make the gradient of the adaptation that of its value before the limit."""
    for k in range(gahp.size):
        total = gahp[k] + gleak[k] - gf[k] * imem[k] / leak[k]
        gahp[k] = total if iahp[k] > i_o[k] else _ZERO


@reassociated
def adapt_four(
    gahp: Array, gf: Array, imem: Array, iahp: Array, shunt: Array, leak: Array, ratio: Array,
    i_o: Array,
) -> None:  # fmt: skip
    """Make the gradient of the adaptation that of its value before the limit."""
    for k in range(gahp.size):
        total = gahp[k] - gf[k] * (ratio[k] + imem[k] / (leak[k] + shunt[k]))
        gahp[k] = total if iahp[k] > i_o[k] else _ZERO


@reassociated
def opening(gmem: Array, gq: Array, nmda: Array, imem: Array, gate: Array) -> None:
    """Add to the gradient of the membrane what opens NMDA."""
    for k in range(gmem.size):
        total = imem[k] + gate[k]
        gmem[k] += gq[k] * (nmda[k] / total) * (gate[k] / total)


@reassociated
def gather(target: Array, source: Array, factor: Any) -> None:
    """Add a multiple of a row."""
    for k in range(target.size):
        target[k] += factor * source[k]


@reassociated
def gather_nmda(gnmda: Array, gq: Array, imem: Array, gate: Array) -> None:
    """Add to the gradient of the NMDA current."""
    for k in range(gnmda.size):
        gnmda[k] += gq[k] * (imem[k] / (imem[k] + gate[k]))


@reassociated
def scaled(target: Array, source: Array, factor: Array) -> None:
    """Write a row times a row."""
    for k in range(target.size):
        target[k] = source[k] * factor[k]


@reassociated
def through_synapse(
    gx: Array, gsyn: Array, drive: Array, scale: Array, ratio: Array, add: Array, i_o: Array
) -> None:
    """Write the gradient of the drive of a synapse."""
    for k in range(gx.size):
        unit = ratio[k] * scale[k]
        gx[k] = gsyn[k] * add[k] * unit if unit * drive[k] > i_o[k] else _ZERO


@reassociated
def through_recurrent(gs: Array, gx: Array, weight: Array, slope: Array) -> None:
    """Add to the gradient of the spikes of the step before, where their derivative is not 0."""
    ports, n = weight.shape[0], weight.shape[1]
    for b in range(gs.size // n):
        first = b * n
        for j in range(n):
            if slope[first + j] == _ZERO:
                continue
            total = _ZERO
            for p in range(ports):
                for i in range(n):
                    total += weight[p, j, i] * gx[p, first + i]
            gs[first + j] += total


@reassociated
def collect(gw: Array, gx: Array, spikes: Array) -> None:
    """Add to the gradient of the recurrent weights, spike by spike."""
    ports, n = gw.shape[0], gw.shape[1]
    for k in range(spikes.size):
        s = spikes[k]
        if s == _ZERO:
            continue
        first, j = (k // n) * n, k % n
        for p in range(ports):
            for i in range(n):
                gw[p, j, i] += s * gx[p, first + i]
