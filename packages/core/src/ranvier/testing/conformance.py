"""The kit as a test module: ``pytest --pyargs ranvier.testing.conformance --target NAME``."""

from __future__ import annotations

from .kit import TargetConformance


class TestConformance(TargetConformance):
    """The kit for the target that ``--target`` names."""
