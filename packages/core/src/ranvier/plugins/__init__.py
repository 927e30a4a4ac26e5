"""Contract, discovery and management of chip plugins.

Names are loaded on first use: listing targets needs `ranvier.plugins.discovery` only, which is read
before numpy, pydantic and pluggy are.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._manager import PluginManager as PluginManager, manager as manager
    from .discovery import (
        Catalogue as Catalogue,
        PluginSource as PluginSource,
        catalogue_from as catalogue_from,
    )
    from .hookspecs import CHIPS_GROUP as CHIPS_GROUP, hookimpl as hookimpl

_WHERE = {
    "Catalogue": "discovery",
    "PluginSource": "discovery",
    "catalogue_from": "discovery",
    "CHIPS_GROUP": "hookspecs",
    "hookimpl": "hookspecs",
    "PluginManager": "_manager",
    "manager": "_manager",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'ranvier.plugins' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
