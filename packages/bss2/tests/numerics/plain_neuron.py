"""The neuron in numpy, one neuron and one step at a time, written from the published equations."""

import numpy as np

F = np.float32


def run_plain(switches, values, dt, x, v_hw=None, z_hw=None, w_hw=None):
    """Run (batch, time, n); give spikes, current, membrane, adaptation."""
    batch, _, n = x.shape
    out = [np.zeros(x.shape, F) for _ in range(4)]
    for b in range(batch):
        for m in range(n):
            p = {name: F(value[m]) for name, value in values.items()}
            seen = [None if a is None else a[b, :, m].astype(F) for a in (v_hw, z_hw, w_hw)]
            traces = run_one(switches, p, F(dt), x[b, :, m].astype(F), *seen)
            for trace, found in zip(out, traces, strict=True):
                trace[b, :, m] = found
    return out


def run_one(switches, p, dt, x, v_hw, z_hw, w_hw):
    leaky, fire, exponential, sub, trig = (
        name in switches
        for name in (
            "leaky",
            "fire",
            "exponential",
            "subthreshold_adaptation",
            "spike_triggered_adaptation",
        )
    )
    zero, one = F(0), F(1)
    g = p["capacitance"] / p["tau_mem"]
    refractory = F(float(p["refractory"]) / float(dt))
    if abs(refractory - np.round(refractory)) < 1e-4:
        refractory = np.round(refractory)
    v = p["leak"] if leaky or sub else zero
    i = w = z = ref = zero
    rows = []
    for t in range(len(x)):
        s = i
        if leaky:
            s = s + g * (p["leak"] - v)
        if exponential:
            s = s + g * p["exp_slope"] * np.exp((v - p["exp_threshold"]) / p["exp_slope"])
        if sub or trig:
            s = s - w
        dv = (dt / p["capacitance"]) * s
        i = i * (one - dt / p["tau_syn"]) + x[t]
        v = v + dv
        if v_hw is not None:
            v = v_hw[t]
        if fire:
            z = one if v - p["threshold"] > 0 else zero
            if z_hw is not None:
                z = z_hw[t]
        if sub or trig:
            w = w * (one - dt / p["tau_adaptation"])
            if sub:
                w = w + (dt / p["tau_adaptation"]) * p["a"] * (v - p["leak_adaptation"])
            if trig:
                w = w + p["b"] * z
            if w_hw is not None:
                w = w_hw[t]
        if fire and v_hw is None:
            v = (one - z) * v + z * p["reset"]
        if fire and p["refractory"] != 0:
            m = one if ref > 0 else zero
            v = (one - m) * v + m * p["reset"]
            if v_hw is not None:
                v = v_hw[t]
            z = (one - m) * z
            if z_hw is not None:
                z = z_hw[t]
            ref = (one - z) * max(ref - m, zero) + z * refractory
        rows.append((z, i, v, w))
    return np.array(rows, F).reshape(-1, 4).T
