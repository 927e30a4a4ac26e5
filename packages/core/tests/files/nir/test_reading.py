import runpy
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from ranvier.errors import FileError, InputError
from ranvier.files import graph_from_nir, read_nir
from ranvier.graph import Scale

run = runpy.run_path(str(Path(__file__).parents[1] / "canonical.py"))["run"]
DT = 1e-3


def lif(n, **changes):
    """A population whose gain is 1 at DT."""
    fields = {"tau": 10 * DT, "r": 10.0, "v_leak": 0.0, "v_threshold": 1.0} | changes
    return nir.LIF(**{k: np.full(n, v) for k, v in fields.items()})


def ports(n_in, n_out):
    return (
        nir.Input(input_type={"input": np.atleast_1d(n_in)}),
        nir.Output(output_type={"output": np.atleast_1d(n_out)}),
    )


def linear(*shape):
    return nir.Linear(weight=np.random.default_rng(0).normal(size=shape))


def loose(nodes, edges):
    """A NIR graph without NIR's own type checks."""
    return nir.NIRGraph(nodes, edges, type_check=False)


def written(tmp_path, graph):
    path = tmp_path / "net.nir"
    nir.write(path, graph)
    return path


def codes(graph):
    return [d["code"] for d in graph.metadata["diagnostics"]]


def test_file_and_object_give_the_same_graph(tmp_path):
    graph = nir.NIRGraph.from_list(linear(4, 3), lif(4), linear(2, 4), lif(2))

    from_file, from_object = read_nir(written(tmp_path, graph)), graph_from_nir(graph)

    assert from_file.to_payload()[1]["nodes"] == from_object.to_payload()[1]["nodes"]
    assert from_file.edges == from_object.edges
    assert list(from_file.nodes) == ["input", "linear", "lif", "linear_1", "lif_1", "output"]


def test_dt_is_inferred_where_all_gains_agree_and_said_so():
    graph = graph_from_nir(nir.NIRGraph.from_list(linear(4, 3), lif(4)))

    assert graph.dt == DT
    assert codes(graph) == ["CORE001"]


def test_dt_is_inferred_from_float32_parameters_as_a_round_number():
    node = lif(4, tau=0.02, r=20.0)
    single = {k: np.float32(getattr(node, k)) for k in ("tau", "r", "v_leak", "v_threshold")}

    graph = graph_from_nir(nir.NIRGraph.from_list(linear(4, 3), nir.LIF(**single)))

    assert graph.dt == 1e-3
    assert "lif.gain" not in graph.nodes


@pytest.mark.parametrize(
    "nodes",
    [[linear(4, 3), lif(4, r=1.0)], [linear(4, 3), lif(4), linear(2, 4), lif(2, r=20.0)]],
    ids=["unit gains", "gains that disagree"],
)
def test_missing_dt_is_an_error_that_says_what_to_state(nodes):
    with pytest.raises(FileError, match=r"states no time step.*dt=1e-3"):
        graph_from_nir(nir.NIRGraph.from_list(*nodes))


def test_a_dt_that_contradicts_the_file_is_a_loss_with_both_numbers():
    graph = graph_from_nir(nir.NIRGraph.from_list(linear(4, 3), lif(4)), dt=2 * DT)

    (found,) = graph.metadata["diagnostics"]
    assert (found["severity"], found["value"], found["limit"]) == ("loss", 2 * DT, DT)
    assert "time_unit=2" in found["hint"]


def test_time_unit_stretches_time_without_changing_the_steps():
    network = nir.NIRGraph.from_list(linear(4, 3), lif(4, r=3.0))

    plain = graph_from_nir(network, dt=DT)
    stretched = graph_from_nir(network, dt=2 * DT, time_unit=2.0)

    np.testing.assert_allclose(stretched.nodes["lif"].tau_mem, 20 * DT)
    np.testing.assert_allclose(
        stretched.nodes["linear"].weight, plain.nodes["linear"].weight, rtol=1e-12
    )


