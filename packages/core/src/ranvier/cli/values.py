"""How the text of a command-line option becomes the value of a field."""

from __future__ import annotations

import enum
import json
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_SCALARS = (bool, int, float, str, Path)
_SEQUENCES = (list, tuple, set, frozenset, Sequence)
_DATA_FILES = (".npy", ".npz", ".bs1", ".bs2", ".rv")


@dataclass(frozen=True)
class Kind:
    """How one field is given on the command line.

    Parameters
    ----------
    type : type
        What typer parses: a scalar type, an enumeration, or a list of scalars.
    convert : callable
        From what typer parsed to what the field takes.
    metavar : str or None
        Placeholder in the help; None takes typer's.
    """

    type: Any
    convert: Callable[[Any], Any]
    metavar: str | None = None


def kind_of(annotation: Any) -> Kind:
    """Choose how a field of this type is given.

    Scalars, literals and lists of scalars get typed flags. Everything else is a JSON value, or a
    data file (arrays, events, a recording) for fields that hold arrays.

    Parameters
    ----------
    annotation : type
        Annotation of the field, without pydantic's notes.
    """
    plain = _without_none(_without_notes(annotation))
    if plain in _SCALARS:
        return Kind(plain, _identity)
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        return Kind(plain, _identity)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin is Literal:
        return _choice(arguments)
    if origin in _SEQUENCES and arguments and _homogeneous(arguments):
        return Kind(list[arguments[0]], list)  # type: ignore[valid-type]
    return Kind(str, value_of_text, "JSON|FILE")


def value_of_text(text: str) -> Any:
    """Return the value that a text stands for: a data file's content, JSON, or the text itself."""
    if text.lower().endswith(_DATA_FILES):
        from .spikes import read_arrays

        return read_arrays(Path(text))
    try:
        return json.loads(text)
    except ValueError:
        return text


def _choice(values: tuple[Any, ...]) -> Kind:
    by_text = {str(value): value for value in values}
    choice = enum.Enum("Choice", {text: text for text in by_text}, type=str)  # type: ignore[misc]
    return Kind(choice, lambda chosen: by_text[chosen.value])


def _homogeneous(arguments: tuple[Any, ...]) -> bool:
    first, *rest = arguments
    return first in _SCALARS and first is not bool and all(r in (first, ...) for r in rest)


def _without_notes(annotation: Any) -> Any:
    if typing.get_origin(annotation) is typing.Annotated:
        return _without_notes(typing.get_args(annotation)[0])
    return annotation


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        others = [a for a in typing.get_args(annotation) if a is not type(None)]
        if len(others) == 1:
            return _without_notes(others[0])
    return annotation


def _identity(value: Any) -> Any:
    return value
