import importlib.machinery
import sys

import pytest

from ranvier.errors import DeviceError, InputError, MissingDependencyError
from ranvier.vendor import VendorSdk, speaking

SDK = VendorSdk(name="no_such_sdk", chip="chip", advice="ask the vendor for it")
PLACEHOLDER = "raise SystemExit('the placeholder was imported')"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package of the SDK's name on the path, with the given files."""

    def put(**files):
        folder = tmp_path / SDK.name
        folder.mkdir()
        for name, text in files.items():
            (folder / name.replace("_dot_", ".")).write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))

    yield put
    sys.modules.pop(SDK.name, None)


def compiled():
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0].lstrip(".")
    return {f"core_dot_{suffix}": ""}


def test_a_missing_sdk_is_reported_with_the_advice():
    assert SDK.problem() == (
        "chip: the vendor's SDK no_such_sdk is not installed; ask the vendor for it"
    )
    with pytest.raises(MissingDependencyError, match="ask the vendor") as caught:
        SDK.load()
    assert caught.value.name == SDK.name


def test_a_placeholder_is_never_imported(install):
    install(__init___dot_py=PLACEHOLDER)

    with pytest.raises(MissingDependencyError, match=r"placeholder.*pip uninstall no_such_sdk"):
        SDK.load()
    assert SDK.name not in sys.modules


def test_a_package_with_a_compiled_module_is_the_sdk(install):
    install(__init___dot_py="FOUND = True", **compiled())

    assert SDK.problem() == ""
    assert SDK.load().FOUND
    assert SDK.problem() == ""


def test_an_sdk_that_cannot_be_imported_is_a_device_error(install):
    install(__init___dot_py="raise OSError('libusb is missing')", **compiled())

    with pytest.raises(DeviceError, match=r"libusb is missing.*reinstall"):
        SDK.load()


def test_errors_of_an_sdk_become_one_device_error_with_the_action():
    message = "board:0: writing failed: broken pipe; check cable"
    with pytest.raises(DeviceError, match=message), speaking("board:0", "writing"):
        raise RuntimeError("broken pipe")


def test_errors_of_our_own_pass_unchanged():
    with pytest.raises(InputError, match="ours"), speaking("board:0", "writing"):
        raise InputError("ours")
