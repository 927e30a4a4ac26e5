"""The forward pass of a layer over all time, keeping what the backward pass needs.

Samples lie side by side: lane ``b * n + i`` is neuron i of sample b. Loops over lanes are one
equation each and write one row, so that the compiler can fill its vector registers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.elementary import exp32, log32
from ._jit import exact

Array = NDArray[Any]
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)


@exact
def add_recurrent(drive: Array, spikes: Array, weight: Array) -> None:
    """Add recurrent input to ``drive`` ``(ports, lanes)``, sources in ascending order, then ``x``.

    ``weight`` is ``(ports, n, n)``, its second axis the source. What is in ``drive`` before, the
    input, is added last.
    """
    ports, n = weight.shape[0], weight.shape[1]
    total = np.empty(n, dtype=np.float32)
    for b in range(spikes.size // n):
        for p in range(ports):
            total[:] = _ZERO
            for j in range(n):
                s = spikes[b * n + j]
                if s != _ZERO:
                    for i in range(n):
                        total[i] += weight[p, j, i] * s
            for i in range(n):
                drive[p, b * n + i] += total[i]


@exact
def integrate_synapse(
    isyn: Array, drive: Array, scale: Array, ratio: Array, keep: Array, add: Array, i_o: Array
) -> None:
    """Advance a synapse."""
    for k in range(isyn.size):
        steady = ratio[k] * (drive[k] * scale[k])
        steady = i_o[k] if steady < i_o[k] else steady
        isyn[k] = keep[k] * isyn[k] + add[k] * steady


@exact
def adapt(iahp: Array, spikes: Array, keep: Array, add: Array, i_o: Array) -> None:
    """Advance the adaptation."""
    for k in range(iahp.size):
        value = keep[k] * iahp[k] + add[k] * spikes[k]
        iahp[k] = i_o[k] if value < i_o[k] else value


@exact
def feed_back(fb: Array, vmem: Array, i_o: Array, kappa_fb: Array, u_t: Array) -> None:
    """Write the positive feedback."""
    for k in range(fb.size):
        fb[k] = i_o[k] * exp32(kappa_fb[k] * vmem[k] / u_t[k])


@exact
def drive_merged(
    i_in: Array, isyn: Array, iahp: Array, leak: Array, i_dc: Array, timer: Array, i_o: Array
) -> None:
    """Write the input current with a merged synapse."""
    for k in range(i_in.size):
        net = isyn[k] - (leak[k] + iahp[k]) + i_dc[k]
        net = net if timer[k] == _ZERO else _ZERO
        i_in[k] = i_o[k] if net < i_o[k] else net


@exact
def drive_four(
    i_in: Array, isyn: Array, imem: Array, gate: Array, i_dc: Array, timer: Array, i_o: Array
) -> None:
    """Write the input current with four synapses; ``gate`` is the current that opens NMDA."""
    for k in range(i_in.size):
        nmda = isyn[2, k] / (_ONE + gate[k] / imem[k])
        net = nmda + isyn[0, k] - isyn[1, k] + i_dc[k]
        net = net if timer[k] == _ZERO else _ZERO
        i_in[k] = i_o[k] if net < i_o[k] else net


@exact
def force_merged(
    force: Array, i_in: Array, iahp: Array, imem: Array, fb: Array, leak: Array, gain: Array,
    ratio: Array,
) -> None:  # fmt: skip
    """Write what drives the membrane with a merged synapse."""
    for k in range(force.size):
        total = leak[k] + iahp[k]
        inf = ratio[k] * (i_in[k] - total)
        positive = fb[k] / total * (imem[k] + gain[k])
        force[k] = inf + positive - imem[k] * (_ONE + iahp[k] / leak[k])


@exact
def force_four(
    force: Array, i_in: Array, iahp: Array, shunt: Array, imem: Array, fb: Array, leak: Array,
    gain: Array, ratio: Array,
) -> None:  # fmt: skip
    """Write what drives the membrane with four synapses."""
    for k in range(force.size):
        total = leak[k] + shunt[k]
        inf = ratio[k] * (i_in[k] - iahp[k] - total)
        positive = fb[k] / total * (imem[k] + gain[k])
        force[k] = inf + positive - imem[k] * (_ONE + iahp[k] / total)


@exact
def integrate_membrane(
    imem: Array, force: Array, extra: Array, leak: Array, gain: Array, charge: Array, i_o: Array,
    dt: Any,
) -> None:  # fmt: skip
    """Advance the membrane; ``extra`` is what adds to the leak."""
    for k in range(imem.size):
        tau = charge[k] / (leak[k] + extra[k])
        value = imem[k] + imem[k] / (tau * (imem[k] + gain[k])) * force[k] * dt
        imem[k] = i_o[k] if value < i_o[k] else value


@exact
def voltage(vmem: Array, imem: Array, i_o: Array, volt: Array) -> None:
    """Write the membrane voltage."""
    for k in range(vmem.size):
        vmem[k] = volt[k] * log32(imem[k] / i_o[k])


@exact
def fire(
    imem: Array, spikes: Array, timer: Array, threshold: Array, i_o: Array, block: Array,
    tick: Any,
) -> None:  # fmt: skip
    """Count spikes, reset, and advance the refractory time."""
    for k in range(imem.size):
        left = timer[k] - tick
        timer[k] = _ZERO if left < _ZERO else left
        spikes[k] = _ZERO
    for k in range(imem.size):
        ratio = imem[k] / threshold[k]
        if ratio > _ONE:
            spikes[k] = np.float32(math.ceil(log32(ratio)))
            imem[k] = i_o[k]
            timer[k] = block[k]


@exact
def run_forward(weight: Array, c: Any, state: Any, kept: Any, trace: bool) -> None:
    """Run a layer.

    Parameters
    ----------
    weight : float32 array, (ports, n, n)
        Recurrent weights, second axis the source; (ports, 0, 0) for none.
    c : Constants
        Repeated for all lanes.
    state : State
        Advanced in place; ``i_syn`` (ports, lanes), the rest (lanes,).
    kept : Kept
        ``drive`` and ``spikes`` have all steps, the rest may have a single one, which is then
        overwritten in every step. ``drive`` holds the input, to which recurrent input is added.
    trace : bool
        Whether ``kept.i_syn`` and ``kept.v_mem`` have all steps.
    """
    ports, time = kept.drive.shape[1], kept.drive.shape[0]
    isyn, iahp, imem, vmem = state.i_syn, state.i_ahp, state.i_mem, state.v_mem
    dt, tick = np.float32(c.dt), np.float32(c.tick)
    keeps = kept.i_pre.shape[0] == time
    for t in range(time):
        r = t if keeps else 0
        spikes = state.spikes if t == 0 else kept.spikes[t - 1]
        if weight.shape[1] > 0:
            add_recurrent(kept.drive[t], spikes, weight)
        for p in range(ports):
            integrate_synapse(
                isyn[p], kept.drive[t, p], c.scale, c.ratio_syn[p], c.keep_syn[p], c.add_syn[p],
                c.i_o,
            )  # fmt: skip
        adapt(iahp, spikes, c.keep_ahp, c.add_ahp, c.i_o)
        fb, i_in, force = kept.fb[r], kept.i_in[r], kept.force[r]
        feed_back(fb, vmem, c.i_o, c.kappa_fb, c.u_t)
        if ports == 1:
            drive_merged(i_in, isyn[0], iahp, c.leak, c.i_dc, state.timer, c.i_o)
            force_merged(force, i_in, iahp, imem, fb, c.leak, c.gain, c.ratio_mem)
            integrate_membrane(imem, force, iahp, c.leak, c.gain, c.charge, c.i_o, dt)
        else:
            drive_four(i_in, isyn, imem, c.i_f_nmda, c.i_dc, state.timer, c.i_o)
            force_four(force, i_in, iahp, isyn[3], imem, fb, c.leak, c.gain, c.ratio_mem)
            integrate_membrane(imem, force, isyn[3], c.leak, c.gain, c.charge, c.i_o, dt)
        voltage(vmem, imem, c.i_o, c.volt)
        if keeps:
            kept.i_pre[t] = imem
            kept.i_ahp[t] = iahp
        fire(imem, kept.spikes[t], state.timer, c.i_spkthr, c.i_o, c.block, tick)
        if trace:
            kept.v_mem[t] = vmem
        if kept.i_syn.shape[0] == time:
            kept.i_syn[t] = isyn
    if time > 0:
        state.spikes[:] = kept.spikes[time - 1]
