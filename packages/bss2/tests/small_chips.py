"""Small configurations for tests, placed and written without the mapper."""

from __future__ import annotations

import numpy as np

from ranvier.artifacts import Placement
from ranvier.artifacts.config import OutputChannel
from ranvier.diagnostics import Findings
from ranvier_bss2.config import Bss2Config, Population
from ranvier_bss2.config.configuration import ProjectionEnds
from ranvier_bss2.network import BssNetwork, BssPopulation, BssProjection, Readout
from ranvier_bss2.placement import Budget, place_network, synapse_arrays
from ranvier_bss2.targets import limits_of

KAPPA = 45 / 55
SCALE = 1 / 45
MODEL = {
    "leak": 0.0,
    "reset": 0.0,
    "threshold": 1.0,
    "tau_mem": 10e-6,
    "tau_syn": 10e-6,
    "capacitance": 10e-6,
    "refractory": 0.0,
    "exp_slope": 1.0,
    "exp_threshold": 0.0,
    "a": 0.0,
    "b": 0.0,
    "tau_adaptation": 100e-6,
    "leak_adaptation": 0.0,
}
LSB = {"synapse_dac_bias": 600.0, "i_synin_gm": 500.0, "membrane_capacitance": 63.0}


def population(name, n, *, switches=("leaky", "fire"), circuits=1, split=(), instance=0, **options):
    """Return a population whose targets say the same as its model, leak at 80 LSB."""
    readout = {k: options.pop(k) for k in list(options) if k in ("cadc", "madc_neuron")}
    late = {
        k: options.pop(k)
        for k in list(options)
        if k in ("shift_to_first", "time_shift", "interpolation")
    }
    codes = {k: options.pop(k) for k in list(options) if k in LSB}
    model = {k: np.broadcast_to(options.pop(k, v), (n,)).astype(float) for k, v in MODEL.items()}
    assert not options, options
    v = {k: 80 + (model[k] - model["leak"]) / SCALE for k in ("leak", "reset", "threshold")}
    targets = v | {
        "tau_mem": model["tau_mem"],
        "tau_syn_exc": model["tau_syn"],
        "tau_syn_inh": model["tau_syn"],
        "refractory": np.maximum(model["refractory"], 0.04e-6),
        "holdoff": np.zeros(n),
        **{k: np.full(n, codes.get(k, x)) for k, x in LSB.items()},
    }
    return BssPopulation(
        name=name,
        shape=(n,),
        switches=switches,
        model=model,
        targets=targets,
        readout=Readout(
            trace_scale=np.full(n, SCALE),
            trace_offset=np.full(n, 80.0) - model["leak"] / SCALE,
            **readout,
            **late,
        ),
        circuits=circuits,
        instance=instance,
        split=split,
    )


def projection(source, target, weight, *, delay=0):
    """Return a dense projection of whole weights in LSB."""
    weight = np.asarray(weight, dtype=float)
    return BssProjection(
        source=source,
        target=target,
        weight=weight,
        connected=np.ones(weight.shape, dtype=bool),
        delay=delay,
    )


def chip(inputs, populations, projections, *, outputs=None, dt=1e-6, masks=None):
    """Return a configuration and its layout."""
    network = BssNetwork(
        dt=dt,
        time_scale=1e-3,
        inputs=inputs,
        populations=tuple(populations),
        projections=tuple(projections),
    )
    findings = Findings()
    layout = place_network(network, Budget.of(limits_of()), findings=findings)
    assert layout is not None, list(findings)
    weights = {k: q.weight.astype(int) for k, q in enumerate(network.projections)}
    weight, label = synapse_arrays(layout, weights)
    names = ("neuron_instance", "neuron_population", "neuron_index", "neuron_rank")
    columns = {n: getattr(layout, n) for n in (*names, "neuron_circuit", "circuit_address")}
    columns |= {
        n: getattr(layout, n)
        for n in ("row_mode", "driver_mask", "node_enabled", "node_mask", "node_target")
    }
    columns |= {
        f"source_{n}": getattr(layout, f"source_{n}")
        for n in ("instance", "projection", "channel", "link", "label")
    }
    kinds = {"row_mode": np.uint8, "driver_mask": np.uint8, "circuit_address": np.int16}
    columns |= {n: columns[n].astype(kind) for n, kind in kinds.items()}
    last = network.populations[-1]
    shown = "spikes" if "fire" in last.switches else "v_mem"
    outputs = outputs or {"output": (last.name, shown)}
    config = Bss2Config(
        target="bss2",
        dt=dt / network.time_scale,
        time_scale=network.time_scale,
        chip_dt=dt,
        kappa=KAPPA,
        input_shapes=dict(inputs),
        node_shapes={p.name: p.shape for p in network.populations},
        outputs=tuple(OutputChannel(output=o, node=n, quantity=q) for o, (n, q) in outputs.items()),
        placement=_places(network, layout),
        latency={p.name: p.late for p in network.populations},
        populations=tuple(_stored(p, (masks or {}).get(p.name)) for p in network.populations),
        projections=tuple(
            ProjectionEnds(source=q.source, target=q.target, delay=q.delay)
            for q in network.projections
        ),
        synapse_weight=weight,
        synapse_label=label,
        **columns,
    )
    return config, layout


