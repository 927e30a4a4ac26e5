"""Checks of devices and estimates, where the plugin has them."""

from __future__ import annotations

import pytest

from .. import pipeline
from ..errors import DeviceError, MissingDependencyError
from .subject import Subject, assert_same_signals, run

LOOPBACK = "loopback"
ABSENT = "no-such-device"


class DeviceChecks(Subject):
    """The loopback is the simulator; what is not attached is an error."""

    def test_loopback_gives_what_the_simulator_gives(self) -> None:
        self.needs(self.implements("ranvier_deploy"), "no hook ranvier_deploy")
        spikes = self.spikes()
        with pipeline.deploy(self.config(), device=LOOPBACK) as device, self.session() as session:
            expected = run(session, spikes, record=True)
            everything = {node for node, _ in expected.signals}
            offers = device.recordable()
            assert {c.node for c in self.config().outputs} <= set(offers) <= everything
            deployed = run(device, spikes, record=["spikes"])
            for key in deployed.signals:
                left, right = deployed.raw(*key), expected.raw(*key)
                assert (left == right).all(), f"{key} differs"

    def test_loopback_can_be_reset_and_run_again(self) -> None:
        self.needs(self.implements("ranvier_deploy"), "no hook ranvier_deploy")
        spikes = self.spikes()
        with pipeline.deploy(self.config(), device=LOOPBACK) as device:
            first = run(device, spikes)
            device.reset()
            assert_same_signals(run(device, spikes), first)

    def test_a_device_that_is_not_attached_is_refused(self) -> None:
        with pytest.raises((DeviceError, MissingDependencyError)) as caught:
            pipeline.deploy(self.config(), device=ABSENT)
        if isinstance(caught.value, DeviceError):
            assert ABSENT in str(caught.value), "the message does not name the device"
        else:
            assert "install" in str(caught.value), "the message does not say what to install"

    def test_looking_for_devices_never_fails(self) -> None:
        for device in pipeline.devices(self.name):
            assert device["target"] == self.name
            assert "id" in device
            assert device["id"] or device.get("problem")

    def test_every_estimate_has_value_unit_and_source(self) -> None:
        self.needs(self.implements("ranvier_estimate"), "no hook ranvier_estimate")
        with self.session() as session:
            recording = run(session, self.spikes(), record=["spikes"])
        for figures in (
            pipeline.estimate(self.config()),
            pipeline.estimate(self.config(), recording),
        ):
            assert figures
            for name, figure in figures.items():
                assert {"value", "unit", "source"} <= set(figure), f"{name}: {figure}"
                assert figure["source"], f"{name} has no source"
