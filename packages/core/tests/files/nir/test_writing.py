import runpy
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import FileError, GraphError, InputError
from ranvier.files import graph_from_nir, read_nir, write_nir
from ranvier.graph import (
    IF,
    LI,
    LIF,
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
    Scale,
    SigmaDelta,
    SparseLinear,
    SumPool2d,
    Threshold,
)

run = runpy.run_path(str(Path(__file__).parents[1] / "canonical.py"))["run"]
DT = 1e-3
rng = np.random.default_rng(0)
SPARSE = SparseLinear(data=[1.0, 2.0, 3.0], indices=[0, 2, 1], indptr=[0, 2, 3], n_in=3)
EVERY_KIND = {
    "Linear": Linear(weight=rng.normal(size=(2, 3))),
    "Affine": Linear(weight=rng.normal(size=(2, 3)), bias=rng.normal(size=2)),
    "SparseLinear": SPARSE,
    "Scale": Scale(shape=(3,), scale=2.5),
    "Conv1d": Conv1d(shape=(2, 8), weight=rng.normal(size=(4, 2, 3)), stride=(2,), padding=(1,)),
    "Conv2d": Conv2d(
        shape=(2, 8, 6),
        weight=rng.normal(size=(4, 1, 3, 5)),
        bias=rng.normal(size=4),
        padding=(1, 0),
        groups=2,
    ),
    "SumPool2d": SumPool2d(shape=(2, 4, 6), kernel_size=(2, 3), stride=(2, 3)),
    "AvgPool2d": AvgPool2d(shape=(2, 4, 6), kernel_size=2, stride=2, padding=1),
    "Flatten": Flatten(shape=(2, 3, 4)),
    "Delay": Delay(shape=(3,), delay=[0.0, DT, 3 * DT]),
    "Threshold": Threshold(shape=(3,), threshold=0.5),
    "I": I(shape=(3,)),
    "IF": IF(shape=(3,), bias=0.1, reset="to_value", v_reset=0.2),
    "LI": LI(shape=(3,), tau_mem=0.02, v_rest=0.3, bias=0.1),
    "LIF": LIF(shape=(2, 2), tau_mem=np.full((2, 1), 0.01), refractory=2 * DT, comparison=">"),
    "CubaLI": CubaLI(shape=(3,), tau_mem=0.02, tau_syn=[0.001, 0.002, 0.003], decay="bitshift"),
    "CubaLIF": CubaLIF(shape=(3,), tau_mem=0.02, tau_syn=0.005, max_spikes=31, decay="euler"),
}


def chain(*nodes, dt=DT):
    return Graph.sequential(nodes, dt=dt, metadata={"note": ["kept", 1]})


def stripped_of_hints(path):
    with h5py.File(path, "r+") as file:
        del file["node/metadata/ranvier"]
    return path


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_comes_back_exactly(tmp_path, kind):
    graph = chain(EVERY_KIND[kind])

    write_nir(graph, tmp_path / "net.nir")

    assert read_nir(tmp_path / "net.nir") == graph


def test_writable_kinds_are_all_tested():
    from ranvier.files.nir.writing import WRITABLE

    assert set(WRITABLE) - {"Input", "Output"} == set(EVERY_KIND) - {"Affine"}


@pytest.mark.parametrize("kind", sorted(set(EVERY_KIND) - {"Conv2d"}))
def test_every_kind_is_a_valid_file_for_nir_itself(tmp_path, kind):
    """Conv2d with groups and a non-square kernel is typed wrongly by nir 1.0.8."""
    path = tmp_path / "net.nir"
    write_nir(chain(EVERY_KIND[kind]), path)

    graph = nir.read(path)

    assert "SparseLinear" not in {type(n).__name__ for n in graph.nodes.values()}
    assert nir.serialization.read_version(path) == "1.0.8"


