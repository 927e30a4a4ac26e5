"""Vendors' SDKs: found without importing a placeholder, their errors turned into ours.

For drivers of chip plugins. An SDK is a module that the user has; no package of ranvier needs it.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DeviceError, MissingDependencyError, RanvierError


@dataclass(frozen=True)
class VendorSdk:
    """An SDK whose name is taken by a placeholder on the public package index.

    The placeholder holds no SDK: importing it runs pip against another index. The SDK is told apart
    by its files: it has a compiled extension module.

    Parameters
    ----------
    name : str
        Module, ``"samna"``.
    chip : str
        Plugin that asks, for messages.
    advice : str
        How to get it, a sentence without capital and full stop.
    """

    name: str
    chip: str
    advice: str

    def problem(self) -> str:
        """Return why there is no usable SDK, or an empty string; nothing is imported."""
        if self.name in sys.modules:
            return ""
        spec = importlib.util.find_spec(self.name)
        if spec is None:
            return f"{self.chip}: the vendor's SDK {self.name} is not installed; {self.advice}"
        if not _has_compiled_module(spec):
            return (
                f"{self.chip}: the installed {self.name} is the public index's placeholder, which "
                f"runs pip when it is imported; remove it (pip uninstall {self.name}) and "
                f"{self.advice}"
            )
        return ""

    def load(self) -> Any:
        """Import the SDK.

        Raises
        ------
        MissingDependencyError
            It is not installed, or only the placeholder is.
        DeviceError
            It is installed but cannot be imported.
        """
        if self.name in sys.modules:
            return sys.modules[self.name]
        problem = self.problem()
        if problem:
            raise MissingDependencyError(problem, name=self.name)
        try:
            return importlib.import_module(self.name)
        except Exception as error:
            raise DeviceError(
                f"{self.chip}: {self.name} is installed but cannot be imported ({error}); "
                "reinstall it"
            ) from error


def _has_compiled_module(spec: importlib.machinery.ModuleSpec) -> bool:
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    if spec.origin and spec.origin.endswith(suffixes):
        return True
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    return any(path.name.endswith(suffixes) for folder in folders for path in folder.rglob("*"))


@contextmanager
def speaking(board: str, action: str) -> Iterator[None]:
    """Turn whatever an SDK raises during an action into one `DeviceError`.

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
