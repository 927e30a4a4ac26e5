"""Background generators behind the stacks."""

import numpy as np
import pytest

from ranvier import pipeline
from ranvier.errors import DeviceError
from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_bss2 import Background
from ranvier_bss2.nodes import AnalogNeuron


def config_with(**fields):
    """Return a layer that an input and a generator drive."""
    noise = Background(**{"shape": (1,), "period": 1e-3, "rate_code": 51, "seed": 9, **fields})
    weight = np.full((3, noise.size), 1.1)
    nodes = {
        "input": Input(shape=(2,)),
        "w": Linear(weight=np.full((3, 2), 0.3)),
        "noise": noise,
        "drawn": Linear(weight=weight * np.array([[1.0], [-0.2], [0.5]])),
        "hidden": AnalogNeuron(shape=(3,), tau_mem=10e-3, tau_syn=5e-3, capacitance=10e-3),
        "output": Output(shape=(3,)),
    }
    ends = [("input", "w"), ("w", "hidden"), ("noise", "drawn"), ("drawn", "hidden")]
    edges = tuple(Edge(*e) for e in (*ends, ("hidden", "output")))
    return pipeline.build(Graph(nodes, edges, 1e-3, {}), "bss2")


def nothing(steps=400):
    return np.zeros((2, steps, 2), dtype=np.int64)


def test_pynn_gets_rate_seed_and_the_weights_of_the_registers(attach_pynn, open_board):
    stack, config = attach_pynn(), config_with()

    with open_board(config, "pynn") as session:
        session.run(nothing())

    drawn = [p for p in stack.projections if hasattr(p[0].cell, "seed")]
    cells = {id(source): source.cell for source, _, _ in drawn}
    assert [(c.rate, c.seed) for c in cells.values()] == [(200_000.0, 9)]
    total = sum(weight for _, _, weight in drawn)
    np.testing.assert_array_equal(np.sign(total), [[1, -1, 1]])
    assert np.abs(total).max() > 20


def test_pynn_fires_from_its_own_events_and_says_that_they_are_its_own(attach_pynn, open_board):
    attach_pynn()

    with open_board(config_with(), "pynn") as session:
        recording = session.run(nothing())
        offers = session.recordable()

    assert recording.raster("hidden")[:, :, 0].sum() > 5
    found = [d for d in recording.diagnostics if d.code == "BS308"]
    assert [d.node for d in found] == ["noise"]
    assert "200000 events per s" in str(found[0])
    assert set(offers) == {"hidden"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"regular": True}, ["BS307", "it is regular", "use rate_code"]),
        ({"shape": (4,)}, ["BS307", "it has 4 channels", "one node per channel"]),
    ],
)
def test_pynn_refuses_generators_that_it_does_not_have(attach_pynn, open_board, fields, words):
    attach_pynn()

    with pytest.raises(DeviceError) as caught:
        open_board(config_with(**fields), "pynn")

    for word in ("'noise'", *words):
        assert word in str(caught.value)


def test_hxtorch_refuses_generators_with_advice(attach_hxtorch, open_board):
    attach_hxtorch()

    with pytest.raises(DeviceError, match=r"BS307.*'noise'.*no module.*use the path 'pynn'"):
        open_board(config_with(), "hxtorch")


def test_the_loopback_emits_what_the_emulator_does(open_board):
    config = config_with(shape=(4,))

    with open_board(config, "loopback") as session:
        found = session.run(nothing(), record=True, trial_seed=0)

    expected = pipeline.simulate(config, nothing(), record=True, trial_seed=0)
    np.testing.assert_array_equal(found.raster("noise"), expected.raster("noise"))
    np.testing.assert_array_equal(found.raster("hidden"), expected.raster("hidden"))
