"""Background generators reach exactly the neurons that they are meant to drive."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.diagnostics import Findings
from ranvier_bss2.layout import BACKGROUND_INPUT
from ranvier_bss2.placement import fit_circuits, partition, place_network

HERE = Path(__file__).parent
nets = runpy.run_path(str(HERE / "placed_networks.py"))
same = runpy.run_path(str(HERE / "test_place.py"))["same"]
population, background, placed = (nets[n] for n in ("population", "background", "placed"))


def driven(*generators, targets=(("hid", 10),), joined=None, **options):
    """Return a network of populations that inputs and generators drive."""
    populations = [population(*own) for own in targets]
    pairs = [("in", p.name) for p in populations]
    pairs += joined or [(g.name, p.name) for g in generators for p in populations]
    return nets["network"]({"in": 3}, populations, pairs, backgrounds=generators, **options)


def problems(net, **options):
    findings = Findings()
    assert place_network(net, nets["BUDGET"], findings=findings, **options) is None
    return findings.errors()


@pytest.mark.parametrize("generator", range(8))
def test_each_generator_opens_the_weights_that_are_meant(generator):
    net = driven(background("g", 8, generator=generator))
    circuits = np.arange(10)[:, None] + 256 * (generator // 4)

    layout = placed(net, constraints={"hid": circuits})

    assert layout.background_generator.tolist() == [generator]
    assert layout.node_enabled[0, generator, BACKGROUND_INPUT + generator]
    assert layout.node_enabled[0, :, BACKGROUND_INPUT:].sum() == 1
    same(layout, net)


SEEDS = [k for k in range(42) if k not in (13, 15)]
"""Without 13, whose network does not fit without generators either, and 15, whose network leaves
15 of 512 rows for them."""


@pytest.mark.parametrize("seed", SEEDS)
def test_events_of_random_networks_with_generators_open_what_is_meant(seed):
    net = nets["random_network"](seed, generators=1 + seed % 4)

    same(placed(net, seed=seed), net)


def test_channels_of_a_generator_differ_in_the_bits_that_are_drawn():
    net = driven(background("a", 4), background("b", 32), background("c", 1), background("d", 16))

    layout = placed(net)

    assert sorted(layout.background_mask.tolist()) == [0, 3, 15, 31]
    assert not (layout.background_label & layout.background_mask).any()
    assert len(set(layout.background_generator.tolist())) == 4
    same(layout, net)


def test_all_eight_generators_serve_both_rows_of_circuits():
    upper, lower = ([background(f"{row}{k}", 2) for k in range(4)] for row in "ul")
    joined = [(g.name, "top") for g in upper] + [(g.name, "bottom") for g in lower]
    net = driven(*upper, *lower, targets=(("top", 5), ("bottom", 5)), joined=joined)

    layout = placed(net, constraints={"bottom": 256 + np.arange(5)[:, None]})

    assert sorted(layout.background_generator.tolist()) == list(range(8))
    same(layout, net)


def test_targets_come_first_where_all_neurons_do_not_fit_into_one_row():
    net = driven(background("g", 2), targets=(("a", 200), ("b", 200)), joined=[("g", "b")])

    layout = placed(net)

    own = layout.neuron_population == 1
    assert (layout.neuron_circuit[own] < 256).all()
    same(layout, net)


def test_a_generator_that_is_given_draws_its_targets_into_its_row():
    net = driven(background("g", 4, generator=6), targets=(("a", 9), ("b", 7)), joined=[("g", "b")])

    layout = placed(net)

    own = layout.neuron_circuit[layout.neuron_population == 1]
    assert own.tolist() == list(range(256, 263))
    same(layout, net)


def test_five_generators_of_two_layers_are_spread_over_both_rows():
    generators = [background(f"g{k}", 2) for k in range(5)]
    joined = [(g.name, "ab"[k % 2]) for k, g in enumerate(generators)]
    net = driven(*generators, targets=(("a", 9), ("b", 7)), joined=joined)

    layout = placed(net)

    assert sorted((layout.background_generator // 4).tolist()) == [0, 0, 0, 1, 1]
    same(layout, net)


@pytest.mark.parametrize("circuits", [2, 3, 5])
def test_neurons_in_both_rows_hear_a_generator_through_the_circuits_of_one(circuits):
    rng = np.random.default_rng(circuits)
    net = nets["network"](
        {"in": 90},
        [population("hid", 12, circuits=circuits)],
        [("in", "hid"), ("g", "hid"), ("h", "hid")],
        rng=rng,
        scale=60.0,
        largest=np.inf,
        backgrounds=[background("g", 16), background("h", 4, generator=6)],
    )

    layout = placed(fit_circuits(net, nets["BUDGET"]))

    for g, generator in zip(layout.background_node, layout.background_generator, strict=True):
        own = layout.synapse_projection == 1 + g
        assert (layout.synapse_array[own] == generator // 4).all()
    same(layout, net)


def test_a_generator_runs_in_every_execution_instance_that_it_drives():
    net = driven(background("g", 4), targets=(("hid", 20),))
    split = dataclasses.replace(net.populations[0], split=(12, 8))
    net = dataclasses.replace(net, populations=(split,))

    layout = placed(net)

    assert layout.background_instance.tolist() == [0, 1]
    assert layout.background_node.tolist() == [0, 0]
    registers, view = nets["registers_of"](layout, net), nets["View"](net)
    wanted = view.intended(nets["rounded"](net))
    np.testing.assert_array_equal(view.by_walking(layout, registers), wanted)


def test_a_partition_keeps_generators_with_their_targets():
    net = driven(background("g", 2), targets=(("a", 400), ("b", 200)), joined=[("g", "b")])

    ready = partition(net, nets["BUDGET"], Findings())

    same(placed(ready), ready)


def test_a_generator_that_drives_nothing_takes_no_place():
    layout = placed(driven(background("g", 4), background("idle"), joined=[("g", "hid")]))

    assert layout.background_node.tolist() == [0]


def test_more_than_eight_generators_are_refused_with_the_number():
    (found,) = problems(driven(*(background(f"g{k}") for k in range(9))))

    assert found.code == "BS039"
    assert "9 generators, the chip has 8" in str(found)
    assert "share one" in str(found)


def test_a_partition_refuses_nine_generators_of_one_population():
    findings = Findings()

    partition(driven(*(background(f"g{k}") for k in range(9))), nets["BUDGET"], findings)

    assert [d.code for d in findings.errors()] == ["BS039"]


def test_two_nodes_cannot_share_a_generator():
    (found,) = problems(driven(background("a", generator=2), background("b", generator=2)))

    assert found.code == "BS040"
    assert "generator 2 is that of 'a' already" in str(found)


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (
            driven(background("g"), targets=(("hid", 300),)),
            "its 300 targets lie in both rows of 256 circuits",
        ),
        (driven(*(background(f"g{k}") for k in range(5))), "4 generators are all taken"),
        (
            driven(background("a", generator=5), background("b", generator=0)),
            "row 0, generator 5 reaches row 1",
        ),
    ],
)
def test_targets_out_of_reach_are_explained(net, words):
    (found,) = problems(net)

    assert found.code == "BS041"
    assert words in str(found)
    assert "256..511 for 4-7" in str(found)


def test_rows_of_a_bus_limit_what_a_generator_can_drive():
    net = driven(background("g", 32), targets=(("hid", 4),), scale=300.0, largest=1e4)

    (found,) = problems(net)

    assert found.code == "BS037"
