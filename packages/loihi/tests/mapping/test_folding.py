"""Chains of stateless nodes become connections: their weights against a dense reference."""

import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import (
    LI,
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Delay,
    Edge,
    Flatten,
    Graph,
    Input,
    Linear,
    Output,
    Scale,
    SparseLinear,
    SumPool2d,
)
from ranvier_loihi.nodes import Average, Unpool

DT = 1e-3


def chain(nodes, target):
    named = {f"n{i}": node for i, node in enumerate(nodes)}
    return Graph.sequential({**named, "lif": target}, dt=DT)


def dense_of(nodes):
    """Return what a chain does to unit vectors, by the core's own reference simulator."""
    shape = nodes[0].input_shape()
    size = int(np.prod(shape))
    out = nodes[-1].output_shape
    probe = LI(shape=out, tau_mem=1e-9)
    graph = Graph.sequential(
        {"input": Input(shape=shape), **{f"n{i}": n for i, n in enumerate(nodes)}, "probe": probe},
        dt=DT,
    )
    config = rv.build(graph, "reference")
    images = np.eye(size).reshape(size, 1, *shape)
    record = rv.simulate(config, images, record=["v_mem"])
    return record.trace("probe", "v_mem").reshape(size, -1).T


CHAINS = {
    "conv": lambda r: [Conv2d(shape=(2, 6, 5), weight=r.normal(size=(4, 2, 3, 2)), stride=(2, 1))],
    "conv with groups": lambda r: [
        Conv2d(shape=(4, 5, 6), weight=r.normal(size=(6, 2, 3, 3)), groups=2, padding=2, dilation=2)
    ],
    "conv1d": lambda r: [Conv1d(shape=(2, 9), weight=r.normal(size=(3, 2, 3)), stride=2)],
    "conv flatten linear": lambda r: [
        Conv2d(shape=(1, 4, 4), weight=r.normal(size=(2, 1, 2, 2))),
        Flatten(shape=(2, 3, 3)),
        Linear(weight=r.normal(size=(5, 18))),
    ],
    "pool flatten linear": lambda r: [
        SumPool2d(shape=(2, 4, 4), kernel_size=2, stride=2),
        Flatten(shape=(2, 2, 2)),
        Linear(weight=r.normal(size=(3, 8))),
    ],
    "padded average pool": lambda r: [
        AvgPool2d(shape=(2, 5, 5), kernel_size=3, stride=2, padding=1)
    ],
    "conv pool": lambda r: [
        Conv2d(shape=(1, 6, 6), weight=r.normal(size=(2, 1, 3, 3))),
        SumPool2d(shape=(2, 4, 4), kernel_size=2, stride=2),
    ],
    "scales": lambda r: [
        Scale(shape=(4,), scale=r.normal(size=4)),
        Linear(weight=r.normal(size=(3, 4))),
        Scale(shape=(3,), scale=r.normal(size=3)),
    ],
    "transposed conv": lambda r: [
        ConvTranspose2d(
            shape=(2, 3, 4), weight=r.normal(size=(2, 3, 3, 2)), stride=(2, 3), padding=(1, 0)
        )
    ],
    "unpool": lambda r: [Unpool(shape=(2, 2, 3), kernel_size=(2, 3))],
    "average": lambda r: [Average(shape=(2, 6), num_outputs=4)],
    "sparse linear": lambda r: [
        SparseLinear(
            data=r.normal(size=3), indices=np.array([0, 3, 2]), indptr=np.array([0, 2, 3]), n_in=4
        ),
        Linear(weight=r.normal(size=(3, 2))),
    ],
}


