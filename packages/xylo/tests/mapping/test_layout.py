"""Ids on the chip, aliases, several inputs and outputs, folding of linear nodes."""

import numpy as np
import pytest

from ranvier.graph import (
    Conv2d,
    Edge,
    Flatten,
    Graph,
    Input,
    Linear,
    Output,
    Scale,
    SumPool2d,
)
from ranvier_xylo import MapOptions, diagnostics as codes, map_network, target_named


def mapped_on(target, graph, **options):
    return map_network(graph, target_named(target), MapOptions(**options))


def one(n_out, n_in):
    return Linear(weight=np.ones((n_out, n_in)))


def residual(make_cuba, *, extra=()):
    """Fully residual block over a hidden layer of another size, as in a published example."""
    nodes = {
        "in": Input(shape=(4,)),
        "f1": one(5, 4),
        "A": make_cuba(5),
        "f2": one(7, 5),
        "C": make_cuba(7),
        "f3": one(5, 7),
        "B": make_cuba(5),
        "fo": one(2, 5),
        "O": make_cuba(2, last=True),
        "out": Output(shape=(2,)),
    }
    edges = [("in", "f1"), ("f1", "A"), ("A", "f2"), ("f2", "C"), ("C", "f3"), ("f3", "B")]
    edges += [("A", "fo"), ("B", "fo"), ("fo", "O"), ("O", "out"), *extra]
    return Graph(nodes, edges, 1e-3)


@pytest.mark.parametrize("target", ["xylo-v1", "xylo-audio2", "xylo-audio3", "xylo-imu"])
def test_a_residual_block_becomes_an_alias_to_higher_ids(make_cuba, target):
    result = mapped_on(target, residual(make_cuba))
    assert result.placement.slots_of("A").tolist() == [0, 1, 2, 3, 4]
    assert result.placement.slots_of("C").tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert result.placement.slots_of("B").tolist() == [12, 13, 14, 15, 16]
    assert result.arrays["aliases"].tolist() == [12, 13, 14, 15, 16, *[-1] * 12]
    assert result.arrays["weights_out"].shape == (5, 2)
    assert codes.RESIDUAL_ALIAS.code in {d.code for d in result.diagnostics}


def test_residual_weights_repeat_the_shared_weights(make_cuba):
    result = mapped_on("xylo-audio2", residual(make_cuba), residual="weights")
    weights_out = result.arrays["weights_out"]
    assert (result.arrays["aliases"] == -1).all()
    assert weights_out.shape == (17, 2)
    assert (weights_out[:5] == 1).all()
    assert not weights_out[5:12].any()
    assert (weights_out[12:] == 1).all()
    assert codes.RESIDUAL_WEIGHTS.code in {d.code for d in result.diagnostics}


def test_a_consumer_of_the_tail_alone_forbids_the_alias(make_cuba):
    graph = residual(make_cuba)
    nodes = {**graph.nodes, "rec": one(5, 5)}
    edges = [*graph.edges, Edge("B", "rec", "in", 1), Edge("rec", "B")]
    result = mapped_on("xylo-audio2", Graph(nodes, edges, 1e-3))
    assert (result.arrays["aliases"] == -1).all()
    assert (result.arrays["weights_out"][:5] == 1).all()


def test_other_consumers_of_the_source_do_not_forbid_the_alias(make_cuba):
    graph = residual(make_cuba)
    nodes = {**graph.nodes, "rec": one(5, 5)}
    edges = [*graph.edges, Edge("A", "rec", "in", 1), Edge("rec", "A")]
    result = mapped_on("xylo-audio2", Graph(nodes, edges, 1e-3))
    assert (result.arrays["aliases"][:5] >= 12).all()


def test_nested_residuals_form_a_chain_that_ascends(make_cuba):
    nodes = {"f0": one(3, 2), "A": make_cuba(3), "f1": one(3, 3), "B": make_cuba(3)}
    nodes |= {"f2": one(3, 3), "C": make_cuba(3), "fo": one(1, 3), "O": make_cuba(1, last=True)}
    chain = Graph.sequential(nodes, dt=1e-3)
    extra = [Edge("A", "f2"), Edge("A", "fo"), Edge("B", "fo")]
    result = mapped_on("xylo-imu", Graph(chain.nodes, [*chain.edges, *extra], 1e-3))
    aliases = result.arrays["aliases"]
    sources = np.flatnonzero(aliases >= 0)
    assert sources.size
    assert (aliases[sources] > sources).all()


