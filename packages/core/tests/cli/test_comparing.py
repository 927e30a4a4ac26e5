import json

import numpy as np
import pytest

import ranvier
from ranvier.cli import exits
from ranvier.cli.comparing import target_options
from ranvier.errors import InputError


@pytest.fixture
def labels_file(tmp_path):
    path = tmp_path / "labels.npy"
    np.save(path, np.array([0, 1, 0]))
    return path


def test_the_command_prints_what_the_library_finds(
    cli, chip, network_file, graph, spikes, spikes_file, labels_file
):
    result = cli("compare", network_file, "--input", spikes_file, "--labels", labels_file)

    found = ranvier.compare(graph, "all", spikes, [0, 1, 0])[chip]
    assert result.code == 0, result.err
    row = next(line for line in result.out.splitlines() if line.startswith(chip))
    assert f"{found.accuracy:.4g}" in row
    assert str(found.first_difference or "none") in row
    assert "3 samples x 20 steps" in result.out
    assert "\x1b" not in result.out


def test_json_is_one_document(cli, chip, network_file, spikes_file):
    result = cli("compare", network_file, "-i", spikes_file, "--json")

    document = json.loads(result.out)
    assert document["kind"] == "comparison"
    assert [t["target"] for t in document["targets"]] == [chip]
    assert document["source"] == "as given"
    assert result.err == ""


def test_without_input_it_says_what_was_drawn(cli, chip, network_file):
    result = cli("compare", network_file, "--samples", 2, "--steps", 9, "--seed", 5, "--rate", 50)

    assert "Poisson spikes of 50 Hz per channel, drawn with seed 5; 2 samples x 9" in result.out


def test_targets_are_named_with_commas_or_repeatedly(cli, chip, network_file, spikes_file):
    for words in (["-t", f"reference,{chip}"], ["-t", "reference", "-t", chip]):
        document = json.loads(cli("compare", network_file, "-i", spikes_file, *words, "--json").out)

        assert [t["target"] for t in document["targets"]] == ["reference", chip]


def test_a_target_that_did_not_run_fails_a_wanted_agreement(cli, chip, network_file, spikes_file):
    words = ("compare", network_file, "-i", spikes_file, "-t", "reference,nothing")

    assert cli(*words).code == exits.OK
    assert cli(*words, "--min-agreement", 0.5).code == exits.DISAGREEMENT
    assert cli(*words[:-1], "reference", "--min-agreement", 1).code == exits.OK


def test_if_nothing_ran_the_command_failed(cli, network_file, spikes_file):
    result = cli("compare", network_file, "-i", spikes_file, "-t", "nothing")

    assert result.code == exits.FAILED
    assert "no installed plugin offers the target 'nothing'" in result.out


def test_options_reach_their_target(cli, chip, network_file, spikes_file):
    result = cli(
        *("compare", network_file, "-i", spikes_file, "-t", "reference"),
        *("--option", "reference.graded-input=true", "--json"),
    )

    chosen = json.loads(result.out)["provenance"]["target_options"]
    assert chosen == {"reference": {"graded_input": True}}


def test_an_unknown_option_is_an_error(cli, chip, network_file, spikes_file):
    result = cli("compare", network_file, "-i", spikes_file, "--option", f"{chip}.nonsense=1")

    assert result.code == exits.FAILED
    assert "has no option nonsense" in result.err


def test_options_keep_points_in_the_names_of_targets():
    assert target_options(["chip-1.5.seed=3", "chip-1.5.mode=fast", "x.y=[1, 2]"]) == {
        "chip-1.5": {"seed": 3, "mode": "fast"},
        "x": {"y": [1, 2]},
    }


@pytest.mark.parametrize("text", ["seed=3", "chip.seed", ".seed=3", "chip.=3"])
def test_an_option_of_another_form_is_refused(text):
    with pytest.raises(InputError, match=r"write TARGET\.NAME=VALUE"):
        target_options([text])


def test_labels_that_are_no_list_are_refused(cli, chip, network_file, spikes_file, tmp_path):
    np.savez(tmp_path / "two.npz", a=np.zeros(3, int), b=np.zeros(3, int))

    result = cli("compare", network_file, "-i", spikes_file, "--labels", tmp_path / "two.npz")

    assert "one array of integers as .npy" in result.err
