"""One step of the neurons: every loop is one equation over lanes, float32 throughout.

A lane is a neuron of one sample; samples that run together lie side by side. Every loop writes one
row and reads few, so that the compiler can prove that they do not overlap and fill vectors.
Operations are done from left to right as the equations are written in `ranvier_dynapse2.dpi`.
Comparisons let NaN pass, which the caller finds in the final state.
"""

from __future__ import annotations

import numpy as np

from ._jit import Array, jit
from .elementary import exp32, log32

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)


@jit
def integrate_synapse(
    i_syn: Array,
    recurrent: Array,
    x: Array,
    i_scale: Array,
    gain: Array,
    keep: Array,
    charge: Array,
    i_o: Array,
) -> None:
    """Advance a synapse: ``keep i_syn + charge max(gain ((recurrent + x) i_scale), i_o)``."""
    for k in range(i_syn.size):
        steady = gain[k] * ((recurrent[k] + x[k]) * i_scale[k])
        steady = i_o[k] if steady < i_o[k] else steady
        i_syn[k] = keep[k] * i_syn[k] + charge[k] * steady


@jit
def adapt(i_ahp: Array, spikes: Array, keep: Array, jump: Array, i_o: Array) -> None:
    """Advance the adaptation: ``max(keep i_ahp + jump spikes, i_o)``."""
    for k in range(i_ahp.size):
        value = keep[k] * i_ahp[k] + jump[k] * spikes[k]
        i_ahp[k] = i_o[k] if value < i_o[k] else value


@jit
def feed_back(feedback: Array, v_mem: Array, i_o: Array, kappa_prime: Array, u_t: Array) -> None:
    """Return the positive feedback: ``i_o exp(kappa_prime v_mem / u_t)``."""
    for k in range(feedback.size):
        feedback[k] = i_o[k] * exp32(kappa_prime[k] * v_mem[k] / u_t[k])


@jit
def add_leak(leak: Array, i_tau_mem: Array, added: Array) -> None:
    """Return the leak: ``i_tau_mem + added``."""
    for k in range(leak.size):
        leak[k] = i_tau_mem[k] + added[k]


@jit
def drive_merged(
    current: Array, i_syn: Array, leak: Array, i_dc: Array, timer: Array, i_o: Array
) -> None:
    """Return the input current of the merged model, with the leak subtracted a first time."""
    for k in range(current.size):
        value = i_syn[k] - leak[k] + i_dc[k]
        value = value if timer[k] == _ZERO else _ZERO
        current[k] = i_o[k] if value < i_o[k] else value


@jit
def open_nmda(gated: Array, i_nmda: Array, i_f_nmda: Array, i_mem: Array) -> None:
    """Return the NMDA current that the membrane lets through."""
    for k in range(gated.size):
        gated[k] = i_nmda[k] / (_ONE + i_f_nmda[k] / i_mem[k])


@jit
def drive_four(
    current: Array, i_ampa: Array, i_gaba: Array, i_dc: Array, timer: Array, i_o: Array
) -> None:
    """Turn the gated NMDA current into the input current of the four-synapse model."""
    for k in range(current.size):
        value = current[k] + i_ampa[k] - i_gaba[k] + i_dc[k]
        value = value if timer[k] == _ZERO else _ZERO
        current[k] = i_o[k] if value < i_o[k] else value


@jit
def settle_merged(current: Array, leak: Array, gain: Array) -> None:
    """Turn input current into what the membrane tends to: ``gain (current - leak)``."""
    for k in range(current.size):
        current[k] = gain[k] * (current[k] - leak[k])


@jit
def settle_four(current: Array, i_ahp: Array, leak: Array, gain: Array) -> None:
    """Turn input current into what the membrane tends to: ``gain (current - i_ahp - leak)``."""
    for k in range(current.size):
        current[k] = gain[k] * (current[k] - i_ahp[k] - leak[k])


@jit
def draw_down(down: Array, i_ahp: Array, leak: Array) -> None:
    """Return what the membrane current is drawn down with: ``1 + i_ahp / leak``."""
    for k in range(down.size):
        down[k] = _ONE + i_ahp[k] / leak[k]


@jit
def grow(
    current: Array, i_mem: Array, i_gain_mem: Array, feedback: Array, leak: Array, down: Array
) -> None:
    """Turn it into ``current + feedback / leak (i_mem + i_gain_mem) - i_mem down``."""
    for k in range(current.size):
        positive = feedback[k] / leak[k] * (i_mem[k] + i_gain_mem[k])
        current[k] = current[k] + positive - i_mem[k] * down[k]


@jit
def integrate_membrane(
    i_mem: Array,
    current: Array,
    leak: Array,
    i_gain_mem: Array,
    tau_leak: Array,
    i_o: Array,
    dt: np.float32,
) -> None:
    """Advance the membrane current by forward Euler, before the reset."""
    for k in range(i_mem.size):
        tau = tau_leak[k] / leak[k]
        slope = i_mem[k] / (tau * (i_mem[k] + i_gain_mem[k])) * current[k]
        value = i_mem[k] + slope * dt
        i_mem[k] = i_o[k] if value < i_o[k] else value


@jit
def membrane_voltage(v_mem: Array, i_mem: Array, i_o: Array, slope: Array) -> None:
    """Return ``slope ln(i_mem / i_o)``, slope being ``u_t / kappa``."""
    for k in range(v_mem.size):
        v_mem[k] = slope[k] * log32(i_mem[k] / i_o[k])


@jit
def fire(
    n: int,
    ratio: Array,
    i_mem: Array,
    i_spkthr: Array,
    i_o: Array,
    spikes: Array,
    fired: Array,
) -> int:
    """Count spikes, reset, and list the lanes that fired; return their number.

    The logarithm is above 0 exactly where the ratio is above 1, so it is taken only there.
    """
    for k in range(ratio.size):
        ratio[k] = i_mem[k] / i_spkthr[k]
    spikes[:] = _ZERO
    count = 0
    for k in range(n):
        if ratio[k] > _ONE:
            spikes[k] = np.ceil(log32(ratio[k]))
            i_mem[k] = i_o[k]
            fired[count] = k
            count += 1
    return count


@jit
def wait(timer: Array, fired: Array, n_fired: int, t_ref: Array, passed: np.float32) -> None:
    """Count the refractory time down, and start it where a neuron fired."""
    for k in range(timer.size):
        left = timer[k] - passed
        timer[k] = _ZERO if left < _ZERO else left
    for j in range(n_fired):
        timer[fired[j]] = t_ref[fired[j]]
