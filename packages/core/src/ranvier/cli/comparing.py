"""The command that runs one network on many targets: compare."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from . import exits
from .console import Output
from .flags import (
    ConventionOption,
    DtOption,
    JsonFlag,
    NetworkArgument,
    QuietFlag,
    ResetOption,
    SchemeOption,
    TrialSeedOption,
)
from .inputs import read_network
from .spikes import read_arrays, read_spikes
from .values import value_of_text

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..graph import Graph


class Readout(enum.StrEnum):
    """How a membrane becomes a score."""

    mean = "mean"
    max = "max"


def compare_targets(
    network: NetworkArgument,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--targets",
            "-t",
            help="all, or names of targets with commas between; may be repeated. [default: all]",
            metavar="NAMES",
        ),
    ] = None,
    spikes: Annotated[
        Path | None,
        typer.Option(
            "--input",
            "-i",
            help="Counts as .npy or .npz, events as .npz, .bs1 or .bs2, or a recording as .rv; "
            "default: Poisson spikes.",
            metavar="FILE",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            help="Channel of the output that each sample should have: integers as .npy.",
            metavar="FILE",
        ),
    ] = None,
    min_agreement: Annotated[
        float | None,
        typer.Option(
            "--min-agreement",
            help=f"Exit with {exits.DISAGREEMENT} if a target decides fewer samples like the float "
            "reference than this share, or does not run.",
            min=0.0,
            max=1.0,
            metavar="SHARE",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            help="Option of a target, or of all targets of a chip, for map, quantize or simulate; "
            "may be repeated.",
            metavar="TARGET.NAME=VALUE",
        ),
    ] = None,
    out_node: Annotated[
        str | None,
        typer.Option("--output", help="Output node that decides, if there are several."),
    ] = None,
    readout: Annotated[
        Readout,
        typer.Option("--readout", help="Score of a channel whose membrane is shown."),
    ] = Readout.mean,
    tau: Annotated[
        float | None,
        typer.Option(
            "--tau",
            help="Time constant of the van Rossum distance, in s; default: ten steps.",
            metavar="S",
        ),
    ] = None,
    trial_seed: TrialSeedOption = None,
    samples: Annotated[int, typer.Option(help="Samples of the Poisson input.", min=1)] = 16,
    steps: Annotated[int, typer.Option(help="Steps of the Poisson input.", min=1)] = 200,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Rate of the Poisson input, in Hz; default: one spike in ten steps.", min=0.0
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the Poisson input.", min=0)] = 0,
    dt: DtOption = None,
    convention: ConventionOption = None,
    reset: ResetOption = None,
    scheme: SchemeOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> int:
    """Compare targets with the float reference.

    All run the same network on the same input.
    """
    from ..comparison import Poisson, compare

    output = Output(as_json=as_json, quiet=quiet)
    graph = read_network(network, dt=dt, convention=convention, reset=reset, scheme=scheme)
    options = target_options(option or ())
    drawn = Poisson(rate=rate, n_samples=samples, n_steps=steps, seed=seed)
    given, lengths = (drawn, None) if spikes is None else _read_input(spikes, graph)
    names = [n.strip() for text in targets or ["all"] for n in text.split(",") if n.strip()]
    with output.progress(f"comparing {', '.join(names)}"):
        found = compare(
            graph,
            "all" if "all" in names else names,
            given,
            None if labels is None else _read_labels(labels),
            lengths=lengths,
            target_options=options,
            output=out_node,
            readout=readout.value,
            tau=tau,
            trial_seed=trial_seed or 0,
        )
    _show(found, output)
    if not any(r.status == "ran" for r in found.targets):
        return exits.FAILED
    failed = min_agreement is not None and found.below(min_agreement)
    return exits.DISAGREEMENT if failed else exits.OK


def target_options(texts: list[str] | tuple[()]) -> dict[str, dict[str, Any]]:
    """Return options by target or chip from texts ``TARGET.NAME=VALUE``.

    Raises
    ------
    InputError
        A text has another form.
    """
    options: dict[str, dict[str, Any]] = {}
    for text in texts:
        where, equals, value = text.partition("=")
        target, point, name = where.rpartition(".")
        if not (equals and point and target and name):
            raise InputError(f"compare: --option {text!r}; write TARGET.NAME=VALUE")
        options.setdefault(target, {})[name.replace("-", "_")] = value_of_text(value)
    return options


def _read_input(path: Path, graph: Graph) -> tuple[Any, Any]:
    shapes = {name: graph.nodes[name].output_shape for name in graph.inputs}
    return read_spikes(path, shapes=shapes, dt=graph.dt)


def _read_labels(path: Path) -> Any:
    labels = read_arrays(path)
    if isinstance(labels, dict) and len(labels) == 1:
        return next(iter(labels.values()))
    if isinstance(labels, dict) or not hasattr(labels, "dtype"):
        raise InputError(f"{path}: holds no list of labels; save one array of integers as .npy")
    return labels


def _show(found: Comparison, output: Output) -> None:
    import sys

    from ..comparison import table

    output.text(table.heading(found))
    for part in table.tables(found):
        output.text("")
        output.table(part.columns, part.rows, title=part.title)
    for line in table.notes(found):
        output.text(line)
    if not (output.as_json or output.quiet):
        for line in table.losses(found):
            print(line, file=sys.stderr)
    output.document({"kind": "comparison", **found.to_dict()})
