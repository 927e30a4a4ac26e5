"""The conformance kit: one class, one attribute."""

from __future__ import annotations

from .._require import require

_CHECKS = ("manifest", "building", "running", "inputs", "files", "devices", "agreement")
require("pytest", extra="testing").register_assert_rewrite(
    *(f"ranvier.testing.{name}_checks" for name in _CHECKS)
)

from .agreement_checks import AgreementChecks  # noqa: E402 - after the call above
from .building_checks import BuildingChecks  # noqa: E402
from .devices_checks import DeviceChecks  # noqa: E402
from .files_checks import FileChecks  # noqa: E402
from .inputs_checks import InputChecks  # noqa: E402
from .manifest_checks import ManifestChecks  # noqa: E402
from .running_checks import RunningChecks  # noqa: E402


class TargetConformance(
    ManifestChecks,
    BuildingChecks,
    RunningChecks,
    InputChecks,
    FileChecks,
    DeviceChecks,
    AgreementChecks,
):
    """What every target must do; subclass it in a test file and set ``target``.

    Checks that the manifest rules out (no recurrence, no limits, no hook) are skipped as not
    applicable. A check that a target fails by design is declared, and must then fail:
    ``known_deviations = {"test_name": "reason"}``.

    Attributes
    ----------
    target : str
        Name of an installed target.
    known_deviations : dict of str to str
        Reason by name of the check.

    Examples
    --------
    A complete test file::

        from ranvier.testing import TargetConformance
        class TestXyloAudio3(TargetConformance):
            target = "xylo-audio3"
    """
