"""A comparison as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .comparison import Comparison, TargetReport


@dataclass(frozen=True)
class Table:
    """Title, names of the columns, and rows of plain values."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def heading(comparison: Comparison) -> str:
    """Return the line that says what all targets were given."""
    return (
        f"input: {comparison.source}; {comparison.n_samples} samples x {comparison.n_steps} steps "
        f"of {comparison.dt:g} s"
    )


def tables(comparison: Comparison) -> tuple[Table, ...]:
    """Return what the targets compute, what it costs, and the layers."""
    ran = [r for r in comparison.targets if r.status == "ran"]
    return (
        Table(
            "Against the float reference",
            ("TARGET", "ACCURACY", "AGREEMENT", "UNDECIDED", "FIRST DIFFERENCE", "LOSSES"),
            tuple(_results(r) for r in (comparison.reference, *comparison.targets)),
        ),
        Table(
            "Cost",
            (
                *("TARGET", "LATENCY / STEPS", "LATENCY / s", "SPIKES", "SYNAPTIC OPERATIONS"),
                *("FULLEST RESOURCE", "ENERGY OF A SAMPLE"),
            ),
            tuple(_cost(r) for r in (comparison.reference, *ran)),
        ),
        Table(
            f"Layers (van Rossum distance: tau = {comparison.tau:g} s)",
            (
                *("TARGET", "LAYER", "SPIKES", "REFERENCE", "COUNT CORRELATION"),
                *("VAN ROSSUM", "RELATIVE", "MEMBRANE SNR / dB"),
            ),
            tuple(row for r in ran for row in _layers(r)),
        ),
    )


def notes(comparison: Comparison) -> tuple[str, ...]:
    """Return why targets did not run, with their diagnostics, and the sources of energies."""
    lines = []
    for report in comparison.targets:
        if report.status != "ran":
            lines.append(f"{report.target}: {report.status}: {report.reason}")
            lines += [f"  {d}" for d in report.diagnostics]
        elif report.energy is not None:
            lines.append(f"{report.target}: energy: {report.energy.source}")
    return tuple(lines)


def losses(comparison: Comparison) -> tuple[str, ...]:
    """Return each distinct loss once, with the targets that have it."""
    found: dict[str, list[str]] = {}
    for report in comparison.targets:
        for loss in report.losses if report.status == "ran" else ():
            found.setdefault(str(loss), []).append(report.target)
    return tuple(f"{', '.join(dict.fromkeys(names))}: {loss}" for loss, names in found.items())


def text_of(comparison: Comparison) -> str:
    """Return the whole comparison as aligned text."""
    parts = [heading(comparison), *(_aligned(t) for t in tables(comparison))]
    parts += ["\n".join(lines) for lines in (notes(comparison), losses(comparison)) if lines]
    return "\n\n".join(parts)


def cell(value: Any) -> str:
    """Return the text of one cell."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _results(report: TargetReport) -> tuple[Any, ...]:
    if report.status != "ran":
        return (report.target, report.status, None, None, None, None)
    return (
        *(report.target, report.accuracy, report.agreement, report.undecided),
        str(report.first_difference or "none"),
        len(report.losses),
    )


def _cost(report: TargetReport) -> tuple[Any, ...]:
    full, energy = report.utilisation, report.energy
    doubt = f" ({energy.certainty})" if energy and energy.certainty else ""
    return (
        *(report.target, report.latency_steps, report.latency),
        *(report.spikes, report.synaptic_operations),
        f"{full.value:.1%} {full.name.removeprefix('utilisation_')}" if full else None,
        f"{energy.value:.3g} J{doubt}" if energy else None,
    )


def _layers(report: TargetReport) -> list[tuple[Any, ...]]:
    return [
        (
            *(report.target, layer.node, layer.spikes, layer.reference_spikes),
            *(layer.count_correlation, layer.van_rossum, layer.van_rossum_relative),
            layer.membrane_snr,
        )
        for layer in report.layers
    ]


def _aligned(table: Table) -> str:
    rows: list[Sequence[str]] = [table.columns, *([cell(v) for v in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join([table.title, *lines])
