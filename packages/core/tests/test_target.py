import pytest

from ranvier.errors import PluginError
from ranvier.target import Fact, read_manifest

TEXT = """
api_version = 1
distribution = "ranvier-x"

[targets.x-1]
description = "a chip"
nature = "digital"
latency_per_hop = 1
node_kinds = ["Input", "LIF"]

[targets.x-1.facts]
neurons = { value = 10, source = "data sheet", certainty = "verified" }
voltage = { value = 0.5, source = "data sheet" }
bias = { value = true, source = "data sheet" }
"""


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "manifest.toml"
    path.write_text(TEXT)
    return read_manifest(path, chip="x", module="x.plugin").targets[0]


def test_manifest_becomes_a_target(target):
    assert (target.name, target.chip, target.distribution) == ("x-1", "x", "ranvier-x")
    assert target.node_kinds == ("Input", "LIF")
    assert target.latency_per_hop == 1
    assert target.fact("neurons") == Fact(10, "data sheet", "verified")


def test_limit_is_an_integer_fact(target):
    assert target.limit("neurons") == 10


@pytest.mark.parametrize("name", ["voltage", "bias"])
def test_limit_of_another_type_is_refused_with_its_value(target, name):
    with pytest.raises(PluginError, match=f"x-1: fact '{name}' is .*, expected an integer"):
        target.limit(name)


def test_unknown_fact_lists_the_known_ones(target):
    with pytest.raises(PluginError, match="x-1: no fact 'speed'; known: bias, neurons, voltage"):
        target.fact("speed")


def test_facts_cannot_be_changed(target):
    with pytest.raises(TypeError):
        target.facts["neurons"] = Fact(20, "nowhere")
