"""The SDK is told from the placeholder of the public index by its files, never by importing it."""

import subprocess
import sys

import pytest

from ranvier.errors import MissingDependencyError
from ranvier_xylo.driver import list_devices, open_device
from ranvier_xylo.driver.vendor import load_sdk
from ranvier_xylo.targets import target_named


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package samna on the path, with the given files."""

    def put(**files):
        folder = tmp_path / "samna"
        folder.mkdir()
        for name, text in files.items():
            (folder / name.replace("_dot_", ".")).write_text(text)
        monkeypatch.delitem(sys.modules, "samna", raising=False)
        monkeypatch.syspath_prepend(str(tmp_path))

    yield put
    sys.modules.pop("samna", None)


PLACEHOLDER = "raise SystemExit('the placeholder was imported')"


def test_the_placeholder_is_never_imported(config, install):
    install(__init___dot_py=PLACEHOLDER)

    with pytest.raises(MissingDependencyError, match=r"placeholder.*pip uninstall samna"):
        load_sdk()
    with pytest.raises(MissingDependencyError, match="device='loopback' need no SDK"):
        open_device(config, "any:0")
    assert "samna" not in sys.modules


def test_a_missing_sdk_is_reported_in_the_list_of_devices(target, monkeypatch):
    monkeypatch.delitem(sys.modules, "samna", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    (entry,) = list_devices(target_named(target))

    assert entry["id"] == ""
    assert "samna is not installed" in entry["problem"]


def test_attached_boards_have_distinct_ids(target, attach):
    attach(target, boards=2)

    ids = [entry["id"] for entry in list_devices(target_named(target))]

    assert len(set(ids)) == 2
    assert all(target_named(target).fact("device_type").value in i for i in ids)


def test_a_failing_search_is_reported_not_raised(target, attach):
    attach(target, listing=True)

    (entry,) = list_devices(target_named(target))

    assert "no USB permission" in entry["problem"]


def test_the_first_generation_lists_nothing():
    assert list_devices(target_named("xylo-v1")) == []


def test_importing_the_driver_loads_neither_sdk_nor_numba():
    code = (
        "import sys, ranvier_xylo.driver; "
        "sys.exit(bool({'samna', 'numba', 'torch'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
