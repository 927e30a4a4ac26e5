import json

import pytest

import ranvier
from ranvier.plugins import manager


def test_show_prints_nodes_of_a_network(cli, network_file):
    result = cli("show", network_file)

    assert result.code == 0
    assert "hidden" in result.out
    assert "CubaLIF" in result.out


def test_show_in_json_tells_kind_hash_and_arrays(cli, graph, network_file):
    document = json.loads(cli("show", network_file, "--json").out)

    assert document["kind"] == "graph"
    assert document["hash"] == graph.content_hash
    assert document["arrays"]["nodes/fc/weight"] == {"shape": [6, 4], "dtype": "float64"}


def test_show_works_without_the_plugin_of_the_file(cli, config_file, monkeypatch):
    monkeypatch.setenv("RANVIER_CHIPS", "")
    manager().refresh()

    result = cli("show", config_file)

    assert result.code == 0
    assert "config for cli-chip" in result.out
    assert "the header only" in result.err


def test_devices_of_a_plugin_without_a_driver_are_none(cli, chip):
    assert "no device is attached" in cli("devices", "-t", chip).out
    assert json.loads(cli("devices", "-t", chip, "--json").out) == {"devices": []}


def test_a_plugin_without_estimates_says_so(cli, config_file):
    assert "gives no estimates" in cli("estimate", config_file).out


def test_estimates_are_printed_with_unit_and_source(cli, config_file, monkeypatch):
    figures = {"clock": {"value": 1.5e6, "unit": "Hz", "source": "cycle model"}, "cores": 2}
    monkeypatch.setattr("ranvier.pipeline.estimate", lambda *a, **k: figures)

    text = cli("estimate", config_file).out
    document = json.loads(cli("estimate", config_file, "--json").out)

    assert ["clock", "1.5e+06", "Hz", "cycle", "model"] in [s.split() for s in text.splitlines()]
    assert document["estimates"] == figures


def test_diagnostics_lists_the_codes_of_core_and_plugins_once(cli, chip):
    codes = [c["code"] for c in json.loads(cli("diagnostics", "--json").out)["codes"]]

    assert {"CORE001", "CLI001", "CLI101"} <= set(codes)
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("command", "stem"), [("simulate", "net"), ("quantize", "net"), ("build", "config")]
)
def test_a_file_of_the_wrong_kind_says_which_command_makes_the_right_one(
    cli, chip, network_file, config_file, spikes_file, tmp_path, command, stem
):
    extra = {"simulate": [spikes_file], "quantize": [], "build": ["-t", chip]}[command]

    result = cli(command, tmp_path / f"{stem}.rv", *extra)

    assert result.code == 1
    assert "this command needs a" in result.err
    assert "make one with `ranvier" in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["missing.rv", "missing.nir", "."])
def test_a_missing_file_or_a_directory_is_one_line(cli, chip, tmp_path, name):
    result = cli("show", tmp_path / name)

    assert result.code == 1
    assert str(tmp_path) in result.err
    assert len(result.err.splitlines()) == 1


def test_a_file_that_is_no_container_is_one_line(cli, tmp_path):
    (tmp_path / "junk.rv").write_bytes(b"junk")

    result = cli("show", tmp_path / "junk.rv")

    assert result.code == 1
    assert "junk.rv" in result.err
    assert len(result.err.splitlines()) == 1


def test_a_nir_file_without_a_time_step_asks_for_one(cli, tmp_path):
    nir = pytest.importorskip("nir")
    import numpy as np

    neuron = nir.LIF(
        tau=np.array([5e-3, 7e-3]), r=np.ones(2), v_leak=np.zeros(2), v_threshold=np.ones(2)
    )
    nodes = {
        "input": nir.Input(input_type={"input": np.array([2])}),
        "lif": neuron,
        "output": nir.Output(output_type={"output": np.array([2])}),
    }
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, [("input", "lif"), ("lif", "output")]))

    result = cli("show", tmp_path / "net.nir")

    assert result.code == 1
    assert "dt" in result.err
    assert len(result.err.splitlines()) == 1
    assert cli("show", tmp_path / "net.nir", "--dt", "1e-3").code == 0


def test_a_written_network_can_be_read_by_the_library(graph, network_file):
    assert ranvier.load(network_file) == graph


def test_show_prints_the_summary_of_a_configuration_whose_plugin_is_installed(cli, config_file):
    result = cli("show", config_file)

    assert result.code == 0
    assert str(ranvier.load(config_file)) in result.out
    assert result.err == ""


def test_a_device_file_is_not_read_as_an_array(cli, config_file, tmp_path):
    endless = tmp_path / "spikes.npy"
    endless.symlink_to("/dev/zero")

    result = cli("simulate", config_file, endless)

    assert result.code == 1
    assert "is a device or a pipe" in result.err
