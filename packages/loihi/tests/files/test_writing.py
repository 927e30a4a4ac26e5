import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import ranvier
from ranvier.errors import FileError, GraphError, InputError
from ranvier.graph import (
    LIF,
    AvgPool2d,
    Conv2d,
    CubaLI,
    CubaLIF,
    Delay,
    Edge,
    Flatten,
    Graph,
    Input,
    Linear,
    Output,
    SigmaDelta,
    SparseLinear,
)
from ranvier_loihi.files import read_net, write_net
from ranvier_loihi.nodes import Ternary

DT = 1e-3


def cuba(n, *, lost_u=4096, lost_v=410, threshold=64, **fields):
    return CubaLIF(
        shape=n if isinstance(n, tuple) else (n,),
        tau_syn=DT * 4096 / lost_u,
        tau_mem=DT * 4096 / lost_v,
        threshold=threshold / 64,
        **{"reset": "to_value", "comparison": ">", "decay": "euler", **fields},
    )


def linear(n_out, n_in, seed=0, **fields):
    rng = np.random.default_rng(seed)
    return Linear(weight=rng.integers(-100, 100, (n_out, n_in)) * 2 / 64, **fields)


def chain(*parts, **kwargs):
    """Return a graph of parts in series; neurons hand on after one step."""
    named = {f"n{i}": part for i, part in enumerate(parts)}
    graph = Graph.sequential(named, dt=DT, **kwargs)
    edges = []
    before = {e.target: graph.nodes[e.source] for e in graph.edges}
    for edge in graph.edges:
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        last = before[edge.source] if isinstance(source, Delay) else source
        hop = last.spiking and isinstance(target, (Linear, Conv2d, SparseLinear, AvgPool2d))
        edges.append(Edge(edge.source, edge.target, edge.port, int(hop)))
    return Graph(graph.nodes, tuple(edges), DT)


def test_datasets_have_the_types_and_shapes_of_the_recipe(tmp_path):
    graph = chain(linear(3, 4), cuba(3, lost_u=1024), linear(2, 3), cuba(2))
    write_net(graph, tmp_path / "a.net")

    with h5py.File(tmp_path / "a.net") as file:
        assert list(file) == ["layer"]
        assert list(file.attrs) == []
        assert sorted(file["layer"]) == ["0", "1", "2"]
        layer = file["layer/1"]
        assert layer["type"].dtype == "S10"
        assert layer["type"].shape == (1,)
        assert layer["type"][0] == b"dense"
        assert layer["weight"].dtype == np.float32
        assert_array_equal(layer["weight"][()], graph.nodes["n0"].weight * 64)
        for name in ("inFeatures", "outFeatures"):
            assert (layer[name].dtype, layer[name].shape) == (np.int64, ())
        assert (layer["shape"].dtype, layer["shape"].shape) == (np.int64, (1,))
        kind = h5py.check_string_dtype(layer["neuron/type"].dtype)
        assert (kind.length, layer["neuron/type"].shape) == (None, ())
        assert layer["neuron/type"][()] == b"CUBA"
        stored = {n: int(layer[f"neuron/{n}"][()]) for n in ("iDecay", "vDecay", "vThMant")}
        assert stored == {"iDecay": 1024, "vDecay": 410, "vThMant": 64}
        for name in (*stored, "refDelay"):
            assert (layer[f"neuron/{name}"].dtype, layer[f"neuron/{name}"].shape) == (np.int64, ())
        assert layer["neuron/gradedSpike"].dtype == np.bool_
        assert "bias" not in layer
        assert "delay" not in layer


def test_a_convolution_is_written_with_all_its_settings(tmp_path):
    kernels = np.arange(36).reshape(4, 1, 3, 3) / 32
    conv = Conv2d(shape=(2, 8, 6), weight=kernels, stride=(2, 1), padding=(1, 0), groups=2)
    neuron = cuba(conv.output_shape, bias=np.array([1, 2, 3, 4]).reshape(4, 1, 1) / 64)

    write_net(chain(conv, neuron), tmp_path / "a.net")

    with h5py.File(tmp_path / "a.net") as file:
        layer = file["layer/1"]
        assert layer["type"][0] == b"conv"
        stored = {n: layer[n][()].tolist() for n in ("shape", "stride", "padding", "dilation")}
        assert stored == {
            "shape": [4, 4, 4],
            "stride": [2, 1],
            "padding": [1, 0],
            "dilation": [1, 1],
        }
        assert_array_equal(layer["weight"][()], kernels * 64)
        assert_array_equal(layer["bias"][()], np.float32([1, 2, 3, 4]))
        assert (int(layer["inChannels"][()]), int(layer["groups"][()])) == (2, 2)


