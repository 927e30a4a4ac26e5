import dataclasses
import json
import os
import pickle
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.artifacts import ChipConfig, MappedNetwork, Placement, Recording, SpikeTrain, Trace
from ranvier.artifacts.config import Array, OutputChannel
from ranvier.diagnostics import LOST_FIELD
from ranvier.errors import ChipNotFoundError, FileError, InputError, PluginError
from ranvier.files import describe, load, save
from ranvier.graph import LIF, Graph, Linear
from ranvier.plugins import Catalogue, PluginManager
from ranvier.target import Target

rng = np.random.default_rng(0)


class ToyConfig(ChipConfig):
    """Registers of a chip that only exists here."""

    weights: Array
    shift: int


def graph(n=4, **metadata):
    nodes = [Linear(weight=rng.normal(size=(n, 3))), LIF(shape=(n,), tau_mem=0.02)]
    return Graph.sequential(nodes, dt=1e-3, metadata=metadata)


PLACEMENT = Placement.from_rows([("lif", np.arange(4), "hidden", np.arange(4))])
NOTE = LOST_FIELD.at("lif", "something was lost", value=3)


def mapped():
    arrays = {"weights": np.eye(3), "deep/er": np.arange(3, dtype=np.int16)}
    return MappedNetwork("toy", graph(), PLACEMENT, arrays, {"a": 1}, {"lif": 1}, (NOTE,))


def config(target="toy"):
    return ToyConfig(
        target=target,
        dt=1e-3,
        input_shapes={"input": (3,)},
        outputs=(OutputChannel(output="output", node="lif"),),
        placement=PLACEMENT,
        diagnostics=(NOTE,),
        weights=np.arange(12, dtype=np.int8).reshape(3, 4),
        shift=2,
    )


def recording():
    raster = rng.integers(0, 3, (2, 50, 4))
    signals = {
        ("lif", "spikes"): SpikeTrain.from_raster(raster, dt=1e-3),
        ("lif", "v_mem"): Trace(rng.normal(size=(2, 50, 4)).astype(np.float32), 1e-3),
    }
    return Recording(signals, 1e-3, {"output": ("lif", "spikes")}, np.array([50, 40]))


@pytest.fixture
def toy(monkeypatch):
    """An installed plugin with one target whose configuration class can be exchanged."""
    target = Target("toy", "toy", "ranvier-toy", "toy", "digital")
    plugin = SimpleNamespace(model=ToyConfig, migrate=lambda **kwargs: None)
    calls = {
        "ranvier_config_model": lambda **kwargs: plugin.model,
        "ranvier_migrate": lambda **kwargs: plugin.migrate(**kwargs),
    }
    known = PluginManager(Catalogue({"toy": target}, {"toy": "toy"}), wrappers=False)
    monkeypatch.setattr(known, "call", lambda hook, chip, **kwargs: calls[hook](**kwargs))
    monkeypatch.setattr("ranvier.plugins.manager", lambda: known, raising=False)
    return plugin


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "net.rv"
    save(graph(), path)
    return path


NOUNS = {"graph": graph, "mapped": mapped, "recording": recording}


@pytest.mark.parametrize("kind", NOUNS)
def test_nouns_come_back_with_the_same_content(tmp_path, kind):
    noun = NOUNS[kind]()
    path = tmp_path / "noun.rv"

    save(noun, path)
    back = load(path, kind=kind)

    assert type(back) is type(noun)
    assert back.content_hash == noun.content_hash


@pytest.mark.usefixtures("toy")
def test_configuration_comes_back_as_the_class_of_its_plugin(tmp_path):
    save(config(), tmp_path / "c.rv")

    assert load(tmp_path / "c.rv") == config()


def test_dtypes_shapes_and_byte_order_are_kept(tmp_path):
    arrays = {
        "bool": np.array([True, False]),
        "half": np.ones((2, 0, 3), np.float16),
        "big": np.arange(5, dtype=">i4"),
        "scalar": np.array(2 + 1j),
        "large": np.arange(100_000, dtype=np.uint8).reshape(100, 1000),
    }
    noun = dataclasses.replace(mapped(), arrays=arrays)

    save(noun, tmp_path / "m.rv")

    for name, values in load(tmp_path / "m.rv").arrays.items():
        assert (values.dtype, values.shape) == (arrays[name].dtype, arrays[name].shape)
        np.testing.assert_array_equal(values, arrays[name])


def test_large_arrays_are_compressed_and_all_are_checksummed(tmp_path):
    noun = dataclasses.replace(mapped(), arrays={"zeros": np.zeros(100_000), "few": np.ones(3)})

    save(noun, tmp_path / "m.rv")

    assert (tmp_path / "m.rv").stat().st_size < 60_000
    with h5py.File(tmp_path / "m.rv") as file:
        assert file["arrays/arrays/zeros"].compression == "gzip"
        assert file["arrays/arrays/zeros"].fletcher32
        assert file["arrays/arrays/few"].fletcher32


