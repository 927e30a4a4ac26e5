"""Commands that bring a network onto a chip: map, quantize, build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..diagnostics import describe
from ..errors import MappingError
from .console import Output
from .flags import (
    ConventionOption,
    DtOption,
    JsonFlag,
    NetworkArgument,
    OutOption,
    QuietFlag,
    ResetOption,
    SameTargetOption,
    SchemeOption,
    StrictFlag,
    TargetOption,
)
from .inputs import load_as, read_network, save_artifact
from .outputs import check_target, check_writable

if TYPE_CHECKING:
    from ..artifacts import ChipConfig, MappedNetwork
    from ..diagnostics import Diagnostic
    from ..graph import Graph


def map_network(
    network: NetworkArgument,
    target: TargetOption,
    out: OutOption = None,
    strict: StrictFlag = False,
    dt: DtOption = None,
    convention: ConventionOption = None,
    reset: ResetOption = None,
    scheme: SchemeOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    options: Mapping[str, Any],
) -> None:
    """Place a network on a chip, still in floating point."""
    from .. import pipeline

    output = Output(as_json=as_json, quiet=quiet)
    check_writable(out, suffixes=(".rv",))
    graph = read_network(network, dt=dt, convention=convention, reset=reset, scheme=scheme)
    noted = _reading_findings(graph, network, strict=strict, output=output)
    with output.progress(f"mapping on {target}"):
        mapped = pipeline.map(graph, target, strict=strict, **options)
    _finish(mapped, out, output, noted)


def quantize_network(
    mapped: Annotated[
        Path, typer.Argument(help="Mapped network (.rv) from `ranvier map`.", metavar="MAPPED")
    ],
    target: SameTargetOption = None,
    out: OutOption = None,
    strict: StrictFlag = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    options: Mapping[str, Any],
) -> None:
    """Turn a mapped network into chip integers."""
    from .. import pipeline
    from ..artifacts import MappedNetwork

    output = Output(as_json=as_json, quiet=quiet)
    check_writable(out, suffixes=(".rv",))
    network = load_as(mapped, MappedNetwork)
    check_target(mapped, network.target, target)
    with output.progress(f"quantising for {network.target}"):
        config = pipeline.quantize(network, strict=strict, **options)
    _finish(config, out, output)


def build_config(
    network: NetworkArgument,
    target: TargetOption,
    out: OutOption = None,
    strict: StrictFlag = False,
    dt: DtOption = None,
    convention: ConventionOption = None,
    reset: ResetOption = None,
    scheme: SchemeOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    options: Mapping[str, Any],
) -> None:
    """Map and quantise in one step."""
    from .. import pipeline

    output = Output(as_json=as_json, quiet=quiet)
    check_writable(out, suffixes=(".rv",))
    graph = read_network(network, dt=dt, convention=convention, reset=reset, scheme=scheme)
    noted = _reading_findings(graph, network, strict=strict, output=output)
    with output.progress(f"building for {target}"):
        config = pipeline.build(graph, target, strict=strict, **options)
    _finish(config, out, output, noted)


def _reading_findings(
    graph: Graph, path: Path, *, strict: bool, output: Output
) -> tuple[Diagnostic, ...]:
    """Tell what the reader of the network's file lost or chose; with ``strict`` refuse losses."""
    noted = graph.diagnostics
    losses = [d for d in noted if d.severity == "loss"]
    if strict and losses:
        raise MappingError(describe(losses, heading=f"{path}: {len(losses)} loss(es)"), losses)
    output.diagnostics(noted)
    return noted


def _finish(
    result: MappedNetwork | ChipConfig,
    out: Path | None,
    output: Output,
    noted: tuple[Diagnostic, ...] = (),
) -> None:
    """Save the result and tell what it is."""
    if out is not None:
        save_artifact(result, out)
    output.text(str(result))
    output.text(f"written to {out}" if out else "nothing was written; keep it with --out FILE.rv")
    output.document(
        {
            "kind": "mapped" if hasattr(result, "arrays") else "config",
            "target": result.target,
            "hash": result.content_hash,
            "latency": result.latency,
            "places": len(result.placement),
            "diagnostics": [d.to_dict() for d in (*noted, *result.diagnostics)],
            "file": out,
        }
    )
