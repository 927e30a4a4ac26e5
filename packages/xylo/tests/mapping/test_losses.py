"""What the chip cannot represent exactly is reported, with numbers."""

import numpy as np
import pytest

from ranvier.graph import LI, LIF, CubaLIF, Edge, Graph, Linear
from ranvier_xylo import MapOptions, diagnostics as codes, map_network, target_named


def mapped(graph, **options):
    return map_network(graph, target_named("xylo-audio3"), MapOptions(**options))


def found(result, code):
    return [d for d in result.diagnostics if d.code == code.code]


def test_an_exponential_decay_reports_wanted_and_chosen_time_constant(make_chain, rng):
    result = mapped(make_chain(rng, decay="exponential", tau_mem=20e-3, tau_syn=3e-3))
    loss = {d.node: d for d in found(result, codes.DECAY_CHANGED) if "tau_mem" in d.message}
    assert set(loss) == {"n0", "n1", "n2"}
    assert loss["n0"].value == pytest.approx(20e-3)
    assert loss["n0"].limit == pytest.approx(-1e-3 / np.log(1 - 2.0**-4))
    assert loss["n0"].severity == "loss"
    assert (result.arrays["dash_mem"] == 4).all()


def test_an_exponential_decay_at_a_power_of_two_is_exact(make_chain, rng):
    tau = -1e-3 / np.log(1 - 2.0 ** -np.arange(1, 16))
    for k in range(1, 15):  # tau of k = 1 and 2 lies close to dt; both are above it
        graph = make_chain(rng, decay="exponential", tau_mem=tau[k], tau_syn=tau[1])
        assert found(mapped(graph), codes.DECAY_CHANGED) == []


def test_a_neuron_without_synapse_gets_the_shortest_one_at_equal_charge(make_chain, rng):
    graph = make_chain(rng)
    lif = LIF(shape=(10,), tau_mem=4e-3, decay="bitshift", max_spikes=31)
    result = mapped(graph.with_nodes({"n0": lif}))
    assert [d.node for d in found(result, codes.SYNAPSE_ADDED)] == ["n0"]
    assert (result.arrays["dash_syn"][:10] == 1).all()
    assert (result.arrays["gain"][:10] == 1.0).all()
    assert (result.arrays["gain"][10:] == 2.0).all()


def test_a_bias_in_front_of_a_synapse_becomes_its_steady_state(make_chain, rng):
    graph = make_chain(rng)
    fc = graph.nodes["fc0"].replace(bias=np.full(10, 0.1))
    result = mapped(graph.with_nodes({"fc0": fc}))
    assert [(d.node, d.value) for d in found(result, codes.MAP_BIAS)] == [
        ("n0", pytest.approx(0.2))
    ]
    assert result.arrays["bias"][:10] == pytest.approx(0.1 / (1 - 0.5))


def test_a_bias_in_front_of_a_neuron_without_synapse_is_exact(make_chain, rng):
    graph = make_chain(rng)
    fc = graph.nodes["fc0"].replace(bias=np.full(10, 0.1))
    lif = LIF(shape=(10,), tau_mem=4e-3, decay="bitshift", max_spikes=31)
    result = mapped(graph.with_nodes({"fc0": fc, "n0": lif}))
    assert found(result, codes.MAP_BIAS) == []
    assert result.arrays["bias"][:10] == pytest.approx(0.1)


def test_a_resting_value_becomes_the_bias_that_holds_it(make_chain, rng):
    result = mapped(make_chain(rng, v_rest=0.5))
    assert [d.value for d in found(result, codes.RESTING_VALUE)] == [0.5] * 3
    assert result.arrays["bias"] == pytest.approx(0.25 * 0.5)


def test_the_resting_value_of_a_membrane_readout_is_an_exact_offset(make_chain, rng):
    graph = make_chain(rng)
    readout = LI(shape=(3,), tau_mem=4e-3, decay="bitshift", v_rest=0.5)
    result = mapped(graph.with_nodes({"n2": readout}))
    assert found(result, codes.RESTING_VALUE) == []
    assert (result.arrays["v_offset_out"] == 0.5).all()
    assert not result.arrays["bias_out"].any()


