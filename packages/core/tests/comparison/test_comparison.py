import json
import pickle

import pytest

import ranvier as rv
from ranvier.cli.console import jsonable
from ranvier.comparison import table
from ranvier.errors import InputError


@pytest.fixture
def found(chips, graph, spikes, labels):
    options = {"late-2": {"full": True}}
    return rv.compare(graph, "all", spikes, labels, target_options=options)


def test_the_text_shows_targets_layers_reasons_and_losses(found):
    text = str(found)

    assert "6 samples x 40 steps of 0.001 s" in text
    assert any(line.split()[:2] == ["late-2", "skipped"] for line in text.splitlines())
    assert "LT002 error: node 'out': has 3 neurons" in text
    assert "late-1: LT001 loss: node 'out': is rough (use another chip)" in text
    assert "50.0% weights" in text
    assert "J (uncertain)" in text


def test_equal_losses_are_shown_once_with_their_targets(chips, graph, spikes):
    lines = table.losses(rv.compare(graph, "all", spikes))

    assert lines == ("late-1, late-2: LT001 loss: node 'out': is rough (use another chip)",)


def test_the_document_holds_everything_as_json(found):
    document = json.loads(json.dumps(jsonable(found.to_dict()), allow_nan=False))

    ran, skipped = document["targets"]
    assert ran["agreement"] == 1
    assert ran["layers"][0]["membrane_error"] == 0
    assert ran["layers"][0]["membrane_snr"] is None  # infinite
    assert ran["energy"]["source"]
    assert skipped["status"] == "skipped"
    assert document["provenance"]["trial_seed"] == 0
    assert len(document["provenance"]["graph"]) == 64


def test_a_comparison_travels_between_processes(found):
    assert pickle.loads(pickle.dumps(found)) == found


def test_targets_below_a_share_include_those_that_did_not_run(found):
    assert [r.target for r in found.below(0.5)] == ["late-2"]
    assert [r.target for r in found.below(1.0)] == ["late-2"]


def test_unknown_names_are_errors_that_list_the_known(found):
    with pytest.raises(InputError, match="late-1"):
        found["nothing"]
    with pytest.raises(InputError, match="hidden"):
        found["late-1"].layer("nothing")
