"""Plain values and hashes: what a table shows, and what tells two sweeps apart."""

from __future__ import annotations

import functools
import hashlib
import inspect
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..graph import payload_hash


def plain(value: Any) -> Any:
    """Return a value in JSON's types, exactly.

    Parameters
    ----------
    value : scalar, text, array, sequence, mapping or None
        Numpy's types become Python's, tuples and arrays lists, paths text.

    Raises
    ------
    TypeError
        Something else.
    """
    if isinstance(value, np.generic | np.ndarray):  # before floats: one of numpy's is a float too
        return plain(value.tolist())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | range):
        return [plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)


def fingerprint(value: Any) -> Any:
    """Return a JSON-able stand-in that differs where values differ: arrays become their hash."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return {"sha256": payload_hash({"array": value}, {})}
    if isinstance(value, list | tuple):
        return [fingerprint(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): fingerprint(item) for key, item in value.items()}
    try:
        return plain(value)
    except TypeError:
        return {"sha256": hashlib.sha256(pickle.dumps(value)).hexdigest()}


def describe_function(function: Callable[..., Any]) -> Any:
    """Return a JSON-able stand-in of a function: its name, its source's hash, what it binds."""
    if isinstance(function, functools.partial):
        bound = fingerprint([function.args, function.keywords])
        return {"partial": describe_function(function.func), "bound": bound}
    if not inspect.isroutine(function):
        return {"object": type(function).__qualname__, "state": fingerprint(vars(function))}
    name = f"{function.__module__}.{function.__qualname__}"
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return {"function": name}
    return {"function": name, "source": hashlib.sha256(source.encode()).hexdigest()}
