import sys

import pytest

from ranvier.plugins.discovery import PluginSource, catalogue_from, discover


def test_targets_are_listed_without_importing_their_plugin(chips):
    source = chips.write("one")

    catalogue = catalogue_from([source])

    assert list(catalogue.targets) == ["one-1"]
    assert catalogue.modules == {"one": "fake_one.plugin"}
    assert "fake_one" not in sys.modules


def test_declared_chips_are_found_beside_the_reference(chips):
    module = chips.write("two").module
    chips.declare("ranvier-two", {"two": module})

    catalogue = discover()

    assert {"reference", "two-1"} <= set(catalogue.targets)
    assert next(iter(catalogue.targets)) == "reference"


def test_environment_restricts_chips_but_keeps_the_reference(chips, monkeypatch):
    chips.declare("ranvier-a", {"a": chips.write("a").module, "b": chips.write("b").module})
    monkeypatch.setenv("RANVIER_CHIPS", " a , nothing,")

    catalogue = discover()

    assert set(catalogue.targets) == {"reference", "a-1"}
    assert catalogue.problems == {}


def test_empty_restriction_leaves_the_reference(chips, monkeypatch):
    chips.declare("ranvier-a", {"a": chips.write("a").module})
    monkeypatch.setenv("RANVIER_CHIPS", "")

    assert set(discover().targets) == {"reference"}


@pytest.mark.parametrize(
    ("api", "advice"),
    [(0, "pip install --upgrade ranvier-old"), (2, "pip install --upgrade ranvier$")],
)
def test_plugin_of_another_contract_version_names_the_package_to_upgrade(chips, api, advice):
    catalogue = catalogue_from([chips.write("old", api=api), chips.write("good")])

    assert list(catalogue.targets) == ["good-1"]
    problem = catalogue.problems["old"]
    assert problem.startswith(f"ranvier-old was built for contract version {api}, this core has 1")
    assert problem.endswith(advice.rstrip("$"))


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("api_version = ", "not valid TOML"),
        ("api_version = {api}", "incomplete or malformed"),
        ('distribution = "x"\napi_version = {api}\n[targets.x]\nnature = "digital"', "malformed"),
        (
            'distribution = "x"\napi_version = {api}\n[targets.x]\ndescription = "x"\n'
            'nature = "digital"\nspeed = 3',
            "speed",
        ),
    ],
)
def test_broken_manifest_is_reported_and_disturbs_nobody(chips, manifest, message):
    catalogue = catalogue_from([chips.write("bad", manifest=manifest), chips.write("good")])

    assert list(catalogue.targets) == ["good-1"]
    assert message in catalogue.problems["bad"]
    assert "bad" in catalogue.problems["bad"]


def test_missing_manifest_is_reported(chips, tmp_path):
    source = chips.write("bare")
    (tmp_path / "fake_bare" / "manifest.toml").unlink()

    assert "manifest.toml cannot be read" in catalogue_from([source]).problems["bare"]


def test_missing_package_is_reported_with_its_name():
    catalogue = catalogue_from([PluginSource("gone", "no_such_package.plugin")])

    assert "'no_such_package', which is not importable" in catalogue.problems["gone"]


def test_second_plugin_of_a_target_is_refused_with_both_owners(chips):
    first, second = chips.write("a", target="same"), chips.write("b", target="same")

    catalogue = catalogue_from([second, first])

    assert catalogue.targets["same"].chip == "a"
    problem = catalogue.problems["b"]
    assert "'same' is offered by ranvier-a and by ranvier-b" in problem
    assert "RANVIER_CHIPS" in problem


def test_two_plugins_of_one_name_are_refused(chips):
    one = chips.write("a")
    other = PluginSource("a", chips.write("other").module)

    problem = catalogue_from([one, other]).problems["a"]

    assert "two plugins are called 'a': fake_a.plugin and fake_other.plugin" in problem
