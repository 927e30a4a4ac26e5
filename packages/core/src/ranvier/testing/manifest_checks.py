"""Checks of the manifest and of the plugin behind it."""

from __future__ import annotations

import math
import subprocess
import sys

from ..artifacts import ChipConfig
from ..graph import node_kinds
from ..plugins import manager
from ..plugins.hookspecs import MANDATORY
from .subject import Subject

VERBS = ("map", "quantize", "simulate", "deploy")
_IMPORT = """
import sys
from ranvier.plugins import manager
manager().load({chip!r})
heavy = "torch", "matplotlib", "samna", "pynn_brainscales", "lava"
print(*(name for name in heavy if name in sys.modules))
"""


class ManifestChecks(Subject):
    """The manifest is complete and the plugin fits the contract."""

    def test_every_fact_has_a_source(self) -> None:
        bare = [name for name, fact in self.chip.facts.items() if not fact.source.strip()]
        assert not bare, f"facts without a source: {bare}"
        known = {"verified", "read", "uncertain"}
        assert {fact.certainty for fact in self.chip.facts.values()} <= known

    def test_integer_facts_are_not_negative_unless_they_are_minima(self) -> None:
        for name, fact in self.chip.facts.items():
            if isinstance(fact.value, int) and not name.endswith("_min"):
                assert fact.value >= 0, f"{name} is {fact.value}"

    def test_description_nature_and_time_base_are_sane(self) -> None:
        chip = self.chip
        assert chip.description
        assert chip.nature in ("digital", "analog", "reference")
        assert chip.latency_per_hop >= 0
        assert math.isfinite(chip.time_scale)
        assert chip.time_scale > 0

    def test_every_node_kind_is_registered(self) -> None:
        manager().load(self.chip.chip)
        unknown = set(self.chip.node_kinds) - set(node_kinds())
        assert not unknown, f"node kinds that neither core nor plugin defines: {sorted(unknown)}"
        assert {"Input", "Output"} <= set(self.chip.node_kinds)

    def test_plugin_implements_the_mandatory_hooks(self) -> None:
        missing = [hook for hook in MANDATORY if not self.implements(hook)]
        assert not missing, f"hooks that are missing or lack @hookimpl: {missing}"

    def test_config_model_is_a_chip_config(self) -> None:
        model = manager().call("ranvier_config_model", self.chip, target=self.chip)
        assert issubclass(model, ChipConfig)
        assert model.schema_version >= 1

    def test_options_are_frozen_closed_and_described(self) -> None:
        for verb in VERBS:
            model = manager().call("ranvier_options", self.chip, verb=verb, target=self.chip)
            if model is None:
                continue
            assert model.model_config.get("frozen"), f"{model.__name__} is not frozen"
            assert model.model_config.get("extra") == "forbid", f"{model.__name__} is open"
            silent = [name for name, f in model.model_fields.items() if not f.description]
            assert not silent, f"{model.__name__}: options without a description: {silent}"

    def test_plugin_import_loads_no_torch_and_no_vendor_kit(self) -> None:
        code = _IMPORT.format(chip=self.chip.chip)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == []
