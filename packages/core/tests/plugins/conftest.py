import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ranvier.plugins import PluginManager, PluginSource, catalogue_from

FAKE = runpy.run_path(str(Path(__file__).parent / "fake_chip.py"))


@pytest.fixture
def chips(tmp_path, monkeypatch):
    """Write fake chip packages into an importable folder and build managers over them."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(chip, **options):
        return PluginSource(chip, FAKE["write_chip"](tmp_path, chip, **options))

    def managing(*sources):
        return PluginManager(catalogue_from(sources), wrappers=False)

    def declare(name, entries):
        FAKE["declare"](tmp_path, name, entries)

    yield SimpleNamespace(write=write, managing=managing, declare=declare, plugin=FAKE["PLUGIN"])
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]
