"""What can be answered from manifests alone. Imports neither numpy nor pydantic, typer or rich."""

from __future__ import annotations

import sys
from typing import Any

from ..plugins._declared import installed_version
from ..plugins.discovery import Catalogue, discover
from ..target import Target
from . import exits

_COLUMNS = ("TARGET", "KIND", "DISTRIBUTION", "DESCRIPTION")


def list_targets(*, as_json: bool, check: bool) -> int:
    """Print the installed targets, and the plugins that cannot be used with the reason.

    Parameters
    ----------
    as_json : bool
        Everything that the manifests say, as one JSON document.
    check : bool
        Whether a broken plugin makes the exit code 1.

    Returns
    -------
    int
        Exit code.
    """
    catalogue = discover()
    if as_json:
        import json

        print(json.dumps(catalogue_document(catalogue), indent=2))
    else:
        print(_text(catalogue))
    for chip, why in catalogue.problems.items():
        print(f"ranvier: plugin {chip!r} cannot be used: {why}", file=sys.stderr)
    return exits.FAILED if check and catalogue.problems else exits.OK


def catalogue_document(catalogue: Catalogue) -> dict[str, Any]:
    """Return a catalogue as a JSON-able document: ``targets`` and ``problems``."""
    return {
        "targets": [target_document(target) for target in catalogue.targets.values()],
        "problems": dict(catalogue.problems),
    }


def target_document(target: Target) -> dict[str, Any]:
    """Return what a manifest says about one target, each fact with its source."""
    plain = (
        *("name", "chip", "distribution", "description", "nature", "vendor", "url"),
        *("time_scale", "latency_per_hop", "silicon_verified"),
    )
    return {
        **{name: getattr(target, name) for name in plain},
        "node_kinds": list(target.node_kinds),
        "facts": {
            name: {"value": fact.value, "source": fact.source, "certainty": fact.certainty}
            for name, fact in target.facts.items()
        },
    }


def version() -> str:
    """Return the line that ``ranvier --version`` prints."""
    return f"ranvier {installed_version('ranvier')}"


def _text(catalogue: Catalogue) -> str:
    """Return the targets as an aligned table."""
    rows = [_COLUMNS] + [
        (t.name, t.nature, t.distribution, t.description) for t in catalogue.targets.values()
    ]
    if len(rows) == 1:
        return "No target is installed; install a chip with: pip install ranvier-CHIP"
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )
