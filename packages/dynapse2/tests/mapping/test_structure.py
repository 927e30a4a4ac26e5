import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.graph import LI, Edge, Flatten, Graph, Input, Linear, Output
from ranvier_dynapse2 import diagnostics as codes

graphs = runpy.run_path(str(Path(__file__).with_name("mapping_graphs.py")))
chain, cuba, run_map, refused = (graphs[n] for n in ("chain", "cuba", "run_map", "refused"))


def test_a_kind_of_node_that_the_chip_lacks_is_refused_with_those_it_has():
    [found] = refused(chain(LI(shape=(3,), tau_mem=0.02)))
    assert (found.code, found.node, found.value) == (codes.UNSUPPORTED_NODE.code, "neurons", "LI")
    assert "CubaLIF" in found.message
    assert "dynapse2.dpi" in str(found.limit)


def test_a_linear_map_as_last_layer_is_refused():
    nodes = {"a": Linear(weight=np.eye(2)), "n": cuba(2), "b": Linear(weight=np.eye(2))}
    [found] = refused(Graph.sequential(nodes, dt=1e-3))
    assert (found.code, found.node) == (codes.OUTPUT_NOT_NEURON.code, "output")
    assert "'b' (Linear)" in found.message
    assert "put neurons behind the last map" in found.hint


@pytest.mark.parametrize("reshaped", [False, True])
def test_neurons_as_first_layer_are_refused(reshaped):
    flatten = {"flat": Flatten(shape=(2, 1))} if reshaped else {}
    [found] = refused(Graph.sequential({**flatten, "n": cuba(2)}, dt=1e-3))
    assert (found.code, found.node) == (codes.INPUT_WITHOUT_MAP.code, "n")
    assert "identity" in found.hint


def test_two_linear_layers_in_a_row_are_multiplied_and_named():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    nodes = {"one": Linear(weight=one), "two": Linear(weight=two), "n": cuba(2)}
    mapped = run_map(Graph.sequential(nodes, dt=1e-3))
    network = graphs["network_of"](mapped)
    signed = graphs["signed"](graphs["matrix_of"](network))
    np.testing.assert_allclose(signed[:3], (two @ one).T, rtol=1e-14)
    [found] = [d for d in mapped.diagnostics if d.code == codes.LINEAR_FOLDED.code]
    assert "'one'" in found.message
    assert "'two'" in found.message
    assert "fan-in" in found.hint


@pytest.mark.parametrize(("source", "delay", "limit"), [("x", 1, 0), ("n", 2, 1)])
def test_delays_that_the_chip_cannot_make_are_refused(source, delay, limit):
    delays = {"x": 0, "n": 1, source: delay}
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.eye(2)),
        "n": cuba(2),
        "b": Linear(weight=np.eye(2)),
        "m": cuba(2),
        "y": Output(shape=(2,)),
    }
    edges = (
        Edge("x", "a", delay=delays["x"]),
        Edge("a", "n"),
        Edge("n", "b", delay=delays["n"]),
        Edge("b", "m"),
        Edge("m", "y"),
    )
    [found] = refused(Graph(nodes, edges, 1e-3))
    assert (found.code, found.value, found.limit) == (codes.DELAY.code, delay, limit)
    assert "relay" in found.hint


def test_an_output_with_several_sources_or_a_delay_is_refused():
    nodes = {
        "x": Input(shape=(2,)),
        "a": Linear(weight=np.eye(2)),
        "n": cuba(2),
        "y": Output(shape=(2,)),
        "z": Output(shape=(2,)),
        "w": Output(shape=(2,)),
    }
    edges = [("x", "a"), ("a", "n"), ("n", "y"), ("x", "y"), ("n", "z", "in", 1), ("x", "w")]
    found = refused(Graph(nodes, tuple(edges), 1e-3))
    assert {d.node for d in found} == {"w", "y", "z"}
    assert {d.code for d in found} == {codes.OUTPUT_NOT_NEURON.code}
