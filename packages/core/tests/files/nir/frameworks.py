"""Step equations of the frameworks, one neuron at a time, as measured against each of them.

Independent of the source: every function takes the fields of a NIR file and an input per step and
returns spikes (or the membrane of LI). ``a`` is dt / tau.
"""

import math


def nir_lif(x, *, tau, r, v_leak, v_threshold, v_reset, dt):
    """Forward Euler of NIR's equations from 0, reset to a value."""
    v, out = 0.0, []
    for xt in x:
        v = v + dt / tau * (v_leak - v + r * xt)
        z = v > v_threshold
        out.append(int(z))
        v = v_reset if z else v
    return out


def nir_cuba(x, *, tau_mem, tau_syn, r, w_in, v_leak, v_threshold, v_reset, dt):
    i, v, out = 0.0, 0.0, []
    for xt in x:
        i = i + dt / tau_syn * (w_in * xt - i)
        v = v + dt / tau_mem * (v_leak - v + r * i)
        z = v > v_threshold
        out.append(int(z))
        v = v_reset if z else v
    return out


def exact_lif(x, *, tau, r, v_leak, v_threshold, dt):
    """Zero-order hold, subtractive reset."""
    d, v, out = math.exp(-dt / tau), 0.0, []
    for xt in x:
        v = v_leak + d * (v - v_leak) + r * (1 - d) * xt
        z = v > v_threshold
        out.append(int(z))
        v -= v_threshold * z
    return out


def norse_lif(x, *, tau, v_leak, v_threshold, dt):
    v, out = 0.0, []
    for xt in x:
        v = v + dt / tau * (v_leak - v + xt)
        z = v > v_threshold
        out.append(int(z))
        v = 0.0 if z else v
    return out


def snntorch_leaky_zero(x, *, tau, r, v_threshold, dt):
    """Reset to zero one step late, as with reset_delay=True."""
    beta, gain, v, out = 1 - dt / tau, r * dt / tau, 0.0, []
    for xt in x:
        v = beta * v * (0.0 if v > v_threshold else 1.0) + gain * xt
        out.append(int(v > v_threshold))
    return out


def snntorch_leaky_subtract(x, *, tau, r, v_threshold, dt):
    """Immediate subtraction, as with reset_delay=False and v below two thresholds."""
    beta, gain, v, out = 1 - dt / tau, r * dt / tau, 0.0, []
    for xt in x:
        v = beta * v + gain * xt
        z = v > v_threshold
        out.append(int(z))
        v -= v_threshold * z
    return out


def snntorch_synaptic_zero(x, *, tau_mem, tau_syn, v_threshold, dt):
    alpha, beta, i, v, out = 1 - dt / tau_syn, 1 - dt / tau_mem, 0.0, 0.0, []
    for xt in x:
        keep = 0.0 if v > v_threshold else 1.0
        i = alpha * i + xt
        v = (beta * v + i) * keep
        out.append(int(v > v_threshold))
    return out


def sinabs_lif(x, *, tau_steps, v_threshold):
    decay, v, out = math.exp(-1.0 / tau_steps), 0.0, []
    for xt in x:
        v = decay * v + xt
        n = max(0, math.floor(v / v_threshold))
        out.append(n)
        v -= n * v_threshold
    return out


def sinabs_iaf(x, *, v_threshold):
    v, out = 0.0, []
    for xt in x:
        v = v + xt
        n = max(0, math.floor(v / v_threshold))
        out.append(n)
        v -= n * v_threshold
    return out


def rockpool_cuba(x, *, tau_mem, tau_syn, v_threshold, dt):
    i, v, out = 0.0, 0.0, []
    for xt in x:
        i = (i + xt) * math.exp(-dt / tau_syn)
        v = v * math.exp(-dt / tau_mem) + i
        n = max(0, math.floor(v / v_threshold))
        out.append(n)
        v -= n * v_threshold
    return out


def rockpool_lif(x, *, tau, v_threshold, dt):
    v, out = 0.0, []
    for xt in x:
        v = v * math.exp(-dt / tau) + xt
        n = max(0, math.floor(v / v_threshold))
        out.append(n)
        v -= n * v_threshold
    return out


def rockpool_li(x, *, tau, dt):
    y, out = 0.0, []
    for xt in x:
        y = (y + xt) * math.exp(-dt / tau)
        out.append(y)
    return out


def spikingjelly_lif(x, *, tau, r, v_threshold, v_reset, dt):
    v, out = v_reset, []
    for xt in x:
        v = v + dt / tau * (v_reset - v + r * xt)
        z = v >= v_threshold
        out.append(int(z))
        v = v_reset if z else v
    return out
