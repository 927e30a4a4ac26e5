"""The option ``--target`` and the summary of the conformance kit, for pytest.

pytest loads this module wherever ranvier is installed; it imports nothing else until the kit runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PROPERTY = "ranvier_conformance"
"""Name under which the kit marks its test reports with the target."""
NOT_APPLICABLE = "not applicable"
"""How the reason of a check that a target's manifest rules out begins."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the target of ``ranvier.testing.conformance``."""
    group = parser.getgroup("ranvier", "ranvier conformance kit")
    group.addoption(
        "--target",
        dest="ranvier_target",
        metavar="NAME",
        default=None,
        help="target that ranvier.testing.conformance checks, such as 'reference'",
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print for each target how many checks of the kit applied."""
    for target, counts in tally(terminalreporter.stats).items():
        terminalreporter.write_sep("-", f"conformance of {target}")
        terminalreporter.write_line(summary_line(target, counts))


def tally(stats: dict[str, list[Any]]) -> dict[str, dict[str, int]]:
    """Return by target how many checks passed, failed, deviate as declared, or do not apply."""
    counts: dict[str, dict[str, int]] = {}
    for outcome in ("passed", "failed", "error", "xfailed", "skipped"):
        for report in stats.get(outcome, []):
            target = dict(getattr(report, "user_properties", ())).get(PROPERTY)
            if target is not None:
                own = counts.setdefault(target, {})
                own[outcome] = own.get(outcome, 0) + 1
    return counts


def summary_line(target: str, counts: dict[str, int]) -> str:
    """Return one sentence about the checks of a target."""
    failed = counts.get("failed", 0) + counts.get("error", 0)
    passed, declared = counts.get("passed", 0), counts.get("xfailed", 0)
    return (
        f"{target}: {passed + failed + declared} checks applied: {passed} passed, {failed} failed, "
        f"{declared} known deviations; {counts.get('skipped', 0)} not applicable"
    )
