import pytest
import typer

from ranvier.cli.failure import exit_code_of, guarded
from ranvier.diagnostics import CHANGED_VALUE, GUESSED_VALUE, UNEQUAL_LATENCY, DiagnosticCode
from ranvier.errors import DeviceError, FileError, MappingError

TOO_BIG = DiagnosticCode("T001", "error", "Too big.")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileError("no"), 1),
        (MappingError("bad", [TOO_BIG.at("a", "is big"), CHANGED_VALUE.at("b", "x")]), 1),
        (MappingError("lossy", [CHANGED_VALUE.at("b", "x"), UNEQUAL_LATENCY.at("c", "y")]), 3),
        (MappingError("no findings"), 1),
        (DeviceError("busy"), 1),
        (MemoryError("114 PiB"), 1),
        (RuntimeError("surprise"), 70),
    ],
)
def test_the_exit_code_tells_losses_failures_and_bugs_apart(error, code):
    assert exit_code_of(error) == code


def _run(error, capsys, **arguments):
    def command(as_json: bool = False) -> None:
        """Fail."""
        raise error

    with pytest.raises(typer.Exit) as stop:
        guarded(command)(**arguments)
    return stop.value.exit_code, capsys.readouterr()


def test_an_error_is_one_line_even_if_its_message_has_several(capsys):
    code, captured = _run(FileError("first\n  second"), capsys)

    assert (code, captured.err, captured.out) == (1, "ranvier: first second\n", "")


def test_diagnostics_follow_the_line(capsys):
    error = MappingError("chip: 1 problem:\n  T001 ...", [TOO_BIG.at("a", "is 7", hint="cut")])

    _, captured = _run(error, capsys)

    assert captured.err.splitlines() == [
        "ranvier: chip: 1 problem",
        "  T001 error: node 'a': is 7 (cut)",
    ]


def test_an_unexpected_error_asks_for_a_report_and_has_no_traceback(capsys, monkeypatch):
    monkeypatch.delenv("RANVIER_DEBUG", raising=False)

    code, captured = _run(KeyError("x"), capsys)

    assert code == 70
    assert "Traceback" not in captured.err
    assert "RANVIER_DEBUG=1" in captured.err


def test_debugging_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("RANVIER_DEBUG", "1")

    _, captured = _run(FileError("no"), capsys)

    assert "Traceback" in captured.err
    assert captured.err.splitlines()[-1] == "ranvier: no"


def test_an_interrupt_exits_with_130(capsys):
    code, captured = _run(KeyboardInterrupt(), capsys)

    assert code == 130
    assert captured.err == "ranvier: interrupted\n"


def test_a_note_that_changes_nothing_is_no_loss():
    assert exit_code_of(MappingError("x", [GUESSED_VALUE.at(None, "y")])) == 1
