from types import SimpleNamespace

import numpy as np
import pytest

from ranvier.errors import FileError, InputError, PluginError
from ranvier.events import EventSeries
from ranvier.files import Format, formats, read, save, write, write_nir
from ranvier.graph import LIF, Graph, Linear


def network():
    nodes = [Linear(weight=np.eye(3)), LIF(shape=(3,), tau_mem=0.02)]
    return Graph.sequential(nodes, dt=1e-3)


@pytest.fixture
def plugin(monkeypatch):
    """One installed plugin whose formats can be set."""
    module = SimpleNamespace(ranvier_formats=lambda: ())
    known = SimpleNamespace(
        catalogue=SimpleNamespace(modules={"broken": "broken", "toy": "toy"}),
        load=lambda chip: module if chip == "toy" else _fail(),
    )
    monkeypatch.setattr("ranvier.plugins.manager", lambda: known, raising=False)
    return module


def _fail():
    raise PluginError("broken")


@pytest.mark.parametrize("suffix", [".rv", ".nir"])
def test_graphs_are_written_and_read_by_ending(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"

    write(network(), path)

    assert read(path) == network()


def test_content_decides_over_the_ending(tmp_path):
    save(network(), tmp_path / "a.rv")
    write_nir(network(), tmp_path / "b.nir")
    (tmp_path / "a.rv").rename(tmp_path / "a.nir")
    (tmp_path / "b.nir").rename(tmp_path / "b.dat")

    assert read(tmp_path / "a.nir") == network()
    assert read(tmp_path / "b.dat") == network()


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_events_are_written_and_read_by_ending(tmp_path, suffix):
    series = EventSeries.from_raster(np.eye(4, dtype=int), dt=1e-3)

    write(series, tmp_path / f"events{suffix}")

    assert len(read(tmp_path / f"events{suffix}")) == 4


def test_options_reach_the_format_and_unknown_ones_are_listed(tmp_path):
    write(network(), tmp_path / "net.nir")

    assert read(tmp_path / "net.nir", reset="to_value").nodes["lif"].reset == "to_value"
    with pytest.raises(InputError, match=r"NIR has no option time; known: dt, convention"):
        read(tmp_path / "net.nir", time=1)


def test_unknown_ending_lists_the_known_ones(tmp_path, plugin):
    (tmp_path / "x.foo").write_bytes(b"foo")

    for verb in (lambda: read(tmp_path / "x.foo"), lambda: write(network(), tmp_path / "x.foo")):
        with pytest.raises(FileError, match=r"'\.foo' is no known format.*\.rv, \.nir, \.bs1"):
            verb()


def test_missing_file_and_folder_are_named(tmp_path):
    for name, problem in (("no.nir", "does not exist"), (".", "is a folder")):
        with pytest.raises(FileError, match=problem):
            read(tmp_path / name)


def test_plugins_contribute_formats_and_a_broken_one_does_not_disturb(tmp_path, plugin):
    written = {}
    extra = Format("toy", (".toy",), lambda path, *, n=1: path.read_text() * n, written.__setitem__)
    plugin.ranvier_formats = lambda: (extra,)
    path = tmp_path / "x.toy"
    path.write_text("ab")

    write(7, path)

    assert read(path, n=2) == "abab"
    assert written == {7: path}


def test_plugin_that_returns_something_else_is_named(tmp_path, plugin):
    plugin.ranvier_formats = lambda: ("toy",)
    (tmp_path / "x.toy").write_text("ab")

    with pytest.raises(PluginError, match="'toy': ranvier_formats returned a str"):
        read(tmp_path / "x.toy")


def test_one_way_formats_say_so(tmp_path, plugin):
    plugin.ranvier_formats = lambda: (Format("toy", (".toy",)),)
    (tmp_path / "x.toy").write_text("ab")

    with pytest.raises(FileError, match="can be written but not read"):
        read(tmp_path / "x.toy")
    with pytest.raises(FileError, match="can be read but not written"):
        write(1, tmp_path / "x.toy")


def test_formats_lists_the_core_without_plugins():
    assert [f.name for f in formats()] == ["ranvier", "NIR", "events"]
