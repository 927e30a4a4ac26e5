import numpy as np

from ranvier.diagnostics import ADDED_LATENCY, UNEQUAL_LATENCY, Findings
from ranvier.graph import (
    CubaLIF,
    Edge,
    Folding,
    Graph,
    Input,
    Linear,
    Output,
    SignalPath,
    latencies,
    topological_order,
)

DT = 1e-3


def two_layers(*, loop_delay: int = 0) -> Graph:
    nodes = {
        "input": Input(shape=(2,)),
        "first": Linear(weight=np.eye(2)),
        "hidden": CubaLIF(shape=(2,), tau_mem=0.01, tau_syn=0.01),
        "second": Linear(weight=np.eye(2)),
        "last": CubaLIF(shape=(2,), tau_mem=0.01, tau_syn=0.01),
        "output": Output(shape=(2,)),
    }
    edges = [Edge(a, b) for a, b in zip(nodes, list(nodes)[1:], strict=False)]
    if loop_delay:
        edges.append(Edge("hidden", "hidden", delay=loop_delay))
    return Graph(nodes, tuple(edges), DT)


def late_of(graph: Graph, hop, findings: Findings) -> dict[str, int]:
    paths = Folding(graph, graph.edges).paths()
    order = topological_order(graph.nodes, paths)
    return latencies(graph, paths, order, hop=hop, findings=findings)


def test_a_number_counts_hops_between_neurons_only() -> None:
    findings = Findings()

    late = late_of(two_layers(), 1, findings)

    assert late == {"input": 0, "hidden": 0, "last": 1, "output": 1}
    assert [(d.code, d.node) for d in findings] == [(ADDED_LATENCY.code, "last")]


def test_a_function_counts_every_path_and_those_from_inputs() -> None:
    late = late_of(two_layers(), lambda path: 1, Findings())

    assert late == {"input": 0, "hidden": 1, "last": 2, "output": 2}


def test_a_function_may_tell_paths_apart() -> None:
    def into_hidden_only(path: SignalPath) -> int:
        return int(path.target == "hidden")

    late = late_of(two_layers(), into_hidden_only, Findings())

    assert late == {"input": 0, "hidden": 1, "last": 1, "output": 1}


def test_a_loop_that_comes_later_than_in_the_graph_is_reported_as_unequal() -> None:
    findings = Findings()

    def two_inside_a_loop(path: SignalPath) -> int:
        return 2 if path.source == path.target else 1

    late = late_of(two_layers(loop_delay=1), two_inside_a_loop, findings)

    assert late["hidden"] == 1
    assert [d.node for d in findings if d.code == UNEQUAL_LATENCY.code] == ["hidden"]
