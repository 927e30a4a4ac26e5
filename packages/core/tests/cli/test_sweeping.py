import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import ranvier
from ranvier.sweeps import read_results


@pytest.fixture
def swept(cli, network_file, spikes_file, chip):
    """Return a function that sweeps the network on the generated plugin, in this process."""

    def run(*arguments, target=("--target", chip)):
        where = () if "--executor" in arguments else ("--executor", "inline")
        return cli("sweep", network_file, *target, "--input", spikes_file, *where, *arguments)

    return run


def test_json_holds_the_table_that_the_library_gives(swept, graph, chip, spikes):
    result = swept("--vary", "quantize.headroom=0.5,1.0", "--vary", "trial_seed=0:3", "--json")

    expected = ranvier.sweep(
        graph,
        chip,
        spikes,
        vary={"quantize.headroom": [0.5, 1.0], "trial_seed": range(3)},
        executor="inline",
    )
    document = json.loads(result.out)
    assert result.code == 0, result.err
    assert document["kind"] == "sweep"
    assert document["rows"] == [dict(row) for row in expected.rows]
    assert document["summary"]["spikes"]["n"] == 6


def test_rows_are_shown_and_kept(swept, tmp_path):
    path = tmp_path / "sweep.jsonl"

    result = swept("--vary", "trial_seed=[3, 5]", "--results", path)

    assert result.code == 0, result.err
    assert "TRIAL_SEED" in result.out
    assert f"kept in {path}" in result.out
    assert read_results(path)["trial_seed"].tolist() == [3, 5]


def test_labels_give_the_accuracy(swept, tmp_path):
    np.save(tmp_path / "labels.npy", np.array([0, 1, 1]))

    result = swept("--vary", "trial_seed=0:2", "--labels", tmp_path / "labels.npy", "--json")

    assert "accuracy" in json.loads(result.out)["results"]


def test_a_configuration_and_threads_do_too(cli, config_file, spikes_file):
    result = cli(
        *("sweep", config_file, "--input", spikes_file, "--vary", "trial_seed=0:4:2"),
        *("--executor", "threads", "--workers", 2, "--json"),
    )

    assert [row["trial_seed"] for row in json.loads(result.out)["rows"]] == [0, 2]


@pytest.mark.parametrize(
    ("vary", "advice"),
    [
        ("trial_seed", "expected VERB.OPTION=VALUES"),
        ("quantize.speed=1", "known options"),
        ("trial_seed=[1", "no JSON list"),
        ("trial_seed=0:4:0", "step 0"),
        ("trial_seed=5:5", "no value"),
    ],
)
def test_a_wrong_axis_is_one_line_with_advice(swept, vary, advice):
    result = swept("--vary", vary)

    assert result.code == 1
    assert advice in result.err
    assert len(result.err.splitlines()) == 1


def test_the_results_of_another_sweep_are_refused(swept, tmp_path):
    path = tmp_path / "sweep.jsonl"
    swept("--vary", "trial_seed=0:2", "--results", path)

    result = swept("--vary", "trial_seed=0:3", "--results", path)

    assert result.code == 1
    assert "belongs to another sweep: vary differ" in result.err


def test_an_unknown_kind_of_executor_is_refused(swept):
    result = swept("--vary", "trial_seed=0:2", "--executor", "cloud")

    assert result.code == 1
    assert "'processes', 'threads', 'inline'" in result.err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
def test_ctrl_c_ends_with_its_code_and_keeps_rows(
    process, package, network_file, spikes_file, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(package))
    monkeypatch.setenv("RANVIER_CHIPS", "cli-chip")
    path = tmp_path / "sweep.jsonl"
    call = ["sweep", network_file, "--target", "cli-chip", "--input", spikes_file, "--workers", "2"]
    call += ["--vary", "trial_seed=0:200000", "--results", path]
    command = [sys.executable, "-m", "ranvier.cli", *map(str, call)]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while not path.exists() or path.read_bytes().count(b"\n") < 3:
        assert time.monotonic() < end, "no rows came"
        time.sleep(0.02)

    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)

    assert program.returncode == 130
    assert errors == "ranvier: interrupted\n"
    assert 0 < len(read_results(path)) < 200000
