import json

import numpy as np
import pytest

import ranvier
from ranvier.diagnostics import CHANGED_VALUE, GUESSED_VALUE
from ranvier.graph import Graph


def test_build_writes_the_configuration_that_the_library_builds(
    cli, chip, graph, network_file, tmp_path
):
    out = tmp_path / "config.rv"

    result = cli("build", network_file, "-t", chip, "-o", out, "--headroom", "0.5")

    assert result.code == 0, result.err
    assert f"written to {out}" in result.out
    assert ranvier.load(out) == ranvier.build(graph, chip, headroom=0.5)


def test_map_and_quantize_give_what_build_gives(cli, chip, graph, network_file, tmp_path):
    mapped, config = tmp_path / "mapped.rv", tmp_path / "config.rv"

    assert cli("map", network_file, "-t", chip, "-o", mapped).code == 0
    assert cli("quantize", mapped, "-o", config).code == 0

    assert ranvier.load(config) == ranvier.build(graph, chip)


def test_without_out_nothing_is_written_and_it_says_so(cli, chip, network_file, tmp_path):
    result = cli("build", network_file, "-t", chip)

    assert "nothing was written" in result.out
    assert [p.name for p in tmp_path.iterdir()] == ["net.rv"]


def test_json_names_target_hash_and_file(cli, chip, graph, network_file, tmp_path):
    out = tmp_path / "config.rv"

    document = json.loads(cli("build", network_file, "-t", chip, "-o", out, "--json").out)

    assert document["target"] == chip
    assert document["kind"] == "config"
    assert document["hash"] == ranvier.build(graph, chip).content_hash
    assert document["file"] == str(out)


def test_quiet_prints_nothing(cli, chip, network_file):
    result = cli("build", network_file, "-t", chip, "--quiet")

    assert (result.code, result.out, result.err) == (0, "", "")


@pytest.fixture
def lossy_file(lossy_graph, tmp_path):
    path = tmp_path / "lossy.rv"
    ranvier.save(lossy_graph, path)
    return path


def test_losses_are_shown_and_are_no_failure(cli, chip, lossy_file):
    result = cli("build", lossy_file, "-t", chip)

    assert result.code == 0
    assert "CLI101 loss" in result.out


def test_strict_turns_losses_into_exit_code_3_and_writes_nothing(cli, chip, lossy_file, tmp_path):
    out = tmp_path / "config.rv"

    result = cli("build", lossy_file, "-t", chip, "--strict", "-o", out)

    assert result.code == 3
    assert "CLI101 loss" in result.err
    assert not out.exists()


def test_all_problems_of_a_network_follow_the_one_line_of_the_error(cli, chip, tmp_path):
    from ranvier.graph import LIF, Linear

    neuron = LIF(shape=(2,), tau_mem=5e-3, reset="to_value", refractory=2e-3)
    graph = Graph.sequential({"fc": Linear(weight=np.ones((2, 99))), "lif": neuron}, dt=1e-3)
    ranvier.save(graph, tmp_path / "bad.rv")

    result = cli("build", tmp_path / "bad.rv", "-t", chip)

    lines = result.err.splitlines()
    assert result.code == 1
    assert lines[0].startswith("ranvier: cli-chip: the network does not fit")
    assert [line.split()[0] for line in lines[1:]] == ["CLI004", "CLI004", "CLI002"]


def test_an_error_in_json_carries_the_diagnostics(cli, chip, tmp_path):
    from ranvier.graph import LIF, Linear

    neuron = LIF(shape=(2,), tau_mem=5e-3)
    graph = Graph.sequential({"fc": Linear(weight=np.ones((2, 99))), "lif": neuron}, dt=1e-3)
    ranvier.save(graph, tmp_path / "bad.rv")

    error = json.loads(cli("build", tmp_path / "bad.rv", "-t", chip, "--json").out)["error"]

    assert error["type"] == "ResourceError"
    assert error["exit_code"] == 1
    assert error["diagnostics"][0]["value"] == 99
    assert error["diagnostics"][0]["limit"] == 64


def test_an_option_out_of_the_range_of_the_plugin_is_a_usage_error(cli, chip, network_file):
    result = cli("build", network_file, "-t", chip, "--headroom", "2")

    assert result.code == 2
    assert "--headroom" in result.err


def test_a_file_for_another_target_is_refused(cli, chip, graph, tmp_path, monkeypatch):
    monkeypatch.delenv("RANVIER_CHIPS")
    from ranvier.plugins import manager

    manager().refresh()
    other = next(name for name in manager().targets if name != chip)
    path = tmp_path / "mapped.rv"
    ranvier.save(ranvier.map(graph, chip), path)

    result = cli("quantize", path, "--target", other)

    assert result.code == 1
    assert "leave --target out" in result.err


@pytest.fixture
def noted_file(graph, tmp_path):
    """Return a network whose file format made the reader change and guess something."""
    notes = [
        CHANGED_VALUE.at("fc", "the gain implies dt = 0.002 s").to_dict(),
        GUESSED_VALUE.at("out", "starts at 0").to_dict(),
    ]
    network = Graph(graph.nodes, graph.edges, dt=graph.dt, metadata={"diagnostics": notes})
    path = tmp_path / "noted.rv"
    ranvier.save(network, path)
    return path


@pytest.mark.parametrize("command", ["map", "build"])
def test_what_the_reader_changed_or_guessed_is_told(cli, chip, noted_file, command):
    result = cli(command, noted_file, "-t", chip)
    document = json.loads(cli(command, noted_file, "-t", chip, "--json").out)

    assert result.code == 0
    assert [line.split()[0] for line in result.err.splitlines()] == ["CORE003", "CORE001"]
    assert {"CORE003", "CORE001"} <= {d["code"] for d in document["diagnostics"]}
    assert cli(command, noted_file, "-t", chip, "--quiet").err == ""


@pytest.mark.parametrize("command", ["map", "build"])
def test_strict_refuses_what_the_reader_changed(cli, chip, noted_file, tmp_path, command):
    out = tmp_path / "out.rv"

    result = cli(command, noted_file, "-t", chip, "--strict", "-o", out)

    assert result.code == 3
    assert "the gain implies dt" in result.err
    assert "CORE001" not in result.err
    assert not out.exists()


def test_show_tells_what_the_reader_changed(cli, noted_file):
    assert "the gain implies dt" in cli("show", noted_file).err