def test_the_same_content_gives_the_same_bytes(tmp_path):
    noun = graph()
    save(noun, tmp_path / "a.rv")
    save(noun, tmp_path / "b.rv")

    assert (tmp_path / "a.rv").read_bytes() == (tmp_path / "b.rv").read_bytes()


def test_describe_needs_no_plugin_and_shows_arrays_and_writers(tmp_path):
    save(config("nobody-has-this"), tmp_path / "c.rv")

    header = describe(tmp_path / "c.rv")

    assert (header.kind, header.target, header.schema_version) == ("config", "nobody-has-this", 1)
    assert header.content_hash == config("nobody-has-this").content_hash
    assert header.arrays["arrays/weights"] == ((3, 4), "int8")
    assert "ranvier" in header.writers
    assert "config for nobody-has-this" in str(header)


def test_configuration_without_its_plugin_says_what_to_install(tmp_path):
    save(config("nobody-has-this"), tmp_path / "c.rv")

    with pytest.raises(ChipNotFoundError, match=r"c\.rv.*nobody-has-this.*pip install.*show"):
        load(tmp_path / "c.rv")


def test_newer_schema_names_the_command_that_helps(tmp_path, toy, monkeypatch):
    monkeypatch.setattr(ToyConfig, "schema_version", 3)
    save(config(), tmp_path / "c.rv")
    monkeypatch.setattr(ToyConfig, "schema_version", 2)

    with pytest.raises(FileError, match=r"schema version 3.*up to 2.*--upgrade ranvier-toy"):
        load(tmp_path / "c.rv")


def test_older_schema_is_migrated_by_the_plugin(tmp_path, toy, monkeypatch):
    save(config(), tmp_path / "c.rv")
    monkeypatch.setattr(ToyConfig, "schema_version", 2)
    toy.migrate = lambda arrays, document, **kwargs: (arrays, {**document, "shift": 7})

    assert load(tmp_path / "c.rv").shift == 7


@pytest.mark.usefixtures("toy")
def test_older_schema_that_cannot_be_migrated_is_one_error(tmp_path, monkeypatch):
    save(config(), tmp_path / "c.rv")
    monkeypatch.setattr(ToyConfig, "schema_version", 2)

    with pytest.raises(FileError, match="has schema version 1, ranvier-toy has 2"):
        load(tmp_path / "c.rv")


def test_plugin_with_a_broken_hook_is_named(tmp_path, toy):
    save(config(), tmp_path / "c.rv")
    toy.model = dict

    with pytest.raises(PluginError, match="plugin 'toy'"):
        load(tmp_path / "c.rv")


def test_wrong_kind_says_what_it_is(saved):
    with pytest.raises(FileError, match="holds a graph, expected a recording"):
        load(saved, kind="recording")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (pickle.dumps(os.system), "pickle"),
        (pickle.dumps({"a": 1}, protocol=2), "pickle"),
        (b"hello", "does not begin like HDF5"),
    ],
)
def test_other_content_is_recognised_and_never_executed(tmp_path, content, problem):
    path = tmp_path / "x.rv"
    path.write_bytes(content)

    for reader in (load, describe):
        with pytest.raises(FileError, match=rf"x\.rv.*{problem}"):
            reader(path)


def test_zip_archive_folder_and_missing_file_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.rv", "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(1))

    for name, problem in (("z.rv", "zip"), (".", "not a regular file"), ("no.rv", "No such file")):
        with pytest.raises(FileError, match=problem):
            load(tmp_path / name)


def test_foreign_hdf5_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.rv", "w") as file:
        file["data"] = np.ones(3)

    with pytest.raises(FileError, match="HDF5 file but not a ranvier file"):
        load(tmp_path / "x.rv")


def test_a_file_of_a_plugin_with_its_own_reader_names_the_reader(tmp_path):
    with h5py.File(tmp_path / "x.rv", "w") as file:
        file.attrs["format"] = "ranvier-toy"
        file.attrs["kind"] = "toy.table"
        file.attrs["reader"] = "ranvier_toy.load_table"

    with pytest.raises(FileError, match=r"'toy\.table'.*ranvier_toy\.load_table\(path\)"):
        load(tmp_path / "x.rv")