def test_layers_with_input_come_first_and_those_that_drive_outputs_last(make_cuba):
    nodes = {
        "in": Input(shape=(2,)),
        "last": make_cuba(3),
        "middle": make_cuba(4),
        "first": make_cuba(5),
        "fi": one(5, 2),
        "fm": one(4, 5),
        "fl": one(3, 4),
        "fo": one(1, 3),
        "O": make_cuba(1, last=True),
        "out": Output(shape=(1,)),
    }
    edges = [("in", "fi"), ("fi", "first"), ("first", "fm"), ("fm", "middle"), ("middle", "fl")]
    edges += [("fl", "last"), ("last", "fo"), ("fo", "O"), ("O", "out")]
    result = mapped_on("xylo-imu", Graph(nodes, edges, 1e-3))
    starts = {n: int(result.placement.slots_of(n)[0]) for n in ("first", "middle", "last")}
    assert starts == {"first": 0, "middle": 5, "last": 9}
    assert result.arrays["weights_in"].shape[1] == 5
    assert result.arrays["weights_out"].shape[0] == 3


def test_one_hidden_layer_is_first_and_last_at_once(make_cuba):
    graph = Graph.sequential([one(5, 2), make_cuba(5), one(1, 5), make_cuba(1, last=True)], dt=1e-3)
    result = mapped_on("xylo-imu", graph)
    assert result.arrays["weights_in"].shape == (2, 5, 1)
    assert result.arrays["weights_out"].shape == (5, 1)


def test_several_inputs_and_outputs_lie_side_by_side(make_cuba):
    nodes = {
        "left": Input(shape=(2,)),
        "right": Input(shape=(3,)),
        "fl": Linear(weight=np.full((4, 2), 1.0)),
        "fr": Linear(weight=np.full((4, 3), 2.0)),
        "h": make_cuba(4),
        "f1": Linear(weight=np.full((1, 4), 3.0)),
        "f2": Linear(weight=np.full((2, 4), 4.0)),
        "o1": make_cuba(1, last=True),
        "o2": make_cuba(2, last=True),
        "y1": Output(shape=(1,)),
        "y2": Output(shape=(2,)),
    }
    edges = [("left", "fl"), ("right", "fr"), ("fl", "h"), ("fr", "h"), ("h", "f1"), ("h", "f2")]
    edges += [("f1", "o1"), ("f2", "o2"), ("o1", "y1"), ("o2", "y2")]
    result = mapped_on("xylo-imu", Graph(nodes, edges, 1e-3))
    assert result.arrays["weights_in"][:, 0, 0].tolist() == [1, 1, 2, 2, 2]
    assert result.arrays["weights_out"][0].tolist() == [3, 4, 4]
    assert result.settings["shown"] == {"y1": "o1", "y2": "o2"}
    assert result.placement.slots_of("right").tolist() == [2, 3, 4]


def test_linear_nodes_between_neurons_fold_into_one_matrix(make_cuba, rng):
    weight, kernel = rng.normal(size=(3, 8)), rng.normal(size=(2, 1, 2, 2))
    nodes = {
        "in": Input(shape=(1, 3, 3)),
        "conv": Conv2d(shape=(1, 3, 3), weight=kernel),
        "scale": Scale(shape=(2, 2, 2), scale=2.0),
        "flat": Flatten(shape=(2, 2, 2)),
        "fc": Linear(weight=weight),
        "h": make_cuba(3),
        "fo": one(1, 3),
        "O": make_cuba(1, last=True),
        "out": Output(shape=(1,)),
    }
    graph = Graph(nodes, list(zip(list(nodes)[:-1], list(nodes)[1:], strict=True)), 1e-3)
    x = rng.normal(size=(3, 3))
    maps = [[[2 * (kernel[c, 0] * x[i : i + 2, j : j + 2]).sum() for j in (0, 1)] for i in (0, 1)]
            for c in (0, 1)]  # fmt: skip
    expected = weight @ np.ravel(maps)
    got = x.ravel() @ mapped_on("xylo-imu", graph).arrays["weights_in"][:, :, 0]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_input_into_a_population_with_axes_is_flattened_in_c_order(make_cuba):
    graph = Graph.sequential(
        [
            SumPool2d(shape=(2, 2, 4), kernel_size=(2, 2), stride=(2, 2)),
            make_cuba((2, 1, 2)[0]).replace(shape=(2, 1, 2)),
            Flatten(shape=(2, 1, 2)),
            one(1, 4),
            make_cuba(1, last=True),
        ],
        dt=1e-3,
    )
    weights = mapped_on("xylo-imu", graph).arrays["weights_in"][:, :, 0]
    assert weights.sum(axis=0).tolist() == [4, 4, 4, 4]
    assert np.flatnonzero(weights[:, 1]).tolist() == [2, 3, 6, 7]
