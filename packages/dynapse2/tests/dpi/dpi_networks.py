"""Random networks that reach every branch of the neuron, and the comparison with plain numpy."""

import runpy
from pathlib import Path

import numpy as np

from ranvier_dynapse2 import VirtualChip
from ranvier_dynapse2.dpi import DpiParameters, Synapses, run_routed
from ranvier_dynapse2.nodes import Dpi

plain = runpy.run_path(str(Path(__file__).parents[1] / "plain_dpi.py"))
Plain, weighted = plain["Plain"], plain["weighted"]
DT = 1e-3
SIGN = np.array([1, -1, 1, -1])


def random_values(rng, n, model):
    """Currents around the defaults: long refractory periods, adaptation, leaks below i_o."""
    node = Dpi(shape=(n,), model=model)
    values = {
        name: np.array(node.parameter(name)) for name in DpiParameters.of_node(node, dt=DT).values
    }
    values["i_ref"] = values["i_ref"] / rng.choice([0.3, 1.0, 2.0, 3.5, 6.0])
    values["i_w_ahp"] = values["i_w_ahp"] * rng.choice([1.0, 1e3, 1e5])
    values["i_dc"] = values["i_dc"] * rng.choice([1.0, 20.0, 60.0])
    values["i_spkthr"] = values["i_spkthr"] / rng.choice([1.0, 10.0, 100.0])
    values["i_f_nmda"] = values["i_f_nmda"] * rng.choice([1.0, 100.0])
    if rng.random() < 0.3:
        values[rng.choice(["i_tau_ampa", "i_tau_mem", "i_tau_ahp", "i_gain_mem"])][:] = 1e-13
    chip = VirtualChip(int(rng.integers(1000)), mismatch=float(rng.choice([0.0, 0.05, 0.2])))
    return chip.apply(values)


def random_network(seed, model):
    """Return parameters, counts, and weights (ports, sources, n) of inputs and neurons."""
    rng = np.random.default_rng(seed)
    n, channels = int(rng.integers(1, 30)), int(rng.integers(1, 20))
    values = random_values(rng, n, model)
    counts = rng.poisson(rng.choice([0.02, 0.1, 0.5]), (int(rng.integers(1, 5)), 80, channels))
    ports = 1 if model == "merged_synapse" else 4
    size = rng.choice([0.3, 2.0, 20.0])
    signed = ports == 1 or rng.random() < 0.2
    weights = []
    for sources in (channels, n):
        w = rng.normal(0, size, (ports, sources, n)) * (rng.random((ports, sources, n)) < 0.6)
        weights.append((w if signed else np.abs(w)).astype(np.float32))
    weights[0] += np.float32(size / 3)
    return DpiParameters.of_values(values, model=model, dt=DT), counts, weights[0], weights[1]


def synapses(weights):
    """Turn weights, (ports, sources, n), into synapses."""
    port, source, target = np.nonzero(weights)
    return Synapses.of_pairs(
        weights.shape[1], source, target=target, port=port, weight=weights[port, source, target]
    )


def run_both(seed, model):
    parameters, counts, w_in, w_rec = random_network(seed, model)
    names = (*parameters.synapse_states, "i_ahp", "i_mem", "v_mem")
    run = run_routed(
        parameters, counts, synapses_in=synapses(w_in), synapses_rec=synapses(w_rec), record=names
    )
    batch, time, channels = counts.shape
    flat = counts.reshape(-1, channels)
    x = np.stack([weighted(flat, w).reshape(batch, time, -1) for w in w_in])
    with np.errstate(divide="ignore", over="ignore"):
        reference = Plain(model, parameters.values, DT).run(x, w_rec)
    return run, reference


def compare(run, reference):
    """Return spikes, and samples that differ; check that they do so only at the threshold."""
    spikes, traces, ratio, _ = reference
    different = 0
    for b in range(spikes.shape[0]):
        steps = np.flatnonzero(np.any(run.spikes[b] != spikes[b], axis=1))
        until = int(steps[0]) if steps.size else spikes.shape[1]
        if steps.size:
            different += 1
            where = run.spikes[b, until] != spikes[b, until]
            assert np.all(np.abs(ratio[b, until, where] - 1) < 1e-6)
        for name, found in run.traces.items():
            np.testing.assert_allclose(found[b, :until], traces[name][b, :until], rtol=1e-4)
    return int(spikes.sum()), different
