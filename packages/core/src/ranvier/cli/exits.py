"""Exit codes of the command line."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
LOSSES = 3
DISAGREEMENT = 4
BUG = 70
INTERRUPTED = 130
PIPE_CLOSED = 141

MEANINGS = {
    OK: "success",
    FAILED: "failed, as the message says",
    USAGE: "wrong usage of a command or option",
    LOSSES: "numbers would change and --strict was given",
    DISAGREEMENT: "a target agrees less than asked, or did not run",
    BUG: "unexpected error (RANVIER_DEBUG=1 shows the traceback)",
    INTERRUPTED: "interrupted, every file is whole",
    PIPE_CLOSED: "reader of the output went away",
}
"""What each exit code means; the documentation is generated from it."""
