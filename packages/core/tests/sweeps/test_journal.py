"""The file of results: whole lines, resumed by the same sweep only, read when unfinished."""

import json

import pytest

import ranvier as rv
from ranvier.errors import FileError
from ranvier.sweeps import SweepResult, read_results, worker

VARY = {"simulate.chip_seed": range(6), "simulate.noise": [0.0, 0.5]}


@pytest.fixture
def swept(measures, graph, spikes, tmp_path):
    """Return a function that sweeps into a file, and that file."""
    path = tmp_path / "sweep.jsonl"

    def run(**changes):
        settings = {"vary": VARY, "executor": "inline", "chunk": 2, "results": path, **changes}
        return rv.sweep(graph, "noisy", spikes, **settings)

    return run, path


def test_a_finished_file_holds_the_table(swept):
    run, path = swept
    table = run()

    assert read_results(path) == table
    assert table.missing == ()


def test_rows_in_the_file_do_not_run_again(swept, monkeypatch):
    run, path = swept
    table = run()
    monkeypatch.setattr(worker.pipeline, "simulate", None)

    assert run() == table
    assert read_results(path) == table


@pytest.mark.parametrize("lines", [1, 2, 4])
@pytest.mark.parametrize("torn", [b"", b'{"rows": [{"ind', b"\x00" * 40 + b"\n"])
def test_a_file_that_was_cut_off_is_read_and_completed(swept, lines, torn):
    run, path = swept
    table = run()
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:lines]) + torn)

    partial = read_results(path)
    resumed = run(executor="threads", chunk=1)

    assert len(partial) == 2 * (lines - 1)
    assert len(partial.missing) == 12 - len(partial)
    assert partial.rows == table.rows[: len(partial)]
    assert resumed == read_results(path) == table


def test_every_line_says_how_its_rows_were_run(swept):
    run, path = swept
    table = run()

    header, *lines = (json.loads(line) for line in path.read_text().splitlines())

    assert header["format"] == "ranvier.sweep"
    assert [len(line["rows"]) for line in lines] == [2] * 6
    entry = lines[1]["rows"][0]
    assert {**entry["parameters"], **entry["values"]} == dict(table.rows[entry["index"]])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"vary": {"simulate.chip_seed": range(6)}}, "vary"),
        ({"seed": 1}, "seed"),
        ({"labels": [0, 1, 2]}, "evaluate"),
        ({"options": {"quantize.gain": 2}}, "options"),
        ({"record": ["spikes"]}, "record"),
    ],
)
def test_the_file_of_another_sweep_is_refused_and_untouched(swept, change, what):
    run, path = swept
    run()
    before = path.read_bytes()

    with pytest.raises(FileError, match=f"another sweep: {what} differ.*another file"):
        run(**change)

    assert path.read_bytes() == before


def test_another_input_is_another_sweep(swept, graph, spikes):
    run, path = swept
    run()

    with pytest.raises(FileError, match="inputs differ"):
        rv.sweep(graph, "noisy", spikes + 1, vary=VARY, executor="inline", results=path)


def test_an_empty_file_is_a_new_one(swept):
    run, path = swept
    path.touch()

    assert run() == read_results(path)


@pytest.mark.parametrize("content", ["hello\n", '{"format": "nir"}\n', "[1]\n", "{"])
def test_a_file_of_something_else_is_refused_and_untouched(swept, content):
    run, path = swept
    path.write_text(content)

    with pytest.raises(FileError, match="no results of a sweep"):
        run()

    assert path.read_text() == content


def test_a_damaged_line_in_the_middle_is_named(swept):
    run, path = swept
    run()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"{}\n", *lines[3:]]))

    with pytest.raises(FileError, match="line 3 is damaged"):
        read_results(path)


def test_a_newer_file_says_what_to_do(swept):
    run, path = swept
    run()
    path.write_text(path.read_text().replace('"version": 1', '"version": 2', 1))

    with pytest.raises(FileError, match=r"version 2.*pip install --upgrade"):
        read_results(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"none\.jsonl"):
        read_results(tmp_path / "none.jsonl")


def test_failed_rows_are_kept(swept):
    run, path = swept
    table = run(vary={"map.limit": [3, 8]})

    assert read_results(path) == table
    assert "6 channels" in read_results(path).failed[0]["error"]


def test_a_saved_table_reads_back_and_is_a_file_to_go_on_from(swept, tmp_path):
    run, _ = swept
    table = run()
    table.save(tmp_path / "copy.jsonl")

    assert read_results(tmp_path / "copy.jsonl") == table
    assert run(results=tmp_path / "copy.jsonl") == table


def test_numbers_survive_exactly(swept):
    run, path = swept
    table = run(evaluate=odd_numbers)

    row = read_results(path).rows[0]
    assert repr(dict(row)) == repr(dict(table.rows[0]))
    assert row["third"] == 1 / 3
    assert row["endless"] == float("inf")
    assert isinstance(read_results(path), SweepResult)


def odd_numbers(recording):
    return {
        "third": 1 / 3,
        "endless": float("inf"),
        "none": float("nan"),
        "yes": True,
    }
