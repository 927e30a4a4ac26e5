"""One network on the targets of all installed chips, side by side."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv

BENCH = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "bench_compare.py"))
CHIPS = {"xylo", "loihi", "dynapse2", "bss2"}


@pytest.fixture(scope="module")
def graph():
    return BENCH["network"]()


@pytest.fixture(scope="module")
def data():
    return BENCH["data"](n_samples=16, n_steps=200)


@pytest.fixture(scope="module")
def found(graph, data):
    return rv.compare(graph, "all", *data, target_options=BENCH["OPTIONS"])


def test_the_network_is_within_the_limits_that_all_chips_share(graph):
    nonzero = {n: node.weight != 0 for n, node in graph.nodes.items() if hasattr(node, "weight")}
    into_second = nonzero["to_second"].sum(1) + nonzero["loop"].sum(1)

    assert [graph.nodes[n].size for n in ("input", "first", "second", "readout")] == [16, 48, 48, 8]
    assert into_second.max() <= 64
    assert nonzero["loop"].sum(0).max() <= 16


def test_every_target_of_every_chip_runs(found):
    chips = {rv.targets()[r.target].chip for r in found.targets}

    assert {r.target: r.reason for r in found.targets if r.status != "ran"} == {}
    assert chips >= CHIPS
    assert len(found.targets) == len([t for t in rv.targets() if t != "reference"])


def test_every_target_decides_like_the_reference(found):
    assert found.reference.accuracy == 1
    for report in found.targets:
        assert report.agreement >= 0.9, report.target
        assert report.spikes > 0


def test_every_layer_is_compared_on_every_target(found):
    for report in found.targets:
        assert [layer.node for layer in report.layers] == ["first", "second", "readout"]
        for layer in report.layers:
            assert layer.count_correlation > 0.7
            assert 0 < layer.van_rossum_relative < 1
        digital = rv.targets()[report.target].nature == "digital"
        assert (report.layer("first").membrane_snr or 0) > 5 or not digital
        assert report.utilisation.source
        assert report.config_hash


def test_the_first_layer_of_loihi_needs_its_latency_taken_out(found):
    layer = found["loihi2"].layer("first")

    assert layer.latency == 1
    assert layer.van_rossum_relative < 0.2


def test_energies_are_marked_as_estimates_with_their_source(found):
    known = [r.energy for r in found.targets if r.energy is not None]

    assert len(known) >= 4
    assert all(e.unit == "J" and e.value > 0 and e.source and e.certainty for e in known)


def test_results_are_identical_in_another_process(graph, data, found, tmp_path):
    rv.save(graph, tmp_path / "net.rv")
    np.save(tmp_path / "spikes.npy", data[0])
    np.save(tmp_path / "labels.npy", data[1])

    done = subprocess.run(
        [
            *(sys.executable, "-m", "ranvier.cli", "compare", "net.rv", "--targets", "all"),
            *("--input", "spikes.npy", "--labels", "labels.npy", "--min-agreement", "0.9"),
            *("--option", "xylo.approximate_reset=true", "--json"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)["targets"]
    for ours, other in zip(found.targets, theirs, strict=True):
        assert other["target"] == ours.target
        assert other["config_hash"] == ours.config_hash
        assert other["decisions"] == list(ours.decisions)
        assert [x["van_rossum"] for x in other["layers"]] == [x.van_rossum for x in ours.layers]


def test_without_the_option_xylo_is_skipped_and_says_what_to_do(graph, data):
    found = rv.compare(graph, ["xylo-audio3", "loihi2"], data[0])

    skipped = found["xylo-audio3"]
    assert skipped.status == "skipped"
    assert {d.code for d in skipped.diagnostics} == {"XY013"}
    assert "approximate_reset" in str(found)
    assert found["loihi2"].status == "ran"