def test_gain_is_folded_into_the_weights_in_front():
    network = nir.NIRGraph.from_list(linear(4, 3), lif(4, r=5.0))

    graph = graph_from_nir(network, dt=DT)

    np.testing.assert_allclose(graph.nodes["linear"].weight, 0.5 * linear(4, 3).weight)
    assert "lif.gain" not in graph.nodes


def test_gain_becomes_a_scale_where_the_weights_have_another_use():
    source, sink = ports(3, 4)
    network = loose(
        {"input": source, "fc": linear(4, 3), "a": lif(4, r=5.0), "output": sink},
        [("input", "fc"), ("fc", "a"), ("fc", "output"), ("a", "output")],
    )

    graph = graph_from_nir(network, dt=DT)

    assert isinstance(graph.nodes["a.gain"], Scale)
    np.testing.assert_array_equal(graph.nodes["fc"].weight, linear(4, 3).weight)
    assert [e.source for e in graph.edges_into("a")] == ["a.gain"]


def test_per_pixel_gain_behind_a_convolution_is_a_scale_and_per_channel_is_folded():
    def network(r):
        tau = np.full((2, 3, 3), 10 * DT)
        neuron = nir.LIF(tau=tau, r=r, v_leak=0 * tau, v_threshold=np.ones_like(tau))
        conv = nir.Conv2d((5, 5), np.ones((2, 1, 3, 3)), 1, 0, 1, 1, np.ones(2))
        return nir.NIRGraph.from_list(conv, neuron)

    per_channel = np.broadcast_to(np.array([1.0, 2.0])[:, None, None], (2, 3, 3)).copy()
    folded = graph_from_nir(network(per_channel), dt=DT)
    kept = graph_from_nir(network(np.arange(1.0, 19.0).reshape(2, 3, 3)), dt=DT)

    np.testing.assert_allclose(folded.nodes["conv2d"].weight[:, 0, 0, 0], [0.1, 0.2])
    np.testing.assert_allclose(folded.nodes["conv2d"].bias, [0.1, 0.2])
    assert "lif.gain" in kept.nodes


def test_scalar_parameters_take_the_width_of_their_neighbours():
    scalar = nir.LIF(**{k: np.array(v) for k, v in _unit().items()})
    source, sink = ports(3, 2)
    network = loose(
        {"input": source, "fc": linear(4, 3), "lif": scalar, "fc2": linear(2, 4), "output": sink},
        [("input", "fc"), ("fc", "lif"), ("lif", "fc2"), ("fc2", "output")],
    )

    assert graph_from_nir(network).nodes["lif"].shape == (4,)


def test_scalar_neuron_right_behind_the_input_takes_the_width_of_what_follows():
    scalar = nir.LIF(**{k: np.array([v]) for k, v in _unit().items()})
    source, sink = ports((1, 4), 2)
    network = loose(
        {"input": source, "lif": scalar, "fc": linear(2, 4), "output": sink},
        [("input", "lif"), ("lif", "fc"), ("fc", "output")],
    )

    assert graph_from_nir(network).nodes["lif"].shape == (4,)


def _unit():
    return {"tau": 10 * DT, "r": 10.0, "v_leak": 0.0, "v_threshold": 1.0}


def test_batch_axis_in_input_and_output_is_dropped_but_a_channel_axis_stays():
    batch, out = ports((1, 3), (1, 1, 4))
    dense = loose(
        {"input": batch, "fc": linear(4, 3), "lif": lif(4), "output": out},
        [("input", "fc"), ("fc", "lif"), ("lif", "output")],
    )
    image, out = ports((1, 5, 5), (2, 3, 3))
    conv = nir.Conv2d((5, 5), np.ones((2, 1, 3, 3)), 1, 0, 1, 1, np.zeros(2))
    picture = loose(
        {"input": image, "conv": conv, "output": out}, [("input", "conv"), ("conv", "output")]
    )

    assert graph_from_nir(dense).nodes["input"].shape == (3,)
    assert graph_from_nir(dense).nodes["output"].shape == (4,)
    assert graph_from_nir(picture, dt=DT).nodes["input"].shape == (1, 5, 5)