def neuron(draw, kind, n):
    """A neuron of any kind with any parameters that NIR's fields or the metadata can hold."""
    number = st.floats(0.1, 3.0)
    values = {"shape": (n,), "decay": draw(st.sampled_from(["euler", "exponential", "bitshift"]))}
    values["bias"] = draw(st.floats(-1, 1))
    if kind not in ("I", "IF"):
        values["tau_mem"] = draw(st.floats(2e-3, 0.1))
        values["v_rest"] = np.array(draw(st.lists(st.floats(-1, 1), min_size=n, max_size=n)))
    if "Cuba" in kind:
        values["tau_syn"] = np.full(n, draw(st.floats(2e-3, 0.1)))
    if kind in ("IF", "LIF", "CubaLIF"):
        subtract = draw(st.booleans())
        values["reset"] = "subtract" if subtract else "to_value"
        values["max_spikes"] = draw(st.integers(1, 31)) if subtract else 1
        values["v_reset"] = draw(st.floats(-1, 1))
        values["threshold"] = draw(number)
        values["refractory"] = draw(st.sampled_from([0.0, DT, 5 * DT]))
        values["comparison"] = draw(st.sampled_from([">", ">="]))
    return {"I": I, "IF": IF, "LI": LI, "LIF": LIF, "CubaLI": CubaLI, "CubaLIF": CubaLIF}[kind](
        **values
    )


@st.composite
def networks(draw):
    kinds = st.sampled_from(["I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"])
    n, seed = draw(st.integers(1, 4)), draw(st.integers(0, 2**32 - 1))
    weights = np.random.default_rng(seed).normal(size=(3, n, n))
    nodes = {
        "in": Input(shape=(n,)),
        "w": Linear(weight=weights[0]),
        "a": neuron(draw, draw(kinds), n),
        "rec": Linear(weight=weights[1], bias=weights[2, 0]),
        "b.1": neuron(draw, draw(kinds), n),
        "out": Output(shape=(n,)),
    }
    edges = [
        Edge("in", "w"),
        Edge("w", "a", delay=draw(st.integers(0, 2))),
        Edge("a", "rec", delay=draw(st.integers(1, 3))),
        Edge("rec", "a"),
        Edge("a", "b.1"),
        Edge("b.1", "out", delay=draw(st.integers(0, 2))),
    ]
    order = draw(st.permutations(list(nodes)))
    return Graph({name: nodes[name] for name in order}, tuple(edges), DT)


@given(networks())
@settings(max_examples=40, deadline=None)
def test_networks_come_back_exactly_also_through_the_nir_package(tmp_path_factory, network):
    folder = tmp_path_factory.mktemp("nir")
    write_nir(network, folder / "one.nir")
    nir.write(folder / "two.nir", nir.read(folder / "one.nir"))

    assert read_nir(folder / "one.nir") == network
    assert read_nir(folder / "two.nir") == network
    assert graph_from_nir(nir.read(folder / "one.nir")) == network


@pytest.mark.parametrize("decay", ["euler", "exponential", "bitshift"])
@pytest.mark.parametrize("kind", [LIF, CubaLIF])
def test_standard_fields_alone_make_the_same_steps(tmp_path, kind, decay):
    """What other readers find: the Euler scheme of NIR's equations with the stated dt."""
    generator = np.random.default_rng(0)
    synapse = {"tau_syn": generator.uniform(3, 9, 6) * DT} if kind is CubaLIF else {}
    values = {"tau_mem": generator.uniform(3, 30, 6) * DT, "bias": 0.02, "comparison": ">"}
    recurrent = Linear(weight=0.3 * generator.normal(size=(6, 6)))
    nodes = {
        "in": Input(shape=(4,)),
        "fc": Linear(weight=generator.normal(size=(6, 4))),
        "lif": kind(shape=(6,), decay=decay, reset="to_value", v_reset=-0.1, **values, **synapse),
        "rec": recurrent,
        "out": Output(shape=(6,)),
    }
    edges = (
        ("in", "fc"),
        ("fc", "lif"),
        ("lif", "rec", "in", 1),
        ("rec", "lif"),
        ("lif", "out", "in", 2),
    )
    graph = Graph(nodes, edges, DT)
    x = generator.integers(0, 2, (200, 4)).astype(float)
    write_nir(graph, tmp_path / "net.nir")

    other = read_nir(stripped_of_hints(tmp_path / "net.nir"))

    assert other.nodes["lif"].decay == "euler"
    spikes, expected = run(other, x)["out"], run(graph, x)["out"]
    assert expected.sum() > 50
    np.testing.assert_array_equal(spikes, expected)


def test_hints_are_ignored_and_reported_once_somebody_changed_a_neuron(tmp_path):
    path = tmp_path / "net.nir"
    write_nir(chain(Linear(weight=np.ones((2, 2))), LIF(shape=(2,), tau_mem=0.02)), path)
    with h5py.File(path, "r+") as file:
        file["node/nodes/lif/v_threshold"][...] = 3.0

    graph = read_nir(path)

    np.testing.assert_array_equal(graph.nodes["lif"].threshold, [3.0, 3.0])
    assert any("contradict" in d["message"] for d in graph.metadata["diagnostics"])


