"""Errors on the command line: one line, then the diagnostics; a traceback only on request."""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer

from ..diagnostics import Diagnostic
from ..errors import RanvierError
from . import exits
from .entry import output_failed


def guarded(command: Callable[..., Any]) -> Callable[..., None]:
    """Wrap the function of a command so that it ends with an exit code and no traceback.

    A returned integer becomes the exit code. With ``--json`` an error is also printed as a document
    with the key ``error``.
    """

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        try:
            code = command(**arguments)
        except KeyboardInterrupt:
            print("ranvier: interrupted", file=sys.stderr)
            code = exits.INTERRUPTED
        except BrokenPipeError:
            code = exits.PIPE_CLOSED
        except (typer.Exit, typer.BadParameter):
            raise
        except Exception as error:
            if output_failed(error):
                raise
            code = report_error(error, as_json=bool(arguments.get("as_json")))
        if code:
            raise typer.Exit(code)

    run.__signature__ = inspect.signature(command, eval_str=True)  # type: ignore[attr-defined]
    return run


def report_error(error: Exception, *, as_json: bool = False) -> int:
    """Print an error and return its exit code.

    Parameters
    ----------
    error : Exception
        What was raised.
    as_json : bool
        Whether stdout gets the error as a document, for programs.
    """
    code = exit_code_of(error)
    diagnostics: tuple[Diagnostic, ...] = getattr(error, "diagnostics", ())
    if os.environ.get("RANVIER_DEBUG", "") not in ("", "0"):
        traceback.print_exception(error, file=sys.stderr)
    headline = _headline(error, diagnostics)
    print(f"ranvier: {headline}", file=sys.stderr)
    for diagnostic in diagnostics:
        print(f"  {_one_line(str(diagnostic))}", file=sys.stderr)
    if as_json:
        document = {
            "type": type(error).__name__,
            "message": headline,
            "exit_code": code,
            "diagnostics": [d.to_dict() for d in diagnostics],
        }
        print(json.dumps({"error": document}, indent=2))
    return code


def exit_code_of(error: Exception) -> int:
    """Return the exit code of an error: losses are told apart from real failures."""
    if isinstance(error, MemoryError):
        return exits.FAILED
    if not isinstance(error, RanvierError):
        return exits.BUG
    diagnostics: tuple[Diagnostic, ...] = getattr(error, "diagnostics", ())
    if diagnostics and all(d.severity == "loss" for d in diagnostics):
        return exits.LOSSES
    return exits.FAILED


def _headline(error: Exception, diagnostics: tuple[Diagnostic, ...]) -> str:
    if isinstance(error, MemoryError):
        what = _one_line(str(error)) or "no figure given"
        return f"not enough memory ({what}); give shorter input, a smaller batch or a larger dt"
    if not isinstance(error, RanvierError):
        return (
            f"unexpected {type(error).__name__}: {_one_line(str(error))}; please report it "
            "(RANVIER_DEBUG=1 shows the traceback)"
        )
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].rstrip(":") if diagnostics else _one_line(str(error))


def _one_line(text: str) -> str:
    return " ".join(text.split())
