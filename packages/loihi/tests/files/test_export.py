import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import ranvier
from ranvier.artifacts import OutputChannel, Placement
from ranvier.cli import main
from ranvier.errors import FileError, GraphError
from ranvier.graph import CubaLI
from ranvier_loihi.config import (
    ConvSynapse,
    DenseSynapse,
    LoihiConfig,
    Population,
    SparseSynapse,
    Tap,
)
from ranvier_loihi.files import export, read_net


def numbers(*values):
    return np.array(values, dtype=np.int64)


def lif(name="a", n=3, **fields):
    registers = {"decay_u": numbers(1024), "decay_v": numbers(410), "threshold": numbers(64)}
    return Population(name=name, model="lif", shape=(n,), **{**registers, **fields})


def dense(source="input", target="a", shape=(3, 2), **fields):
    weights = (np.arange(shape[0] * shape[1], dtype=np.int16).reshape(shape) - 2) * 2
    return DenseSynapse(source=source, target=target, **{"weights": weights, **fields})


def network(populations, synapses, *, output=None, **fields):
    rows, slot = [], 0
    for p in populations:
        rows.append((p.name, np.arange(p.size), "neuron", slot + np.arange(p.size)))
        slot += p.size
    shown = output or populations[-1].name
    base = {
        "target": "loihi2",
        "dt": 1e-3,
        "input_shapes": {"input": (2,)},
        "outputs": (OutputChannel(output="output", node=shown),),
        "node_shapes": {p.name: p.shape for p in populations},
        "placement": Placement.from_rows(rows),
        "populations": tuple(populations),
        "synapses": tuple(synapses),
    }
    return LoihiConfig(**{**base, **fields})


def written(config, tmp_path):
    (path,) = export(config, tmp_path / "out", "net")
    assert path.name == "network.net"
    return read_net(path)


def test_registers_come_out_as_the_files_integers(tmp_path):
    populations = [
        lif("a", 3, threshold=numbers(10, 20, 30), refractory=numbers(4)),
        lif("b", 2, bias_mant=numbers(5, -6), bias_exp=numbers(6)),
    ]
    delayed = dense("a", "b", (2, 3), axon_delay=numbers(1, 2, 3))
    config = network(populations, [dense(), delayed])

    written(config, tmp_path)

    with h5py.File(tmp_path / "out" / "network.net") as file:
        first, second = file["layer/1"], file["layer/2"]
        assert_array_equal(first["weight"][()], config.synapses[0].weights)
        assert_array_equal(first["neuron/vThMant"][()], [10, 20, 30])
        assert_array_equal(first["delay"][()], [1, 2, 3])
        stored = [int(first[f"neuron/{n}"][()]) for n in ("iDecay", "vDecay", "refDelay")]
        assert stored == [1024, 410, 4]
        assert_array_equal(second["bias"][()], [5, -6])


def test_exponents_go_into_the_weights(tmp_path):
    weights = np.array([[64, -128], [192, 64], [0, 128]], dtype=np.int16)

    graph = written(network([lif()], [dense(weights=weights, weight_exp=-5)]), tmp_path)

    assert_array_equal(graph.nodes["1.synapse"].weight * 64, weights / 32)


def test_sparse_synapses_are_written_in_full(tmp_path):
    sparse = SparseSynapse(
        source="input",
        target="a",
        block=2,
        pointers=np.array([[0, 1, 2], [2, 3, 3]]),
        targets=np.array([0, 1, 0], dtype=np.uint16),
        weights=np.array([2, -4, 8], dtype=np.int8),
    )

    graph = written(network([lif()], [sparse]), tmp_path)

    assert_array_equal(graph.nodes["1.synapse"].weight * 64, [[2, 0], [0, -4], [8, 0]])


def test_recurrent_and_read_out_populations_are_written(tmp_path):
    populations = [lif("a", 3), lif("b", 2, spiking=False, threshold=numbers(131071))]
    synapses = [dense(), dense("a", "a", (3, 3)), dense("a", "b", (2, 3))]

    graph = written(network(populations, synapses), tmp_path)

    assert "1.recurrent" in graph.nodes
    assert isinstance(graph.nodes["2.neuron"], CubaLI)


def test_a_convolution_a_flatten_and_a_driven_input_are_written(tmp_path):
    driven = Population(
        name="eye", model="lif", shape=(1, 4, 4), drive="input", drive_weight=np.array([76.0]),
        drive_offset=np.array([32.0]), decay_v=numbers(100), threshold=numbers(80),
        bias_exp=numbers(6),
    )  # fmt: skip
    conv = ConvSynapse(
        source="eye",
        target="a",
        weights=np.full((2, 1, 3, 3), 4, dtype=np.int16),
        input_shape=(1, 4, 4),
    )
    maps = lif("a").model_copy(update={"shape": (2, 2, 2)})
    populations = [driven, maps, lif("b", 2)]
    config = network(
        populations,
        [conv, dense("a", "b", (2, 8))],
        input_shapes={"input": (1, 4, 4)},
        values=("input",),
    )

    graph = written(config, tmp_path)

    assert (graph.nodes["0.neuron"].weight, graph.nodes["0.neuron"].offset) == (76 / 64, 0.5)
    assert_array_equal(graph.nodes["1.synapse"].weight, np.full((2, 1, 3, 3), 4 / 64))
    assert "2.flatten" in graph.nodes


def test_a_tap_before_the_output_becomes_a_delay_of_the_last_layer(tmp_path):
    tap = Tap(name="late", source="a", delay=numbers(1, 2, 3))

    graph = written(network([lif()], [dense()], taps=(tap,), output="late"), tmp_path)

    np.testing.assert_allclose(graph.nodes["1.delay"].delay / 1e-3, [1, 2, 3])


def test_all_that_the_format_cannot_hold_is_listed_and_nothing_written(tmp_path):
    populations = [lif("a", 3, reset_interval=16), lif("b", 2, v_initial=numbers(7))]
    delays = np.ones((2, 3), dtype=np.uint8)
    config = network(populations, [dense(), dense("a", "b", (2, 3), delays=delays)])

    with pytest.raises(GraphError) as caught:
        export(config, tmp_path / "out", "net")

    assert [d.code for d in caught.value.diagnostics] == ["LO408"] * 3
    assert list((tmp_path / "out").iterdir()) == []


def test_another_form_is_not_ours(tmp_path):
    assert export(network([lif()], [dense()]), tmp_path / "out", "ram") is None
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "out").write_text("")

    with pytest.raises(FileError, match="folder"):
        export(network([lif()], [dense()]), tmp_path / "out", "net")


def test_the_export_command_writes_a_net(tmp_path, capfd):
    ranvier.save(network([lif()], [dense()]), tmp_path / "config.rv")

    code = main(["export", str(tmp_path / "config.rv"), str(tmp_path / "out"), "--form", "net"])

    assert code == 0
    assert "network.net" in capfd.readouterr().out
    assert read_net(tmp_path / "out" / "network.net").nodes["1.neuron"].threshold == 1.0
