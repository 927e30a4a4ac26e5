"""ranvier: one trained spiking network, any neuromorphic chip.

The public face. Names are loaded on first use, so that ``import ranvier`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .artifacts import (
        AbstractSession as AbstractSession,
        ChipConfig as ChipConfig,
        MappedNetwork as MappedNetwork,
        Placement as Placement,
        Recording as Recording,
        SpikeTrain as SpikeTrain,
        Trace as Trace,
    )
    from .comparison import compare as compare
    from .diagnostics import Diagnostic as Diagnostic
    from .files import load as load, read as read, save as save, write as write
    from .graph import Edge as Edge, Graph as Graph
    from .pipeline import (
        build as build,
        deploy as deploy,
        devices as devices,
        estimate as estimate,
        map as map,
        open_simulation as open_simulation,
        quantize as quantize,
        simulate as simulate,
        targets as targets,
    )
    from .sweeps import sweep as sweep
    from .target import Target as Target

_HOME = {
    "artifacts": (
        "AbstractSession",
        "ChipConfig",
        "MappedNetwork",
        "Placement",
        "Recording",
        "SpikeTrain",
        "Trace",
    ),
    "comparison": ("compare",),
    "diagnostics": ("Diagnostic",),
    "files": ("load", "read", "save", "write"),
    "graph": ("Edge", "Graph"),
    "pipeline": (
        "build",
        "deploy",
        "devices",
        "estimate",
        "map",
        "open_simulation",
        "quantize",
        "simulate",
        "targets",
    ),
    "sweeps": ("sweep",),
    "target": ("Target",),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}
_MODULES = (
    "artifacts",
    "comparison",
    "encoding",
    "errors",
    "events",
    "files",
    "graph",
    "nn",
    "pipeline",
    "plotting",
    "plugins",
    "sweeps",
    "testing",
    "train",
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("ranvier")
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'ranvier' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, *_MODULES, "__version__"})
