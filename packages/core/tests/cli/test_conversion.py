import json

import numpy as np
import pytest

import ranvier
from ranvier.errors import DeviceError
from ranvier.events import EventSeries, read_events, write_events


def test_a_network_goes_to_nir_and_back(cli, graph, network_file, tmp_path):
    assert cli("convert", network_file, tmp_path / "net.nir").code == 0
    assert cli("convert", tmp_path / "net.nir", tmp_path / "back.rv").code == 0

    back = ranvier.load(tmp_path / "back.rv")
    np.testing.assert_allclose(back.nodes["fc"].weight, graph.nodes["fc"].weight)
    assert back.dt == graph.dt


def test_events_change_their_format(cli, tmp_path):
    series = EventSeries([1e-3, 2e-3], [0, 3], shape=4, t_stop=5e-3)
    write_events(series, tmp_path / "in.npz")

    result = cli("convert", tmp_path / "in.npz", tmp_path / "out.bs1", "--json")

    assert json.loads(result.out)["kind"] == "events"
    np.testing.assert_allclose(read_events(tmp_path / "out.bs1").times, series.times)


def test_a_recording_becomes_arrays(cli, config_file, spikes_file, tmp_path):
    cli("simulate", config_file, spikes_file, "-o", tmp_path / "rec.rv")

    assert cli("convert", tmp_path / "rec.rv", tmp_path / "rec.npz").code == 0

    with np.load(tmp_path / "rec.npz") as arrays:
        assert "out.spikes" in arrays


def test_a_file_is_not_converted_onto_itself(cli, network_file):
    before = network_file.read_bytes()

    result = cli("convert", network_file, network_file)

    assert result.code == 1
    assert "the source itself" in result.err
    assert network_file.read_bytes() == before


def test_flags_of_nir_are_refused_for_files_that_state_everything(cli, network_file, tmp_path):
    result = cli("convert", network_file, tmp_path / "x.rv", "--dt", "1e-3")

    assert result.code == 1
    assert "--dt" in result.err


@pytest.fixture
def exporting(chip, monkeypatch):
    """Give the generated plugin an export."""
    import importlib

    from ranvier.plugins import hookimpl

    module = importlib.import_module("ranvier_cli_chip.plugin")

    @hookimpl
    def ranvier_export(config, directory, form):
        if form == "vendor":
            raise DeviceError("no SDK")
        if form != "ram":
            return None
        path = directory / "ram.txt"
        path.write_text(f"{config.weights[0]}\n")
        return [path]

    monkeypatch.setattr(module, "ranvier_export", ranvier_export, raising=False)


def test_export_writes_the_form_of_the_plugin(cli, exporting, config_file, tmp_path):
    result = cli("export", config_file, tmp_path / "ram", "--form", "ram", "--json")

    assert result.code == 0, result.err
    assert json.loads(result.out)["files"] == [str(tmp_path / "ram" / "ram.txt")]
    assert (tmp_path / "ram" / "ram.txt").exists()


def test_a_form_that_the_plugin_does_not_have_is_an_error(cli, config_file, tmp_path):
    result = cli("export", config_file, tmp_path / "ram", "--form", "punch-cards")

    assert result.code == 1
    assert "punch-cards" in result.err
    assert not (tmp_path / "ram").exists()


def test_what_nir_cannot_hold_is_told_when_a_network_is_converted(cli, network_file, tmp_path):
    text = cli("convert", network_file, tmp_path / "net.nir")
    document = json.loads(cli("convert", network_file, tmp_path / "net.nir", "--json").out)

    assert text.code == 0
    assert "CORE002 loss: node 'hidden': NIR states no reset by subtraction" in text.err
    assert "CORE002" in {d["code"] for d in document["diagnostics"]}


def test_an_export_that_fails_leaves_no_folder(cli, exporting, config_file, tmp_path):
    result = cli("export", config_file, tmp_path / "new", "--form", "vendor")

    assert result.code == 1
    assert "no SDK" in result.err
    assert not (tmp_path / "new").exists()
