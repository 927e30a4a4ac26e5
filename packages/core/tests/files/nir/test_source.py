import io

import h5py
import nir
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import FileError
from ranvier.files import graph_from_nir, load, read_nir, save, write_nir
from ranvier.graph import LIF, Conv2d, CubaLIF, Delay, Flatten, Graph, Linear, SumPool2d


def network():
    nodes = [Linear(weight=np.eye(3)), LIF(shape=(3,), tau_mem=0.02)]
    return Graph.sequential(nodes, dt=1e-3)


@pytest.fixture
def path(tmp_path):
    write_nir(network(), tmp_path / "net.nir")
    return tmp_path / "net.nir"


def test_container_is_not_nir_and_the_other_way_round(tmp_path, path):
    save(network(), tmp_path / "net.rv")

    with pytest.raises(FileError, match=r"use ranvier\.load"):
        read_nir(tmp_path / "net.rv")
    other = path.rename(tmp_path / "other.rv")
    with pytest.raises(FileError, match=r"ranvier\.read\(\) if it is NIR"):
        load(other)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_truncated_nir_is_one_error(path, part):
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])

    with pytest.raises(FileError, match=r"net\.nir"):
        read_nir(path)


@given(st.integers(0, 2**32 - 1), st.integers(1, 255))
@settings(max_examples=50, deadline=None)
def test_any_changed_byte_gives_a_graph_or_one_error(tmp_path_factory, place, change):
    path = tmp_path_factory.mktemp("flip") / "net.nir"
    write_nir(network(), path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= change
    path.write_bytes(bytes(data))

    try:
        outcome = read_nir(path)
    except FileError as error:
        outcome = str(error)
    assert isinstance(outcome, Graph) or outcome.startswith(str(path))


def _link(file):
    file["node/nodes/extra"] = h5py.ExternalLink("/etc/passwd", "/")


def _huge(file):
    del file["node/nodes/linear/weight"]
    file.create_dataset("node/nodes/linear/weight", (2**22, 2**22), "f4")


def _edges(file):
    del file["node/edges"]
    file["node/edges"] = np.ones((2, 2))


def _deep(file):
    file["node/nodes/" + "x/nodes/" * 50 + "x/type"] = "NIRGraph"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_deep, "nested more than 64 deep"),
        (_link, "ExternalLink"),
        (_huge, "the limit is"),
        (_edges, "'edges' is not a list"),
    ],
)
def test_hostile_nir_is_refused(path, change, problem):
    with h5py.File(path, "r+") as file:
        change(file)

    with pytest.raises(FileError, match=problem):
        read_nir(path)


def test_endless_text_is_refused(path, monkeypatch):
    monkeypatch.setattr("ranvier.files.nir.source._MAX_TEXT", 10)

    with pytest.raises(FileError, match="more than 10 bytes of text"):
        read_nir(path)


def conv_network():
    nodes = [
        Conv2d(shape=(1, 6, 6), weight=np.ones((2, 1, 3, 3)), bias=np.ones(2)),
        SumPool2d(shape=(2, 4, 4), kernel_size=2, stride=2),
        Flatten(shape=(2, 2, 2)),
        Linear(weight=np.ones((3, 8)), bias=np.ones(3)),
        Delay(shape=(3,), delay=1e-3),
        CubaLIF(shape=(3,), tau_mem=0.02, tau_syn=0.01),
    ]
    return Graph.sequential(nodes, dt=1e-3)


@pytest.mark.parametrize(
    "value",
    ["text", np.zeros(0), np.array(-1), np.array(0), np.full((2, 3, 4, 5), 2.5), np.array(np.nan)],
    ids=["text", "empty", "negative", "zero", "four axes", "nan"],
)
def test_nonsense_in_any_field_is_one_error_or_harmless(tmp_path, value):
    path = tmp_path / "net.nir"
    write_nir(conv_network(), path)
    original = path.read_bytes()
    with h5py.File(path) as file:
        fields = [f"node/nodes/{n}/{f}" for n, g in file["node/nodes"].items() for f in g]

    refused = 0
    for field in fields:
        path.write_bytes(original)
        with h5py.File(path, "r+") as file:
            del file[field], file["node/metadata/ranvier"]
            file[field] = value
        try:
            read_nir(path)
        except FileError as error:
            refused += str(error).startswith(str(path))
            continue

    assert len(fields) > 30
    assert refused > len(fields) // 4


def test_empty_graph_is_refused():
    with pytest.raises(FileError, match="the graph has no node"):
        graph_from_nir(nir.NIRGraph({}, [], type_check=False))


def test_written_file_equals_what_nir_writes_from_it(path):
    """Same tree of groups, datasets and values as the reference implementation's."""
    stream = io.BytesIO()
    nir.write(stream, nir.read(path))

    with h5py.File(path) as ours, h5py.File(stream) as theirs:
        names = {"ours": set(), "theirs": set()}
        ours.visit(names["ours"].add)
        theirs.visit(names["theirs"].add)
        assert names["ours"] == names["theirs"]
        for name in names["ours"]:
            if isinstance(ours[name], h5py.Dataset):
                assert np.array_equal(ours[name][()], theirs[name][()]), name
