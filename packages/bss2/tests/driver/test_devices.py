"""Devices are found without importing anything, and named so that they can be opened."""

import os
import sys
from types import SimpleNamespace

import pytest

from ranvier.errors import DeviceError, MissingDependencyError
from ranvier_bss2.driver import DeployOptions, list_devices, open_device
from ranvier_bss2.driver.access import access_of, environment
from ranvier_bss2.targets import target_named

TARGET = target_named()


@pytest.fixture
def installed(monkeypatch):
    """Say that stacks are installed; they do nothing."""

    def put(*names):
        for name in names:
            module = SimpleNamespace(__name__=name, __spec__=None)
            monkeypatch.setitem(sys.modules, name, module)

    return put


def remote(monkeypatch, port="4711"):
    monkeypatch.setenv("QUIGGELDY_ENABLED", "1")
    monkeypatch.setenv("QUIGGELDY_IP", "chip.example.org")
    monkeypatch.setenv("QUIGGELDY_PORT", port)


def test_without_a_stack_the_list_says_how_to_get_one():
    (entry,) = list_devices(TARGET)

    assert entry["id"] == ""
    assert "hxtorch is not installed; it has no wheel" in entry["problem"]
    assert "container image" in entry["problem"]
    assert "EBRAINS" in entry["problem"]


def test_without_access_the_list_says_how_to_get_it(installed):
    installed("hxtorch")

    (entry,) = list_devices(TARGET)

    assert entry["id"] == ""
    assert "SLURM_FPGA_IPS" in entry["problem"]
    assert "QUIGGELDY_ENABLED=1, QUIGGELDY_IP and QUIGGELDY_PORT" in entry["problem"]


def test_a_job_with_a_chip_lists_every_installed_stack(installed, monkeypatch):
    installed("hxtorch", "pynn_brainscales")
    monkeypatch.setenv("SLURM_FPGA_IPS", "192.168.66.1")

    found = list_devices(TARGET)

    assert [entry["id"] for entry in found] == ["hxtorch", "pynn"]
    assert "FPGA 192.168.66.1, through hxtorch" in found[0]["description"]


def test_remote_access_has_host_and_port_in_the_id(installed, monkeypatch):
    installed("hxtorch")
    remote(monkeypatch)

    (entry,) = list_devices(TARGET)

    assert entry["id"] == "hxtorch:quiggeldy:chip.example.org:4711"
    access = access_of(entry["id"], DeployOptions())
    assert access.environment == {
        "QUIGGELDY_ENABLED": "1",
        "QUIGGELDY_IP": "chip.example.org",
        "QUIGGELDY_PORT": "4711",
    }


def test_listed_devices_can_be_opened(config, attach_hxtorch, monkeypatch):
    stack = attach_hxtorch()
    remote(monkeypatch)
    (device,) = [entry["id"] for entry in list_devices(TARGET)]

    open_device(config, device, DeployOptions(user="me")).close()

    assert stack.environments[0]["QUIGGELDY_USER_NO_MUNGE"] == "me"
    assert stack.calls == ["init", "release"]


@pytest.mark.parametrize(
    "device",
    [
        "no-such-device",
        "hxtorch:usb:1",
        "hxtorch:quiggeldy:host",
        "hxtorch:quiggeldy:host:port",
        "hxtorch:quiggeldy::12",
        "pynn:quiggeldy:host:99999",
    ],
)
def test_a_device_that_does_not_exist_is_named(device, config):
    with pytest.raises(DeviceError, match=rf"no device '{device}'; devices: 'hxtorch', 'pynn'"):
        open_device(config, device)


@pytest.mark.parametrize(("device", "name"), [("hxtorch", "hxtorch"), ("pynn", "pynn_brainscales")])
def test_a_missing_stack_comes_with_the_way_to_get_it(device, name, config):
    with pytest.raises(
        MissingDependencyError, match=rf"{name} is not installed; .*cannot install"
    ) as e:
        open_device(config, device)
    assert e.value.name == name


@pytest.mark.parametrize(
    ("stacks", "path", "expected"),
    [
        (("hxtorch", "pynn_brainscales"), "auto", "hxtorch"),
        (("pynn_brainscales",), "auto", "pynn"),
        (("hxtorch", "pynn_brainscales"), "pynn", "pynn"),
    ],
)
def test_auto_takes_what_is_installed(stacks, path, expected, installed):
    installed(*stacks)

    assert access_of("auto", DeployOptions(path=path)).name == expected


@pytest.mark.parametrize(
    ("device", "options", "message"),
    [
        ("hxtorch", {"path": "pynn"}, "path='pynn' contradicts the device's id; leave one"),
        (
            "hxtorch:quiggeldy:a:1",
            {"host": "b", "port": 1},
            "host='b', port=1 contradict the device's id; leave them out",
        ),
        ("hxtorch", {"user": "me"}, "user='me' is for remote access; give host and port as well"),
    ],
)
def test_contradictions_are_refused(device, options, message, installed):
    installed("hxtorch", "pynn_brainscales")

    with pytest.raises(DeviceError, match=message):
        access_of(device, DeployOptions(**options))


def test_variables_are_put_back(monkeypatch):
    monkeypatch.setenv("QUIGGELDY_IP", "before")
    seen = {}

    def interrupted():
        with environment({"QUIGGELDY_IP": "a", "QUIGGELDY_PORT": "1"}):
            seen.update(os.environ)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert (seen["QUIGGELDY_IP"], seen["QUIGGELDY_PORT"]) == ("a", "1")
    assert os.environ["QUIGGELDY_IP"] == "before"
    assert "QUIGGELDY_PORT" not in os.environ
