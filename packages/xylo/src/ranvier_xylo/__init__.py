"""Xylo family plugin: mapping, quantisation and bit-exact simulation of SynSense's Xylo chips.

Names are loaded on first use, so that ``import ranvier_xylo`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import XyloConfig as XyloConfig
    from .mapping import MapOptions as MapOptions, map_network as map_network
    from .quantization import (
        QuantizeOptions as QuantizeOptions,
        quantize_network as quantize_network,
    )
    from .simulator import XyloSession as XyloSession
    from .targets import Limits as Limits, limits_of as limits_of, target_named as target_named

_HOME = {
    "config": ("XyloConfig",),
    "mapping": ("MapOptions", "map_network"),
    "quantization": ("QuantizeOptions", "quantize_network"),
    "simulator": ("XyloSession",),
    "targets": ("Limits", "limits_of", "target_named"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'ranvier_xylo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