def test_convolution_shapes_are_computed_and_not_taken_from_nir():
    """nir 1.0.8 types a 3x5 kernel on (8, 6) as (6, 4), and grouped inputs as one channel."""
    source, sink = ports((2, 8, 6), (4, 6, 2))
    conv = nir.Conv2d((8, 6), np.ones((4, 1, 3, 5)), 1, 0, 1, 2, np.zeros(4))
    network = loose(
        {"input": source, "conv": conv, "output": sink}, [("input", "conv"), ("conv", "output")]
    )

    assert graph_from_nir(network, dt=DT).nodes["conv"].output_shape == (4, 6, 2)


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (4, 1), (2, 3), (4, 2), (5, 2)])
def test_same_padding_puts_the_odd_zero_at_the_end(kernel, dilation):
    rng = np.random.default_rng(0)
    weight, x = rng.normal(size=(1, 1, kernel)), rng.normal(size=9)
    source, sink = ports((1, 9), (1, 9))
    conv = nir.Conv1d(9, weight, 1, "same", dilation, 1, np.zeros(1))
    network = loose(
        {"input": source, "conv": conv, "output": sink}, [("input", "conv"), ("conv", "output")]
    )

    node = graph_from_nir(network, dt=DT).nodes["conv"]

    total = dilation * (kernel - 1)
    reference = correlate(x, weight[0, 0], total // 2, total - total // 2, dilation)
    got = correlate(x, node.weight[0, 0], node.padding[0], node.padding[0], node.dilation[0])
    np.testing.assert_allclose(got, reference, rtol=1e-12)


def correlate(x, kernel, left, right, dilation):
    padded = np.concatenate([np.zeros(left), x, np.zeros(right)])
    n = padded.size - dilation * (kernel.size - 1)
    return sum(k * padded[i * dilation :][:n] for i, k in enumerate(kernel))


def test_recurrent_edge_delivers_the_spikes_of_the_previous_step():
    source, sink = ports(2, 2)
    recurrent = nir.Affine(weight=-np.ones((2, 2)), bias=np.full(2, 0.25))
    network = loose(
        {"input": source, "fc": linear(2, 2), "lif": lif(2), "rec": recurrent, "output": sink},
        [("input", "fc"), ("fc", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "output")],
    )

    graph = graph_from_nir(network)

    delays = {(e.source, e.target): e.delay for e in graph.edges}
    assert delays.pop(("lif", "rec")) == 1
    assert not any(delays.values())


def test_two_populations_in_a_loop_have_one_step_of_delay_around_it():
    source, sink = ports(2, 2)
    network = loose(
        {"input": source, "a": lif(2), "ab": linear(2, 2), "b": lif(2), "ba": linear(2, 2)}
        | {"output": sink},
        [("input", "a"), ("a", "ab"), ("ab", "b"), ("b", "ba"), ("ba", "a"), ("b", "output")],
    )

    graph = graph_from_nir(network)

    assert [(e.source, e.target) for e in graph.edges if e.delay] == [("b", "ba")]


def test_self_loop_is_delayed():
    source, sink = ports(2, 2)
    network = loose(
        {"input": source, "lif": lif(2), "output": sink},
        [("input", "lif"), ("lif", "lif"), ("lif", "output")],
    )

    assert [e.delay for e in graph_from_nir(network).edges if e.source == e.target] == [1]


def test_subgraph_is_inlined_with_dotted_names(tmp_path):
    source, sink = ports(2, 2)
    inner = nir.NIRGraph(
        {"input": source, "lif": lif(2), "w_rec": linear(2, 2), "output": sink},
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    network = nir.NIRGraph(
        {"input": source, "fc": linear(2, 2), "rnn": inner, "output": sink},
        [("input", "fc"), ("fc", "rnn"), ("rnn", "output")],
    )

    graph = read_nir(written(tmp_path, network))

    assert set(graph.nodes) == {"input", "fc", "rnn.lif", "rnn.w_rec", "output"}
    assert ("rnn.lif", "rnn.w_rec", 1) in {(e.source, e.target, e.delay) for e in graph.edges}


def test_skip_connection_around_an_empty_subgraph_keeps_counting_twice():
    source, sink = ports(2, 2)
    empty = loose({"i": source, "o": sink}, [("i", "o")])
    network = loose(
        {"input": source, "sub": empty, "fc": linear(2, 2), "output": sink},
        [("input", "sub"), ("sub", "fc"), ("input", "fc"), ("fc", "output")],
    )

    graph = graph_from_nir(network, dt=DT)

    x = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(run(graph, x)["output"], 2 * x @ linear(2, 2).weight.T)


def test_missing_ends_are_added_and_reported():
    network = loose({"fc": linear(2, 3), "lif": lif(2)}, [("fc", "lif")])
    network.nodes = {n: network.nodes[n] for n in ("fc", "lif")}
    network.edges = [("fc", "lif")]

    graph = graph_from_nir(network, dt=DT)

    assert graph.nodes["input_fc"].shape == (3,)
    assert graph.nodes["output_lif"].shape == (2,)
    assert codes(graph) == ["CORE001", "CORE001"]


def test_flatten_that_counts_the_batch_is_read_as_a_full_flatten_and_reported():
    source, sink = ports((2, 3, 4), 5)
    network = loose(
        {
            "input": source,
            "flat": nir.Flatten({"input": np.array([2, 3, 4])}),
            "fc": linear(5, 24),
            "output": sink,
        },
        [("input", "flat"), ("flat", "fc"), ("fc", "output")],
    )

    graph = graph_from_nir(network, dt=DT)

    assert graph.nodes["flat"].output_shape == (24,)
    assert codes(graph) == ["CORE003"]


@pytest.mark.parametrize(
    ("pool", "kind"), [(nir.SumPool2d, "SumPool2d"), (nir.AvgPool2d, "AvgPool2d")]
)
def test_pools_of_unknown_shape_get_it_from_the_input(pool, kind):
    source, sink = ports((2, 4, 6), (2, 2, 3))
    node = pool(kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([0, 0]))
    network = loose({"input": source, "p": node, "output": sink}, [("input", "p"), ("p", "output")])

    read = graph_from_nir(network, dt=DT).nodes["p"]

    assert (read.kind, read.output_shape) == (kind, (2, 2, 3))


def test_delay_and_threshold_and_integrators_keep_their_meaning():
    source, sink = ports(2, 2)
    nodes = {
        "input": source,
        "delay": nir.Delay(np.array([DT, 2 * DT])),
        "i": nir.I(np.full(2, 1 / DT)),
        "threshold": nir.Threshold(np.full(2, 1.0)),
        "output": sink,
    }
    graph = graph_from_nir(loose(nodes, list(zip(nodes, list(nodes)[1:], strict=False))))

    out = run(graph, np.ones((4, 2)))["output"]

    np.testing.assert_array_equal(out, [[0, 0], [0, 0], [1, 0], [1, 1]])


def test_old_files_without_v_reset_w_in_and_version_are_read(tmp_path):
    path = written(tmp_path, nir.NIRGraph.from_list(linear(4, 3), lif(4)))
    with h5py.File(path, "r+") as file:
        del file["version"], file["node/nodes/lif/v_reset"]

    assert read_nir(path).nodes["lif"].v_reset == 0.0


def test_unknown_types_missing_fields_and_dangling_edges_are_listed_together(tmp_path):
    path = written(tmp_path, nir.NIRGraph.from_list(linear(4, 3), lif(4)))
    with h5py.File(path, "r+") as file:
        del file["node/nodes/lif/tau"], file["node/nodes/linear/type"]
        file["node/nodes/linear/type"] = "Quantum"
        edges = [*(tuple(e) for e in file["node/edges"].asstr()), ("lif", "lif9")]
        del file["node/edges"]
        file["node"].create_dataset("edges", data=edges, dtype=h5py.string_dtype())

    with pytest.raises(FileError) as caught:
        read_nir(path)

    message = str(caught.value)
    assert message.startswith(str(path))
    for part in ("'linear' has the unknown type 'Quantum'", "'lif' (LIF) lacks tau", "'lif9'"):
        assert part in message


def test_extra_fields_are_reported_as_lost(tmp_path):
    path = written(tmp_path, nir.NIRGraph.from_list(linear(4, 3), lif(4)))
    with h5py.File(path, "r+") as file:
        file["node/nodes/lif/adaptation"] = np.ones(4)

    lost = [d for d in read_nir(path).metadata["diagnostics"] if d["code"] == "CORE002"]

    assert [d["node"] for d in lost] == ["lif"]
    assert "adaptation" in lost[0]["message"]


@pytest.mark.parametrize("field", ["tau", "v_threshold", "r"])
def test_nan_parameters_are_refused_with_the_name_of_the_node(tmp_path, field):
    network = nir.NIRGraph.from_list(linear(4, 3), lif(4))
    getattr(network.nodes["lif"], field)[1] = np.nan

    with pytest.raises(FileError, match="lif"):
        read_nir(written(tmp_path, network), dt=DT)


def test_euler_with_a_time_constant_below_dt_is_refused_per_node():
    network = nir.NIRGraph.from_list(linear(4, 3), lif(4, tau=DT / 2, r=1.0))

    with pytest.raises(FileError, match=r"node 'lif'.*below dt.*exponential"):
        graph_from_nir(network, dt=DT)


def test_shape_mismatch_names_both_nodes():
    source, sink = ports(3, 5)
    network = loose(
        {"input": source, "fc": linear(4, 3), "lif": lif(5), "output": sink},
        [("input", "fc"), ("fc", "lif"), ("lif", "output")],
    )

    with pytest.raises(FileError, match=r"node 'lif'.*\(5,\).*\(4,\)"):
        graph_from_nir(network)


def test_a_single_node_in_a_file_is_refused_with_advice(tmp_path):
    path = tmp_path / "node.nir"
    nir.write(path, lif(2))

    with pytest.raises(FileError, match=r"single node of type 'LIF'.*from_list"):
        read_nir(path)


def test_node_name_with_a_slash_is_explained(tmp_path):
    source, sink = ports(2, 2)
    network = loose(
        {"input": source, "a/b": lif(2), "output": sink}, [("input", "a/b"), ("a/b", "output")]
    )

    with pytest.raises(FileError, match=r"node 'a' has no type; a node name with '/'"):
        read_nir(written(tmp_path, network))
    with pytest.raises(FileError, match="without '/'"):
        graph_from_nir(network)


@pytest.mark.parametrize(
    ("option", "value"),
    [("dt", 0.0), ("dt", float("nan")), ("time_unit", -1.0), ("reset", "hard"), ("scheme", "rk4")],
)
def test_bad_options_are_refused_by_name(option, value):
    with pytest.raises(InputError, match=option):
        graph_from_nir(nir.NIRGraph.from_list(linear(4, 3), lif(4)), **{option: value})


def test_other_objects_are_refused():
    with pytest.raises(FileError, match=r"expected a nir.NIRGraph, got dict"):
        graph_from_nir({})


def test_leak_potential_acts_as_a_drive_from_zero_and_the_choice_is_noted():
    graph = graph_from_nir(nir.NIRGraph.from_list(linear(2, 3), lif(2, v_leak=0.5)))

    node = graph.nodes["lif"]
    np.testing.assert_array_equal(node.v_rest, 0.0)
    np.testing.assert_allclose(node.bias, 0.05)
    assert codes(graph) == ["CORE001", "CORE001"]
