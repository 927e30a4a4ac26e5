"""Paths of different lengths meet in the right step; what cannot be met is reported."""

import itertools

import numpy as np
import pytest

import ranvier as rv
from ranvier.diagnostics import ADDED_LATENCY, UNEQUAL_LATENCY
from ranvier.graph import LI, Delay, Edge, Graph, Input, Linear, Output
from ranvier_loihi import diagnostics as codes

DT = 1e-3


def network(nodes, edges):
    return Graph(nodes, tuple(Edge(*e) for e in edges), DT)


def linear(rng, n_out, n_in):
    return Linear(weight=rng.normal(size=(n_out, n_in)))


def residual(lif, rng, *, delay=0):
    """Return input -> a -> b -> c with skips from the input and from a to c."""
    nodes = {
        "input": Input(shape=(3,)),
        "wa": linear(rng, 3, 3),
        "a": lif(3),
        "wb": linear(rng, 3, 3),
        "b": lif(3),
        "wc": linear(rng, 3, 3),
        "c": lif(3),
        "output": Output(shape=(3,)),
    }
    edges = [("input", "wa"), ("wa", "a"), ("a", "wb"), ("wb", "b"), ("b", "wc"), ("wc", "c")]
    edges += [("a", "c", "in", delay), ("input", "c"), ("c", "output")]
    return network(nodes, edges)


def test_skipping_paths_wait_for_the_longest_one(build, lif, rng):
    built = build(residual(lif, rng))
    assert built.latency == {"a": 1, "b": 2, "c": 3, "output": 3}
    assert [p.late for p in built.network.populations] == [1, 2, 3]
    np.testing.assert_array_equal(built.connection("b", "c").delay, [0])
    np.testing.assert_array_equal(built.connection("a", "c").delay, [1])
    np.testing.assert_array_equal(built.connection("input", "c").delay, [2])
    note = built.only(codes.ABSORBED_SKEW)
    assert (note.severity, note.node, note.value) == ("info", "c", 2)
    assert built.codes("c").count(ADDED_LATENCY.code) == 1
    assert not built.findings.errors(strict=True)


def test_a_delay_of_the_graph_is_programmed_on_top(build, lif, rng):
    built = build(residual(lif, rng, delay=4))
    np.testing.assert_array_equal(built.connection("a", "c").delay, [5])


def test_delays_of_the_graph_alone_are_no_skew(build, lif, rng):
    nodes = {
        "input": Input(shape=(3,)),
        "w": linear(rng, 3, 3),
        "a": lif(3),
        "output": Output(shape=(3,)),
    }
    edges = [("input", "w"), ("w", "a"), ("w", "a", "in", 3), ("a", "output")]
    built = build(network(nodes, edges))
    assert sorted(int(c.delay[0]) for c in built.connections("input", "a")) == [0, 3]
    assert codes.ABSORBED_SKEW.code not in built.codes()


def test_delays_trained_for_the_chip_need_none_on_it(build, cuba, rng):
    nodes = {
        "input": Input(shape=(2,)),
        "wa": linear(rng, 3, 2),
        "a": cuba(3),
        "wb": linear(rng, 2, 3),
        "b": cuba(2),
        "output": Output(shape=(2,)),
    }
    edges = [("input", "wa"), ("wa", "a", "in", 1), ("a", "wb", "in", 1), ("wb", "b")]
    built = build(network(nodes, [*edges, ("b", "output")]))
    assert built.latency == {"a": 0, "b": 0, "output": 0}
    assert all(not c.delay.any() for c in built.network.connections)
    assert ADDED_LATENCY.code not in built.codes()


def test_a_recurrent_layer_keeps_its_delay_of_one_step(build, lif, rng):
    nodes = {
        "input": Input(shape=(3,)),
        "a": lif(3),
        "rec": linear(rng, 3, 3),
        "output": Output(shape=(3,)),
    }
    edges = [("input", "a"), ("a", "rec"), ("rec", "a", "in", 1), ("a", "output")]
    built = build(network(nodes, edges))
    np.testing.assert_array_equal(built.connection("a", "a").delay, [0])
    assert built.latency["a"] == 1
    assert UNEQUAL_LATENCY.code not in built.codes()


def loop(lif, rng, *, delay):
    nodes = {
        "input": Input(shape=(3,)),
        "a": lif(3),
        "w": linear(rng, 3, 3),
        "b": lif(3),
        "back": linear(rng, 3, 3),
        "output": Output(shape=(3,)),
    }
    edges = [("input", "a"), ("a", "w"), ("w", "b"), ("b", "back")]
    return network(nodes, [*edges, ("back", "a", "in", delay), ("b", "output")])


def test_a_loop_with_as_many_delay_steps_as_hops_is_exact(build, lif, rng):
    built = build(loop(lif, rng, delay=2))
    np.testing.assert_array_equal(built.connection("b", "a").delay, [0])
    assert built.latency == {"a": 1, "b": 2, "output": 2}
    assert not built.findings.errors(strict=True)


