"""Every limit of the chip, with its number, what was found and what to do."""

import itertools

import numpy as np
import pytest

from ranvier.errors import MappingError, ResourceError
from ranvier.graph import (
    IF,
    LI,
    LIF,
    CubaLI,
    CubaLIF,
    Edge,
    Graph,
    Input,
    Linear,
    Output,
)
from ranvier_xylo import MapOptions, diagnostics as codes, limits_of, map_network, target_named
from ranvier_xylo.targets import manifest

TARGETS = [t.name for t in manifest().targets]


def mapped_on(target, graph, **options):
    return map_network(graph, target_named(target), MapOptions(**options))


def stack(sizes, *, density=1.0, **changes):
    """Layers with weights of one; ``density`` of them between hidden layers is kept."""
    rng = np.random.default_rng(1)
    nodes = {}
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        last = i == len(sizes) - 2
        keep = rng.random((b, a)) < density if i > 0 and not last else np.ones((b, a))
        nodes[f"fc{i}"] = Linear(weight=keep * 1.0)
        nodes[f"n{i}"] = CubaLIF(
            shape=(b,),
            tau_mem=4e-3,
            tau_syn=2e-3,
            decay="bitshift",
            max_spikes=1 if last else 31,
            **changes,
        )
    return Graph.sequential(nodes, dt=1e-3)


def errors_of(target, graph, **options):
    with pytest.raises(MappingError) as caught:
        mapped_on(target, graph, **options)
    return caught.value


def assert_only(error, code, *, value, limit):
    """One error with this code, number and limit, all of which its text shows, and advice."""
    assert [(d.code, d.value, d.limit) for d in error.diagnostics] == [(code.code, value, limit)]
    for part in (code.code, str(value), str(limit), error.diagnostics[0].hint):
        assert part
        assert part in str(error)


@pytest.mark.parametrize("target", TARGETS)
def test_input_channels(target):
    mapped_on(target, stack((16, 2, 1)))
    error = errors_of(target, stack((17, 2, 1)))
    assert_only(error, codes.TOO_MANY_CHANNELS, value=17, limit=16)
    assert isinstance(error, ResourceError)
    assert (error.resource, error.needed, error.available) == ("input_channels", 17, 16)


@pytest.mark.parametrize(
    ("target", "limit"),
    [("xylo-v1", 8), ("xylo-audio2", 8), ("xylo-audio3", 32), ("xylo-imu", 16)],
)
def test_output_neurons(target, limit):
    mapped_on(target, stack((2, 2, limit)))
    error = errors_of(target, stack((2, 2, limit + 1)))
    assert_only(error, codes.TOO_MANY_OUTPUTS, value=limit + 1, limit=limit)


@pytest.mark.parametrize(
    ("target", "limit"),
    [("xylo-v1", 1000), ("xylo-audio2", 1000)],
)
def test_hidden_neurons(target, limit):
    mapped_on(target, stack((1, limit, 1)))
    error = errors_of(target, stack((1, limit + 1, 1)))
    assert_only(error, codes.TOO_MANY_HIDDEN, value=limit + 1, limit=limit)


@pytest.mark.parametrize(("target", "limit"), [("xylo-audio3", 992), ("xylo-imu", 496)])
def test_hidden_neurons_behind_few_with_input(target, limit):
    inner = limit - 20
    mapped_on(target, stack((1, 10, inner, 10, 1), density=0.5))
    error = errors_of(target, stack((1, 10, inner + 1, 10, 1), density=0.5))
    assert_only(error, codes.TOO_MANY_HIDDEN, value=limit + 1, limit=limit)


@pytest.mark.parametrize("target", ["xylo-audio3", "xylo-imu"])
def test_neurons_with_input_and_with_output(target):
    mapped_on(target, stack((1, 128, 128, 1)))
    error = errors_of(target, stack((1, 129, 8, 1)))
    assert_only(error, codes.TOO_MANY_WITH_INPUT, value=129, limit=128)
    error = errors_of(target, stack((1, 8, 129, 1)))
    assert_only(error, codes.TOO_MANY_WITH_OUTPUT, value=129, limit=128)


@pytest.mark.parametrize("target", ["xylo-v1", "xylo-audio2"])
def test_fan_out(target):
    mapped_on(target, stack((1, 10, 63, 1)))
    error = errors_of(target, stack((1, 10, 64, 1)))
    assert_only(error, codes.FAN_OUT, value=64, limit=63)
    assert error.diagnostics[0].node == "n0"
    assert "10 neuron(s)" in str(error)