def test_names_and_step_apart_a_graph_comes_back_as_it_was(tmp_path):
    graph = chain(linear(3, 4), cuba(3, threshold=np.array([1, 2, 3])), linear(2, 3), cuba(2))

    assert write_net(graph, tmp_path / "a.net") == ()

    back = read_net(tmp_path / "a.net", dt=DT)
    for name, twin in {"n0": "1.synapse", "n1": "1.neuron", "n2": "2.synapse"}.items():
        arrays, plain = graph.nodes[name].to_fields()
        other, other_plain = back.nodes[twin].to_fields()
        assert plain == other_plain
        for field, values in arrays.items():
            assert_array_equal(values, other[field])
    assert [e.delay for e in back.edges] == [e.delay for e in graph.edges]


def test_a_read_out_is_written_with_the_largest_threshold(tmp_path):
    readout = CubaLI(shape=(2,), tau_syn=DT * 4, tau_mem=DT * 8, decay="euler")

    write_net(chain(linear(2, 4), readout), tmp_path / "a.net")

    with h5py.File(tmp_path / "a.net") as file:
        assert int(file["layer/1/neuron/vThMant"][()]) == 131071
    assert isinstance(read_net(tmp_path / "a.net").nodes["1.neuron"], CubaLI)


def test_a_lif_is_written_as_a_cuba_neuron_without_current(tmp_path, codes):
    lif = LIF(
        shape=(2,), tau_mem=DT * 8, reset="to_value", comparison=">", decay="euler"
    )  # fmt: skip

    assert codes(write_net(chain(linear(2, 4), lif), tmp_path / "a.net")) == ["LO452"]

    node = read_net(tmp_path / "a.net").nodes["1.neuron"]
    assert (node.tau_syn, node.tau_mem) == (DT, DT * 8)


def test_the_bias_of_a_map_moves_to_neurons_without_current(tmp_path, parts):
    graph = chain(linear(2, 4, bias=np.array([1.0, -1.0])), cuba(2, bias=0.5))

    write_net(graph, tmp_path / "a.net")

    assert_array_equal(read_net(tmp_path / "a.net").nodes["1.neuron"].bias, [1.5, -0.5])

    slow = chain(linear(2, 4, bias=np.array([1.0, -1.0])), cuba(2, lost_u=100))
    with pytest.raises(GraphError, match="passes through the current"):
        write_net(slow, tmp_path / "b.net")


def test_sparse_maps_are_written_in_full(tmp_path):
    sparse = SparseLinear(data=[0.5, -0.25], indices=[0, 3], indptr=[0, 1, 2], n_in=4)

    write_net(chain(sparse, cuba(2)), tmp_path / "a.net")

    weight = read_net(tmp_path / "a.net").nodes["1.synapse"].weight
    assert_array_equal(weight, [[0.5, 0, 0, 0], [0, 0, 0, -0.25]])


def test_a_mean_over_four_is_a_pool_of_quarter_weights(tmp_path):
    pool = AvgPool2d(shape=(1, 4, 4), kernel_size=2, stride=2)

    write_net(chain(pool, cuba((1, 2, 2))), tmp_path / "a.net")

    assert read_net(tmp_path / "a.net").nodes["1.synapse.scale"].scale == 0.25


def test_delays_of_nodes_and_edges_add_up(tmp_path):
    graph = chain(
        linear(3, 4), cuba(3), Delay(shape=(3,), delay=np.array([1, 2, 3]) * DT), linear(2, 3),
        cuba(2), Delay(shape=(2,), delay=4 * DT),
    )  # fmt: skip
    edges = tuple(
        Edge(e.source, e.target, e.port, 7) if e.target == "n3" else e for e in graph.edges
    )

    write_net(Graph(graph.nodes, edges, DT), tmp_path / "a.net")

    back = read_net(tmp_path / "a.net")
    np.testing.assert_allclose(back.nodes["1.delay"].delay / DT, np.array([1, 2, 3]) + 6)
    np.testing.assert_allclose(back.nodes["2.delay"].delay / DT, 4)


def test_a_chain_without_steps_between_layers_gets_them_with_a_note(tmp_path, codes):
    graph = Graph.sequential([linear(3, 4), cuba(3), linear(2, 3), cuba(2)], dt=DT)

    assert codes(write_net(graph, tmp_path / "a.net")) == ["LO453"]


def test_comparison_at_the_threshold_is_a_loss(tmp_path, codes):
    graph = chain(linear(2, 4), cuba(2, comparison=">="))

    assert codes(write_net(graph, tmp_path / "a.net")) == ["LO427"]


