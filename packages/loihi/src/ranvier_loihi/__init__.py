"""Loihi plugin: training, mapping, placement and bit-exact simulation of Intel's Loihi 1 and 2.

Names are loaded on first use, so that ``import ranvier_loihi`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import LoihiConfig as LoihiConfig
    from .files import read_net as read_net, write_net as write_net
    from .mapping import MapOptions as MapOptions, map_network as map_network
    from .quantization import (
        QuantizeOptions as QuantizeOptions,
        quantize_network as quantize_network,
    )
    from .simulator import LoihiSession as LoihiSession
    from .targets import Limits as Limits, limits_of as limits_of, target_named as target_named

_HOME = {
    "config": ("LoihiConfig",),
    "files": ("read_net", "write_net"),
    "mapping": ("MapOptions", "map_network"),
    "quantization": ("QuantizeOptions", "quantize_network"),
    "simulator": ("LoihiSession",),
    "targets": ("Limits", "limits_of", "target_named"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "nn":
        return importlib.import_module(".nn", __name__)
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'ranvier_loihi' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, "nn"})