@pytest.mark.parametrize("target", ["xylo-audio3"])
def test_fan_out_of_the_audio3(target):
    error = errors_of(target, stack((1, 2, 513, 2, 1)))
    assert_only(error, codes.FAN_OUT, value=513, limit=512)


def test_recurrent_weights():
    graph = stack((1, 100, 318, 1, 1))
    error = errors_of("xylo-audio3", graph)
    assert_only(error, codes.TOO_MANY_WEIGHTS, value=100 * 318 + 318, limit=31744)


def test_a_pair_with_two_synapses_counts_once():
    two = CubaLIF(
        shape=(60,),
        tau_mem=4e-3,
        tau_syn=np.array([[2e-3], [4e-3]]) * np.ones(60),
        synapses=2,
        decay="bitshift",
        max_spikes=31,
    )
    nodes = {
        **stack((1, 60, 1)).nodes,
        "n0": two,
        "a": Linear(weight=np.ones((60, 60))),
        "b": Linear(weight=np.ones((60, 60))),
    }
    edges = [*stack((1, 60, 1)).edges, Edge("n0", "a", "in", 1), Edge("n0", "b", "in", 1)]
    edges += [Edge("a", "n0"), Edge("b", "n0", "in2")]
    mapped = mapped_on("xylo-audio2", Graph(nodes, edges, 1e-3))
    assert np.any(mapped.arrays["weights_rec"], axis=2).sum() == 3600


def test_synapses_per_neuron():
    taus = np.array([[2e-3], [4e-3]]) * np.ones(2)
    two = CubaLIF(shape=(2,), tau_mem=4e-3, tau_syn=taus, synapses=2, decay="bitshift")
    graph = stack((1, 2, 2))
    edges = [*graph.edges, Edge("fc0", "n0", "in2")]
    hidden = Graph({**graph.nodes, "n0": two}, edges, 1e-3)
    mapped_on("xylo-audio2", hidden)
    assert_only(errors_of("xylo-imu", hidden), codes.TOO_MANY_SYNAPSES, value=2, limit=1)

    edges = [*graph.edges, Edge("fc1", "n1", "in2")]
    output = Graph({**graph.nodes, "n1": two}, edges, 1e-3)
    assert_only(errors_of("xylo-audio2", output), codes.TOO_MANY_SYNAPSES, value=2, limit=1)


def test_equal_synapses_are_merged_where_the_chip_has_one():
    taus = np.full((2, 2), 2e-3)
    two = CubaLIF(shape=(2,), tau_mem=4e-3, tau_syn=taus, synapses=2, decay="bitshift")
    graph = stack((1, 2, 2))
    both = Graph({**graph.nodes, "n0": two}, [*graph.edges, Edge("fc0", "n0", "in2")], 1e-3)
    mapped = mapped_on("xylo-imu", both)
    assert mapped.arrays["weights_in"].tolist() == [[[2.0], [2.0]]]
    assert codes.SYNAPSES_MERGED.code in {d.code for d in mapped.diagnostics}


def test_a_chip_without_bias():
    graph = stack((1, 2, 1), bias=0.5)
    mapped_on("xylo-audio2", graph)
    error = errors_of("xylo-v1", graph)
    assert {(d.code, d.node, d.value, d.limit) for d in error.diagnostics} == {
        (codes.NO_BIAS.code, "n0", 0.5, 0),
        (codes.NO_BIAS.code, "n1", 0.5, 0),
    }


@pytest.mark.parametrize("field", ["tau_mem", "tau_syn"])
@pytest.mark.parametrize("decay", ["exponential", "euler"])
def test_a_time_constant_at_the_time_step(field, decay):
    changes = {"tau_mem": 4e-3, "tau_syn": 4e-3, field: 1e-3}
    graph = stack((1, 2, 1))
    short = graph.with_nodes({"n0": CubaLIF(shape=(2,), decay=decay, **changes)})
    error = errors_of("xylo-audio3", short)
    assert_only(error, codes.SHORT_TIME_CONSTANT, value=0.001, limit=0.001)
    assert field in str(error)