def test_values_between_two_codes_are_all_listed_with_the_advice_to_quantise(tmp_path):
    graph = chain(Linear(weight=[[0.3, 5.0]]), cuba(1, lost_v=409.5, threshold=6.4, bias=0.001))

    with pytest.raises(GraphError, match="--form net") as caught:
        write_net(graph, tmp_path / "a.net")

    found = caught.value.diagnostics
    assert {d.code for d in found} == {"LO409"}
    assert [d.message.split(":")[0] for d in found] == ["weight", "tau_mem", "threshold", "bias"]
    assert not (tmp_path / "a.net").exists()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"reset": "subtract"}, "to_value"),
        ({"v_reset": 0.5}, "v_reset"),
        ({"v_rest": 1.0}, "v_rest"),
        ({"synapses": 2, "tau_syn": DT}, "2 synaptic"),
        ({"refractory": np.array([0, 2e-3])}, "refractory differs"),
    ],
)
def test_neurons_that_the_format_cannot_hold_are_refused(tmp_path, changes, text):
    with pytest.raises(GraphError, match=text):
        write_net(chain(linear(2, 4), cuba(2).replace(**changes)), tmp_path / "a.net")


def test_a_residual_connection_is_refused_and_the_rest_is_checked_too(tmp_path, codes):
    nodes = {
        "in": Input(shape=(4,)),
        "w1": linear(4, 4),
        "a": cuba(4),
        "w2": linear(4, 4, seed=1),
        "b": cuba(4, threshold=6.4),
        "skip": linear(4, 4, seed=2),
        "out": Output(shape=(4,)),
    }
    pairs = [("in", "w1"), ("w1", "a"), ("a", "w2"), ("w2", "b"), ("b", "out")]
    edges = (*(Edge(a, b) for a, b in pairs), Edge("in", "skip"), Edge("skip", "b"))

    with pytest.raises(GraphError) as caught:
        write_net(Graph(nodes, edges, DT), tmp_path / "a.net")

    assert codes(caught.value.diagnostics) == ["LO408", "LO409"]
    assert "feeds w1, skip" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((linear(3, 4), linear(2, 3), cuba(2)), "needs neurons"),
        ((linear(3, 4), Ternary(shape=(3,), tau_mem=DT, tau_syn=DT)), "loihi.ternary"),
        ((linear(3, 4), cuba(3), cuba(3)), "without a synapse"),
        ((Delay(shape=(4,), delay=2 * DT), linear(3, 4), cuba(3)), "delays of the input"),
        ((linear(3, 4), cuba(3), Delay(shape=(3,), delay=63 * DT)), "63 steps"),
        ((linear(3, 4), SigmaDelta(shape=(3,), threshold=1e4)), "allowed are 0..131071"),
    ],
    ids=["no neuron", "ternary", "two neurons", "input delay", "long delay", "threshold"],
)
def test_parts_without_a_place_in_the_format_are_refused(tmp_path, parts, text):
    with pytest.raises(GraphError, match=text):
        write_net(chain(*parts), tmp_path / "a.net")


def test_a_last_layer_without_neurons_is_written_without_and_the_loss_named(tmp_path, codes):
    assert codes(write_net(chain(linear(3, 4)), tmp_path / "a.net")) == ["LO427"]

    with h5py.File(tmp_path / "a.net") as file:
        assert "neuron" not in file["layer/1"]
    assert codes(read_net(tmp_path / "a.net").diagnostics) == ["LO441"]


def test_a_step_behind_the_input_has_no_place_and_is_named(tmp_path, codes):
    graph = chain(linear(3, 4), cuba(3))
    edges = tuple(Edge(e.source, e.target, delay=int(e.source == "input")) for e in graph.edges)

    assert codes(write_net(Graph(graph.nodes, edges, DT), tmp_path / "a.net")) == ["LO427"]


def test_two_inputs_are_refused(tmp_path):
    nodes = {
        "a": Input(shape=(2,)),
        "b": Input(shape=(2,)),
        "n": cuba(2),
        "out": Output(shape=(2,)),
    }
    edges = (Edge("a", "n"), Edge("b", "n"), Edge("n", "out"))

    with pytest.raises(GraphError, match="2 inputs and 1 outputs"):
        write_net(Graph(nodes, edges, DT), tmp_path / "a.net")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.net"
    write_net(chain(linear(2, 4), cuba(2)), path)
    before = path.read_bytes()

    with pytest.raises(GraphError):
        write_net(chain(Linear(weight=[[0.3]]), cuba(1)), path)
    with pytest.raises(FileError, match="cannot be written"):
        write_net(chain(linear(2, 4), cuba(2)), tmp_path / "none" / "a.net")

    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.net"]


def test_only_graphs_are_written(tmp_path):
    with pytest.raises(InputError, match="expected a Graph"):
        write_net([1, 2], tmp_path / "a.net")
    with pytest.raises(InputError, match="expected a path"):
        write_net(chain(linear(2, 4), cuba(2)), 3)


def test_ranvier_write_chooses_the_format_by_the_ending(tmp_path):
    flat = chain(Flatten(shape=(1, 2, 2)), linear(2, 4), cuba(2))

    ranvier.write(flat, tmp_path / "a.net")

    assert ranvier.read(tmp_path / "a.net").nodes["1.flatten"].shape == (1, 2, 2)
