"""Background generators of a graph in cycles and codes of the chip."""

from __future__ import annotations

from collections.abc import Iterator

from ranvier.diagnostics import Diagnostic, Findings
from ranvier.graph import Graph

from .. import diagnostics as codes
from ..background import CLOCK
from ..network import BssBackground
from ..nodes import Background
from ..targets import Limits

BACKGROUND_CODES = (codes.GENERATOR_RANGE.code, codes.NO_HOST_INPUT.code)
"""Errors after which nothing is placed."""
ROUNDED = 1e-6
"""Relative change of a period that is not worth a note."""


def host_inputs(graph: Graph) -> tuple[str, ...]:
    """Return the inputs that a run takes spikes for: all but background generators."""
    return tuple(n for n in graph.inputs if not isinstance(graph.nodes[n], Background))


def backgrounds_of(
    graph: Graph, limits: Limits, *, time_scale: float, findings: Findings
) -> tuple[BssBackground, ...]:
    """Translate the background generators of a graph.

    Parameters
    ----------
    graph : Graph
        The network.
    limits : Limits
        Of the target.
    time_scale : float
        Chip seconds per second of the graph.
    findings : Findings
        Receives values out of range, and rounded periods.
    """
    found = []
    for name in graph.inputs:
        node = graph.nodes[name]
        if not isinstance(node, Background):
            continue
        wanted = node.period * time_scale * CLOCK
        cycles = round(min(wanted, 2.0 * limits.background_period_max))
        findings.add(*_problems(name, node, wanted=wanted, limits=limits))
        if 1 <= cycles <= limits.background_period_max and abs(cycles - wanted) > ROUNDED * wanted:
            text = f"period {wanted:.6g} cycles of {1e9 / CLOCK:g} ns became {cycles}"
            findings.add(codes.GENERATOR_ROUNDED.at(name, text, value=wanted, limit=cycles))
        found.append(
            BssBackground(
                name=name,
                shape=node.shape,
                regular=node.regular,
                period=max(cycles, 1),
                rate=int(node.rate_code),
                seed=int(node.seed),
                generator=-1 if node.generator is None else int(node.generator),
            )
        )
    if found and not host_inputs(graph):
        text = f"{len(found)} background generator(s) and 0 inputs, at least 1 is needed"
        findings.add(codes.NO_HOST_INPUT.at(None, text, value=0, limit=1))
    return tuple(found)


def _problems(
    name: str, node: Background, *, wanted: float, limits: Limits
) -> Iterator[Diagnostic]:
    last = limits.background_sources - 1
    values: dict[str, tuple[float, int, int, str]] = {
        "period in cycles of 8 ns": (
            wanted,
            1,
            limits.background_period_max,
            "choose another period, or another time_scale of map",
        ),
        "rate_code": (
            node.rate_code,
            0,
            limits.background_rate_max,
            "events come every period * 255 / rate_code: change the period too",
        ),
        "seed": (node.seed, 0, limits.background_seed_max, "use 32 bits"),
        "generator": (
            0 if node.generator is None else node.generator,
            0,
            last,
            "leave it out for a free one",
        ),
    }
    for field, (value, least, most, hint) in values.items():
        if not least - 0.5 <= value < most + 0.5:
            text = f"{field} is {value:.10g}, allowed are {least}..{most}"
            yield codes.GENERATOR_RANGE.at(name, text, value=value, limit=most, hint=hint)
    size, most = node.size, 1 if node.regular else limits.background_channels_max
    if size > most or size & (size - 1):
        kind = f"allowed are powers of two up to {most}"
        if node.regular:
            kind = "a regular generator has 1"
        yield codes.GENERATOR_RANGE.at(
            name,
            f"shape {node.shape} has {size} channels, {kind}",
            value=size,
            limit=most,
            hint="use several nodes, each a generator of its own",
        )
