"""The command sweep: one network over many options and seeds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import FileError, InputError
from . import exits
from .console import Output
from .flags import (
    ConventionOption,
    DtOption,
    JsonFlag,
    QuietFlag,
    ResetOption,
    SameTargetOption,
    SchemeOption,
)
from .inputs import load_any, read_network
from .outputs import check_writable
from .spikes import read_arrays, read_spikes

if TYPE_CHECKING:
    from ..sweeps import SweepResult

Progress = Callable[[int, int], None]


def sweep_network(
    network: Annotated[
        Path,
        typer.Argument(
            help="Network (.nir or .rv), mapped network or configuration (.rv).", metavar="NETWORK"
        ),
    ],
    spikes: Annotated[
        Path,
        typer.Option(
            "--input",
            "-i",
            help="Input of every row: counts ([batch,] time, n) as .npy or .npz, events, or a "
            "recording (.rv).",
            metavar="FILE",
        ),
    ],
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            help="What varies: simulate.chip_seed=0:100 (whole numbers from 0 below 100), "
            "quantize.seed=0,1, trial_seed=0:5, or a JSON list; may be repeated.",
            metavar="VERB.OPTION=VALUES",
        ),
    ],
    target: SameTargetOption = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="Right decision per sample (.npy).", metavar="FILE"),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            help="Append rows here (.jsonl) as they finish; with rows in it, go on from them.",
            metavar="FILE",
        ),
    ] = None,
    executor: Annotated[
        str, typer.Option("--executor", help="processes, threads or inline.", metavar="KIND")
    ] = "processes",
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Processes or threads; default: the cores.", min=1),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", help="From which the seeds of trials are drawn.", min=0)
    ] = 0,
    dt: DtOption = None,
    convention: ConventionOption = None,
    reset: ResetOption = None,
    scheme: SchemeOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> int:
    """Run a network over options and seeds.

    A row per combination. Ctrl-C keeps the rows that --results has; the same command goes on.
    """
    from ..sweeps import sweep

    output = Output(as_json=as_json, quiet=quiet)
    check_writable(results, suffixes=(".jsonl",))
    reading = {"dt": dt, "convention": convention, "reset": reset, "scheme": scheme}
    noun = _noun(network, reading)
    values, lengths = _input_of(noun, spikes)
    with _progress(output) as progress:
        table = sweep(
            noun,
            target,
            values,
            vary=dict(_axis(text) for text in vary),
            lengths=lengths,
            labels=None if labels is None else read_arrays(labels),
            seed=seed,
            executor=executor,  # type: ignore[arg-type]  # checked there
            workers=workers,
            results=results,
            progress=progress,
        )
    return _finish(table, results, output)


def _noun(path: Path, reading: dict[str, Any]) -> Any:
    """Return a graph, mapped network or configuration."""
    if path.suffix.lower() == ".rv" and not any(v is not None for v in reading.values()):
        noun = load_any(path)
        if hasattr(noun, "signals"):
            raise FileError(f"{path}: holds a recording, this command needs a network")
        return noun
    return read_network(path, **reading)


def _input_of(noun: Any, path: Path) -> tuple[Any, Any]:
    graph = getattr(noun, "graph", noun)
    shapes = getattr(noun, "input_shapes", None)
    if shapes is None:
        shapes = {name: graph.nodes[name].output_shape for name in graph.inputs}
    return read_spikes(path, shapes=shapes, dt=getattr(noun, "dt", None) or graph.dt)


def _axis(text: str) -> tuple[str, list[Any]]:
    """Return the name and values that ``verb.option=values`` stands for."""
    name, equals, values = text.partition("=")
    if not equals or not values:
        raise InputError(f"--vary {text!r}: expected VERB.OPTION=VALUES, as in trial_seed=0:5")
    if values.startswith("["):
        try:
            found = json.loads(values)
        except ValueError as error:
            raise InputError(f"--vary {name}: {values!r} is no JSON list ({error})") from error
        return name, list(found)
    bounds = values.split(":")
    if len(bounds) in (2, 3) and all(_is_whole(bound) for bound in bounds):
        if len(bounds) == 3 and int(bounds[2]) == 0:
            raise InputError(
                f"--vary {name}: {values!r} has step 0; use FIRST:END or FIRST:END:STEP"
            )
        return name, list(range(*(int(bound) for bound in bounds)))
    return name, [_value(word) for word in values.split(",")]


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@contextmanager
def _progress(output: Output) -> Iterator[Progress | None]:
    """Show how many rows are done, on stderr and only when that is a terminal."""
    if output.quiet or output.as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("sweeping") as status:
        yield lambda done, total: status.update(f"sweeping: {done} of {total} rows")


def _finish(table: SweepResult, path: Path | None, output: Output) -> int:
    """Show the table; rows that the target refuses are a failure."""
    summary = table.summary()
    names = (*table.parameters, *summary)
    output.table(
        [*(n.upper() for n in names), "ERROR"],
        [[*(row.get(n) for n in names), row.get("error", "")] for row in table.rows],
        title=f"{table.definition['target']}: {len(table)} rows",
    )
    output.text(str(table))
    output.text(
        f"kept in {path}" if path else "nothing was written; keep it with --results FILE.jsonl"
    )
    output.document({"kind": "sweep", **table.to_dict(), "summary": summary, "file": path})
    if table.failed:
        print(f"ranvier: {len(table.failed)} of {len(table)} rows failed", file=sys.stderr)
    return exits.FAILED if table.failed else exits.OK
