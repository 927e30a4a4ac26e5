"""The chip's order of events, in floats and with the gains of the mapper, against the graph."""

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from ranvier.graph import CubaLIF, Edge, Graph, Input, Linear, Output
from ranvier_xylo import MapOptions, map_network, target_named
from ranvier_xylo.float_model import network_from_arrays, run_float

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def mapped_on(target, graph, **options):
    return map_network(graph, target_named(target), MapOptions(**options))


class ChipOrder:
    """Add, decay, charge, fire: as the chip does it, with real numbers."""

    def __init__(self, arrays):
        a = {k: np.asarray(v, dtype=float) for k, v in arrays.items()}
        n_hid, n_ien, n_oen = len(a["threshold"]), a["weights_in"].shape[1], len(a["weights_out"])
        self.w_in = np.zeros((len(a["weights_in"]), *a["gain"].shape))
        self.w_in[:, :n_ien] = a["weights_in"] * a["gain"][:n_ien]
        self.w_rec = a["weights_rec"] * a["gain"]
        self.w_out = np.zeros((n_hid, len(a["threshold_out"])))
        self.w_out[n_hid - n_oen :] = a["weights_out"] * a["gain_out"]
        self.a, self.aliases = a, arrays["aliases"]

    def run(self, counts):
        a = self.a
        i, v = np.zeros(a["gain"].shape), np.zeros(len(a["threshold"]))
        i_out, v_out = np.zeros(len(a["threshold_out"])), np.zeros(len(a["threshold_out"]))
        spikes, hidden, output, v_trace = np.zeros(len(v)), [], [], []
        for x in counts:
            i = (1 - 0.5 ** a["dash_syn"]) * (
                i + np.tensordot(x, self.w_in, 1) + np.tensordot(spikes, self.w_rec, 1)
            )
            i_out = (1 - 0.5 ** a["dash_syn_out"]) * (i_out + spikes @ self.w_out)
            v = (1 - 0.5 ** a["dash_mem"]) * v + i.sum(1) + a["bias"]
            v_out = (1 - 0.5 ** a["dash_mem_out"]) * v_out + i_out + a["bias_out"]
            spikes = np.zeros(len(v))
            for h in range(len(v)):
                while v[h] >= a["threshold"][h] and spikes[h] < 31:
                    v[h] -= a["threshold"][h]
                    spikes[h] += 1
                if self.aliases[h] >= 0:
                    spikes[self.aliases[h]] = min(31, spikes[self.aliases[h]] + spikes[h])
            fired = (v_out >= a["threshold_out"]).astype(float)
            v_out = v_out - np.where(fired > 0, a["threshold_out"], 0)
            hidden.append(spikes)
            output.append(fired)
            v_trace.append(v_out)
        return np.array(hidden), np.array(output), np.array(v_trace)


def spikes_of(mapped, hidden, output, node):
    ids = mapped.placement.slots_of(node, port="hidden")
    if ids.size:
        return hidden[:, ids]
    return output[:, mapped.placement.slots_of(node, port="output")]


def assert_same(mapped, graph, counts, wanted):
    """Every layer fires as in the graph, later by its latency, and the layers do fire."""
    hidden, output, _ = ChipOrder(mapped.arrays).run(counts)
    for node in graph.neurons:
        late, steps = mapped.latency[node], len(counts)
        got = spikes_of(mapped, hidden, output, node)
        assert np.array_equal(got[late:], wanted[node][: steps - late]), node


@given(seeds)
@few
def test_a_feed_forward_network_with_bitshift_decays_is_absorbed_exactly(
    make_chain, run_canonical, seed
):
    rng = np.random.default_rng(seed)
    taus = {
        "tau_syn": 1e-3 * 2.0 ** rng.integers(1, 5, 1),
        "tau_mem": 1e-3 * 2.0 ** rng.integers(1, 6, 1),
    }
    graph = make_chain(rng, **taus)
    counts = rng.poisson(0.5, (40, 4))

    mapped = mapped_on("xylo-audio2", graph)

    assert [d for d in mapped.diagnostics if d.severity == "loss"] == []
    assert_same(mapped, graph, counts, run_canonical(graph, counts))


def test_the_networks_of_the_absorption_test_do_fire(make_chain, run_canonical, rng):
    graph = make_chain(rng)
    wanted = run_canonical(graph, rng.poisson(0.5, (40, 4)))
    assert all(wanted[node].sum() > 10 for node in graph.neurons)
    assert wanted["n0"].max() > 1


@given(seeds)
@few
def test_recurrent_weights_and_two_synapses_are_absorbed_exactly(make_cuba, run_canonical, seed):
    rng = np.random.default_rng(seed)
    taus = np.array([[2e-3], [8e-3]]) * np.ones((2, 6))
    nodes = {
        "in": Input(shape=(3,)),
        "slow": Linear(weight=rng.normal(0, 1, (6, 3))),
        "fast": Linear(weight=rng.normal(0.5, 1, (6, 3))),
        "h": CubaLIF(
            shape=(6,), tau_mem=8e-3, tau_syn=taus, synapses=2, decay="bitshift", max_spikes=31
        ),
        "rec": Linear(weight=rng.normal(0, 0.5, (6, 6))),
        "fc": Linear(weight=rng.normal(0, 1, (2, 6))),
        "o": make_cuba(2, last=True),
        "out": Output(shape=(2,)),
    }
    edges = [
        ("in", "fast"), ("in", "slow"), ("fast", "h", "in"), ("slow", "h", "in2"),
        ("h", "rec", "in", 1), ("rec", "h", "in2"), ("h", "fc"), ("fc", "o"), ("o", "out"),
    ]  # fmt: skip
    graph = Graph(nodes, edges, 1e-3)
    counts = rng.poisson(0.5, (40, 3))

    mapped = mapped_on("xylo-audio3", graph)

    assert mapped.arrays["weights_in"].shape == (3, 6, 2)
    assert_same(mapped, graph, counts, run_canonical(graph, counts))


