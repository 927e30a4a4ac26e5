"""Commands for authors of chip plugins: conformance, new-chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from . import exits
from .console import Output
from .flags import JsonFlag, QuietFlag, complete_target


def check_conformance(
    target: Annotated[
        str,
        typer.Argument(
            help="Name of an installed target.", metavar="TARGET", autocompletion=complete_target
        ),
    ],
    pytest_args: Annotated[
        list[str] | None,
        typer.Argument(help="Arguments for pytest, after a --.", metavar="[-- ARGS]"),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Run the conformance kit against a target."""
    from ..plugins import manager

    manager().target(target)
    from ..testing import run_conformance

    code = run_conformance(target, json=as_json, args=tuple(pytest_args or ()))
    return exits.FAILED if code else exits.OK


def write_chip(
    name: Annotated[
        str, typer.Argument(help="Name of the chip: lower case, digits, dashes.", metavar="NAME")
    ],
    directory: Annotated[Path, typer.Argument(help="New folder for the package.", metavar="DIR")],
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Write a working plugin package.

    It has a manifest, mapping, quantisation, an integer simulator and tests.
    """
    from ..plugins import manager
    from .skeleton import write_package

    output = Output(as_json=as_json, quiet=quiet)
    owner = manager().targets.get(name)
    if owner is not None:
        raise InputError(
            f"new-chip: the target {name!r} is already offered by {owner.distribution}; choose "
            "another name"
        )
    written = write_package(name, directory)
    for path in written:
        output.text(str(path))
    output.text(f"next: pip install -e {directory} && ranvier conformance {name}")
    output.document({"chip": name, "target": name, "files": written})
