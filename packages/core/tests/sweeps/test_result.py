"""The table: columns, summary, text, equality."""

import json
import pickle

import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier.sweeps import SweepError, SweepResult
from ranvier.sweeps.job import Outcome

DEFINITION = {
    "target": "noisy",
    "seed": 0,
    "vary": [["quantize.method", ["a", "b"]], ["x.k", [1, 2]]],
}


def table(**outcomes):
    found = {
        0: Outcome(0, {"score": 1.0, "counts": [1, 2]}),
        1: Outcome(1, {"score": 3.0, "counts": [3, 4]}),
        3: Outcome(3, error="does not fit"),
    }
    return SweepResult(DEFINITION, found)


def test_columns_are_arrays_and_failed_rows_nan():
    found = table()

    assert found.columns == ("quantize.method", "x.k", "trial_seed", "score", "counts")
    assert found["quantize.method"].tolist() == ["a", "a", "b"]
    np.testing.assert_array_equal(found["score"], [1, 3, np.nan])
    np.testing.assert_array_equal(found["counts"], [[1, 2], [3, 4], [np.nan, np.nan]])


def test_ragged_columns_are_objects():
    outcomes = {0: Outcome(0, {"c": [1]}), 1: Outcome(1, {"c": [1, 2]})}

    assert SweepResult(DEFINITION, outcomes)["c"].tolist() == [[1], [1, 2]]


def test_an_unknown_column_lists_those_there_are():
    with pytest.raises(InputError, match=r"no column 'speed'; columns: .*score"):
        table()["speed"]


def test_the_summary_is_over_the_rows_that_ran():
    summary = table().summary()

    assert summary == {
        "score": {"n": 2, "mean": 2.0, "std": pytest.approx(2**0.5), "min": 1.0, "max": 3.0}
    }
    assert "score: 2 ± 1.4 (1 to 3)" in str(table())
    assert "3 of 4 rows, 1 failed" in str(table())


def test_what_is_missing_is_known():
    assert [(m["quantize.method"], m["x.k"]) for m in table().missing] == [("b", 1)]
    assert len(table()) == 3


def test_the_table_is_json():
    document = json.loads(json.dumps(table().to_dict()))

    assert document["rows"][2]["error"] == "does not fit"
    assert document["missing"] == 1


def test_tables_are_equal_by_content():
    assert table() == table()
    assert table() != SweepResult(DEFINITION, {})


def test_the_error_of_a_sweep_travels_between_processes():
    error = pickle.loads(pickle.dumps(SweepError("sweep: stopped", table())))

    assert error.result == table()
    assert str(error) == "sweep: stopped"