@pytest.mark.parametrize("reader", [None, "", "run this; now", "a" * 3 + "\x1b[31m"])
def test_what_is_no_name_of_a_reader_is_not_shown(tmp_path, reader):
    with h5py.File(tmp_path / "x.rv", "w") as file:
        file.attrs["format"] = "ranvier-toy"
        if reader is not None:
            file.attrs["reader"] = reader

    with pytest.raises(FileError, match="HDF5 file but not a ranvier file"):
        load(tmp_path / "x.rv")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(saved, part):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * part)])

    with pytest.raises(FileError, match="truncated"):
        load(saved)


def rewritten(path, **header):
    """Change root attributes and make the header hash fit, as an attacker would."""
    from ranvier.files import _layout

    with h5py.File(path, "r+") as file:
        values = {n: v.decode() for n, v in file.attrs.items() if n != "header_hash"} | header
        for name, value in {**values, "header_hash": _layout.header_hash(values)}.items():
            file.attrs[name] = np.bytes_(value)


def test_newer_container_is_refused_with_advice(saved):
    rewritten(saved, container_version="2")

    with pytest.raises(FileError, match=r"container version 2.*upgrade ranvier"):
        load(saved)


def test_unknown_kind_is_refused(saved):
    rewritten(saved, kind="soul")

    with pytest.raises(FileError, match="holds a 'soul'"):
        load(saved)


def test_kind_that_does_not_fit_the_content_is_one_error(saved):
    rewritten(saved, kind="recording")

    with pytest.raises(FileError, match="holds no valid recording"):
        load(saved)


def test_altered_array_is_found_by_the_hash(saved):
    with h5py.File(saved, "r+") as file:
        file["arrays/nodes/lif/tau_mem"][...] = 0.03

    with pytest.raises(FileError, match="does not match its hash"):
        load(saved)


def test_altered_document_is_found_by_the_hash(saved):
    with h5py.File(saved, "r+") as file:
        text = file["document"][()]
        file["document"][...] = text.replace(b'"dt": 0.001', b'"dt": 0.002')

    with pytest.raises(FileError, match="does not match its hash"):
        load(saved)


def test_altered_header_is_found_by_its_own_hash(saved):
    with h5py.File(saved, "r+") as file:
        file.attrs["schema_version"] = np.bytes_("9")

    with pytest.raises(FileError, match="header does not match"):
        describe(saved)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[1]", '"\\ud800"'])
def test_broken_documents_are_one_error(saved, text):
    with h5py.File(saved, "r+") as file:
        del file["document"]
        data = text.encode()
        file.create_dataset("document", data=data, dtype=h5py.string_dtype("utf-8", len(data)))

    with pytest.raises(FileError):
        load(saved)


def _soft(file):
    file["arrays/x"] = h5py.SoftLink("/document")


def _external_link(file):
    file["arrays/x"] = h5py.ExternalLink("/etc/passwd", "/")


def _external_storage(file):
    file.create_dataset("arrays/x", (8,), "u1", external=[("/etc/passwd", 0, 8)])


def _virtual(file):
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (2,))
    file.create_virtual_dataset("arrays/x", layout)


def _loop(file):
    file["arrays/x"] = file["arrays"]


def _objects(file):
    data = np.array(["a", "b"], dtype=object)
    file.create_dataset("arrays/x", data=data, dtype=h5py.string_dtype())


def _references(file):
    file.create_dataset("arrays/x", data=file["document"].ref, dtype=h5py.ref_dtype)


def _ragged(file):
    file.create_dataset("arrays/x", (2,), dtype=h5py.vlen_dtype(np.float64))


def _compound(file):
    file["arrays/x"] = np.zeros(2, dtype=[("a", "f8"), ("b", "i4")])


def _named_type(file):
    file["arrays/x"] = np.dtype("f8")


def _empty(file):
    file["arrays/x"] = h5py.Empty("f8")


def _huge(file):
    file.create_dataset("arrays/x", (2**40,), "f8")


def _unfilled(file):
    file.create_dataset("arrays/x", (2**20,), "f8")


def _unfilled_chunks(file):
    file.create_dataset("arrays/x", (2**20,), "f8", chunks=(1024,), compression="gzip")


def _foreign_filter(file):
    file.create_dataset("arrays/x", data=np.zeros(4096), compression="lzf")


def _bomb(file):
    import zlib

    item = file.create_dataset("arrays/x", (16,), "u1", chunks=(16,), compression="gzip")
    item.id.write_direct_chunk((0,), zlib.compress(bytes(200 * 2**20), 9))


def _control_character(file):
    file["arrays/x\x07y"] = np.zeros(2)


def _dots(file):
    file["arrays/nodes/lif/.."] = np.zeros(2)