@pytest.mark.parametrize(
    ("changes", "code", "value"),
    [
        ({"refractory": 2e-3}, codes.REFRACTORY_DROPPED, 2e-3),
        ({"comparison": ">"}, codes.COMPARISON_CHANGED, None),
        ({"max_spikes": 7}, codes.SPIKE_LIMIT_CHANGED, 7),
    ],
)
def test_what_the_neuron_has_and_the_chip_has_not(make_chain, make_cuba, rng, changes, code, value):
    graph = make_chain(rng).with_nodes({"n0": make_cuba(10, **changes)})
    losses = [d for d in mapped(graph).diagnostics if d.severity == "loss"]
    assert [(d.code, d.node, d.value) for d in losses] == [(code.code, "n0", value)]
    assert losses[0].hint


def test_an_output_may_emit_one_spike(make_chain, make_cuba, rng):
    graph = make_chain(rng).with_nodes({"n2": make_cuba(3)})
    losses = found(mapped(graph), codes.SPIKE_LIMIT_CHANGED)
    assert [(d.node, d.value, d.limit) for d in losses] == [("n2", 31, 1)]


def test_a_bias_that_starts_before_the_input_is_reported(make_chain, make_cuba, rng):
    graph = make_chain(rng).with_nodes({"n0": make_cuba(10, bias=0.1)})
    assert found(mapped(graph), codes.BIAS_STARTS_EARLY) == []
    graph = make_chain(rng).with_nodes({"n2": make_cuba(3, last=True, bias=0.1)})
    losses = found(mapped(graph), codes.BIAS_STARTS_EARLY)
    assert [(d.node, d.value) for d in losses] == [("n2", 2)]


def test_hops_add_latency_that_delays_in_the_graph_take_off(make_chain, rng):
    graph = make_chain(rng)
    late = mapped(graph)
    assert late.latency == {"n0": 0, "n1": 1, "n2": 2, "output": 2}
    assert {d.node: d.value for d in late.diagnostics if d.code == "CORE005"} == {"n1": 1, "n2": 2}
    edges = [Edge(e.source, e.target, e.port, int(e.source in ("n0", "n1")))
             if e.target.startswith("fc") else e for e in graph.edges]  # fmt: skip
    trained_with_hops = mapped(Graph(graph.nodes, edges, graph.dt))
    assert set(trained_with_hops.latency.values()) == {0}


def test_a_residual_path_that_skips_hops_is_a_loss_that_names_the_sources(make_cuba):
    w = Linear(weight=np.eye(3))
    nodes = {"f0": w, "A": make_cuba(3), "f1": w, "B": make_cuba(3), "fo": w}
    graph = Graph.sequential({**nodes, "O": make_cuba(3, last=True)}, dt=1e-3)
    skip = Graph(graph.nodes, [*graph.edges, Edge("A", "fo")], 1e-3)
    losses = [d for d in mapped(skip).diagnostics if d.code == "CORE004"]
    assert [(d.node, d.value) for d in losses] == [("O", 1)]
    assert "'A' +1" in losses[0].message
    assert "'B' +2" in losses[0].message


def test_float_noise_in_a_time_constant_is_no_loss(make_chain, rng):
    tau = np.float64(np.float32(-1e-3 / np.log(1 - 2.0**-5)))
    graph = make_chain(rng, decay="exponential", tau_mem=tau, tau_syn=tau)
    assert found(mapped(graph), codes.DECAY_CHANGED) == []


def test_a_single_spike_neuron_is_reported_once_per_node(make_chain, make_cuba, rng):
    node = CubaLIF(shape=(10,), tau_mem=4e-3, tau_syn=2e-3, decay="bitshift")
    result = mapped(make_chain(rng).with_nodes({"n0": node}))
    assert len(found(result, codes.SPIKE_LIMIT_CHANGED)) == 1
