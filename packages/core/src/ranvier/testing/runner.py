"""The kit as a function, for the command line."""

from __future__ import annotations

import contextlib
import io
import json as jsonlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._require import require
from ..plugins import manager
from .pytest_plugin import NOT_APPLICABLE, PROPERTY

MODULE = "ranvier.testing.conformance"


class Collector:
    """Gathers one entry per check from pytest's reports."""

    def __init__(self) -> None:
        self.checks: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the outcome of the call, or of a set-up that failed."""
        if report.when != "call" and not (report.when == "setup" and report.outcome != "passed"):
            return
        entry = {
            "check": report.nodeid.rsplit("::", 1)[-1],
            "target": dict(report.user_properties).get(PROPERTY),
            "outcome": _outcome(report),
            "seconds": round(report.duration, 4),
        }
        reason = _reason(report)
        self.checks.append({**entry, "reason": reason} if reason else entry)


def run_conformance(target: str, *, json: bool = False, args: Sequence[str] = ()) -> int:
    """Run the conformance kit against a target.

    Parameters
    ----------
    target : str
        Name of an installed target.
    json : bool
        Print one JSON document instead of pytest's report: ``target``, ``applied``, ``passed``,
        ``failed``, ``not_applicable``, and ``checks`` with ``check``, ``outcome``, ``seconds`` and
        ``reason``.
    args : sequence of str
        Further arguments for pytest, ``["-k", "state"]``.

    Returns
    -------
    int
        0 if all checks that apply passed, else pytest's exit code.

    Raises
    ------
    ChipNotFoundError
        The target is not installed.
    MissingDependencyError
        pytest is not installed.
    """
    pytest = require("pytest", extra="testing")
    manager().target(target)
    collector = Collector()
    call = ["--pyargs", MODULE, "--target", target, "-q", "-p", "no:cacheprovider", *_isolation()]
    with contextlib.redirect_stdout(io.StringIO()) if json else contextlib.nullcontext():
        code = int(pytest.main([*call, *args], plugins=[collector]))
    if json:
        print(jsonlib.dumps(_document(target, collector.checks, code), indent=2))
    return code


def _isolation() -> list[str]:
    """Return arguments that keep a configuration found in the working directory out."""
    folder = str(Path(__file__).parent)
    plugin = [] if _is_registered() else ["-p", "ranvier.testing.pytest_plugin"]
    ignored = "ignore:Module already imported"
    return ["-c", os.devnull, "--rootdir", folder, "-W", ignored, *plugin]


def _is_registered() -> bool:
    """Say whether pytest finds the kit's plugin by itself."""
    from importlib.metadata import entry_points

    found = entry_points(group="pytest11", name="ranvier")
    return bool(found) and not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")


def _outcome(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return "known_deviation"
    return "not_applicable" if report.skipped else str(report.outcome)


def _reason(report: Any) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        text = str(report.longrepr[2]).removeprefix("Skipped: ")
        return text.removeprefix(f"{NOT_APPLICABLE}: ")
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        return str(crash.message if crash is not None else report.longrepr)
    return str(getattr(report, "wasxfail", ""))


def _document(target: str, checks: list[dict[str, Any]], code: int) -> dict[str, Any]:
    def count(outcome: str) -> int:
        return sum(check["outcome"] == outcome for check in checks)

    return {
        "target": target,
        "exit_code": code,
        "applied": len(checks) - count("not_applicable"),
        "passed": count("passed"),
        "failed": count("failed"),
        "known_deviations": count("known_deviation"),
        "not_applicable": count("not_applicable"),
        "checks": checks,
    }
