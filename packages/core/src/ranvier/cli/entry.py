"""Entry point of the console script: what needs no typer is answered before typer is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from . import exits

_LISTING_FLAGS = {"--json", "--check"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments after the program's name; None takes those of the process.

    Returns
    -------
    int
        Exit code, see `ranvier.cli.exits`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("ranvier: interrupted", file=sys.stderr)
        return exits.INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return exits.PIPE_CLOSED
    except OSError as error:
        if not output_failed(error):
            raise
        _silence_stdout()
        print(f"ranvier: the output cannot be written ({error.strerror})", file=sys.stderr)
        return exits.FAILED
    return code


def output_failed(error: Exception) -> bool:
    """Say whether an error comes from printing: the system refused, and no file is named."""
    return type(error) is OSError and error.strerror is not None and error.filename is None


def _run(arguments: list[str]) -> int:
    """Answer from the manifests when that is enough, else hand over to typer."""
    if "_RANVIER_COMPLETE" not in os.environ:
        if arguments[:1] == ["targets"] and set(arguments[1:]) <= _LISTING_FLAGS:
            from .listing import list_targets

            return list_targets(as_json="--json" in arguments, check="--check" in arguments)
        if arguments == ["--version"]:
            from .listing import version

            print(version())
            return exits.OK
    from .app import run

    return run(arguments)


def _open_closed_streams() -> None:
    """Give a process that was started with closed streams (``>&-``) a place to print to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush finds no closed pipe."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
    except (OSError, ValueError, AttributeError):
        return
