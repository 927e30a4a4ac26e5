"""The stable codes of diagnostics, gathered from the core and the installed plugins."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from ..diagnostics import DiagnosticCode
from ..plugins.discovery import discover

_CORE = ("ranvier.diagnostics",)


@dataclass(frozen=True)
class ListedCode:
    """A code, the constant that defines it and where.

    Parameters
    ----------
    definition : DiagnosticCode
        Code, severity, title, hint.
    name : str
        Name of the constant, ``"GUESSED_VALUE"``.
    module : str
        Module that defines it.
    """

    definition: DiagnosticCode
    name: str
    module: str


def all_codes() -> tuple[ListedCode, ...]:
    """Return every code of the core and of the plugins' modules ``diagnostics``, by code.

    A plugin without such a module, or whose module cannot be imported, contributes none.
    """
    listed: dict[str, ListedCode] = {}
    for module in _modules():
        for name, value in vars(module).items():
            if isinstance(value, DiagnosticCode):
                listed.setdefault(value.code, ListedCode(value, name, module.__name__))
    return tuple(listed[code] for code in sorted(listed))


def _modules() -> Iterator[ModuleType]:
    packages = (m.rpartition(".")[0] for m in discover().modules.values())
    for name in (*_CORE, *(f"{package}.diagnostics" for package in packages)):
        try:
            yield importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                print(f"ranvier: {name} cannot be imported: {error}", file=sys.stderr)
        except Exception as error:
            print(f"ranvier: {name} cannot be imported: {error}", file=sys.stderr)
