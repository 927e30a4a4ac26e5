"""The vendor's SDK: found without importing its placeholder, its errors turned into ours."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ranvier.errors import DeviceError, MissingDependencyError, RanvierError

SDK = "samna"
_ADVICE = (
    "install samna as SynSense's documentation describes, from SynSense's own package index; "
    "mapping, simulation and device='loopback' need no SDK"
)


def load_sdk() -> Any:
    """Return the SDK.

    Raises
    ------
    MissingDependencyError
        It is not installed, or only the placeholder of the public package index is.
    DeviceError
        It is installed but cannot be imported.

    Notes
    -----
    The package of that name on the public index holds no SDK: importing it runs pip against
    another index. It is told apart by its files: the SDK has a compiled extension module.
    """
    if SDK in sys.modules:
        return sys.modules[SDK]
    problem = sdk_problem()
    if problem:
        raise MissingDependencyError(problem, name=SDK)
    try:
        return importlib.import_module(SDK)
    except Exception as error:
        raise DeviceError(
            f"dynapse2: {SDK} is installed but cannot be imported ({error}); reinstall it"
        ) from error


def sdk_problem() -> str:
    """Return why there is no usable SDK, or an empty string; nothing is imported."""
    if SDK in sys.modules:
        return ""
    spec = importlib.util.find_spec(SDK)
    if spec is None:
        return f"dynapse2: the vendor's SDK {SDK} is not installed; {_ADVICE}"
    if not _has_compiled_module(spec):
        return (
            f"dynapse2: the installed {SDK} is the public index's placeholder, which runs pip when "
            f"it is imported; remove it (pip uninstall {SDK}) and {_ADVICE}"
        )
    return ""


def _has_compiled_module(spec: importlib.machinery.ModuleSpec) -> bool:
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    if spec.origin and spec.origin.endswith(suffixes):
        return True
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    return any(path.name.endswith(suffixes) for folder in folders for path in folder.rglob("*"))


@contextmanager
def speaking(board: str, action: str) -> Iterator[None]:
    """Turn whatever the SDK raises during an action into one `DeviceError`.

    Parameters
    ----------
    board : str
        Id of the board, for the message.
    action : str
        What was being done: "applying the configuration".
    """
    try:
        yield
    except RanvierError:
        raise
    except Exception as error:
        raise DeviceError(
            f"{board}: {action} failed: {error or type(error).__name__}; check cable and power of "
            "the board, then open it again"
        ) from error
