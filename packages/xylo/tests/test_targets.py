import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ranvier_xylo
from ranvier.errors import ChipNotFoundError
from ranvier_xylo.targets import limits_of, manifest, target_named

NAMES = ["xylo-v1", "xylo-audio2", "xylo-audio3", "xylo-imu"]


def test_the_manifest_offers_the_family():
    assert [t.name for t in manifest().targets] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_has_a_source(name):
    facts = target_named(name).facts
    assert len(facts) > 25
    assert all(len(fact.source) > 10 for fact in facts.values())
    assert {fact.certainty for fact in facts.values()} <= {"verified", "read", "uncertain"}


@pytest.mark.parametrize("name", NAMES)
def test_limits_come_from_the_facts(name):
    limits, facts = limits_of(name), target_named(name).facts
    assert all(getattr(limits, field) == facts[field].value for field in vars(limits))


def test_the_manifest_holds_nothing_else():
    path = Path(ranvier_xylo.__file__).with_name("manifest.toml")
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(document) == {"api_version", "distribution", "targets"}


def test_an_unknown_target_lists_the_known_ones():
    with pytest.raises(ChipNotFoundError, match=r"no target 'xylo'; targets: xylo-v1, "):
        target_named("xylo")


def test_importing_the_package_and_its_plugin_stays_light():
    code = (
        "import sys, ranvier_xylo, ranvier_xylo.plugin;"
        "bad = {'numba', 'torch', 'scipy', 'matplotlib', 'h5py', 'samna'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