def test_hints_hold_after_somebody_changed_the_weights(tmp_path):
    path = tmp_path / "net.nir"
    graph = chain(Linear(weight=np.ones((2, 2))), LIF(shape=(2,), tau_mem=0.02, max_spikes=4))
    write_nir(graph, path)
    with h5py.File(path, "r+") as file:
        file["node/nodes/linear/weight"][...] = 2.0

    read = read_nir(path)

    assert read == graph.with_nodes({"linear": Linear(weight=np.full((2, 2), 2.0))})


def test_stated_options_win_over_hints(tmp_path):
    path = tmp_path / "net.nir"
    write_nir(chain(LIF(shape=(2,), tau_mem=0.02)), path)

    assert read_nir(path, reset="to_value").nodes["lif"].reset == "to_value"
    assert read_nir(path, dt=DT).nodes["lif"].reset == "subtract"
    assert read_nir(path, dt=2 * DT).dt == 2 * DT


def test_what_other_readers_lose_is_returned_per_node(tmp_path):
    node = LIF(shape=(2,), tau_mem=0.02, max_spikes=4, refractory=2 * DT)

    found = write_nir(chain(node), tmp_path / "net.nir")

    assert {d.node for d in found} == {"lif"}
    assert sorted(d.code for d in found) == ["CORE002", "CORE002", "CORE002", "CORE003"]


def test_a_neuron_that_nir_can_express_loses_nothing(tmp_path):
    node = LIF(shape=(2,), tau_mem=0.02, reset="to_value", comparison=">", decay="euler")

    assert write_nir(chain(node), tmp_path / "net.nir") == ()


def test_kinds_without_counterpart_are_all_listed(tmp_path):
    nodes = [
        ConvTranspose2d(shape=(1, 2, 2), weight=np.ones((1, 1, 2, 2))),
        Flatten(shape=(1, 3, 3)),
        AdEx(shape=(9,), tau_mem=0.02, tau_syn=0.01, tau_adaptation=0.1),
        SigmaDelta(shape=(9,), threshold=0.1),
        CubaLIF(shape=(9,), tau_mem=0.02, tau_syn=np.full((2, 9), 0.01), synapses=2),
    ]

    with pytest.raises(GraphError) as caught:
        write_nir(chain(*nodes), tmp_path / "net.nir")

    for part in ("ConvTranspose2d", "AdEx", "SigmaDelta", "has 2", "save as .rv"):
        assert part in str(caught.value)
    assert len(caught.value.diagnostics) == 4
    assert not list(tmp_path.iterdir())


def test_two_delays_in_one_cycle_are_reported(tmp_path):
    nodes = {
        "in": Input(shape=(1,)),
        "a": LI(shape=(1,), tau_mem=0.02),
        "b": LI(shape=(1,), tau_mem=0.02),
        "out": Output(shape=(1,)),
    }
    edges = [("in", "a"), ("a", "b", "in", 1), ("b", "a", "in", 1), ("b", "out")]
    graph = Graph(nodes, tuple(edges), DT)

    found = write_nir(graph, tmp_path / "net.nir")

    assert {d.code for d in found} == {"CORE003"}
    assert read_nir(tmp_path / "net.nir") == graph


def test_only_graphs_are_written(tmp_path):
    with pytest.raises(InputError, match="expected a Graph, got dict"):
        write_nir({}, tmp_path / "net.nir")


def test_notes_that_are_not_json_are_one_clear_error(tmp_path):
    graph = Graph.sequential([LI(shape=(1,), tau_mem=0.02)], dt=DT, metadata={"x": object()})

    with pytest.raises(FileError, match="not JSON"):
        write_nir(graph, tmp_path / "net.nir")


def test_failing_disk_leaves_the_previous_file(tmp_path, monkeypatch):
    path = tmp_path / "net.nir"
    graph = chain(LI(shape=(1,), tau_mem=0.02))
    write_nir(graph, path)

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FileError, match="No space left"):
        write_nir(chain(LI(shape=(2,), tau_mem=0.02)), path)

    assert read_nir(path) == graph
    assert [p.name for p in tmp_path.iterdir()] == ["net.nir"]
