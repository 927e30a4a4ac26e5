"""DYNAP-SE2 plugin: current-domain neurons, mapping, routing, weights, simulation, hardware.

Names are loaded on first use, so that ``import ranvier_dynapse2`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .biases import BiasTable as BiasTable, published_table as published_table
    from .config import Dynapse2Config as Dynapse2Config
    from .layout import Layout as Layout
    from .mapping import MapOptions as MapOptions, map_network as map_network
    from .mismatch import VirtualChip as VirtualChip
    from .nodes import Dpi as Dpi
    from .quantization import (
        QuantizeOptions as QuantizeOptions,
        quantize_network as quantize_network,
    )
    from .simulator import Dynapse2Session as Dynapse2Session, SimulateOptions as SimulateOptions
    from .targets import Limits as Limits, limits_of as limits_of, target_named as target_named
    from .translation import (
        currents_from_times as currents_from_times,
        times_from_currents as times_from_currents,
    )

_HOME = {
    "biases": ("BiasTable", "published_table"),
    "config": ("Dynapse2Config",),
    "layout": ("Layout",),
    "mapping": ("MapOptions", "map_network"),
    "mismatch": ("VirtualChip",),
    "nodes": ("Dpi",),
    "quantization": ("QuantizeOptions", "quantize_network"),
    "simulator": ("Dynapse2Session", "SimulateOptions"),
    "targets": ("Limits", "limits_of", "target_named"),
    "translation": ("currents_from_times", "times_from_currents"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in ("nn", "plotting"):
        return importlib.import_module(f".{name}", __name__)
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'ranvier_dynapse2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, "nn", "plotting"})
