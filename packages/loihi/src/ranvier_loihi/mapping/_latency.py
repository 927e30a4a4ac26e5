"""Arrival of signals on the chip, where every hop takes one step, and delays that balance it.

With extra steps ``late`` of source and target, a graph delay ``d`` and a programmed delay ``k``,
a signal is on time if ``late(target) = late(source) + 1 + k - d``. The smallest ``late >= 0`` for
which every ``k >= 0`` are the longest paths over the hops' extra steps ``1 - d``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from ranvier.diagnostics import ADDED_LATENCY, UNEQUAL_LATENCY, Findings

from .. import diagnostics as codes
from ._maps import Ints


@dataclass(frozen=True, eq=False)
class Hop:
    """One step from a source to a target population, and the graph's delay (any shape)."""

    source: str
    target: str
    delay: Ints

    @property
    def least(self) -> int:
        """Smallest delay in the graph."""
        return int(self.delay.min()) if self.delay.size else 0

    @property
    def label(self) -> str:
        """Name for messages."""
        if not self.delay.size or not self.delay.any():
            return f"{self.source!r}"
        low, high = int(self.delay.min()), int(self.delay.max())
        return f"{self.source!r} (delay {low if low == high else f'{low}..{high}'})"


@dataclass(frozen=True)
class Timing:
    """How late populations are, and the delays to program.

    Parameters
    ----------
    late : mapping of str to int
        Extra steps of Input and neuron nodes.
    balanced : bool
        Whether delays absorb differences between paths.
    """

    late: Mapping[str, int]
    balanced: bool

    def programmed(self, hop: Hop) -> Ints:
        """Return the delay of a hop's synapses beyond its one step, shape as the hop's."""
        if not self.balanced:
            return np.maximum(hop.delay - 1, 0)
        return np.maximum(self.late[hop.target] + hop.delay - self.late[hop.source] - 1, 0)


def timing_of(
    sources: Iterable[str],
    populations: Sequence[str],
    hops: Sequence[Hop],
    *,
    balanced: bool,
    delay_max: int,
    findings: Findings,
) -> Timing:
    """Find how late every population is; report skew, loops that are too fast, and long delays.

    Parameters
    ----------
    sources : iterable of str
        Nodes that are never late: inputs, and populations that the host drives.
    populations : sequence of str
        All others, in topological order.
    hops : sequence of Hop
        Connections between them.
    balanced : bool
        Whether shorter paths may wait for longer ones.
    delay_max : int
        Largest delay of a synapse.
    findings : Findings
        Receives CORE004, CORE005, and this plugin's codes.
    """
    extra = [1 - h.least if balanced else max(1 - h.least, 0) for h in hops]
    kept = _without_fast_loops(populations, hops, extra)
    late = dict.fromkeys([*sources, *populations], 0)
    _relax(late, [(hops[i], extra[i]) for i in kept])
    timing = Timing(late, balanced)
    into: dict[str, list[Hop]] = {}
    for hop in hops:
        into.setdefault(hop.target, []).append(hop)
    for name in populations:
        _report(name, into.get(name, []), timing, findings)
        _check_delays(name, into.get(name, []), timing, delay_max=delay_max, findings=findings)
    return timing


def _relax(late: dict[str, int], hops: Sequence[tuple[Hop, int]]) -> bool:
    """Raise ``late`` until every hop fits; return False if a loop keeps raising it."""
    for _ in range(len(late) + 1):
        changed = False
        for hop, extra in hops:
            arrival = late[hop.source] + extra
            if arrival > late[hop.target]:
                late[hop.target] = arrival
                changed = True
        if not changed:
            return True
    return False


def _without_fast_loops(
    populations: Sequence[str], hops: Sequence[Hop], extra: Sequence[int]
) -> list[int]:
    """Return the hops that can be met: delayed ones of loops with too few steps are left out."""
    rank = {name: i for i, name in enumerate(populations)}
    inner = [i for i, h in enumerate(hops) if h.source in rank]
    ends = ([rank[hops[i].source] for i in inner], [rank[hops[i].target] for i in inner])
    n = len(populations)
    if not n:
        return []
    matrix = sparse.coo_array((np.ones(len(inner)), ends), shape=(n, n)).tocsr()
    _, loop_of = connected_components(matrix, directed=True, connection="strong")
    loops: dict[int, list[int]] = {}
    for i in inner:
        source, target = rank[hops[i].source], rank[hops[i].target]
        if loop_of[source] == loop_of[target]:
            loops.setdefault(int(loop_of[source]), []).append(i)
    dropped: set[int] = set()
    for members in loops.values():
        late = dict.fromkeys({n for i in members for n in (hops[i].source, hops[i].target)}, 0)
        if not _relax(late, [(hops[i], extra[i]) for i in members]):
            dropped |= {i for i in members if hops[i].least > 0}
    return [i for i in range(len(hops)) if i not in dropped]


def _report(name: str, hops: Sequence[Hop], timing: Timing, findings: Findings) -> None:
    """Report a population's extra steps and the differences between its paths."""
    late = timing.late[name]
    steps = [timing.late[h.source] + 1 - h.delay + timing.programmed(h) - late for h in hops]
    wrong = {h.label: int(np.abs(s).max(initial=0)) for h, s in zip(hops, steps, strict=True)}
    wrong = {label: n for label, n in wrong.items() if n}
    if wrong:
        where = "later" if timing.balanced else "off"
        each = ", ".join(f"from {label} {n} step(s) {where}" for label, n in wrong.items())
        findings.add(
            UNEQUAL_LATENCY.at(
                name,
                f"signals arrive at different times: {each} than the node's others",
                value=max(wrong.values()),
                limit=0,
            )
        )
    if not late:
        return
    findings.add(ADDED_LATENCY.at(name, f"arrives {late} step(s) later", value=late))
    if timing.balanced:
        waits = {h.label: late - timing.late[h.source] - 1 for h in hops}
        waits = {label: n for label, n in waits.items() if n > 0}
        if waits:
            each = ", ".join(f"from {label} wait {n} step(s)" for label, n in waits.items())
            findings.add(codes.ABSORBED_SKEW.at(name, f"signals {each}", value=max(waits.values())))


def _check_delays(
    name: str, hops: Sequence[Hop], timing: Timing, *, delay_max: int, findings: Findings
) -> None:
    for hop in hops:
        longest = int(timing.programmed(hop).max(initial=0))
        if longest > delay_max:
            findings.add(
                codes.DELAY_TOO_LONG.at(
                    name,
                    f"the path from {hop.label} needs a synaptic delay of {longest} steps, "
                    f"allowed are {delay_max}",
                    value=longest,
                    limit=delay_max,
                )
            )