def residual_graph(rng, make_cuba, *, delay=1):
    """Input, A, then A plus B(C(A)) into the output; every hop has the chip's delay."""
    w = {k: rng.normal(0.2, 1, s) for k, s in {"f1": (5, 4), "f2": (7, 5), "f3": (5, 7)}.items()}
    nodes = {
        "in": Input(shape=(4,)),
        "f1": Linear(weight=w["f1"] / 2),
        "A": make_cuba(5),
        "f2": Linear(weight=w["f2"] / 4),
        "C": make_cuba(7),
        "f3": Linear(weight=w["f3"] / 4),
        "B": make_cuba(5),
        "fo": Linear(weight=rng.normal(0, 0.5, (3, 5))),
        "O": make_cuba(3, last=True),
        "out": Output(shape=(3,)),
    }
    hops = [("A", "f2"), ("C", "f3"), ("A", "fo"), ("B", "fo")]
    edges = [Edge(a, b, "in", delay) for a, b in hops]
    edges += [Edge(*e) for e in [("in", "f1"), ("f1", "A"), ("f2", "C"), ("f3", "B")]]
    edges += [Edge(*e) for e in [("fo", "O"), ("O", "out")]]
    return Graph(nodes, edges, 1e-3)


@pytest.mark.parametrize("residual", ["alias", "weights"])
@given(seed=seeds)
@few
def test_a_residual_network_trained_with_hops_runs_identically(
    make_cuba, run_canonical, residual, seed
):
    rng = np.random.default_rng(seed)
    graph = residual_graph(rng, make_cuba)
    counts = rng.poisson(0.3, (40, 4))
    wanted = run_canonical(graph, counts)
    mapped = mapped_on("xylo-imu", graph, residual=residual)

    hidden, output, _ = ChipOrder(mapped.arrays).run(counts)

    total = wanted["A"] + wanted["B"]
    assume(total.max() <= 31)  # beyond, the cap of the chip's aliases shows
    assert set(mapped.latency.values()) == {0}
    assert np.array_equal(spikes_of(mapped, hidden, output, "A"), wanted["A"])
    expected = total if residual == "alias" else wanted["B"]
    assert np.array_equal(spikes_of(mapped, hidden, output, "B"), expected)
    assert np.array_equal(spikes_of(mapped, hidden, output, "O"), wanted["O"])


@pytest.mark.parametrize("chip_decays", [False, True])
def test_the_float_model_equals_the_graph(make_cuba, run_canonical, rng, chip_decays):
    graph = residual_graph(rng, make_cuba)
    counts = rng.poisson(0.3, (2, 40, 4))
    mapped = mapped_on("xylo-audio3", graph)
    run = run_float(network_from_arrays(mapped.arrays, chip_decays=chip_decays), counts)
    for sample in range(2):
        wanted = run_canonical(graph, counts[sample])
        got = spikes_of(mapped, run.spikes[sample], run.spikes_out[sample], "O")
        assert np.array_equal(got, wanted["O"])


def test_a_membrane_readout_shows_the_graphs_membrane(run_canonical, make_cuba, rng):
    from ranvier.graph import CubaLI

    graph = Graph.sequential(
        {
            "fc": Linear(weight=rng.normal(0.5, 1, (6, 3))),
            "h": make_cuba(6),
            "fo": Linear(weight=rng.normal(0, 1, (2, 6))),
            "o": CubaLI(shape=(2,), tau_mem=8e-3, tau_syn=4e-3, decay="bitshift", v_rest=0.25),
        },
        dt=1e-3,
    )
    counts = rng.poisson(0.5, (30, 3))
    mapped = mapped_on("xylo-audio3", graph)
    _, _, v_out = ChipOrder(mapped.arrays).run(counts)
    wanted = run_canonical(graph, counts)["o"]
    assert mapped.settings["readout"] == "v_mem"
    got = v_out[1:] + mapped.arrays["v_offset_out"]
    np.testing.assert_allclose(got, wanted[:-1], rtol=0, atol=1e-9)
    assert np.isinf(mapped.arrays["threshold_out"]).all()


def test_a_rounded_decay_keeps_charge_or_peak(make_chain, rng):
    graph = make_chain(rng, decay="exponential", tau_syn=3e-3)
    beta, chip = np.exp(-1 / 3), 1 - 0.5**2
    charge = mapped_on("xylo-audio3", graph).arrays["gain"][0, 0]
    peak = mapped_on("xylo-audio3", graph, match="peak").arrays["gain"][0, 0]
    assert charge * chip / (1 - chip) == pytest.approx(1 / (1 - beta))
    assert peak * chip == pytest.approx(1)