def test_a_bitshift_decay_at_the_time_step_is_exact():
    graph = stack((1, 2, 1))
    node = CubaLIF(shape=(2,), decay="bitshift", tau_mem=1e-3, tau_syn=1e-3, max_spikes=31)
    mapped = mapped_on("xylo-audio3", graph.with_nodes({"n0": node}))
    assert mapped.arrays["dash_mem"].tolist() == [1, 1]
    assert [d for d in mapped.diagnostics if d.severity == "loss"] == []


def test_a_time_constant_beyond_the_largest_shift():
    graph = stack((1, 2, 1))
    good = CubaLIF(shape=(2,), decay="bitshift", tau_mem=1e-3 * 2**15, tau_syn=4e-3, max_spikes=31)
    mapped_on("xylo-audio3", graph.with_nodes({"n0": good}))
    long = good.replace(tau_mem=1e-3 * 2**16)
    error = errors_of("xylo-audio3", graph.with_nodes({"n0": long}))
    assert [(d.code, d.value, d.limit) for d in error.diagnostics] == [
        (codes.LONG_TIME_CONSTANT.code, 16.0, 15)
    ]


def test_reset_to_value_is_an_error_unless_accepted():
    graph = stack((1, 2, 1))
    node = LIF(shape=(2,), tau_mem=4e-3, decay="bitshift", reset="to_value")
    graph = graph.with_nodes({"n0": node})
    error = errors_of("xylo-audio3", graph)
    assert [d.code for d in error.diagnostics] == [codes.RESET_TO_VALUE.code]
    assert "approximate_reset=True" in str(error)
    mapped = mapped_on("xylo-audio3", graph, approximate_reset=True)
    assert codes.RESET_APPROXIMATED.code in {d.code for d in mapped.diagnostics}


def test_a_threshold_that_is_not_positive():
    node = LIF(shape=(2,), tau_mem=4e-3, decay="bitshift", reset="to_value", threshold=-1.0)
    error = errors_of(
        "xylo-audio3", stack((1, 2, 1)).with_nodes({"n0": node}), approximate_reset=True
    )
    assert [(d.code, d.value) for d in error.diagnostics] == [
        (codes.THRESHOLD_NOT_POSITIVE.code, -1.0)
    ]


def test_one_layer_is_not_enough():
    graph = stack((2, 2))
    assert {d.code for d in errors_of("xylo-imu", graph).diagnostics} == {
        codes.ONE_LAYER.code,
        codes.INPUT_TO_OUTPUT.code,
    }


def test_input_into_the_output_layer():
    graph = stack((2, 2, 2))
    skip = Graph(
        {**graph.nodes, "skip": Linear(weight=np.ones((2, 2)))},
        [*graph.edges, Edge("input", "skip"), Edge("skip", "n1")],
        1e-3,
    )
    error = errors_of("xylo-audio3", skip)
    assert [(d.code, d.node) for d in error.diagnostics] == [(codes.INPUT_TO_OUTPUT.code, "n1")]


def test_a_recurrent_output_layer():
    graph = stack((2, 2, 2))
    loop = Graph(
        {**graph.nodes, "rec": Linear(weight=np.ones((2, 2)))},
        [*graph.edges, Edge("n1", "rec", "in", 1), Edge("rec", "n1")],
        1e-3,
    )
    error = errors_of("xylo-audio3", loop)
    assert [(d.code, d.node) for d in error.diagnostics] == [(codes.OUTPUT_DRIVES.code, "n1")]


def test_weights_in_front_of_an_output():
    graph = stack((2, 2, 2))
    nodes = {**graph.nodes, "last": Linear(weight=np.ones((2, 2)))}
    edges = [*graph.edges[:-1], Edge("n1", "last"), Edge("last", "output")]
    error = errors_of("xylo-audio3", Graph(nodes, edges, 1e-3))
    assert codes.OUTPUT_NOT_NEURON.code in {d.code for d in error.diagnostics}
    assert "'last' (Linear)" in str(error)


def test_a_membrane_inside_the_network():
    graph = stack((2, 2, 2)).with_nodes({"n0": LI(shape=(2,), tau_mem=4e-3, decay="bitshift")})
    error = errors_of("xylo-audio3", graph)
    assert [(d.code, d.node) for d in error.diagnostics] == [(codes.READOUT_INSIDE.code, "n0")]


def test_an_output_with_a_delay():
    graph = stack((2, 2, 2))
    edges = [*graph.edges[:-1], Edge("n1", "output", "in", 1)]
    error = errors_of("xylo-audio3", Graph(graph.nodes, edges, 1e-3))
    assert codes.OUTPUT_NOT_NEURON.code in {d.code for d in error.diagnostics}
    assert "delay 1" in str(error)


