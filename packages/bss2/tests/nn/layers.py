"""Layers, inputs and gradients that several tests draw, and a smooth twin of the neuron."""

import numpy as np
import torch

from ranvier_bss2.nn.functional import aelif
from ranvier_bss2.numerics import NeuronParameters

US = 1e-6
LIF, LI, IF = ("leaky", "fire"), ("leaky",), ("fire",)
AELIF = (
    "leaky",
    "fire",
    "exponential",
    "subthreshold_adaptation",
    "spike_triggered_adaptation",
)
VALUES = {
    "leak": 0.1,
    "reset": 0.05,
    "threshold": 0.6,
    "tau_mem": 6 * US,
    "tau_syn": 5 * US,
    "capacitance": 8 * US,
    "refractory": 2 * US,
    "exp_slope": 0.3,
    "exp_threshold": 0.5,
    "a": 0.3,
    "b": 0.1,
    "tau_adaptation": 20 * US,
    "leak_adaptation": 0.02,
}
TRAINED = [name for name in VALUES if name != "refractory"]


def make(switches, n, **values):
    return NeuronParameters.of_values({**VALUES, **values}, dt=US, switches=switches, n=n)


def draw(shape, seed=0, *, mean=0.15, spread=0.4, density=1.0):
    g = torch.Generator().manual_seed(seed)
    x = mean + spread * torch.randn(shape, generator=g)
    return x * (torch.rand(shape, generator=g) < density)


def differentiate(x, parameters, *, backend, trained=(), record=True, **keywords):
    """Run and go backward with drawn gradients of all outputs; give the run and the gradients."""
    x = x.clone().requires_grad_()
    given = {k: torch.tensor(parameters.values[k]).requires_grad_() for k in trained}
    run = aelif(x, parameters, trained=given, record=record, backend=backend, **keywords)
    shown = [trace for trace in run[:4] if trace is not None]
    loss = sum((trace * draw(trace.shape, 5 + k)).sum() for k, trace in enumerate(shown))
    loss.backward()
    return run, {"x": x.grad, **{k: v.grad for k, v in given.items()}}


def smooth_loss(x, values, dt, switches, alpha, weights, base=None):
    """Run one neuron in float64 with spikes ``z0 + S(u) - S(u0)``; give the loss and its base.

    ``S`` is the integral of the surrogate derivative; resets happen where those of the base run do.
    """
    p, time = values, len(x)
    g = p["capacitance"] / p["tau_mem"] if "leaky" in switches else 0.0
    adapts = "subthreshold_adaptation" in switches or "spike_triggered_adaptation" in switches
    v, i, w, ref, loss = p["leak"], 0.0, 0.0, 0.0, 0.0
    found = []
    for t in range(time):
        s = i + g * (p["leak"] - v)
        if "exponential" in switches:
            gain = p["capacitance"] / p["tau_mem"] * p["exp_slope"]
            s += gain * np.exp((v - p["exp_threshold"]) / p["exp_slope"])
        s -= w
        v += dt / p["capacitance"] * s
        i = i * (1 - dt / p["tau_syn"]) + x[t]
        u = v - p["threshold"]
        soft = u / (1 + alpha * abs(u))
        z0, soft0 = (float(u > 0), soft) if base is None else base[t]
        found.append((z0, soft0))
        z = z0 + soft - soft0
        if adapts:
            w *= 1 - dt / p["tau_adaptation"]
            if "subthreshold_adaptation" in switches:
                w += dt / p["tau_adaptation"] * p["a"] * (v - p["leak_adaptation"])
            if "spike_triggered_adaptation" in switches:
                w += p["b"] * z
        masked = ref > 0
        fired = z0 > 0 and not masked
        v = p["reset"] if z0 > 0 or masked else v
        z = 0.0 if masked else z
        ref = round(p["refractory"] / dt) if fired else max(ref - masked, 0)
        loss += weights[0][t] * z + weights[1][t] * v + weights[2][t] * i + weights[3][t] * w
    return loss, found
