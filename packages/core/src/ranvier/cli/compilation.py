"""Commands that bring a network onto a chip: map, quantize, build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    with output.progress(f"mapping on {target}"):
        mapped = pipeline.map(graph, target, strict=strict, **options)
    _finish(mapped, out, output)


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
    with output.progress(f"building for {target}"):
        config = pipeline.build(graph, target, strict=strict, **options)
    _finish(config, out, output)


def _finish(result: MappedNetwork | ChipConfig, out: Path | None, output: Output) -> None:
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
            "diagnostics": [d.to_dict() for d in result.diagnostics],
            "file": out,
        }
    )
