"""``import ranvier`` stays light: heavy libraries are loaded where they are used."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "numba", "scipy", "matplotlib", "h5py")


def loaded_by(code):
    """Return which heavy libraries a fresh interpreter has after running some code."""
    show = f"import sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import ranvier",
        "import ranvier; ranvier.targets()",
        "import ranvier.graph, ranvier.artifacts, ranvier.pipeline",
        "from ranvier.plugins import manager; manager().load('reference')",
        "import ranvier.testing, ranvier.testing.pytest_plugin",
    ],
)
def test_light_parts_load_no_heavy_library(code):
    assert loaded_by(code) == []


def test_building_for_the_reference_loads_no_compiler():
    code = """
import ranvier as rv
from ranvier.graph import Graph, LIF
rv.build(Graph.sequential([LIF(shape=(1,), tau_mem=0.02)], dt=1e-3), "reference")
"""
    assert loaded_by(code) == []


def test_every_public_name_is_there():
    code = (
        "import ranvier\nfor name in dir(ranvier):\n    if name not in {}: getattr(ranvier, name)"
    )

    assert "numba" not in loaded_by(code.format({"nn", "train", "plotting"}))


def test_unknown_name_is_an_attribute_error():
    import ranvier

    with pytest.raises(AttributeError, match="'nonsense'"):
        _ = ranvier.nonsense
