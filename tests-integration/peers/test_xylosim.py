"""The Xylo core against xylosim, the vendor's binary simulator: every spike, every state."""

import importlib
import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_xylo.kernels import TRACES, prepare, run

pytest.importorskip("xylosim", reason="xylosim is not installed; it is a peer, not a dependency")

HERE = Path(__file__).parent
NETWORKS = HERE.parents[1] / "packages" / "xylo" / "tests" / "random_networks.py"
random_network, random_counts = (
    runpy.run_path(str(NETWORKS))[name] for name in ("random_network", "random_counts")
)
peer_layer = runpy.run_path(str(HERE / "xylosim_layer.py"))["peer_layer"]
TRACE_NAMES = {
    "spikes": "rec_recurrent_spikes",
    "i_syn": "rec_i_syn",
    "i_syn2": "rec_i_syn2",
    "v_mem": "rec_v_mem",
    "i_syn_out": "rec_i_syn_out",
    "v_mem_out": "rec_v_mem_out",
}
N_NETWORKS = 2000
N_PARTS = 8


def disagreements(rng, version, n_hidden=(3, 30)):
    """Run one random network in two chunks on both sides; return the names of what differs."""
    arrays = random_network(rng, version=version, n_hidden=n_hidden)
    net, state, found = prepare(arrays), None, []
    layer, keep_alive = peer_layer(importlib.import_module(f"xylosim.v{version}"), arrays)
    for steps in rng.integers(5, 21, 2):
        counts = random_counts(rng, steps=int(steps), n_in=arrays.n_in)
        ours = run(net, counts[None], state=state, record=TRACES)
        state = ours.state
        out = np.array(layer.evolve(counts.tolist())).reshape(ours.spikes[0].shape)
        if not np.array_equal(ours.spikes[0], out):
            found.append("output spikes")
        for name, peer_name in TRACE_NAMES.items():
            peer = np.array(getattr(layer, peer_name))
            expected = peer if name == "spikes" else peer.T
            if not np.array_equal(ours.traces[name][0], expected):
                found.append(name)
    del layer, keep_alive
    return found


@pytest.mark.slow
@pytest.mark.parametrize("part", range(N_PARTS))
@pytest.mark.parametrize("version", [1, 2])
def test_generated_networks_agree_with_xylosim_in_every_spike_and_state(version, part):
    mismatches = {}
    for index in range(part, N_NETWORKS, N_PARTS):
        found = disagreements(np.random.default_rng([version, index]), version)
        if found:
            mismatches[index] = found

    assert mismatches == {}


@pytest.mark.parametrize("version", [1, 2])
def test_networks_of_several_vectors_agree_with_xylosim(version):
    seeds = range(20)
    found = [
        disagreements(np.random.default_rng([version, seed]), version, n_hidden=(100, 300))
        for seed in seeds
    ]

    assert found == [[] for _ in seeds]


def test_generated_networks_reach_the_corners():
    seen = dict.fromkeys(("upper rail", "lower rail", "31 spikes", "alias", "two synapses"), 0)
    for index in range(200):
        rng = np.random.default_rng([2, index])
        arrays = random_network(rng, version=2)
        counts = random_counts(rng, steps=20, n_in=arrays.n_in)
        traces = run(prepare(arrays), counts[None], record=TRACES).traces
        fired = (traces["spikes"] > 0) & (arrays.threshold == 32767)  # almost only by clipping
        seen["upper rail"] += bool(fired.any() or traces["v_mem"].max() == 32767)
        seen["lower rail"] += traces["v_mem"].min() == -32768
        seen["31 spikes"] += traces["spikes"].max() == 31
        seen["alias"] += bool((arrays.aliases >= 0).any())
        seen["two synapses"] += bool(traces["i_syn2"].any())

    assert min(seen.values()) >= 20, seen  # of 200
