"""Which command and target a command line is about, known before typer parses it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from ..errors import RanvierError

OPTION_VERBS = {
    "map": ("map",),
    "quantize": ("quantize",),
    "build": ("map", "quantize"),
    "simulate": ("simulate",),
    "deploy": ("deploy",),
    "estimate": ("estimate",),
}
"""Verbs of the plugin whose options a command takes."""


def option_models(arguments: Sequence[str], *, lenient: bool) -> dict[str, type[BaseModel]]:
    """Return the options models of the command and target that a command line names.

    The target is the value of ``--target``, or what the first ``.rv`` file on the line is for.

    Parameters
    ----------
    arguments : sequence of str
        Arguments after the program's name.
    lenient : bool
        Whether a target that cannot be found gives no options instead of an error, as in shell
        completion and help.

    Raises
    ------
    RanvierError
        The target is not installed, its plugin is broken, or the file is unreadable.
    """
    verbs = OPTION_VERBS.get(arguments[0] if arguments else "", ())
    if not verbs:
        return {}
    try:
        target = _target_of(arguments[1:])
        return _models(target, verbs) if target is not None else {}
    except RanvierError:
        if lenient:
            return {}
        raise


def completed_words() -> list[str] | None:
    """Return the words of a line that the shell wants completed; None outside completion."""
    if not os.environ.get("_RANVIER_COMPLETE", "").startswith("complete"):
        return None
    for variable in ("_TYPER_COMPLETE_ARGS", "COMP_WORDS"):
        if variable in os.environ:
            text = os.environ[variable]
            try:
                return shlex.split(text)[1:]
            except ValueError:
                return text.split()[1:]
    return None


def _models(target: str, verbs: Sequence[str]) -> dict[str, type[BaseModel]]:
    from ..plugins import manager

    chip = manager().target(target)
    models = {
        verb: manager().call("ranvier_options", chip, verb=verb, target=chip) for verb in verbs
    }
    return {verb: model for verb, model in models.items() if model is not None}


def _target_of(arguments: Sequence[str]) -> str | None:
    for position, word in enumerate(arguments):
        if word in ("--target", "-t"):
            return arguments[position + 1] if position + 1 < len(arguments) else None
        if word.startswith("--target="):
            return word.partition("=")[2]
    files = (Path(word) for word in arguments if word.endswith(".rv"))
    return next((_target_in(path) for path in files if path.is_file()), None)


def _target_in(path: Path) -> str | None:
    from .inputs import header_of

    return header_of(path).target or None
