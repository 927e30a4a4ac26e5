"""The vendor's SDK: found without importing its placeholder, its errors turned into ours."""

from __future__ import annotations

from typing import Any

from ranvier.vendor import VendorSdk, speaking as speaking

SDK = VendorSdk(
    name="samna",
    chip="dynapse2",
    advice="install samna as SynSense's documentation describes, from SynSense's own package "
    "index; mapping, simulation and device='loopback' need no SDK",
)
"""The SDK of SynSense's boards."""


def load_sdk() -> Any:
    """Return the SDK; raises as `ranvier.vendor.VendorSdk.load`."""
    return SDK.load()


def sdk_problem() -> str:
    """Return why there is no usable SDK, or an empty string; nothing is imported."""
    return SDK.problem()
