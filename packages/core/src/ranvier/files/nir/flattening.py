"""Structure of a NIR graph: subgraphs inlined, ends added, cycles closed by a delay of one step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from ...diagnostics import GUESSED_VALUE, LOST_FIELD, Findings
from ...errors import FileError
from .source import OPTIONAL, REQUIRED, RawGraph, RawNode

STATEFUL = ("I", "IF", "LI", "LIF", "CubaLI", "CubaLIF", "Delay")
_ONE = np.asarray(1.0)
Edges = list[tuple[str, str]]


def flattened(raw: RawGraph, *, where: str) -> RawGraph:
    """Inline subgraphs with dotted names and check types, fields and edges.

    Parameters
    ----------
    raw : RawGraph
        As stored.
    where : str
        File name, for messages.

    Raises
    ------
    FileError
        All problems found: unknown types, missing fields, edges to nodes that are not there,
        subgraphs with several inputs or outputs.
    """
    nodes: dict[str, RawNode] = {}
    edges: Edges = []
    through: list[str] = []
    problems: list[str] = []
    _inline(raw, "", nodes, edges, through, problems)
    problems += [p for name, node in nodes.items() for p in _field_problems(name, node)]
    if not nodes:
        problems.append("the graph has no node")
    if problems:
        raise FileError(f"{where}: " + "; ".join(problems))
    _splice(nodes, edges, through)
    return RawGraph(nodes, tuple(edges), raw.metadata, raw.version)


def _inline(
    raw: RawGraph,
    prefix: str,
    nodes: dict[str, RawNode],
    edges: Edges,
    through: list[str],
    problems: list[str],
) -> None:
    ends: dict[str, tuple[str, str]] = {}
    for name, node in raw.nodes.items():
        full = f"{prefix}{name}"
        if isinstance(node, RawNode):
            if full in nodes:
                problems.append(f"two nodes are called {full!r} after subgraphs are inlined")
            nodes[full] = node
            ends[name] = (full, full)
            continue
        _inline(node, f"{full}.", nodes, edges, through, problems)
        ports = [_ports(node, kind, full) for kind in ("Input", "Output")]
        wrong = [kind for kind, p in zip(("Input", "Output"), ports, strict=True) if len(p) != 1]
        if wrong:
            problems.append(f"subgraph {full!r} must have one Input and one Output, check {wrong}")
        ends[name] = (ports[0][0] if ports[0] else full, ports[1][0] if ports[1] else full)
        through.extend(ports[0] + ports[1])
    for source, target in raw.edges:
        lost = [e for e in (source, target) if e not in ends]
        problems += [
            f"edge {prefix}{source} -> {prefix}{target} names {e!r}, which is not a node"
            for e in lost
        ]
        if not lost:
            edges.append((ends[source][1], ends[target][0]))


def _ports(graph: RawGraph, kind: str, full: str) -> list[str]:
    return [
        f"{full}.{n}" for n, v in graph.nodes.items() if isinstance(v, RawNode) and v.type == kind
    ]


def _field_problems(name: str, node: RawNode) -> list[str]:
    if node.type not in REQUIRED:
        return [f"node {name!r} has the unknown type {node.type!r}; known: {', '.join(REQUIRED)}"]
    missing = [f for f in REQUIRED[node.type] if f not in node.fields]
    return [f"node {name!r} ({node.type}) lacks {', '.join(missing)}"] if missing else []


def _splice(nodes: dict[str, RawNode], edges: Edges, through: Iterable[str]) -> None:
    """Remove the inner ends of subgraphs; where that would double an edge, a Scale of 1 stays."""
    for name in through:
        before = [s for s, t in edges if t == name]
        after = [t for s, t in edges if s == name]
        others = {e for e in edges if name not in e}
        bridged = [(s, t) for s in before for t in after]
        if name in before or set(bridged) & others or len(set(bridged)) < len(bridged):
            nodes[name] = RawNode("Scale", {"scale": _ONE})
            continue
        edges[:] = [e for e in edges if name not in e] + bridged
        del nodes[name]


def with_ends(flat: RawGraph, findings: Findings) -> RawGraph:
    """Put an Input before every root and an Output behind every leaf, as NIR itself does."""
    nodes = dict(flat.nodes)
    edges = list(flat.edges)
    targets, sources = {t for _, t in edges}, {s for s, _ in edges}
    for name, node in flat.nodes.items():
        if not isinstance(node, RawNode):
            continue
        if name not in targets and node.type != "Input":
            edges.append((_added(f"input_{name}", "Input", nodes, name, findings), name))
        if name not in sources and node.type != "Output":
            edges.append((name, _added(f"output_{name}", "Output", nodes, name, findings)))
    return RawGraph(nodes, tuple(edges), flat.metadata, flat.version)


def _added(
    name: str,
    kind: str,
    nodes: dict[str, RawNode | RawGraph],
    neighbour: str,
    findings: Findings,
) -> str:
    while name in nodes:
        name += "_"
    nodes[name] = RawNode(kind, {})
    findings.add(GUESSED_VALUE.at(neighbour, f"the file has no {kind} here; {name!r} was added"))
    return name


def report_extra_fields(flat: RawGraph, findings: Findings) -> None:
    """Report fields that the node types do not have: they are not read."""
    for name, node in flat.nodes.items():
        if isinstance(node, RawNode):
            known = REQUIRED[node.type] + OPTIONAL.get(node.type, ())
            for extra in sorted(set(node.fields) - set(known)):
                findings.add(LOST_FIELD.at(name, f"field {extra!r} is not part of {node.type}"))


def closing_edges(types: Mapping[str, str], edges: Iterable[tuple[str, str]]) -> Edges:
    """Return the edges that deliver the value of the previous step, one per cycle.

    A depth-first walk from the inputs finds the edges that close a cycle. Where such an edge
    leaves a stateless map that has no other use, the delay sits in front of the map instead, so
    that the *spikes* of the previous step arrive and a bias of the map acts from the first step.

    Parameters
    ----------
    types : mapping of str to str
        NIR type by node name.
    edges : iterable of (source, target)
        All edges.
    """
    after: dict[str, list[str]] = defaultdict(list)
    before: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    order = sorted(types, key=lambda n: (types[n] != "Input", n))
    found = []
    for edge in _back_edges(order, after):
        source, target = edge
        while types[source] not in STATEFUL and len(after[source]) == len(before[source]) == 1:
            source, target = before[source][0], source
            if (source, target) == edge:
                break
        found.append((source, target))
    return list(dict.fromkeys(found))


def _back_edges(order: Iterable[str], after: Mapping[str, list[str]]) -> Edges:
    found, state = [], dict.fromkeys(order, "new")
    for root in state:
        if state[root] != "new":
            continue
        state[root] = "open"
        walk = [(root, iter(sorted(after.get(root, ()))))]
        while walk:
            name, targets = walk[-1]
            target = next(targets, None)
            if target is None:
                state[name] = "done"
                walk.pop()
            elif state[target] == "open":
                found.append((name, target))
            elif state[target] == "new":
                state[target] = "open"
                walk.append((target, iter(sorted(after.get(target, ())))))
    return found
