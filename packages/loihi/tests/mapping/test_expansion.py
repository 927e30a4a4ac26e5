"""Competing layers become neurons with a loop of weights."""

import numpy as np

from ranvier.graph import CubaLIF, Graph, Linear
from ranvier_loihi import diagnostics as codes
from ranvier_loihi.nodes import KWinners

DT = 1e-3


def layer(**fields):
    return KWinners(shape=(4,), tau_mem=0.01, tau_syn=DT, decay="euler", **fields)


def test_winners_excite_themselves_and_inhibit_the_others(build, rng):
    kwta = layer(num_winners=1, self_excitation=0.25, threshold=0.5)
    graph = Graph.sequential({"w": Linear(weight=rng.normal(size=(4, 3))), "k": kwta}, dt=DT)
    built = build(graph)
    loop = built.connection("k", "k")
    expected = -np.ones((4, 4)) + 1.25 * np.eye(4)
    np.testing.assert_array_equal(loop.weight, expected)
    np.testing.assert_array_equal(loop.delay, [0])
    np.testing.assert_allclose(built.population("k").bias, [0.5 * (4 - 2) / (64 * 4)])
    assert built.outputs == [["output", "k", "spikes"]]
    assert not built.findings.errors(strict=True)


def test_the_neurons_are_those_of_a_current_based_layer(build):
    fields = {"threshold": np.array([0.5, 1.0, 1.5, 2.0]), "refractory": 2e-3}
    built = build(Graph.sequential({"k": layer(**fields)}, dt=DT))
    plain = CubaLIF(
        shape=(4,),
        tau_mem=0.01,
        tau_syn=DT,
        decay="euler",
        reset="to_value",
        comparison=">",
        **fields,
    )
    other = build(Graph.sequential({"k": plain}, dt=DT))
    for name in ("alpha", "beta", "threshold", "refractory"):
        np.testing.assert_array_equal(
            getattr(built.population("k"), name), getattr(other.population("k"), name)
        )


def test_the_drive_through_a_current_with_memory_is_a_loss(build):
    kwta = KWinners(shape=(4,), tau_mem=0.01, tau_syn=0.005)
    built = build(Graph.sequential({"k": kwta}, dt=DT))
    assert built.only(codes.MAP_BIAS).node == "k"
