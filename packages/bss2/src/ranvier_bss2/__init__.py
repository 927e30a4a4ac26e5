"""BrainScaleS-2 plugin: numerics, virtual chips, placement, calibration, training in the loop.

Names are loaded on first use, so that ``import ranvier_bss2`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chip import Variability as Variability, VirtualChip as VirtualChip
    from .config import Bss2Config as Bss2Config
    from .mapping import MapOptions as MapOptions, map_network as map_network
    from .nodes import AnalogNeuron as AnalogNeuron, Background as Background
    from .quantization import (
        QuantizeOptions as QuantizeOptions,
        quantize_network as quantize_network,
    )
    from .simulator import Bss2Session as Bss2Session, SimulateOptions as SimulateOptions
    from .targets import Limits as Limits, limits_of as limits_of, target_named as target_named

_HOME = {
    "chip": ("Variability", "VirtualChip"),
    "config": ("Bss2Config",),
    "mapping": ("MapOptions", "map_network"),
    "nodes": ("AnalogNeuron", "Background"),
    "quantization": ("QuantizeOptions", "quantize_network"),
    "simulator": ("Bss2Session", "SimulateOptions"),
    "targets": ("Limits", "limits_of", "target_named"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}
_PARTS = ("nn", "calibration", "alignment", "hagen", "encoding", "plotting")


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f".{name}", __name__)
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'ranvier_bss2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, *_PARTS})
