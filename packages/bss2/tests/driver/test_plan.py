"""The network of a configuration is read from its registers."""

import numpy as np
import pytest

from ranvier.errors import DeviceError
from ranvier_bss2.driver.loops import groups_of, is_loop
from ranvier_bss2.driver.plan import Feed, Part, Plan, plan_of


def test_weights_come_back_from_the_registers(small, rng):
    one, two = rng.integers(-63, 64, size=(8, 6)), rng.integers(-63, 64, size=(3, 8))
    config, _ = small["chip"](
        {"input": (6,)},
        [small["population"]("hidden", 8), small["population"]("out", 3)],
        [small["projection"]("input", "hidden", one), small["projection"]("hidden", "out", two)],
    )

    plan = plan_of(config)

    found = {(f.source, f.target): f for f in plan.feeds}
    assert set(found) == {("input", 0), (0, 1)}
    np.testing.assert_array_equal(found["input", 0].weight, one)
    np.testing.assert_array_equal(found[0, 1].weight, two)
    assert all(f.dense for f in plan.feeds)


def test_a_changed_register_changes_the_plan(config):
    weight = config.synapse_weight.copy()
    weight[0, 0, config.row_mode[0, 0] > 0] = 0

    plan = plan_of(config.model_copy(update={"synapse_weight": weight}))

    assert not any(f.weight.any() for f in plan.feeds if f.target == 0)


def test_projections_with_the_same_ends_add_up(small):
    weight = np.full((2, 3), 10)
    config, _ = small["chip"](
        {"input": (3,)},
        [small["population"]("out", 2)],
        [small["projection"]("input", "out", weight), small["projection"]("input", "out", -weight)],
    )

    (feed,) = plan_of(config).feeds

    np.testing.assert_array_equal(feed.weight, 0)


def test_a_split_population_has_a_part_per_instance(split_config):
    plan = plan_of(split_config)

    assert [(p.population.name, p.instance, p.neurons.tolist()) for p in plan.parts] == [
        ("hidden", 0, [0, 1, 2, 3, 4]),
        ("hidden", 1, [5, 6, 7]),
        ("out", 2, [0, 1, 2]),
    ]
    assert {(f.source, f.target) for f in plan.feeds} == {
        ("input", 0),
        ("input", 1),
        (0, 2),
        (1, 2),
    }


def test_large_weights_are_cut_into_what_synapses_hold():
    weight = np.array([[150, -64], [63, 0]])
    feed = Feed(source="input", target=0, weight=weight, connected=np.ones((2, 2), bool))

    pieces = feed.pieces(63)

    assert [w.tolist() for w, _ in pieces] == [
        [[63, -63], [63, 0]],
        [[63, -1], [0, 0]],
        [[24, 0], [0, 0]],
    ]
    assert [c.tolist() for _, c in pieces][1:] == [
        [[True, True], [False, False]],
        [[True, False], [False, False]],
    ]


def made(edges, instances):
    class Named:
        name = "layer"

    parts = tuple(
        Part(
            number=k,
            population=Named(),
            instance=i,
            neurons=np.arange(1),
            circuits=np.zeros((1, 1)),
        )
        for k, i in enumerate(instances)
    )
    one = np.ones((1, 1), int)
    feeds = tuple(Feed(source=a, target=b, weight=one, connected=one > 0) for a, b in edges)
    return Plan(parts=parts, feeds=feeds)


def test_parts_that_feed_each_other_are_one_group_and_come_after_their_sources():
    plan = made([(3, 1), (1, 2), (2, 1), (2, 0), ("input", 3)], [0, 0, 0, 0])

    groups = groups_of(plan)

    assert groups == [(3,), (1, 2), (0,)]
    assert [is_loop(plan, g) for g in groups] == [False, True, False]


def test_a_loop_over_execution_instances_is_refused():
    with pytest.raises(
        DeviceError, match=r"across execution instances \[0, 1\].*put them into one"
    ):
        groups_of(made([(0, 1), (1, 0)], [0, 1]))