def _places(network, layout):
    rows = [
        (p.name, layout.neuron_index[own], "circuit", layout.neuron_circuit[own])
        for k, p in enumerate(network.populations)
        for own in [layout.neuron_population == k]
    ]
    return Placement.from_rows(rows)


def _stored(p, mask):
    return Population(
        name=p.name,
        shape=p.shape,
        switches=p.switches,
        instance=p.instance,
        circuits=p.circuits,
        model=dict(p.model),
        targets=dict(p.targets),
        trace_scale=p.readout.trace_scale,
        trace_offset=p.readout.trace_offset,
        cadc=p.readout.cadc,
        madc_neuron=p.readout.madc_neuron,
        shift_to_first=p.readout.shift_to_first,
        time_shift=p.readout.time_shift,
        interpolation=p.readout.interpolation,
        spike_mask=np.ones(p.size, dtype=bool) if mask is None else np.asarray(mask),
    )


def level_a(config, weights, inputs, *, n_steps=None):
    """Run a configuration in model units in float64, one operation after the other.

    Written down from the published order of operations; ``weights`` are those of the projections in
    LSB. Returns spikes, membranes and currents by population, (batch, time, n).
    """
    first = next(iter(inputs.values()))
    batch, steps = first.shape[0], n_steps or first.shape[1]
    dt, state, out = config.chip_dt, {}, {}
    for p in config.populations:
        m = p.model
        rests = "leaky" in p.switches or "subthreshold_adaptation" in p.switches
        v = np.tile(m["leak"] if rests else np.zeros(p.size), (batch, 1))
        zero = np.zeros((batch, p.size))
        state[p.name] = [v, zero.copy(), zero.copy(), zero.copy(), zero.copy()]
        out[p.name] = [np.zeros((batch, steps, p.size)) for _ in range(3)]
    for t in range(steps):
        previous = {name: s[4].copy() for name, s in state.items()}
        for p in config.populations:
            m, on = p.model, set(p.switches)
            v, i, w, ref, _ = state[p.name]
            code = {k: np.asarray(p.targets[k]) for k in LSB}
            gain = code["synapse_dac_bias"] / 600 * code["i_synin_gm"] / 500
            gain = gain * 63 / code["membrane_capacitance"]
            to_model = config.kappa * gain * p.trace_scale * m["capacitance"] / m["tau_mem"]
            x = np.zeros_like(v)
            for k, q in enumerate(config.projections):
                if q.target != p.name:
                    continue
                if q.source in inputs:
                    z_in = inputs[q.source].reshape(batch, inputs[q.source].shape[1], -1)[:, t] > 0
                else:
                    z_in = previous[q.source] if q.delay else state[q.source][4]
                x += z_in @ (weights[k] * to_model[:, None]).T
            g = m["capacitance"] / m["tau_mem"]
            s = i.copy()
            if "leaky" in on:
                s += g * (m["leak"] - v)
            if "exponential" in on:
                s += g * m["exp_slope"] * np.exp((v - m["exp_threshold"]) / m["exp_slope"])
            if on & {"subthreshold_adaptation", "spike_triggered_adaptation"}:
                s -= w
            i = i * (1 - dt / m["tau_syn"]) + x
            v = v + dt / m["capacitance"] * s
            z = (v - m["threshold"] > 0) * ("fire" in on)
            step_w = dt / m["tau_adaptation"]
            w = w * (1 - step_w)
            if "subthreshold_adaptation" in on:
                w = w + step_w * m["a"] * (v - m["leak_adaptation"])
            if "spike_triggered_adaptation" in on:
                w = w + m["b"] * z
            if "fire" in on:
                v = np.where(z, m["reset"], v)
                masked = ref > 0
                v = np.where(masked, m["reset"], v)
                z = z & ~masked
                steps_masked = np.round(m["refractory"] / dt, 6)
                ref = np.where(z, steps_masked, np.maximum(ref - masked, 0))
            z = z * p.spike_mask
            state[p.name] = [v, i, w, ref, z]
            for trace, value in zip(out[p.name], (z, v, i), strict=True):
                trace[:, t] = value
    return out
