"""Commands that look and change nothing: targets, show, devices, estimate, diagnostics."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import PluginError
from . import listing
from .console import Output
from .contents import header_document, network_document
from .flags import (
    ConfigArgument,
    ConventionOption,
    DtOption,
    JsonFlag,
    QuietFlag,
    ResetOption,
    SameTargetOption,
    SchemeOption,
)
from .inputs import check_exists, header_of, load_any, load_as, read_network
from .outputs import check_target


def list_targets(
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if an installed plugin cannot be used.")
    ] = False,
    as_json: JsonFlag = False,
) -> int:
    """List the installed targets."""
    return listing.list_targets(as_json=as_json, check=check)


def show_file(
    file: Annotated[
        Path, typer.Argument(help="Network, configuration or recording.", metavar="FILE")
    ],
    dt: DtOption = None,
    convention: ConventionOption = None,
    reset: ResetOption = None,
    scheme: SchemeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a network, configuration or recording.

    A .rv file is shown by its header where the plugin that it is for is missing.
    """
    output = Output(as_json=as_json)
    check_exists(file)
    if file.suffix.lower() == ".rv":
        header, content = header_of(file), load_if_possible(file)
        output.text(f"{header}" if content is None else f"{header}\n\n{content}")
        if header.kind == "graph" and content is not None:
            output.diagnostics(content.diagnostics)
        output.document(header_document(header))
        return
    graph = read_network(file, dt=dt, convention=convention, reset=reset, scheme=scheme)
    output.text(str(graph))
    output.diagnostics(graph.diagnostics)
    output.document(network_document(graph, file))


def list_devices(
    target: SameTargetOption = None, as_json: JsonFlag = False, quiet: QuietFlag = False
) -> None:
    """List attached devices."""
    from .. import pipeline

    output = Output(as_json=as_json, quiet=quiet)
    with output.progress("looking for devices"):
        found = pipeline.devices(target)
    columns = ("target", "id", "description", "problem")
    rows = [[device.get(name, "") for name in columns] for device in found]
    if rows:
        output.table([c.upper() for c in columns], rows, title="Devices")
    else:
        output.text("no device is attached; --device loopback needs none")
    output.document({"devices": found})


def estimate_config(
    config: ConfigArgument,
    target: SameTargetOption = None,
    recording: Annotated[
        Path | None,
        typer.Option(
            "--recording",
            help="Recording (.rv) of measured activity; default: the worst case.",
            metavar="FILE",
        ),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    options: Mapping[str, Any],
) -> None:
    """Estimate utilisation, clock, latency, energy.

    Each figure comes with its source.
    """
    from .. import pipeline
    from ..artifacts import ChipConfig, Recording

    output = Output(as_json=as_json, quiet=quiet)
    chip = load_as(config, ChipConfig)
    check_target(config, chip.target, target)
    measured = load_as(recording, Recording) if recording is not None else None
    figures = pipeline.estimate(chip, measured, **options)
    if figures:
        output.table(
            ("FIGURE", "VALUE", "UNIT", "SOURCE"),
            [_figure(name, entry) for name, entry in figures.items()],
            title=f"{chip.target}: {'measured activity' if measured else 'worst case'}",
        )
    else:
        output.text(f"{chip.target}: its plugin gives no estimates")
    output.document({"target": chip.target, "estimates": figures})


def list_diagnostics(as_json: JsonFlag = False, quiet: QuietFlag = False) -> None:
    """List the codes of diagnostics."""
    from .codes import all_codes

    output = Output(as_json=as_json, quiet=quiet)
    definitions = [listed.definition for listed in all_codes()]
    output.table(
        ("CODE", "SEVERITY", "MEANING", "ADVICE"),
        [(d.code, d.severity, d.title, d.hint) for d in definitions],
        title="Diagnostics",
    )
    fields = ("code", "severity", "title", "hint")
    output.document({"codes": [{n: getattr(d, n) for n in fields} for d in definitions]})


def load_if_possible(path: Path) -> Any:
    """Return what a ``.rv`` file holds; None, and a line on stderr, if its plugin is missing."""
    try:
        return load_any(path)
    except PluginError as error:
        print(f"ranvier: the header only: {error}", file=sys.stderr)
        return None


def _figure(name: str, entry: Any) -> tuple[str, Any, str, str]:
    """Return one row; a figure may be a bare number or a mapping with value, unit and source."""
    if not isinstance(entry, Mapping):
        return name, entry, "", ""
    return name, entry.get("value"), str(entry.get("unit", "")), str(entry.get("source", ""))