def _outside(file):
    file["elsewhere/x"] = np.zeros(2)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_soft, "SoftLink"),
        (_external_link, "ExternalLink"),
        (_external_storage, "another file"),
        (_virtual, "another file"),
        (_loop, "second name"),
        (_objects, "only plain numbers"),
        (_references, "only plain numbers"),
        (_ragged, "only plain numbers"),
        (_compound, "only plain numbers"),
        (_named_type, "not an array"),
        (_empty, "has no values"),
        (_huge, "the limit is"),
        (_unfilled, "the file holds 0"),
        (_unfilled_chunks, "the file holds 0"),
        (_foreign_filter, "only gzip"),
        (_bomb, "exceeds its declared 16 bytes"),
        (_control_character, "not allowed"),
        (_dots, "not allowed|damaged"),
        (_outside, "layout was altered"),
    ],
)
def test_hostile_files_are_refused_before_anything_is_read(saved, change, problem):
    with h5py.File(saved, "r+") as file:
        change(file)

    for reader in (load, describe):
        with pytest.raises(FileError, match=problem):
            reader(saved)


def test_size_limit_is_configurable_and_counts_all_arrays(tmp_path):
    save(mapped(), tmp_path / "m.rv")

    with pytest.raises(FileError, match=r"limit is 100; raise max_bytes"):
        load(tmp_path / "m.rv", max_bytes=100)


@given(st.integers(0, 2**32 - 1), st.integers(1, 255))
@settings(max_examples=50, deadline=None)
def test_any_changed_byte_is_harmless_or_one_error(tmp_path_factory, place, change):
    path = tmp_path_factory.mktemp("flip") / "net.rv"
    original = mapped()
    save(original, path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= change
    path.write_bytes(bytes(data))

    try:
        back = load(path)
    except FileError as error:
        outcome = str(error)
    else:
        outcome = back.content_hash
    assert outcome == original.content_hash or outcome.startswith(str(path))


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_interrupted_writing_leaves_the_previous_file_and_nothing_else(saved, monkeypatch, failure):
    before = saved.read_bytes()

    def half(self, data):
        with self.open("wb") as stream:
            stream.write(data[: len(data) // 2])
        raise failure

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises((FileError, KeyboardInterrupt)):
        save(graph(8), saved)

    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_file_size_limit_of_the_system_is_one_error(saved):
    before = saved.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        with pytest.raises(FileError, match="cannot be written"):
            save(graph(64), saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_missing_folder_is_one_error(tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        save(graph(), tmp_path / "no" / "net.rv")


def test_other_endings_are_refused_when_saving(tmp_path):
    with pytest.raises(FileError, match=r"name it net\.rv"):
        save(graph(), tmp_path / "net.nir")


@pytest.mark.parametrize("thing", [3, {"a": 1}, np.zeros(3)])
def test_other_things_are_refused_with_the_known_ones(tmp_path, thing):
    with pytest.raises(InputError, match="known: Graph, MappedNetwork"):
        save(thing, tmp_path / "x.rv")


def test_swapped_arguments_are_explained(tmp_path):
    with pytest.raises(InputError, match="the path comes last, got Graph"):
        save(tmp_path / "x.rv", graph())


@pytest.mark.parametrize(
    "arrays",
    [
        {"text": np.array(["a"])},
        {"objects": np.array([{}], dtype=object)},
        {"../x": np.zeros(2)},
        {"a": np.zeros(2), "a/b": np.zeros(2)},
    ],
    ids=["text", "objects", "path", "name used twice"],
)
def test_arrays_that_cannot_be_stored_are_one_error(tmp_path, arrays):
    noun = dataclasses.replace(mapped(), arrays=arrays)

    with pytest.raises(FileError, match=r"array (name )?'arrays/"):
        save(noun, tmp_path / "x.rv")

    assert not list(tmp_path.iterdir())


def test_notes_that_are_not_json_are_refused(tmp_path):
    with pytest.raises(FileError, match="not JSON"):
        save(graph(x={1, 2}), tmp_path / "x.rv")


def test_plugin_node_kinds_are_shown_without_the_plugin(tmp_path):
    """A graph whose node kind belongs to a plugin that is not installed."""
    noun = graph()
    arrays, document = noun.to_payload()
    document = json.loads(json.dumps(document).replace('"LIF"', '"elsewhere.LIF"'))
    foreign = Graph.from_payload(arrays, document)

    save(foreign, tmp_path / "g.rv")

    assert load(tmp_path / "g.rv") == foreign


def test_importing_files_loads_neither_h5py_nor_nir():
    code = (
        "import sys, ranvier.files; "
        "heavy = {'h5py', 'nir', 'torch', 'numba', 'matplotlib', 'scipy'}; "
        "sys.exit(bool(heavy & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_checkpoint_is_a_known_kind():
    from ranvier.files import KINDS

    assert KINDS == ("graph", "mapped", "config", "recording", "checkpoint")