def test_an_input_cannot_be_delayed():
    graph = stack((2, 2, 2))
    edges = [Edge("input", "fc0", "in", 1), *graph.edges[1:]]
    error = errors_of("xylo-audio3", Graph(graph.nodes, edges, 1e-3))
    assert_only(error, codes.DELAY, value=1, limit=0)


def test_neurons_are_delayed_by_one_step_at_most():
    graph = stack((2, 2, 2))
    edges = [e if e.source != "n0" else Edge("n0", "fc1", "in", 2) for e in graph.edges]
    error = errors_of("xylo-audio3", Graph(graph.nodes, edges, 1e-3))
    assert_only(error, codes.DELAY, value=2, limit=1)


def test_a_loop_without_neurons():
    graph = stack((2, 2, 2))
    edges = [*graph.edges, Edge("fc1", "fc1", "in", 1)]
    error = errors_of("xylo-audio3", Graph(graph.nodes, edges, 1e-3))
    assert [(d.code, d.node) for d in error.diagnostics] == [
        (codes.LOOP_WITHOUT_NEURON.code, "fc1")
    ]


def test_an_unsupported_neuron():
    graph = stack((2, 2, 2)).with_nodes({"n0": IF(shape=(2,))})
    error = errors_of("xylo-audio3", graph)
    assert [(d.code, d.node, d.value) for d in error.diagnostics] == [
        (codes.UNSUPPORTED_NODE.code, "n0", "IF")
    ]
    assert "CubaLIF" in str(error.diagnostics[0].limit)


def test_outputs_of_different_kinds():
    graph = stack((2, 2, 2))
    nodes = {
        **graph.nodes,
        "fm": Linear(weight=np.ones((1, 2))),
        "m": CubaLI(shape=(1,), tau_mem=4e-3, tau_syn=4e-3, decay="bitshift"),
        "membrane": Output(shape=(1,)),
    }
    edges = [*graph.edges, Edge("n0", "fm"), Edge("fm", "m"), Edge("m", "membrane")]
    mixed = Graph(nodes, edges, 1e-3)
    error = errors_of("xylo-audio3", mixed)
    assert [d.code for d in error.diagnostics] == [codes.MIXED_READOUT.code]
    assert mapped_on("xylo-audio3", mixed, readout="v_mem").settings["readout"] == "v_mem"
    spikes = errors_of("xylo-audio3", mixed, readout="spikes")
    assert [d.node for d in spikes.diagnostics] == ["m"]


def test_all_problems_come_in_one_error():
    graph = stack((17, 129, 70, 33)).with_nodes(
        {"n1": CubaLIF(shape=(70,), tau_mem=1e-4, tau_syn=100.0, bias=1.0, reset="to_value")}
    )
    found = {d.code for d in errors_of("xylo-v1", graph).diagnostics}
    assert found == {
        code.code
        for code in (
            codes.TOO_MANY_CHANNELS,
            codes.TOO_MANY_OUTPUTS,
            codes.FAN_OUT,
            codes.SHORT_TIME_CONSTANT,
            codes.LONG_TIME_CONSTANT,
            codes.RESET_TO_VALUE,
            codes.NO_BIAS,
        )
    }


def test_a_huge_network_is_refused_quickly():
    graph = Graph(
        {
            "in": Input(shape=(16,)),
            "fc": Linear(weight=np.ones((20_000, 16))),
            "h": CubaLIF(shape=(20_000,), tau_mem=4e-3, tau_syn=4e-3, decay="bitshift"),
            "o": CubaLIF(shape=(20_000,), tau_mem=4e-3, tau_syn=4e-3, decay="bitshift"),
            "out": Output(shape=(20_000,)),
        },
        [("in", "fc"), ("fc", "h"), ("h", "o"), ("o", "out")],
        1e-3,
    )
    found = {d.code for d in errors_of("xylo-audio2", graph).diagnostics}
    assert found == {codes.TOO_MANY_HIDDEN.code, codes.TOO_MANY_OUTPUTS.code}


def test_limits_are_those_of_the_manifest():
    limits = limits_of("xylo-imu")
    assert (limits.hidden_neurons, limits.output_neurons, limits.fan_out) == (496, 16, 512)
