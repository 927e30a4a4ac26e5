"""The typer application: one command per verb, with the options of the target in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from ..errors import RanvierError
from . import (
    comparing,
    compilation,
    conversion,
    exits,
    inspection,
    listing,
    plugin_work,
    running,
    sweeping,
)
from .failure import guarded, report_error
from .options import with_options
from .request import OPTION_VERBS, completed_words, option_models

COMMANDS: dict[str, Callable[..., Any]] = {
    "targets": inspection.list_targets,
    "show": inspection.show_file,
    "map": compilation.map_network,
    "quantize": compilation.quantize_network,
    "build": compilation.build_config,
    "simulate": running.simulate_config,
    "deploy": running.deploy_config,
    "compare": comparing.compare_targets,
    "sweep": sweeping.sweep_network,
    "estimate": inspection.estimate_config,
    "devices": inspection.list_devices,
    "convert": conversion.convert_file,
    "export": conversion.export_config,
    "diagnostics": inspection.list_diagnostics,
    "conformance": plugin_work.check_conformance,
    "new-chip": plugin_work.write_chip,
}
"""Function of each command, in the order of the help."""

_HELP = """One trained spiking network, any neuromorphic chip.

Options of a target appear in the help of a verb once the target is named:
ranvier build --target NAME --help
"""


def run(arguments: Sequence[str]) -> int:
    """Parse and run one command line; returns the exit code."""
    try:
        app = build_app(arguments)
    except RanvierError as error:
        return report_error(error, as_json="--json" in arguments)
    try:
        app(args=list(arguments), prog_name="ranvier")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else exits.OK
    return exits.OK


def build_app(arguments: Sequence[str] = ()) -> typer.Typer:
    """Build the application for one command line.

    Parameters
    ----------
    arguments : sequence of str
        Arguments after the program's name. The target that they name decides which options the
        command has.

    Raises
    ------
    RanvierError
        The target is not installed, or its plugin is broken.
    """
    completing = completed_words()
    words = list(arguments if completing is None else completing)
    lenient = completing is not None or "--help" in words
    models = option_models(words, lenient=lenient)
    app = typer.Typer(
        name="ranvier",
        help=_HELP,
        epilog="Exit codes: " + "; ".join(f"{c} {m}" for c, m in exits.MEANINGS.items()) + ".",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_program)
    for name, command in COMMANDS.items():
        if name in OPTION_VERBS:
            command = with_options(command, models if words[:1] == [name] else {})
        app.command(name)(guarded(command))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(listing.version())
        raise typer.Exit


def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""
