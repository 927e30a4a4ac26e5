import h5py
import numpy as np
import pytest

import ranvier
from ranvier.errors import FileError
from ranvier.graph import LIF, Graph, Linear
from ranvier_loihi.files import looks_like_net, read_net


def test_a_truncated_file_is_named_as_such(net, parts, tmp_path):
    whole = net(parts["dense"]()).read_bytes()
    path = tmp_path / "cut.net"
    path.write_bytes(whole[: len(whole) * 2 // 3])

    with pytest.raises(FileError, match=r"cut.net: is truncated"):
        read_net(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "is empty"), (b"\x80\x04pickle", "pickle"), (b"PK\x03\x04....", "zip archive")],
)
def test_other_files_are_named_for_what_they_are(tmp_path, content, text):
    path = tmp_path / "a.net"
    path.write_bytes(content)

    with pytest.raises(FileError, match=text):
        read_net(path)


def test_links_out_of_the_file_are_not_followed(net, parts, tmp_path):
    other = net(parts["dense"](), name="other.net")
    for name, link in {
        "external": h5py.ExternalLink(str(other), "/layer/0"),
        "soft": h5py.SoftLink("/elsewhere"),
    }.items():
        path = tmp_path / f"{name}.net"
        with h5py.File(path, "w") as file:
            file.create_group("layer")["0"] = link

        with pytest.raises(FileError, match="to another place"):
            read_net(path)
        assert not looks_like_net(path)


def test_external_storage_is_refused(tmp_path):
    (tmp_path / "raw").write_bytes(bytes(48))
    with h5py.File(tmp_path / "a.net", "w") as file:
        file.create_dataset(
            "layer/0/weight", shape=(3, 4), dtype="f4", external=[(str(tmp_path / "raw"), 0, 48)]
        )

    with pytest.raises(FileError, match="another file"):
        read_net(tmp_path / "a.net")


def test_sizes_that_the_file_does_not_hold_are_refused_before_they_are_read(tmp_path):
    with h5py.File(tmp_path / "a.net", "w") as file:
        file.create_dataset("layer/0/weight", shape=(1 << 20, 1 << 20), dtype="f4", chunks=True)

    with pytest.raises(FileError, match="limit"):
        read_net(tmp_path / "a.net")


def test_a_compressed_bomb_meets_the_limit_of_the_caller(tmp_path):
    with h5py.File(tmp_path / "a.net", "w") as file:
        zeros = np.zeros((1024, 1024), dtype=np.float32)
        file.create_dataset("layer/0/weight", data=zeros, compression="gzip")

    with pytest.raises(FileError, match="max_bytes"):
        read_net(tmp_path / "a.net", max_bytes=1 << 20)


def test_compounds_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.net", "w") as file:
        file["layer/0/weight"] = np.zeros(3, dtype=[("a", "i4"), ("b", "f8")])

    with pytest.raises(FileError, match="only plain numbers"):
        read_net(tmp_path / "a.net")


def test_a_group_in_the_place_of_the_layers_is_needed(tmp_path):
    with h5py.File(tmp_path / "a.net", "w") as file:
        file["layer"] = 3

    with pytest.raises(ranvier.errors.RanvierError):
        read_net(tmp_path / "a.net")


def test_nir_files_and_nets_are_not_mistaken_for_each_other(net, parts, tmp_path):
    graph = ranvier.read(net(parts["dense"]()))
    nir = Graph.sequential([Linear(weight=np.eye(2)), LIF(shape=(2,), tau_mem=0.01)], dt=1e-3)
    ranvier.write(nir, tmp_path / "a.nir")

    assert not looks_like_net(tmp_path / "a.nir")
    assert looks_like_net(net(parts["dense"]()))
    assert not looks_like_net(tmp_path / "none.net")
    assert graph.metadata["source"]["format"] == "net"
    assert "lif" in ranvier.read(tmp_path / "a.nir").nodes
