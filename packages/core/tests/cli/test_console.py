import json

import numpy as np

from ranvier.cli.console import Output, jsonable


def test_numbers_that_json_does_not_have_become_null():
    assert jsonable({"a": np.array([1.0, np.nan]), "b": float("inf")}) == {
        "a": [1.0, None],
        "b": None,
    }


def test_numpy_scalars_and_tuples_become_plain(capsys):
    Output(as_json=True).document({"n": np.int64(3), "shape": (np.int32(2),), "ok": np.bool_(True)})

    assert json.loads(capsys.readouterr().out) == {"n": 3, "shape": [2], "ok": True}


def test_brackets_in_cells_are_not_markup(capsys):
    Output().table(("A",), [("[red]x[/red]",)], title="T")

    assert "[red]x[/red]" in capsys.readouterr().out


def test_nothing_but_json_is_printed_for_programs(capsys):
    output = Output(as_json=True)

    output.text("hello")
    output.table(("A",), [(1,)], title="T")

    assert capsys.readouterr().out == ""


def test_progress_is_silent_where_stderr_is_no_terminal(capsys):
    with Output().progress("working"):
        pass

    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_progress_is_shown_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")

    with Output().progress("working"):
        pass

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "working" in captured.err
