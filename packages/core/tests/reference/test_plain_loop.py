"""The compiled reference against a plain loop over time that shares no code with it."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import ranvier as rv
from ranvier.graph import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    AdEx,
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    CubaLI,
    CubaLIF,
    Delay,
    Edge,
    Flatten,
    Graph,
    I,
    Input,
    Linear,
    Output,
    ResonateAndFire,
    Scale,
    SigmaDelta,
    SparseLinear,
    SumPool2d,
    Threshold,
)

run_plain = runpy.run_path(str(Path(__file__).parent / "plain_loop.py"))["run_plain"]
DT = 1e-3


def drawn(rng, *shape):
    """Weights that add without rounding, so that the order of sums does not matter."""
    return rng.integers(-24, 41, size=shape) / 64


def compare(graph, counts, *, exact=True):
    """Run both, batch of all, and compare every signal; returns the number of spikes."""
    recording = rv.simulate(rv.build(graph, "reference"), counts, record=True)
    batch = len(next(iter(counts.values())))
    spikes = 0
    for b in range(batch):
        plain = run_plain(graph, {name: values[b] for name, values in counts.items()})
        for node, quantity in recording.signals:
            emitted = quantity in ("spikes", "value")
            expected = plain[node, "out" if emitted else quantity]
            actual = recording.raw(node, quantity)[b]
            label = f"{node}.{quantity}"
            if exact:
                np.testing.assert_array_equal(actual, expected, err_msg=label)
            else:
                np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12, err_msg=label)
            spikes += int(expected.sum()) if quantity == "spikes" else 0
    return spikes


def poisson(graph, *, rate=0.4, n_steps=80, batch=2, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {name: graph.nodes[name].output_shape for name in graph.inputs}
    return {n: rng.poisson(rate, size=(batch, n_steps, *s)) for n, s in shapes.items()}


def taus(rng, *shape):
    return DT * rng.uniform(2, 20, size=shape)


@pytest.mark.parametrize("decay", ["exponential", "euler", "bitshift"])
@pytest.mark.parametrize("reset", ["subtract", "to_value"])
@pytest.mark.parametrize("refractory", [0.0, 2.6e-3])
def test_canonical_neuron_equals_the_loop(decay, reset, refractory):
    rng = np.random.default_rng(1)
    neuron = CubaLIF(
        shape=(6,),
        tau_mem=taus(rng, 6),
        tau_syn=taus(rng, 2, 6),
        synapses=2,
        decay=decay,
        reset=reset,
        v_reset=-0.25,
        v_rest=0.125,
        bias=rng.uniform(-0.1, 0.1, size=6),
        threshold=rng.uniform(0.5, 2, size=6),
        refractory=refractory * rng.integers(0, 2, size=6),
        max_spikes=3 if reset == "subtract" else 1,
        comparison=">" if refractory else ">=",
    )
    nodes = {
        "input": Input(shape=(5,)),
        "a": Linear(weight=drawn(rng, 6, 5)),
        "b": Linear(weight=drawn(rng, 6, 5), bias=drawn(rng, 6)),
        "n": neuron,
        "output": Output(shape=(6,)),
    }
    edges = [("input", "a"), ("input", "b"), ("a", "n"), ("b", "n", "in2"), ("n", "output")]
    graph = Graph(nodes, edges, DT)

    assert compare(graph, poisson(graph)) > 50


@pytest.mark.parametrize(
    "neuron",
    [
        I(shape=(4,), v_rest=0.5, bias=0.1),
        IF(shape=(4,), v_rest=0.5, max_spikes=4),
        LIF(shape=(4,), tau_mem=8e-3, v_rest=0.1),
        LI(shape=(4,), tau_mem=8e-3, v_rest=0.3),
        CubaLI(shape=(4,), tau_mem=8e-3, tau_syn=np.array([[2e-3], [5e-3], [3e-3]]), synapses=3),
        SigmaDelta(shape=(4,), threshold=0.3, bias=0.05),
        SigmaDelta(shape=(4,), threshold=0.0, activation="identity"),
    ],
    ids=lambda n: n.kind,
)
def test_simple_neuron_equals_the_loop(neuron):
    rng = np.random.default_rng(2)
    graph = Graph.sequential({"fc": Linear(weight=drawn(rng, 4, 5)), "n": neuron}, dt=DT)

    compare(graph, poisson(graph))


@pytest.mark.parametrize("refractory", [0.0, 3e-3])
def test_adaptive_neuron_equals_the_loop(refractory):
    rng = np.random.default_rng(3)
    neuron = AdaptiveLIF(
        shape=(6,),
        tau_mem=taus(rng, 6),
        tau_syn=taus(rng, 6),
        tau_threshold=taus(rng, 6),
        tau_refractory=taus(rng, 6),
        threshold_step=rng.uniform(0, 0.5, size=6),
        refractory=refractory,
        v_reset=0.1,
    )
    graph = Graph.sequential({"fc": Linear(weight=drawn(rng, 6, 5)), "n": neuron}, dt=DT)

    assert compare(graph, poisson(graph)) > 20


@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize("refractory", [0.0, 3e-3])
def test_adex_equals_the_loop(slope, refractory):
    rng = np.random.default_rng(4)
    neuron = AdEx(
        shape=(6,),
        tau_mem=taus(rng, 6),
        tau_syn=taus(rng, 6),
        tau_adaptation=taus(rng, 6),
        slope=slope,
        v_exp=0.8,
        a=0.2,
        b=0.1,
        v_reset=-0.2,
        bias=0.2,
        refractory=refractory,
    )
    graph = Graph.sequential({"fc": Linear(weight=4 * drawn(rng, 6, 5)), "n": neuron}, dt=DT)

    assert compare(graph, poisson(graph), exact=False) > 20


@pytest.mark.parametrize("trigger", ["phase", "amplitude"])
def test_resonator_equals_the_loop(trigger):
    rng = np.random.default_rng(5)
    neuron = ResonateAndFire(
        shape=(6,),
        frequency=rng.uniform(20, 200, size=6),
        tau=taus(rng, 6),
        threshold=0.4,
        trigger=trigger,
    )
    nodes = {
        "input": Input(shape=(5,)),
        "a": Linear(weight=drawn(rng, 6, 5)),
        "b": Linear(weight=drawn(rng, 6, 5)),
        "n": neuron,
        "output": Output(shape=(6,)),
    }
    edges = [("input", "a"), ("input", "b"), ("a", "n", "re"), ("b", "n", "im"), ("n", "output")]
    graph = Graph(nodes, edges, DT)

    assert compare(graph, poisson(graph), exact=False) > 20


CONVOLUTIONS = {
    "conv1d": lambda r: Conv1d(
        shape=(4, 9), weight=drawn(r, 6, 2, 3), stride=2, padding=2, dilation=2, groups=2
    ),
    "conv2d": lambda r: Conv2d(
        shape=(4, 7, 6),
        weight=drawn(r, 6, 2, 3, 2),
        bias=drawn(r, 6),
        stride=(2, 1),
        padding=(1, 0),
        dilation=(1, 2),
        groups=2,
    ),
    "transposed": lambda r: ConvTranspose2d(
        shape=(4, 3, 4),
        weight=drawn(r, 4, 3, 3, 2),
        bias=drawn(r, 6),
        stride=(2, 1),
        padding=(1, 0),
        dilation=(1, 2),
        groups=2,
    ),
    "sum pool": lambda r: SumPool2d(shape=(3, 7, 6), kernel_size=(3, 2), stride=(2, 2), padding=1),
    "average pool": lambda r: AvgPool2d(shape=(3, 7, 6), kernel_size=(3, 3), stride=2, padding=1),
}


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_convolution_or_pool_equals_the_loop(kind):
    rng = np.random.default_rng(6)
    node = CONVOLUTIONS[kind](rng)
    graph = Graph.sequential(
        {
            "map": node,
            "lif": LIF(shape=node.output_shape, tau_mem=4e-3),
            "flat": Flatten(shape=node.output_shape),
        },
        dt=DT,
    )

    assert compare(graph, poisson(graph, n_steps=12, batch=1)) > 20


def test_two_inputs_residual_delays_recurrence_and_two_outputs_equal_the_loop():
    rng = np.random.default_rng(7)
    sparse = (rng.random((5, 4)) < 0.5) * drawn(rng, 5, 4)
    rows, columns = np.nonzero(sparse)
    nodes = {
        "x": Input(shape=(4,)),
        "y": Input(shape=(5,)),
        "sparse": SparseLinear(
            data=sparse[rows, columns],
            indices=columns,
            indptr=np.searchsorted(rows, np.arange(6)),
            n_in=4,
            bias=drawn(rng, 5),
        ),
        "late": Delay(shape=(5,), delay=DT * np.array([0, 1, 3, 2, 7])),
        "a": CubaLIF(shape=(5,), tau_mem=6e-3, tau_syn=3e-3, max_spikes=2),
        "loop": Linear(weight=drawn(rng, 5, 5) / 4),
        "half": Scale(shape=(5,), scale=0.5),
        "b": LIF(shape=(5,), tau_mem=5e-3, threshold=0.75),
        "gate": Threshold(shape=(5,), threshold=2.0, comparison=">"),
        "z": Output(shape=(5,)),
        "w": Output(shape=(5,)),
    }
    edges = [
        Edge("x", "sparse"),
        Edge("sparse", "a"),
        Edge("y", "late"),
        Edge("late", "a"),
        Edge("a", "loop", delay=1),
        Edge("loop", "a"),
        Edge("a", "half"),
        Edge("half", "b", delay=3),
        Edge("b", "b", delay=2),
        Edge("a", "b"),
        Edge("a", "gate"),
        Edge("b", "gate", delay=2),
        Edge("gate", "z"),
        Edge("a", "w", delay=4),
        Edge("b", "w"),
    ]
    graph = Graph(nodes, edges, DT)

    assert compare(graph, poisson(graph)) > 100


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_random_network_equals_the_loop(seed):
    graph = random_graph(np.random.default_rng(seed))

    compare(graph, poisson(graph, n_steps=25, batch=1, seed=seed))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), cuts=st.lists(st.integers(0, 30), max_size=4))
def test_chunks_of_a_random_network_equal_one_run(seed, cuts):
    graph = random_graph(np.random.default_rng(seed))
    counts = poisson(graph, n_steps=30, seed=seed)["input"]
    with rv.open_simulation(rv.build(graph, "reference")) as session:
        whole = session.run(counts, record=True)
        end = session.state
        session.reset()
        parts = [session.run(c, record=True) for c in np.split(counts, sorted(cuts), axis=1)]
        state = session.state

    for key in whole.signals:
        joined = np.concatenate([part.raw(*key) for part in parts], axis=1)
        np.testing.assert_array_equal(joined, whole.raw(*key))
    for name in end:
        np.testing.assert_array_equal(state[name], end[name])


def random_graph(rng):
    """Neuron populations of one size; every edge passes a weight, backward ones a delay."""
    n, count = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    nodes = {"input": Input(shape=(n,))}
    edges = []
    names = ["input", *(f"n{k}" for k in range(count))]
    for name in names[1:]:
        nodes[name] = random_neuron(rng, n)
    for k, target in enumerate(names[1:], start=1):
        for j in {k - 1, *rng.integers(0, count + 1, size=2).tolist()}:
            weights = f"{names[j]}_to_{target}"
            nodes[weights] = Linear(weight=drawn(rng, n, n))
            delay = int(rng.integers(0, 4)) + (j >= k)
            edges += [Edge(names[j], weights, delay=delay), Edge(weights, target)]
    nodes["output"] = Output(shape=(n,))
    return Graph(nodes, [*edges, Edge(names[-1], "output")], DT)


def random_neuron(rng, n):
    reset = str(rng.choice(["subtract", "to_value"]))
    fields = {
        "shape": (n,),
        "threshold": rng.uniform(0.25, 1.5, size=n),
        "reset": reset,
        "v_reset": -0.125,
        "refractory": DT * rng.integers(0, 3, size=n),
        "max_spikes": int(rng.integers(1, 5)) if reset == "subtract" else 1,
        "comparison": str(rng.choice([">", ">="])),
        "decay": str(rng.choice(["exponential", "euler", "bitshift"])),
        "bias": rng.uniform(-0.1, 0.1, size=n),
    }
    kind = rng.choice(["IF", "LIF", "CubaLIF"])
    if kind == "IF":
        return IF(**fields)
    if kind == "LIF":
        return LIF(**fields, tau_mem=taus(rng, n))
    return CubaLIF(**fields, tau_mem=taus(rng, n), tau_syn=taus(rng, n))