def test_a_loop_with_fewer_delay_steps_than_hops_is_a_loss_with_both_names(build, lif, rng):
    built = build(loop(lif, rng, delay=1))
    loss = built.only(UNEQUAL_LATENCY)
    assert (loss.severity, loss.node, loss.value) == ("loss", "a", 1)
    assert "'b' (delay 1)" in loss.message
    assert loss.hint
    np.testing.assert_array_equal(built.connection("b", "a").delay, [0])
    assert built.latency == {"a": 1, "b": 2, "output": 2}


def test_without_balancing_unequal_paths_are_losses_and_nothing_is_programmed(build, lif, rng):
    built = build(residual(lif, rng), balance_delays=False)
    assert all(not c.delay.any() for c in built.network.connections)
    assert built.latency["c"] == 3
    loss = built.only(UNEQUAL_LATENCY)
    assert (loss.node, loss.value) == ("c", 2)
    assert codes.ABSORBED_SKEW.code not in built.codes()


def test_without_balancing_delays_of_the_graph_stay(build, lif, rng):
    built = build(residual(lif, rng, delay=4), balance_delays=False)
    np.testing.assert_array_equal(built.connection("a", "c").delay, [3])


@pytest.mark.parametrize(("steps", "fits"), [(63, True), (64, False)])
def test_a_delay_above_62_is_an_error_with_number_and_limit(build, lif, rng, steps, fits):
    nodes = {"input": Input(shape=(2,)), "a": lif(2), "output": Output(shape=(2,))}
    built = build(network(nodes, [("input", "a", "in", steps), ("a", "output")]))
    assert (codes.DELAY_TOO_LONG.code not in built.codes()) == fits
    if not fits:
        error = built.only(codes.DELAY_TOO_LONG)
        assert (error.node, error.value, error.limit) == ("a", 63, 62)
        assert error.hint


def test_delays_per_neuron_are_balanced_by_the_shortest(build, lif):
    nodes = {
        "input": Input(shape=(3,)),
        "delay": Delay(shape=(3,), delay=np.array([0.0, 2e-3, 5e-3])),
        "a": lif(3),
        "output": Output(shape=(3,)),
    }
    built = build(network(nodes, [("input", "delay"), ("delay", "a"), ("a", "output")]))
    assert built.latency["a"] == 1
    np.testing.assert_array_equal(built.connection("input", "a").delay, [0, 2, 5])


@pytest.mark.parametrize("seed", range(40))
def test_the_chips_order_gives_the_graphs_spikes_some_steps_later(
    build, lif, cuba, float_chip, seed
):
    rng = np.random.default_rng(seed)
    nodes = {"input": Input(shape=(4,))}
    edges = []
    names = ["input"]
    for i in range(1 + seed % 5):
        make = cuba if rng.random() < 0.5 else lif
        bias = rng.normal(size=4) * 0.1 if rng.random() < 0.5 else 0.0
        nodes[f"p{i}"] = make(4, bias=bias, threshold=0.3)
        for source in rng.choice(names, size=min(len(names), 2), replace=False):
            nodes[f"w{i}{source}"] = linear(rng, 4, 4)
            stops = [str(source), f"w{i}{source}", f"p{i}"]
            for place in (2, 1):
                if rng.random() < 0.4:
                    steps = rng.integers(0, 6, 4)
                    nodes[f"d{place}{i}{source}"] = Delay(shape=(4,), delay=steps * DT)
                    stops.insert(place, f"d{place}{i}{source}")
            delay = int(rng.integers(0, 3))
            edges.append((stops[0], stops[1], "in", delay))
            edges += list(itertools.pairwise(stops[1:]))
        if rng.random() < 0.4:
            nodes[f"r{i}"] = linear(rng, 4, 4)
            edges += [(f"p{i}", f"r{i}"), (f"r{i}", f"p{i}", "in", int(rng.integers(1, 4)))]
        names.append(f"p{i}")
    nodes |= {"readout": LI(shape=(4,), tau_mem=5e-3), "output": Output(shape=(4,))}
    edges += [(names[-1], "readout"), ("readout", "output")]
    graph = network(nodes, edges)
    built = build(graph)
    assert not built.findings.errors(strict=True)
    spikes = rng.poisson(0.4, (60, 4))
    expected = rv.simulate(rv.build(graph, "reference"), spikes, record=["spikes", "v_mem"])
    found = float_chip(built.network).run({"input": spikes})
    for name in (n for n in names if n != "input"):
        late = built.latency[name]
        want = expected.raster(name)
        np.testing.assert_array_equal(found[name][late:], want[: len(want) - late])
    late = built.latency["readout"]
    want = expected.trace("readout", "v_mem")
    np.testing.assert_allclose(found["readout"][late:], want[: len(want) - late], atol=1e-9)
