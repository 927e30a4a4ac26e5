"""Conformance kit: what every target must do, decided by its manifest and not by its name.

A chip package tests itself with a file of three lines::

    from ranvier.testing import TargetConformance
    class TestXyloAudio3(TargetConformance):
        target = "xylo-audio3"

Any installed target is checked by ``ranvier conformance NAME`` and by
``pytest --pyargs ranvier.testing.conformance --target NAME``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .capabilities import Capabilities as Capabilities
    from .kit import TargetConformance as TargetConformance
    from .networks import (
        example_network as example_network,
        example_spikes as example_spikes,
        oversized_network as oversized_network,
    )
    from .runner import run_conformance as run_conformance

_WHERE = {
    "Capabilities": "capabilities",
    "TargetConformance": "kit",
    "example_network": "networks",
    "example_spikes": "networks",
    "oversized_network": "networks",
    "run_conformance": "runner",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'ranvier.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