def by_hand(nodes):
    """Return the matrix of a chain with kinds that the core's simulator does not know."""
    if isinstance(nodes[0], Unpool):
        c, h, w = nodes[0].shape
        kh, kw = nodes[0].kernel_size
        matrix = np.zeros((c, h * kh, w * kw, c, h, w))
        for i, y, x in np.ndindex(c, h * kh, w * kw):
            matrix[i, y, x, i, y // kh, x // kw] = 1
        return matrix.reshape(c * h * kh * w * kw, -1)
    size = int(np.prod(nodes[0].shape))
    return np.kron(np.eye(nodes[0].num_outputs), np.full(size // nodes[0].num_outputs, 1)) / (
        size // nodes[0].num_outputs
    )


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_has_the_weights_of_its_nodes_one_after_the_other(name, build, matrices, lif, rng):
    nodes = CHAINS[name](rng)
    expected = by_hand(nodes) if name in ("unpool", "average") else dense_of(nodes)
    built = build(chain(nodes, lif(*nodes[-1].output_shape)))
    connection = built.connection("input", "lif")
    ((steps, matrix),) = matrices(connection, *expected.shape)
    assert steps == 0
    np.testing.assert_allclose(matrix, expected, rtol=1e-12, atol=1e-12)
    assert not built.findings.errors()


def test_a_single_linear_stays_dense_and_is_not_copied(build, lif, rng):
    linear = Linear(weight=rng.normal(size=(3, 4)))
    connection = build(chain([linear], lif(3))).connection("input", "lif")
    assert connection.kind == "dense"
    assert connection.weight is linear.weight


def test_a_single_sparse_linear_stays_sparse_and_is_not_copied(build, lif):
    node = SparseLinear(
        data=np.array([1.0, 0.0]), indices=np.array([1, 0]), indptr=np.array([0, 1, 2]), n_in=3
    )
    connection = build(chain([node], lif(2))).connection("input", "lif")
    assert connection.kind == "sparse"
    assert connection.weight is node.data
    np.testing.assert_array_equal(connection.indptr, [0, 1, 2])


def test_a_convolution_between_flatten_and_scalar_scale_stays_a_convolution(build, lif, rng):
    weight = rng.normal(size=(2, 1, 2, 2))
    nodes = [
        Scale(shape=(1, 4, 4), scale=2.0),
        Conv2d(shape=(1, 4, 4), weight=weight),
        Flatten(shape=(2, 3, 3)),
        Delay(shape=(18,), delay=3e-3),
    ]
    connection = build(chain(nodes, lif(18))).connection("input", "lif")
    assert connection.kind == "conv"
    assert connection.input_shape == (1, 4, 4)
    np.testing.assert_array_equal(connection.weight, 2 * weight)
    np.testing.assert_array_equal(connection.delay, [2])


def test_a_pool_alone_is_a_convolution_with_groups(build, lif):
    pool = AvgPool2d(shape=(3, 4, 4), kernel_size=2, stride=2)
    connection = build(chain([pool], lif(3, 2, 2))).connection("input", "lif")
    assert (connection.kind, connection.groups) == ("conv", 3)
    np.testing.assert_array_equal(connection.weight, np.full((3, 1, 2, 2), 0.25))


def test_an_edge_without_map_is_a_sparse_diagonal(build, lif):
    connection = build(chain([Flatten(shape=(2, 3))], lif(6))).connection("input", "lif")
    assert connection.kind == "sparse"
    np.testing.assert_array_equal(connection.indices, np.arange(6))
    np.testing.assert_array_equal(connection.weight, np.ones(6))


def test_delays_per_source_stay_with_a_dense_map(build, lif, rng):
    nodes = [
        Delay(shape=(3,), delay=np.array([1e-3, 4e-3, 2e-3])),
        Linear(weight=rng.normal(size=(2, 3))),
    ]
    connection = build(chain(nodes, lif(2))).connection("input", "lif")
    assert connection.kind == "dense"
    np.testing.assert_array_equal(connection.delay, [0, 3, 1])


def test_delays_behind_a_dense_map_belong_to_its_synapses(build, lif, rng):
    nodes = [
        Delay(shape=(3,), delay=np.array([1e-3, 4e-3, 2e-3])),
        Linear(weight=rng.normal(size=(2, 3))),
        Delay(shape=(2,), delay=np.array([0.0, 5e-3])),
    ]
    connection = build(chain(nodes, lif(2))).connection("input", "lif")
    assert connection.kind == "dense"
    np.testing.assert_array_equal(connection.delay, [[0, 3, 1], [5, 8, 6]])


def test_maps_behind_synaptic_delays_split_by_delay(build, matrices, lif, rng):
    first, second = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    delay = np.array([1, 3, 1, 2])
    nodes = [
        Linear(weight=first),
        Delay(shape=(4,), delay=delay * 1e-3),
        Linear(weight=second),
    ]
    built = build(chain(nodes, lif(2)))
    found = {}
    for connection in built.connections("input", "lif"):
        found |= dict(matrices(connection, 2, 3))
    assert sorted(found) == [0, 1, 2]
    for steps, matrix in found.items():
        expected = second @ np.where(delay[:, None] == steps + 1, first, 0.0)
        np.testing.assert_allclose(matrix, expected, atol=1e-12)


def test_delays_of_as_many_synapses_as_sources_are_never_ambiguous(build, matrices, lif):
    sparse = SparseLinear(
        data=np.array([1.0, 2.0]), indices=np.array([1, 0]), indptr=np.array([0, 1, 2]), n_in=2
    )
    nodes = [Delay(shape=(2,), delay=np.array([1e-3, 3e-3])), sparse]
    built = build(chain(nodes, lif(2)))
    connections = built.connections("input", "lif")
    assert all(c.delay.shape == (1,) for c in connections)
    found = dict(pair for c in connections for pair in matrices(c, 2, 2))
    np.testing.assert_array_equal(found[2], [[0, 1], [0, 0]])
    np.testing.assert_array_equal(found[0], [[0, 0], [2, 0]])


def test_many_parallel_branches_stay_few_connections(build, matrices, lif):
    nodes = {"input": Input(shape=(2,))}
    edges, at = [], "input"
    for i in range(24):
        nodes |= {f"a{i}": Scale(shape=(2,), scale=0.5), f"b{i}": Scale(shape=(2,), scale=0.5)}
        nodes[f"s{i}"] = Scale(shape=(2,), scale=1.0)
        edges += [Edge(at, f"a{i}"), Edge(at, f"b{i}"), Edge(f"a{i}", f"s{i}")]
        edges.append(Edge(f"b{i}", f"s{i}"))
        at = f"s{i}"
    nodes |= {"lif": lif(2), "output": Output(shape=(2,))}
    edges += [Edge(at, "lif"), Edge("lif", "output")]
    built = build(Graph(nodes, tuple(edges), DT))
    ((_steps, matrix),) = matrices(built.connection("input", "lif"), 2, 2)
    np.testing.assert_array_equal(matrix, np.eye(2))
