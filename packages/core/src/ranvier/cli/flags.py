"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

JsonFlag: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of text.")
]
QuietFlag: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing but errors (and JSON, if asked for).")
]
StrictFlag: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="Fail with exit code 3 if numbers would change.")
]
OutOption: TypeAlias = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write the result here (.rv).", metavar="FILE")
]


def complete_target(incomplete: str) -> list[str]:
    """Return the installed targets that start with what was typed."""
    from ..plugins.discovery import discover

    return [name for name in discover().targets if name.startswith(incomplete)]


TargetOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--target",
        "-t",
        help="Name of an installed target; `ranvier targets` lists them.",
        autocompletion=complete_target,
        metavar="NAME",
    ),
]
SameTargetOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        help="Target that the file must be for; with --help: show its options.",
        autocompletion=complete_target,
        metavar="NAME",
    ),
]
NetworkArgument: TypeAlias = Annotated[
    Path, typer.Argument(help="Network: .nir, .rv, or a format of a plugin.", metavar="NETWORK")
]
ConfigArgument: TypeAlias = Annotated[
    Path, typer.Argument(help="Chip configuration (.rv) from `ranvier build`.", metavar="CONFIG")
]
SpikesArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="Input: counts ([batch,] time, n) as .npy or .npz, events as .npz, .bs1 or .bs2, "
        "or a recording as .rv.",
        metavar="SPIKES",
    ),
]
DtOption: TypeAlias = Annotated[
    float | None,
    typer.Option("--dt", help="Time step of the network, in s; NIR files state none.", metavar="S"),
]
ConventionOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--convention",
        help="Framework that exported the file, for its known faults.",
        metavar="NAME",
    ),
]
ResetOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--reset", help="Reset of the neurons: subtract or to_value; NIR files state none."
    ),
]
SchemeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--scheme", help="Integration scheme of the neurons: exponential or euler.", metavar="NAME"
    ),
]
RecordOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--record",
        "-r",
        help="Quantity to record besides the outputs: spikes, v_mem, NODE.QUANTITY or all; "
        "may be repeated.",
        metavar="NAME",
    ),
]
BinOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--dt", help="Bin of events, in s; default: the network's time step.", metavar="S"
    ),
]
TrialSeedOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--trial-seed", help="Seed of the noise of this run, where there is noise.", min=0
    ),
]
RecordingOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Write the recording here (.rv or .npz).", metavar="FILE"),
]
