import json

import pytest

from ranvier.cli import listing
from ranvier.plugins import PluginSource, catalogue_from
from ranvier.plugins._declared import declared_entry_points, installed_version
from ranvier.plugins.discovery import CHIPS_GROUP


def test_the_json_listing_carries_every_fact_with_its_source(cli, chip):
    document = json.loads(cli("targets", "--json").out)

    target = next(t for t in document["targets"] if t["name"] == chip)
    assert target["distribution"] == "ranvier-cli-chip"
    assert target["facts"]["weight_bits"]["value"] == 8
    assert all(fact["source"] for fact in target["facts"].values())
    assert document["problems"] == {}


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Install a plugin whose manifest is no TOML."""
    package = tmp_path / "ranvier_broken"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "manifest.toml").write_text("this is = = no toml")
    metadata = tmp_path / "ranvier_broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text("[ranvier.chips]\nbroken = ranvier_broken.plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("RANVIER_CHIPS", "broken,cli-chip")


def test_a_broken_plugin_is_reported_and_the_others_are_listed(cli, chip, broken):
    result = cli("targets")

    assert result.code == 0
    assert chip in result.out
    assert "plugin 'broken' cannot be used" in result.err
    assert "not valid TOML" in result.err


def test_check_turns_a_broken_plugin_into_exit_code_1(cli, broken):
    assert cli("targets", "--check").code == 1


def test_an_empty_listing_says_how_to_install_a_chip():
    text = listing._text(catalogue_from([PluginSource("no", "no_such_package.plugin")]))

    assert "pip install ranvier-CHIP" in text


@pytest.mark.parametrize("group", [CHIPS_GROUP, "console_scripts", "pytest11"])
def test_entry_points_are_those_that_importlib_finds(group):
    from importlib.metadata import entry_points

    expected = sorted((e.name, e.value) for e in entry_points(group=group))

    found = sorted(declared_entry_points(group))

    assert [(n, v) for n, v in found] == [(n, v.split("[")[0].strip()) for n, v in expected]


@pytest.mark.parametrize("distribution", ["ranvier", "numpy", "pydantic-core"])
def test_versions_are_those_that_importlib_finds(distribution):
    from importlib.metadata import version

    assert installed_version(distribution) == version(distribution)


def test_the_first_distribution_of_a_name_on_the_path_wins(tmp_path, monkeypatch):
    for number, folder in enumerate(("first", "second")):
        metadata = tmp_path / folder / f"Some_Chip-{number}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "entry_points.txt").write_text(f"[group.x]\nname = {folder}.plugin\n")
    monkeypatch.setattr("sys.path", [str(tmp_path / "first"), str(tmp_path / "second")])

    assert declared_entry_points("group.x") == [("name", "first.plugin")]


def test_distributions_in_an_archive_are_found_through_importlib(tmp_path, monkeypatch):
    import sys
    import zipfile

    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("zipped-1.0.dist-info/METADATA", "Name: zipped\nVersion: 1.0\n")
        bundle.writestr(
            "zipped-1.0.dist-info/entry_points.txt", "[group.z]\nname = zipped.plugin\n"
        )
    monkeypatch.setattr("sys.path", [*sys.path, str(archive)])

    assert declared_entry_points("group.z") == [("name", "zipped.plugin")]
