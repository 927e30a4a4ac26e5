"""The vendor's own Lava gives the simulator's signals; needs a configured interpreter."""

import os

import numpy as np
import pytest

from ranvier.graph import CubaLIF, Edge, Graph, Input, Linear, Output
from ranvier_loihi import LoihiSession, write_net
from ranvier_loihi.driver import DeployOptions, open_device
from ranvier_loihi.driver.worker.worker import about, check_net, find_python

PYTHON = os.environ.get("RANVIER_LAVA_PYTHON")  # read before the fixtures clear it


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="RANVIER_LAVA_PYTHON names no interpreter with Lava")
@pytest.mark.parametrize("name", ["dense", "sparse", "conv", "ternary", "rf", "rf_iz", "delta"])
def test_lava_itself_gives_the_signals_of_the_simulator(name, networks, rng):
    config = networks[name](rng)
    (shape,) = config.input_shapes.values()
    batch = rng.integers(0, 2, (1, 12, *shape))

    with open_device(config, "lava-worker", DeployOptions(python=PYTHON, timeout=120)) as session:
        found = session.run(batch, record=True)

    expected = LoihiSession(config).run(batch, record=True)
    for key in expected.signals:
        np.testing.assert_array_equal(found.raw(*key), expected.raw(*key), str(key))


def layer(nodes, edges, number, source, weight, n, **changes):
    fields = {"threshold": 0.5, "tau_mem": 32e-3, "tau_syn": 4e-3, "decay": "euler"}
    neuron = CubaLIF(shape=(n,), reset="to_value", comparison=">", **{**fields, **changes})
    nodes |= {f"w{number}": Linear(weight=weight), f"n{number}": neuron}
    edges += [Edge(source, f"w{number}", delay=int(number > 1)), Edge(f"w{number}", f"n{number}")]


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="RANVIER_LAVA_PYTHON names no interpreter with Lava")
def test_a_written_file_opens_in_the_vendors_reader(rng, tmp_path):
    if not about(find_python(PYTHON)).get("lava_dl"):
        pytest.skip("the interpreter has Lava, but not lava-dl")
    nodes, edges = {"input": Input(shape=(6,))}, []
    layer(nodes, edges, 1, "input", 2 * rng.integers(-30, 60, (8, 6)) / 64, 8)
    layer(nodes, edges, 2, "n1", 2 * rng.integers(-30, 60, (3, 8)) / 64, 3)
    nodes["output"] = Output(shape=(3,))
    edges.append(Edge("n2", "output"))
    write_net(Graph(nodes, tuple(edges), 1e-3), tmp_path / "net.net")

    found = check_net(tmp_path / "net.net", python=PYTHON)

    assert [entry["type"] for entry in found["layers"]][-2:] == ["Dense", "Dense"]
    assert found["layers"][-1]["shape"] == [3]
