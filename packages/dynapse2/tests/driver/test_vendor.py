"""The SDK is told from the placeholder of the public index by its files, never by importing it."""

import importlib.machinery
import subprocess
import sys

import pytest

from ranvier.errors import MissingDependencyError
from ranvier_dynapse2.driver import list_devices, open_device
from ranvier_dynapse2.driver.vendor import load_sdk
from ranvier_dynapse2.targets import target_named

PLACEHOLDER = "raise SystemExit('the placeholder was imported')"
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0].lstrip(".")


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


def test_the_placeholder_is_never_imported(config, install):
    install(__init___dot_py=PLACEHOLDER)

    with pytest.raises(MissingDependencyError, match=r"placeholder.*pip uninstall samna"):
        load_sdk()
    with pytest.raises(MissingDependencyError, match="device='loopback' need no SDK"):
        open_device(config, "any:0")
    (entry,) = list_devices(target_named())
    assert "placeholder" in entry["problem"]
    assert "samna" not in sys.modules


def test_a_missing_sdk_is_reported_in_the_list_of_devices(monkeypatch):
    monkeypatch.delitem(sys.modules, "samna", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    (entry,) = list_devices(target_named())

    assert entry["id"] == ""
    assert "samna is not installed" in entry["problem"]


def test_attached_boards_are_listed_with_number_and_serial(attach):
    attach(boards=2)

    entries = list_devices(target_named())

    assert [e["id"] for e in entries] == ["DYNAP-SE2:0 (serial 000)", "DYNAP-SE2:1 (serial 001)"]
    assert "USB bus 1, address 5" in entries[1]["description"]


def test_the_serial_number_may_be_left_out_of_an_id(config, attach):
    from ranvier_dynapse2.driver import DeployOptions

    sdk = attach(boards=2)

    open_device(config, "DYNAP-SE2:1", DeployOptions(settle=0, reset_pause=0)).close()

    assert sdk.names()[0] == "open_device 001"


def test_a_failing_search_is_reported_not_raised(attach):
    attach(listing=True)

    (entry,) = list_devices(target_named())

    assert "no USB permission" in entry["problem"]


def test_importing_the_driver_loads_neither_sdk_nor_numba():
    code = (
        "import sys, ranvier_dynapse2.driver; "
        "sys.exit(bool({'samna', 'numba', 'torch'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
